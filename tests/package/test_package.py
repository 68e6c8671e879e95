# SPDX-License-Identifier: MIT
"""The life of the Debian package on a bare Debian 12: built, installed, set up, upgraded, removed, purged.

Each test goes on from where the one before it ended. MariaDB and the simulated Microsoft run outside of the root.
"""

import contextlib
import os
import re
import shutil
import subprocess
import urllib.parse
from pathlib import Path

import pytest
import serve
from root import Root, run

from sim.client import Sim
from stack.mariadb import MariaDB
from stack.process import free_port
from stack.smoke import REALMS, Browser, Smoke
from stack.stack import CALLBACK, ROOT, fernet_key

FOLDER = Path(os.environ.get("GRAPHGATE_BUILD", ROOT / "build")) / "package"
CONF = "etc/graphgate/graphgate.conf"
APACHE, LIGHTTPD = "etc/apache2/conf-enabled/graphgate.conf", "etc/lighttpd/conf-enabled/50-graphgate.conf"
UNITS = ("graphgate.socket", "graphgate.service", "graphgate-maintain.timer")
# What other packages leave behind: apt's and dpkg's own notes, what servers wrote, certificates, Apache's own folders.
NOTES = re.compile(r"(var/lib/(dpkg|apt)|var/cache|var/log|run|tmp)/|etc/(passwd|group|g?shadow|subuid|subgid)-|"
                   r"etc/ld\.so\.cache|etc/ca-certificates\.conf|etc/ssl/certs/|usr/local/share/ca-certificates$|"
                   r"var/lib/apache2$|var/www($|/)")


def version():
    """What configure.ac says."""
    return re.search(r"^AC_INIT\(\[graphgate\], \[([^]]+)\]", (ROOT / "configure.ac").read_text(encoding="utf-8"), re.M)[1]


def copy_source(target):
    """The project as it is now, without what is built."""
    shutil.rmtree(target, ignore_errors=True)
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                capture_output=True, check=True).stdout
        for name in os.fsdecode(listed).split("\0"):
            if name and (ROOT / name).exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target / name)
    else:
        shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns("build*", "__pycache__", ".pytest_cache", "autom4te.cache"))


@pytest.fixture(scope="module")
def package():
    """The package, built from a copy of the source as any builder does it."""
    shutil.rmtree(FOLDER / "source", ignore_errors=True)
    copy_source(FOLDER / "source/graphgate")
    env = {**os.environ, "DEB_BUILD_OPTIONS": f"nocheck parallel={os.cpu_count()}", "LC_ALL": "C.UTF-8"}
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        env.pop(name, None)
    done = run("dpkg-buildpackage", "-us", "-uc", cwd=FOLDER / "source/graphgate", env=env)
    (FOLDER / "build.log").write_text(done.stdout, encoding="utf-8")
    assert not re.search(r"\bwarning:.*\[-W", done.stdout), "the compiler warns"
    return next((FOLDER / "source").glob(f"graphgate_{version()}_*.deb"))


@pytest.fixture(scope="module")
def older(package):
    """The same as an earlier version, with another word in a file that is the administrator's to change."""
    tree, deb = FOLDER / "older", FOLDER / "graphgate_older.deb"
    shutil.rmtree(tree, ignore_errors=True)
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"Version: {version()}\n", "Version: 0.0.1\n"))
    with open(tree / "etc/apache2/conf-available/graphgate.conf", "a", encoding="utf-8") as file:
        file.write("# As it was.\n")
    run("dpkg-deb", "--root-owner-group", "-b", tree, deb)
    return deb


@pytest.fixture(scope="module")
def root():
    """The bare root; bare is what was in it at first."""
    made = Root(FOLDER).lay()
    made.bare = made.files()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def site(root):
    """What the package does not bring: a database, Microsoft, an address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with contextlib.ExitStack() as stack:
        mariadb = MariaDB(FOLDER / "mariadb").start()
        stack.callback(mariadb.stop)
        sim = stack.enter_context(Sim(FOLDER / "sim", seed="demo"))
        sim.app(redirect_uris=[url + CALLBACK])
        made = type("Site", (), {"port": port, "url": url, "sim": sim, "mariadb": mariadb,
                                 "database": mariadb.create("graphgate"), "jwt_key": fernet_key()})
        yield made


def status_of(root):
    return root.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", "graphgate", check=False).stdout.strip()


def test_the_version_is_the_projects():
    changelog = (ROOT / "debian/changelog").read_text(encoding="utf-8")
    assert re.match(r"graphgate \(([^)]+)\) ", changelog)[1] == version()


def test_it_builds(package):
    assert package.stat().st_size > 100_000
    assert {path.suffix for path in package.parent.iterdir()} >= {".dsc", ".xz", ".deb", ".changes", ".buildinfo"}


def test_lintian_has_nothing_to_say(package):
    """But for the tags that are named, each with its reason, in debian/graphgate.lintian-overrides."""
    changes = next(package.parent.glob("*.changes"))
    said = run("lintian", "--allow-root", "--display-info", "--pedantic", "--show-overrides", changes, check=False).stdout
    lines = [line for line in said.splitlines() if not line.startswith("N:")]
    assert [line for line in lines if not line.startswith("O:")] == []
    named = (ROOT / "debian/graphgate.lintian-overrides").read_text(encoding="utf-8")
    wanted = set(re.findall(r"^graphgate: (\S+)", named, re.M))
    assert wanted and {line.split()[2] for line in lines} == wanted
    assert len(re.findall(r"^#", named, re.M)) >= len(wanted)


def test_the_links_of_the_readme(package, tmp_path):
    """What README.md leads to is beside it, and not compressed away."""
    run("dpkg-deb", "-x", package, tmp_path)
    place = tmp_path / "usr/share/doc/graphgate"
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)", (place / "README.md").read_text(encoding="utf-8")))
    assert len(links) > 12 and [link for link in sorted(links) if not (place / link).is_file()] == []


def test_it_installs_on_a_bare_root(root, older):
    shutil.copy(older, root.path / "tmp/older.deb")
    said = root.install("/tmp/older.deb")
    assert status_of(root) == "ii  0.0.1"
    assert not re.search(r"\b(error|warning)\b", said.replace("libgpg-error0", ""), re.I), said
    assert root.run("graphgatectl", "--version").stdout == f"graphgate {version()}\n"
    assert root.run("/usr/libexec/graphgate.fcgi", "--version").stdout == f"graphgate {version()}\n"
    assert re.search(r"^graphgate:[^:]*:\d+:\d+:[^:]*:/nonexistent:/usr/sbin/nologin$", root.read("etc/passwd"), re.M)
    assert root.run("stat", "-c", "%U:%G %a", "/etc/graphgate").stdout == "root:graphgate 750\n"
    assert not (root.path / CONF).exists()
    for unit in UNITS:
        assert any((wants / unit).is_symlink() for wants in (root.path / "etc/systemd/system").iterdir()), unit


def test_what_the_units_run_is_there(root):
    for unit in (*UNITS[:2], "graphgate-maintain.service", UNITS[2]):
        for program in re.findall(r"^Exec\w+=(\S+)", root.read(f"lib/systemd/system/{unit}"), re.M):
            assert os.access(root.path / program.lstrip("/"), os.X_OK) or program == "/bin/kill", program


def test_it_is_set_up_as_its_readme_says(root, site):
    readme = (ROOT / "debian/README.Debian").read_text(encoding="utf-8")
    line = re.search(r"install -m 0640 -g graphgate \S+ \\\s+\S+", readme)[0]
    root.run("sh", "-ec", line)
    shutil.copy(site.sim.ca_file, root.path / "etc/graphgate/ca.pem")
    (root.path / "etc/graphgate/ca.pem").chmod(0o644)
    values = {"MSCLIENTID": site.sim.client_id, "MSCLIENTSECRET": site.sim.client_secret, "MSTENANTID": site.sim.tenant_id,
              "REDIRECT_URI": site.url + CALLBACK, "TOKEN_ENCRYPTION_KEY": root.run("graphgatectl", "genkey").stdout.strip(),
              "JWT_SECRET_KEY": site.jwt_key, "DATABASE_URL": site.mariadb.tcp_url(site.database.worker),
              "MICROSOFT_LOGIN_URL": site.sim.https, "MICROSOFT_GRAPH_URL": site.sim.https + "/v1.0",
              "MICROSOFT_CA_FILE": "/etc/graphgate/ca.pem", "ALLOWED_RETURN_URLS": site.url}
    text = root.read(CONF)
    for name, value in values.items():
        text, times = re.subn(rf"^#?{name}=.*$", lambda _, line=f"{name}={value}": line, text, flags=re.M)
        assert times == 1, name
    (root.path / CONF).write_text(text, encoding="utf-8")
    assert root.run("stat", "-c", "%U:%G %a", "/" + CONF).stdout == "root:graphgate 640\n"
    assert root.run("cat", "/" + CONF, user="www-data", check=False).returncode != 0
    root.run("graphgatectl", "migrate", env={"DATABASE_URL": site.mariadb.tcp_url(site.database.admin)})
    site.mariadb.grant("graphgate", root.path / "usr/share/graphgate/sql/grants.sql")
    root.run("graphgatectl", "migrate", "--status", user="graphgate")


def test_a_site_is_enabled_by_the_distributions_own_commands(root, site):
    root.install("apache2", "lighttpd")
    for name in (APACHE, LIGHTTPD):
        assert not (root.path / name).exists(), "nothing is enabled without being asked for"
    refused = root.run("a2enconf", "graphgate", check=False)
    assert "proxy_fcgi is not enabled" in refused.stdout and not (root.path / APACHE).exists()
    root.run("a2enmod", "proxy_fcgi", "buffer")
    root.run("a2enconf", "graphgate")
    # A port of one's own on loopback, where Debian listens everywhere.
    root.change("etc/apache2/ports.conf", ("Listen 80\n", f"Listen 127.0.0.1:{site.port}\n"))
    root.change("etc/apache2/sites-available/000-default.conf", ("*:80", f"*:{site.port}"))
    root.run("apache2ctl", "configtest")
    root.run("lighty-enable-mod", "graphgate")
    root.change("etc/lighttpd/lighttpd.conf",
                ("server.port                 = 80", f'server.port = {site.port}\nserver.bind = "127.0.0.1"'),
                ('include_shell "/usr/share/lighttpd/use-ipv6.pl', '#include_shell "/usr/share/lighttpd/use-ipv6.pl'))
    root.run("lighttpd", "-tt", "-f", "/etc/lighttpd/lighttpd.conf")
    assert (root.path / LIGHTTPD).is_symlink() and (root.path / APACHE).is_symlink()


def test_an_upgrade_keeps_what_is_the_sites(root, package):
    kept = [CONF, "etc/lighttpd/conf-available/50-graphgate.conf", "etc/passwd", "etc/group"]
    with open(root.path / kept[1], "a", encoding="utf-8") as file:
        file.write("# The site's own word.\n")
    before = {name: root.read(name) for name in kept}
    modes = root.run("stat", "-c", "%U:%G %a", "/" + CONF, "/etc/graphgate").stdout
    assert "# As it was." in root.read(APACHE)
    shutil.copy(package, root.path / "tmp/newer.deb")
    root.install("/tmp/newer.deb")
    assert status_of(root) == f"ii  {version()}"
    assert {name: root.read(name) for name in kept} == before
    assert root.run("stat", "-c", "%U:%G %a", "/" + CONF, "/etc/graphgate").stdout == modes
    assert "# As it was." not in root.read(APACHE), "what nobody changed is the new version's"
    assert (root.path / LIGHTTPD).is_symlink() and (root.path / APACHE).is_symlink()
    assert root.run("dpkg", "--audit").stdout == ""


def test_after_an_upgrade_the_worker_is_renewed_once_the_schema_is(root, site):
    """Where systemd runs; here a stand-in notes what it is asked for."""
    stub = root.path / "tmp/stub"
    stub.mkdir()
    for name in ("deb-systemd-invoke", "systemctl"):
        (stub / name).write_text('#!/bin/sh\necho "$@" >>/tmp/stub/asked\n', encoding="utf-8")
        (stub / name).chmod(0o755)
    (root.path / "run/systemd/system").mkdir(parents=True)
    env = {"PATH": "/tmp/stub:/usr/sbin:/usr/bin:/sbin:/bin", "DPKG_MAINTSCRIPT_PACKAGE": "graphgate"}
    script = ("/var/lib/dpkg/info/graphgate.postinst", "configure", "0.0.1")
    said = root.run(*script, env={**env, "DATABASE_URL": site.mariadb.tcp_url(site.mariadb.create("empty").admin)}).stdout
    assert 'until "graphgatectl migrate"' in said and "try-restart" not in root.read("tmp/stub/asked")
    said = root.run(*script, env=env).stdout
    assert "migrate" not in said and "try-restart graphgate.service" in root.read("tmp/stub/asked")
    shutil.rmtree(root.path / "run/systemd")


SERVERS = {"apache2": ["sh", "-c", ". /etc/apache2/envvars && mkdir -p $APACHE_RUN_DIR $APACHE_LOCK_DIR && "
                       "exec apache2 -D FOREGROUND"],
           "lighttpd": ["lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"]}


@pytest.mark.parametrize("server", SERVERS)
def test_it_reaches_the_end_of_smoke(server, root, site):
    log = FOLDER / f"{server}.log"
    log.unlink(missing_ok=True)
    site.sim.reset()
    site.sim.seed("demo")
    site.sim.app(redirect_uris=[site.url + CALLBACK])
    with serve.workers(root, log), serve.web_server(root, SERVERS[server], log, site.port):
        assert Smoke(site.url, site.sim.authorize).run(("sam", "noor")), log.read_text(errors="replace")
        done = root.run("graphgatectl", "check", user="graphgate", check=False)
        assert done.returncode == 0, done.stdout
        check_an_id_with_a_slash(root, site)
    pages = [path.stat() for path in (root.path / "run/graphgate").glob("metrics.*")]
    # The page, and the audit's journal.
    assert [(page.st_uid, page.st_mode & 0o777) for page in pages] == [(serve.account(root, "passwd", "graphgate"), 0o600)] * 2
    assert not re.search(r"[?&](code|state|session_code)=", root_error_logs(root, server))


def root_error_logs(root, server):
    """What the server noted of errors: no query string may be in it."""
    return "".join(path.read_text(errors="replace") for path in (root.path / "var/log" / server).glob("error*"))


def check_an_id_with_a_slash(root, site):
    """An event's id goes from the client to Graph as one segment, whichever server is between."""
    someone = Browser(site.url)
    someone.token = root.run("graphgatectl", "jwt", "sign", "--sub", "4711", user="graphgate").stdout.strip()
    start = someone.call("GET", f"{REALMS[0].prefix}/auth/microsoft/")
    assert someone.call("GET", site.sim.authorize(start.body["auth_url"], "sam")).status == 200
    identifier = "AAMk//me/events/x+=="
    times = {name: {"dateTime": f"2026-12-01T{hour}:00:00", "timeZone": "UTC"} for name, hour in (("start", 10), ("end", 11))}
    site.sim.add_events("sam", {"id": identifier, "subject": "awkward", **times})
    path = f"{REALMS[0].prefix}/integration/microsoft/calendar/events/{urllib.parse.quote(identifier, safe='')}"
    answer = someone.call("GET", path)
    assert answer.status == 200 and answer.body["event"]["id"] == identifier, answer


def test_upkeep_by_cron_where_systemd_does_not_run(root, site):
    line = [line for line in root.read("etc/cron.d/graphgate").splitlines() if not line.startswith("#")][0]
    assert re.match(r"\d+ \* \* \* \* graphgate ", line)
    old = "SELECT COUNT(*) FROM refresh_families WHERE expires_at < '2002-01-01'"
    site.mariadb.sql("UPDATE refresh_families SET expires_at = '2001-01-01'", "graphgate")
    assert site.mariadb.rows(old, "graphgate") != [["0"]]
    root.run("sh", "-c", line.split(None, 6)[6], user="graphgate")
    assert site.mariadb.rows(old, "graphgate") == [["0"]]


def test_removal_leaves_the_servers_whole_and_the_configuration(root):
    root.run("apt-get", "-qy", "remove", "graphgate")
    assert not (root.path / APACHE).is_symlink() and not (root.path / LIGHTTPD).is_symlink()
    root.run("apache2ctl", "configtest")
    root.run("lighttpd", "-tt", "-f", "/etc/lighttpd/lighttpd.conf")
    assert (root.path / CONF).exists() and status_of(root).startswith("rc")


def test_purge_leaves_nothing(root, site):
    root.run("apt-get", "-qy", "purge", "graphgate")
    assert "graphgate" not in root.read("etc/passwd") + root.read("etc/group")
    assert not {name for name in root.files() - root.bare if "graphgate" in name and not NOTES.match(name)}
    root.run("apt-get", "-qy", "purge", "--autoremove", "apache2", "lighttpd")
    left = sorted(name for name in root.files() - root.bare - root.owned() if not NOTES.match(name))
    assert left == [], "\n".join(left)
    assert status_of(root) in ("", "dpkg-query: no packages found matching graphgate")
    assert site.mariadb.rows("SELECT COUNT(*) FROM schema_migrations", "graphgate") != [["0"]], "the database is the site's"
