# SPDX-License-Identifier: MIT
"""The documents for operators, command by command, on a site of their own."""

import base64
import json
import re
import subprocess
import time

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from conftest import BUILD, NO_LIMITS, Person
from kit import expires_in, fernet, refreshes, wait_for
from routes import errors
from stack.smoke import REALMS
from stack.stack import ROOT, Stack
from walk import Shell, blocks


@pytest.fixture(scope="module")
def site(tmp_path_factory, mariadb, sim):
    with Stack(tmp_path_factory.mktemp("operated"), BUILD, NO_LIMITS, mariadb=mariadb, sim=sim) as stack:
        yield stack


@pytest.fixture
def shell(site, tmp_path):
    """The documents' commands on that site: DATABASE_URL is what its configuration says."""
    return Shell(tmp_path / "sh", site.mariadb, {"graphgatectl": BUILD / "graphgatectl"},
                 {**site.env, "DB": site.database.name, "SITE": site.url})


def connected(site):
    """A person of each realm, connected to Microsoft."""
    return [Person(site, realm).connect() for realm in REALMS]


def test_backup_and_restore(site, shell, tmp_path):
    """After a dump, a loss of everything and the restore, tokens decrypt and calendars are shown; what came later is gone."""
    steps, people = blocks("backup.md"), connected(site)
    certificate, private = tmp_path / "backup.pem", tmp_path / "backup.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "2", "-subj", "/CN=backup", "-keyout", private,
                    "-out", certificate], check=True, capture_output=True)
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "graphgate.conf").write_bytes(site.conf_file.read_bytes())
    shell.env |= {"BACKUP": str(tmp_path / "backup"), "SECRETS": str(tmp_path / "secrets"), "ETC": str(etc), "RECIPIENT": str(certificate),
                  "PRIVATE": str(private)}
    before = [person.row("*") for person in people]
    shell.run(steps["dump"])
    shell.run(steps["secrets"])
    dump, = (tmp_path / "backup").iterdir()
    secrets, = (tmp_path / "secrets").iterdir()
    for path in (dump, secrets):
        assert path.stat().st_mode & 0o77 == 0
    assert people[0].row("access_token")[0].encode() not in dump.read_bytes()
    late = Person(site, REALMS[0]).connect()
    site.mariadb.sql(f"DROP DATABASE {site.database.name}")
    (etc / "graphgate.conf").unlink()
    assert people[0].cal("GET").status == 503
    shell.run(steps["read"], FROM=dump, SECRETS_FROM=secrets)
    assert (etc / "graphgate.conf").read_bytes() == site.conf_file.read_bytes()
    shell.run(steps["load"])
    told = shell.run(steps["check"], GRAPHGATE_CONFIG=etc / "graphgate.conf")
    assert "pending" not in told and "failed" not in told
    assert shell.run(steps["try"]) == "the key fits\n"
    assert [person.row("*") for person in people] == before
    for person in people:
        assert wait_for(lambda one=person: one.cal("GET", "/events").status == 200)
    assert late.cal("GET").status == 401
    assert [path for path in (tmp_path / "backup").iterdir()] == [dump], "nothing in clear is left"


# What the Python service made for itself: its own users, and the columns of the contract.
OLD_TABLES = """
CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(255) UNIQUE, full_name VARCHAR(255), hashed_password VARCHAR(255));
CREATE TABLE microsoft_oauth_tokens (id INT AUTO_INCREMENT PRIMARY KEY, user_id INT NOT NULL UNIQUE, {columns});
CREATE TABLE beta_microsoft_oauth_tokens (id INT AUTO_INCREMENT PRIMARY KEY, teacher_id VARCHAR(36) NOT NULL UNIQUE, {columns});
"""
OLD_COLUMNS = """access_token TEXT NOT NULL, refresh_token TEXT, id_token TEXT, token_type VARCHAR(50), expires_at DATETIME NOT NULL,
scope TEXT, microsoft_id VARCHAR(255), microsoft_email VARCHAR(255), tenant_id VARCHAR(255), is_active BOOLEAN DEFAULT TRUE,
last_used_at DATETIME, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP"""
COPIED = "token_type, expires_at, scope, microsoft_id, microsoft_email, tenant_id, is_active, last_used_at, created_at, updated_at"


def old_fernet(secret):
    """The key that the Python service derived where it was given none."""
    kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=b"faraday_token_encryption_salt", iterations=100000)
    return Fernet(base64.urlsafe_b64encode(kdf.derive(secret.encode())))


class OldService:
    """The Python service's database, with rows of people whom Microsoft really knows."""

    def __init__(self, mariadb, secret, name):
        self.mariadb, self.fernet = mariadb, old_fernet(secret)
        self.name = mariadb.create(name).name
        mariadb.sql(OLD_TABLES.format(columns=OLD_COLUMNS), self.name)

    def move_here(self, person, is_plain=False):
        """A row of the new site's becomes one of the old service's, in its own encryption."""
        site = fernet(person.stack)
        tokens = [site.decrypt(cell.encode()) for cell in person.row("access_token, refresh_token, id_token")]
        sealed = ", ".join("'" + (one if is_plain else self.fernet.encrypt(one)).decode() + "'" for one in tokens)
        self.mariadb.sql(f"INSERT INTO {self.name}.{person.table} ({person.key_column}, access_token, refresh_token, id_token, {COPIED}) "
                         f"SELECT {person.key_column}, {sealed}, {COPIED} FROM {person.stack.database.name}.{person.table} "
                         f"WHERE {person.key_column} = '{person.subject}'; DELETE FROM {person.stack.database.name}.{person.table}")
        return person


@pytest.fixture
def moved(tmp_path, mariadb, sim, site):
    """A new site that derives its key as the old service did, and that service's database."""
    secret = "the secret that both services have " + str(time.time_ns())
    config = {**NO_LIMITS, "JWT_SECRET_KEY": secret, "TOKEN_ENCRYPTION_KEY": None, "SIGN_IN": "existing"}
    with Stack(tmp_path / "moved", BUILD, config, mariadb=mariadb, sim=sim) as stack:
        yield stack, OldService(mariadb, secret, "gg_faraday")
    mariadb.drop("gg_faraday")


def test_moving_over(moved, site, tmp_path):
    """Rows that the Python service made are served, refreshed and known again; plain text and a doubtful identity are left behind."""
    (stack, old), steps = moved, blocks("moving-over.md")
    people = [old.move_here(person) for person in connected(site)]
    site.sim.user("twin", email="twin@example.com", name="Twin", consented=True)
    twin = [old.move_here(Person(site, REALMS[0], user="twin").connect()) for _ in range(2)]
    plain = old.move_here(Person(site, REALMS[0]).connect(), is_plain=True)
    old.mariadb.sql("".join(f"INSERT INTO users (id, email, full_name) VALUES ({one.subject}, '{one.user}-{one.subject}@old.example', 'Old');"
                            for one in (people[0], *twin)), old.name)
    shell = Shell(tmp_path / "sh", stack.mariadb, {"graphgatectl": BUILD / "graphgatectl"},
                  {**stack.env, "DB": stack.database.name, "OLD": old.name, "SITE": stack.url, "USER_ID": people[0].subject})
    assert shell.run(steps["fits"]) == "the key fits\n4\t1\n"
    shell.run(steps["import"])
    shell.run(steps["import"])
    shell.run(steps["accounts"])
    assert [line.split("\t")[0] for line in shell.run(steps["doubts"]).splitlines()] == [people[0].subject]
    assert "failed" not in (told := shell.run(steps["see"])) and told.endswith("3\t3\t3\n"), told
    assert shell.run(steps["use"]) == "200\n"
    for person in (*people, plain):
        person.stack, person.site = stack, stack.url
        person.log_in()
    assert plain.cal("GET").status == 401
    for person in people:
        assert person.cal("GET", "/events").status == 200
        expires_in(person, 60)
        assert person.cal("GET", "/events").status == 200
        assert refreshes(person) == 1
    assert Person(stack, REALMS[0], people[0].user).sign_in().body["user_info"]["id"] == people[0].subject
    assert sum(int(count) for count in re.findall(r"(\d+) rows? would be sealed", shell.run(steps["seal"]))) >= 1
    stack.restart_worker({"UNSEALED_ROWS": "refuse"})
    assert [person.cal("GET", "/events").status for person in people] == [200, 200]
    for person in people:
        stack.sql(f"UPDATE {person.table} SET seal = REPEAT('A', 43), access_seal = seal WHERE {person.key_column} = '{person.subject}'")
    assert [person.cal("GET", "/events").status for person in people] == [401, 401]
    shell.run(steps["back"])
    stack.restart_worker({"UNSEALED_ROWS": "accept"})
    assert [person.cal("GET", "/events").status for person in people] == [200, 200]
    answer = Person(stack, REALMS[0], "twin")
    answer.token = None
    start = answer.api("GET", "auth/microsoft/")
    assert answer.call("GET", stack.sim.authorize(start.body["auth_url"], "twin")).body["code"] == "account_unknown"


def test_from_the_derived_key_to_one_of_its_own(moved, tmp_path):
    """The derived key, written out as documented, is what the rows are encrypted with; then they are put under another, and go on.

    So does the audit, whose older rows are signed with it."""
    (stack, _), steps = moved, blocks("keys.md")
    people = connected(stack)
    shell = Shell(tmp_path / "sh", stack.mariadb, {"graphgatectl": BUILD / "graphgatectl"}, stack.env)
    derived = shell.run(steps["derived"], JWT_SECRET_KEY=stack.conf["JWT_SECRET_KEY"]).strip()
    assert Fernet(derived).decrypt(people[0].row("access_token")[0].encode())
    new, own = (shell.run("graphgatectl genkey").strip() for _ in range(2))
    for keys in (f"{derived},{new}", f"{new},{derived}"):
        stack.restart_worker({"TOKEN_ENCRYPTION_KEY": keys})
        assert [person.cal("GET").status for person in people] == [200, 200]
    assert "it may be removed" in shell.run(steps["rotate"])
    stack.restart_worker({"TOKEN_ENCRYPTION_KEY": new})
    assert "cannot be verified" in shell.run(steps["alone"], status=1)
    stack.restart_worker({"AUDIT_KEY": f"{own},{new},{derived}"})
    shell.run(steps["alone"])
    for person in people:
        assert person.cal("GET", "/events").status == 200
        assert Fernet(new).decrypt(person.row("access_token")[0].encode())


def test_upgrade(site, shell):
    """From a database of an earlier version, while the new program already runs, to the newest."""
    steps = blocks("upgrade.md")
    newest = max(site.sql("SELECT version, name FROM schema_migrations"), key=lambda row: int(row[0]))
    site.sql(f"DELETE FROM schema_migrations WHERE version = {newest[0]}")
    account = f"'{site.database.worker}'@'%'"
    told = shell.run(steps["migrate"], ADMIN_URL=site.mariadb.url(site.database.admin), GRANTS=ROOT / "sql" / "grants.sql", WORKER=account)
    assert f"{newest[1]} applied" in told
    told = shell.run(steps["check"])
    assert "pending" not in told and "failed" not in told
    version, health = shell.run(steps["answers"]).splitlines()
    assert version.startswith("graphgate ") and '"healthy"' in health


# What a good answer looks like, block by block; the site is a good one.
CHECKLIST = {
    "key": r"configuration +ok\nencryption +ok.*\nproof\n",
    "start": r"302 https://\S+/oauth2/v2\.0/authorize\?\S*client_id=\S+\n",
    "flow": r".*auth\.connect.*\n\{.*\"total_active\":[1-9].*\}\n",
    "refreshes": r"(graphgate_token_refreshes_total\{.*\} \d+\n)+",
    "closed": r"401\n",
    "authentications": r"(?s)(?=.*graphgate_authentications_total).*graphgate_bad_jwts_total.*",
    "alerts": r"(?s).*SUCCESS: \d+ rules found.*",
    "limits": r"(?si)(?=.*ratelimit-limit: 10\b).*ratelimit-remaining.* 302\n.* 429\n",
    "keys": r"(?s)key +use +main +beta.*",
    "audit": r"(?s).*token\.connect.*",
    "indexes": r"(ok\t\w+\t\w+\n){16}",
    "encryption": r"0\n0\n",
    "logs": r"( +\d+ (code|event)=.*\n)+",
    "besides": r"(?s)\{.*\"healthy\".*\}\n(\w+\.sql +applied\n)+rate_limits +in InnoDB\ngrants +ok\n",
}


@pytest.fixture(scope="module")
def live(tmp_path_factory, mariadb, sim):
    """A site as in production: with limits and a metrics token."""
    place = tmp_path_factory.mktemp("live")
    config = {"METRICS_TOKEN": "a-token-for-Prometheus-alone", "LOG_TARGET": f"file:{place}/log"}
    with Stack(place, BUILD, config, mariadb=mariadb, sim=sim) as stack:
        people = connected(stack)
        expires_in(people[0], 60)
        assert people[0].cal("GET").status == 200
        yield stack, people


def test_deployment(live, tmp_path):
    """Every command of the checklist, on a site where all is well."""
    (stack, people), steps = live, blocks("deployment.md")
    shell = Shell(tmp_path / "sh", stack.mariadb, {"graphgatectl": BUILD / "graphgatectl"},
                  {**stack.env, "DB": stack.database.name, "SITE": stack.url, "METRICS_TOKEN": stack.conf["METRICS_TOKEN"],
                   "ALERTS": ROOT / "monitoring" / "alerts.yml", "USER_ID": people[0].subject,
                   "LOG": f"cat {stack.directory}/log"})
    told = {name: shell.run(script) for name, script in steps.items()}
    for name, wanted in CHECKLIST.items():
        assert re.fullmatch(wanted, told[name]), (name, told[name])
    assert "failed" not in told["credentials"]
    *answers, found = told["errors"].splitlines()
    assert [json.loads(answer)["code"] for answer in answers] == ["invalid_token", "state_invalid", "not_found"]
    assert int(found) >= 3 and all(json.loads(answer)["request_id"] == "deployment-check" for answer in answers)
    counted = sum(map(int, re.findall(r"^ *(\d+) ", shell.run(steps["logs"]), re.M)))
    assert counted == int(shell.run("$LOG | grep -cE 'level=(error|warning)'")), "each line once"
    row = told["explain"].splitlines()[1].split("\t")
    assert "const" in row and "user_id" in row, told["explain"]


def test_troubleshooting(live, sim, tmp_path):
    """What is typed finds a key that was lost, a connection that Microsoft ended, and what one request was refused for."""
    (stack, people), steps = live, blocks("troubleshooting.md")
    someone = Person(stack, REALMS[0]).connect()
    other_key = Fernet.generate_key().decode()
    shell = Shell(tmp_path / "sh", stack.mariadb, {"graphgatectl": BUILD / "graphgatectl"},
                  {**stack.env, "DB": stack.database.name, "SITE": stack.url, "USER_ID": someone.subject, "JWT": someone.token,
                   "LOG": f"cat {stack.directory}/log"})
    assert "failed" not in shell.run(steps["check"])
    assert shell.run(steps["stored"]) == "opens\nopens\n"
    assert "opens" not in shell.run(steps["stored"], status=1, TOKEN_ENCRYPTION_KEY=other_key)
    assert shell.run(steps["keys"])
    assert "refreshed" in shell.run(steps["refresh"])
    told = shell.run(steps["connection"])
    assert "token.connect" in told and someone.row("microsoft_id")[0] in told and "gAAAA" not in told
    sim.fault("status", "token", grant="refresh_token", aadsts=70000, user=someone.user)
    expires_in(someone, -60)
    answer = someone.cal("GET")
    assert answer.status == 401
    request = shell.run(steps["request"], REQUEST_ID=answer.headers["X-Request-ID"])
    assert "microsoft_auth_required" in request and "class=permanent" in request
    assert "microsoft_auth_required" in shell.run(steps["subject"])
    assert any(line.startswith("main\tinvalid_grant\t1\t") for line in shell.run(steps["inactive"]).splitlines())
    assert re.search(r"\d+ class=permanent\n", shell.run(steps["refreshes"]))
    assert re.search(r"\d+ integration/microsoft/calendar microsoft_auth_required\n", shell.run(steps["codes"]))
    explained = shell.run(steps["explain"])
    assert "adminconsent" in explained and "invalid_client" in explained
    assert json.loads(shell.run(steps["jwt"]))["sub"] == someone.subject
    assert "expired" in shell.run(steps["jwt"], status=1, JWT=someone.jwt(exp=1, iat=0))


def test_every_code_has_its_trouble():
    """Each public code of an error stands in the document, below its status where a row has one."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert {(status, code) for status, code in errors() if f"{status} `{code}`" not in text} == set()
