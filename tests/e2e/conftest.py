# SPDX-License-Identifier: MIT
"""What every end-to-end test stands on: one MariaDB and one simulated Microsoft, and stacks of any configuration.

`stack` has the usual settings with the limits off; `make_stack(**config)` gives others, one for each distinct
configuration of a module. Every test takes users of its own from `person`, so that none sees another's data.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import time
import uuid
from pathlib import Path

import pytest

import behind
import openapi
import proof
import seen
from fcgi_client import Program
from sim.client import Sim
from stack.mariadb import MariaDB
from stack.smoke import REALMS, Browser
from stack.stack import ROOT, Stack

BUILD = Path(os.environ.get("GRAPHGATE_BUILD", ROOT / "build"))
NO_LIMITS = {f"RATE_LIMIT_{name}": "off" for name in ("OAUTH_START", "OAUTH_CALLBACK", "CALENDAR")}
# As at any site: each request is counted, with which comes what it needs of its caller's row. None is refused.
FAR_LIMITS = dict.fromkeys(NO_LIMITS, "1000000000/60")
CALENDAR = "integration/microsoft/calendar"
_numbers = itertools.count(1000)


def b64(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sign_jwt(key, claims, header=None):
    """A JWT by HMAC, as a site's own code makes it; header members may be changed to make a bad one."""
    header = {"alg": "HS256", "typ": "JWT", **(header or {})}
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(header["alg"], hashlib.sha256)
    head = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    jwt = f"{head}.{b64(hmac.new(key.encode(), head.encode(), digest).digest())}"
    seen.note("jwt", jwt)
    return jwt


class Person(Browser):
    """Somebody with an account at the site (a JWT), one at Microsoft (a user of the simulator), and a browser."""

    def __init__(self, stack, realm, user=None):
        super().__init__(stack.url, stack.web.trust() if stack.url.startswith("https:") else None)
        self.stack, self.realm = stack, realm
        self.number = next(_numbers)
        self.subject = str(self.number) if realm.name == "main" else str(uuid.uuid4())
        self.user = user or self._new_user()

    def call(self, method, url, body=None, **rest):
        answer = super().call(method, url, body, **rest)
        seen.note_exchange(self.token, url, body, answer)
        return answer

    def _new_user(self):
        key = f"user{self.number}"
        self.stack.sim.user(key, email=f"{key}@example.com", name=f"User {self.number}", consented=True)
        return key

    def claims(self, **changes):
        """The claims of a good JWT; None takes one away."""
        now = int(time.time())
        claims = {"sub": self.subject, "type": "user" if self.realm.name == "main" else "teacher",
                  "email": f"local{self.number}@example.com", "iat": now, "exp": now + 600, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def jwt(self, header=None, **changes):
        return sign_jwt(self.stack.conf["JWT_SECRET_KEY"], self.claims(**changes), header)

    def path(self, below):
        return f"{self.realm.prefix}/{below}"

    def api(self, method, below, body=None, **rest):
        """A call below the realm's prefix, with whatever token self.token is."""
        return self.call(method, self.path(below), body, **rest)

    def cal(self, method, below="", body=None, **rest):
        """A call below the calendar's path: "", "/events", "/events/ID"."""
        return self.api(method, CALENDAR + below, body, **rest)

    def log_in(self, **changes):
        """Holds a JWT of the site's own making; the person is not connected to Microsoft by that."""
        self.token = self.jwt(**changes)
        return self

    def connect(self):
        """Logs in and connects Microsoft to the account."""
        self.log_in()
        start = self.api("GET", "auth/microsoft/")
        assert start.status == 200, start.body
        answer = self.call("GET", self.stack.sim.authorize(start.body["auth_url"], self.user))
        assert answer.status == 200, answer.body
        return self

    def sign_in(self):
        """Signs in with Microsoft; holds the JWT that came of it. The answer of the callback."""
        self.token = None
        start = self.api("GET", "auth/microsoft/")
        assert start.status == 200, start.body
        answer = self.call("GET", self.stack.sim.authorize(start.body["auth_url"], self.user))
        assert answer.status == 200, answer.body
        self.token = answer.body["access_token"]
        return answer

    @property
    def table(self):
        return {"main": "microsoft_oauth_tokens", "beta": "beta_microsoft_oauth_tokens"}[self.realm.name]

    @property
    def key_column(self):
        return {"main": "user_id", "beta": "teacher_id"}[self.realm.name]

    def row(self, columns):
        """Columns of this person's token row, as text; None when there is no row."""
        rows = self.stack.sql(f"SELECT {columns} FROM {self.table} WHERE {self.key_column} = '{self.subject}'")
        return rows[0] if rows else None

    def set_row(self, assignment):
        """Changes this person's token row behind graphgate's back: set_row("expires_at = NOW() + INTERVAL 60 SECOND")."""
        self.stack.sql(f"UPDATE {self.table} SET {assignment} WHERE {self.key_column} = '{self.subject}'")


def pytest_configure(config):
    config.addinivalue_line("markers", "promise(section, sentence): what the test proves; see proof.py")
    config.addinivalue_line("markers", "no_server: goes through no web server; see behind.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    behind.mark(items)
    if config.option.collectonly and "GRAPHGATE_PROOF" in os.environ:
        proof.note_collected(items)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    proof.note(item, report)


@pytest.fixture(scope="session", autouse=True)
def _watched():
    with openapi.http_client_watched():
        yield


@pytest.fixture(autouse=True)
def _as_described(_watched):
    """Every answer that a test gets is one that docs/openapi.yaml describes."""
    yield
    assert openapi.WATCH.faults() == []


@pytest.fixture
def measured(request):
    """measured("first good answer after 1.2 s"): a number of this run, for the tables of proof."""
    return lambda text: request.node.user_properties.append(("measured", text))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory):
    database = MariaDB(tmp_path_factory.mktemp("db")).start()
    yield database
    database.stop()


@pytest.fixture(scope="session")
def sim(tmp_path_factory):
    with Sim(tmp_path_factory.mktemp("sim")) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def _stacks(tmp_path_factory, mariadb, sim):
    """Makes each distinct configuration once for the session; all are stopped at its end."""
    made = {}

    def make(**config):
        given = {"workers": 4, **{name: config.pop(name) for name in ("workers", "over_https") if name in config}}
        key = (*given.items(), *sorted((name, str(value)) for name, value in config.items()))
        if key not in made:
            made[key] = Stack(tmp_path_factory.mktemp(f"stack{len(made)}_"), BUILD, {**FAR_LIMITS, **config},
                              **given, mariadb=mariadb, sim=sim).start()
        return made[key]

    make.made = made
    yield make
    for one in made.values():
        one.stop()


@pytest.fixture(scope="session", autouse=True)
def _no_leaks(_stacks, mariadb, sim, tmp_path_factory):
    """When all tests have run, no log and no database holds a secret that any of them has seen."""
    yield
    from leaks import found, logs_of, patterns  # pylint: disable=import-outside-toplevel
    dump = tmp_path_factory.mktemp("dump") / "all.sql"
    dump.write_text(mariadb.dump(), encoding="utf-8")
    assert found(patterns(sim), dump, *sorted(logs_of(_stacks.made.values()))) == {}


def _pages():
    return set(Path("/dev/shm").glob("graphgate-*"))


@pytest.fixture(scope="session", autouse=True)
def _no_pages():
    """Programs without a METRICS_FILE leave their page behind, as they should; here it goes when nobody has it open."""
    before = _pages()
    yield
    for page in _pages() - before:
        if not any(str(page) in _text(maps) for maps in Path("/proc").glob("[0-9]*/maps")):
            page.unlink(missing_ok=True)


def _text(path):
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@pytest.fixture(scope="session")
def make_stack(_stacks):
    """make_stack(SIGN_IN="off", workers=1): a stack with other settings; None leaves a setting out."""
    return _stacks


@pytest.fixture(scope="session")
def stack(_stacks):
    return _stacks()


@pytest.fixture(scope="session")
def clean_url(stack, mariadb):
    """DATABASE_URL of a migrated database in which no test writes, for `graphgatectl check` to be content with."""
    made = mariadb.create("gg_clean")
    stack.ctl("migrate", env={"DATABASE_URL": mariadb.url(made.admin)})
    mariadb.grant(made.name, ROOT / "sql" / "grants.sql")
    return mariadb.url(made.worker)


@pytest.fixture
def program(stack, tmp_path_factory):
    """program("--workers", 2, LOG_LEVEL="debug"): the program without a web server, on the stack's database.

    env= goes into the environment, lines= is the whole text of its file; other keywords are settings.
    """
    made = []

    def make(*arguments, env=None, lines=None, **settings):
        made.append(Program(stack, tmp_path_factory.mktemp("p"), arguments, settings, env))
        return made[-1].start(lines)

    yield make
    for one in made:
        one.stop()


@pytest.fixture(params=REALMS, ids=[realm.name for realm in REALMS])
def realm(request):
    return request.param


@pytest.fixture
def person(stack, realm):
    """person(): a new one in the realm at hand; person(stack=…, realm=…, user="sam") for others."""
    def make(**given):
        return Person(given.get("stack", stack), given.get("realm", realm), given.get("user"))
    return make


@pytest.fixture(scope="module")
def _known():
    return {}


@pytest.fixture
def connected(person, realm, _known):
    """One connected person for each realm of a module, for tests that leave no trace in it."""
    if realm.name not in _known:
        _known[realm.name] = person().connect()
    return _known[realm.name]


@pytest.fixture(autouse=True)
def _calm(sim):
    """No fault outlives the test that asked for it."""
    yield
    sim.clear_faults()
    sim.clear_token_options()
