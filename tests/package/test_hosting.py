# SPDX-License-Identifier: MIT
"""docs/shared-hosting.md, walked through: every command of it, by a user without rights, in a home of its own."""

import os
import re
import shutil
import stat
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from root import run

from sim.client import Sim
from stack import web
from stack.mariadb import MariaDB
from stack.process import Child, free_port
from stack.smoke import Smoke
from stack.stack import CALLBACK, ROOT, fernet_key

BUILD = Path(os.environ.get("GRAPHGATE_BUILD", ROOT / "build"))
FOLDER = BUILD / "package"
PAGE = (ROOT / "docs/shared-hosting.md").read_text(encoding="utf-8")
UID = 61234 if os.geteuid() == 0 else os.geteuid()
# The provider's part: a site may do with .htaccess what is usual, and nothing else.
PROVIDER = """
{modules}
ServerRoot "/"
ServerName localhost
DefaultRuntimeDir {run}
PidFile {run}/apache.pid
Mutex file:{run} default
Listen 127.0.0.1:{port}
ErrorLog {run}/error.log
LogLevel warn
TypesConfig /etc/mime.types
DocumentRoot {home}/public_html
DirectoryIndex index.html
FcgidIPCDir {run}/fcgid
FcgidProcessTableFile {run}/fcgid_shm
<Directory "/">
    AllowOverride None
    Options None
    Require all denied
</Directory>
<Directory "{home}/public_html">
    AllowOverride AuthConfig FileInfo Options Indexes Limit
    Options SymLinksIfOwnerMatch
    Require all granted
</Directory>
<FilesMatch "^\\.ht">
    Require all denied
</FilesMatch>
"""
MODULES = ("mpm_event", "authz_core", "dir", "mime", "rewrite", "fcgid")


def blocks(kind, start="", end=r"\Z"):
    """The fenced blocks of a kind, in the part of the page between two headings."""
    part = re.search(rf"(?ms){start}.*?(?={end})", PAGE)[0]
    return re.findall(rf"(?ms)^```{kind}\n(.*?)^```$", part)


def become():
    """The words before a command that make it the user's."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]


@pytest.fixture(scope="module")
def home():
    """A home below /tmp: everything on the way to it may be entered by anybody."""
    place = Path(tempfile.mkdtemp(prefix="gg-home-", dir="/tmp"))
    (place / "public_html").mkdir()
    for path in (place, place / "public_html"):
        path.chmod(0o755)
        os.chown(path, UID, UID if os.geteuid() == 0 else -1)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def shell(home):
    """shell(text): run by sh as that user, in an environment that has nothing of this one but the way to a compiler."""
    def sh(text, cwd=None, **env):
        return run(*become(), "env", "-i", f"HOME={home}", "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8",
                   *(f"{name}={value}" for name, value in env.items()), "sh", "-euc", text, cwd=cwd or home).stdout
    return sh


@pytest.fixture(scope="module")
def installed(home, shell):
    """Step 1, from the release's tarball."""
    run("make", "-s", "-C", BUILD, "dist")
    (tarball,) = BUILD.glob("graphgate-*.tar.xz")
    shutil.copy(tarball, home / "release.tar.xz")
    (home / "release.tar.xz").chmod(0o644)
    shell("tar -xf release.tar.xz && rm release.tar.xz")
    (source,) = home.glob("graphgate-*")
    for block in blocks("sh", "^## 1", "^## 2"):
        shell(block, cwd=source, MAKEFLAGS=f"-j{os.cpu_count()}")
    return home / "graphgate"


@pytest.fixture(scope="module")
def around():
    """The database and Microsoft."""
    mariadb = MariaDB(FOLDER / "hosting-mariadb").start()
    sim = Sim(FOLDER / "hosting-sim", seed="demo").start()
    yield mariadb, sim
    sim.stop()
    mariadb.stop()


@pytest.fixture(scope="module")
def site(home, shell, installed, around):
    """Steps 2 and 3, and the provider's Apache; its address."""
    mariadb, sim = around
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    sim.app(redirect_uris=[url + CALLBACK])
    configure, migrate = blocks("sh", "^## 2", "^## 3")
    key = shell(configure).split()[-1]
    shutil.copy(sim.ca_file, home / "ca.pem")
    (home / "ca.pem").chmod(0o644)
    values = {"MSCLIENTID": sim.client_id, "MSCLIENTSECRET": sim.client_secret, "MSTENANTID": sim.tenant_id,
              "REDIRECT_URI": url + CALLBACK, "TOKEN_ENCRYPTION_KEY": key, "JWT_SECRET_KEY": fernet_key(),
              "DATABASE_URL": mariadb.tcp_url(mariadb.create("hosted").admin), "ALLOWED_RETURN_URLS": url,
              "MICROSOFT_LOGIN_URL": sim.https, "MICROSOFT_GRAPH_URL": sim.https + "/v1.0",
              "MICROSOFT_CA_FILE": home / "ca.pem"}
    conf = installed / "etc/graphgate/graphgate.conf"
    text = conf.read_text(encoding="utf-8")
    for name, value in values.items():
        text, times = re.subn(rf"^#?{name}=.*$", lambda _, line=f"{name}={value}": line, text, flags=re.M)
        assert times == 1, name
    conf.write_text(text, encoding="utf-8")
    shell(migrate)
    for block in blocks("sh", "^## 3", "^## 4"):
        shell(block)
    apache = provider(home, shell, port)
    yield url
    apache.stop()


def provider(home, shell, port):
    """Apache as that user, as suexec would have it; as a child of this test, ended by its id."""
    shell("mkdir -m 0700 run")
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES)
    (home / "run/apache.conf").write_text(PROVIDER.format(modules=modules, run=home / "run", home=home, port=port))
    (home / "run/apache.conf").chmod(0o644)
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    child = Child("apache", [*become(), web.program("apache2", "apache2"), "-D", "FOREGROUND", "-f", home / "run/apache.conf"],
                  FOLDER / "hosting")
    child.directory.mkdir(parents=True, exist_ok=True)
    child.start(env)
    child.wait_for(lambda: status_of(f"http://127.0.0.1:{port}/") == 200)
    return child


def status_of(url):
    """The status of a GET, or None."""
    try:
        with urllib.request.urlopen(url, timeout=30) as reply:
            return reply.status
    except urllib.error.HTTPError as reply:
        reply.close()
        return reply.code
    except OSError:
        return None


def test_it_is_all_the_users_and_the_secrets_nobody_elses(home, installed, site):
    assert site
    for path in [*installed.rglob("*"), *(home / "public_html").rglob("*")]:
        assert path.lstat().st_uid == UID, path
    conf = installed / "etc/graphgate/graphgate.conf"
    assert stat.S_IMODE(conf.stat().st_mode) == 0o600 and stat.S_IMODE(conf.parent.stat().st_mode) == 0o700
    assert not (home / "public_html") in conf.parents


def test_it_reaches_the_end_of_smoke(home, site, around):
    log = home / "run/error.log"
    assert Smoke(site, around[1].authorize).run(("sam", "noor")), log.read_text(errors="replace")
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in workers_of(home)}
    assert owners == {UID}, "the worker runs as the user"


def workers_of(home):
    """The processes of the program that was installed there."""
    found = set()
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/exe") == str(home / "graphgate/libexec/graphgate.fcgi"):
                found.add(int(entry))
        except OSError:
            continue
    return found


def test_check_has_no_fault(shell, site):
    assert site
    shell('"$HOME/graphgate/bin/graphgatectl" check')


@pytest.mark.parametrize("path", [".htaccess", "graphgate/etc/graphgate/graphgate.conf", "..%2fgraphgate/etc/graphgate/graphgate.conf",
                                  "%2e%2e/graphgate/etc/graphgate/graphgate.conf", ".graphgate.conf"])
def test_no_file_of_ours_is_served(site, path):
    assert status_of(f"{site}/{path}") in (400, 403, 404)


def test_the_script_itself_is_never_text(site):
    request = urllib.request.Request(site + "/graphgate.fcgi")
    with pytest.raises(urllib.error.HTTPError) as caught, urllib.request.urlopen(request, timeout=30):
        pass
    with caught.value as answer:
        assert answer.code == 404 and answer.headers["X-Request-ID"] and b"exec" not in answer.read()


def test_the_line_for_cron(home, site, around):
    """Run as cron does it: sh, a short PATH, the home, nothing else."""
    assert site
    (line,) = blocks("cron")
    command = line.strip().split(None, 5)[5]
    old = "SELECT COUNT(*) FROM refresh_families WHERE expires_at < '2002-01-01'"
    around[0].sql("UPDATE refresh_families SET expires_at = '2001-01-01'", "hosted")
    assert around[0].rows(old, "hosted") != [["0"]]
    run(*become(), "env", "-i", f"HOME={home}", "PATH=/usr/bin:/bin", "SHELL=/bin/sh", "LOGNAME=somebody", "sh", "-c", command)
    assert around[0].rows(old, "hosted") == [["0"]]


def test_every_block_of_the_page_was_run():
    """None stands outside of the parts that the fixtures above go through."""
    parts = [blocks("sh", start, end) for start, end in (("^## 1", "^## 2"), ("^## 2", "^## 3"), ("^## 3", "^## 4"))]
    assert sum(map(len, parts)) == len(blocks("sh")) == 5
    assert len(re.findall("(?m)^```", PAGE)) == 2 * 6
