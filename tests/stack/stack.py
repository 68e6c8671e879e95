# SPDX-License-Identifier: MIT
"""graphgate as a site runs it: workers behind a web server, MariaDB, and the simulated Microsoft beside them."""

import base64
import os
import re
import secrets
import subprocess
from pathlib import Path

from .journal import settle
from .mariadb import MariaDB
from .process import StartError, free_port
from .servers import SERVERS, chosen

ROOT = Path(__file__).resolve().parents[2]
CALLBACK = "/api/v1/auth/microsoft/callback"


def fernet_key():
    """A new key as `graphgatectl genkey` prints it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


class Stack:
    """One worker configuration with a database of its own, on a loopback port.

    config holds settings of graphgate.conf that differ from the usual; None leaves a setting out. A MariaDB or a Sim
    that is given is used and left running by stop(); otherwise the stack starts its own. Use it with `with`, or call
    start() and stop(). server is a name of servers.py, by default the one that the tests' caller chose; over_https makes
    the https address its url.
    """

    def __init__(self, directory, bin_dir, config=None, *, workers=4, mariadb=None, sim=None, database=None, server=None,
                 over_https=False):
        self.directory = Path(directory).resolve()
        self.bin_dir = Path(bin_dir).resolve()
        self.workers = workers
        self.mariadb = mariadb
        self.sim = sim
        self.database = None
        self.env = {}
        self.conf = {}
        self._own = []
        self._keys = {"TOKEN_ENCRYPTION_KEY": fernet_key(), "JWT_SECRET_KEY": secrets.token_urlsafe(36)}
        self._config = dict(config or {})
        self._database_name = database or "gg_" + re.sub(r"\W", "_", self.directory.name)
        self.server = server or chosen()
        self._ports = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self._ports[1]}" if over_https else f"http://127.0.0.1:{self._ports[0]}"
        self.redirect_uri = self.url + CALLBACK
        self.conf_file = self.directory / "graphgate.conf"
        self.web = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *fault):
        self.stop()

    def start(self):
        """Starts what is missing, migrates an empty database and waits until the site answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            self._start_database()
            self._start_sim()
            self._configure()
            self._migrate()
            self._start_web()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        """Stops all that this stack started, the newest first."""
        if self.web:
            self.web.stop()
        while self._own:
            self._own.pop().stop()

    def restart_worker(self, config=None):
        """Changes settings (None removes one) and starts web server and workers anew on the same ports."""
        self._config.update(config or {})
        self.web.stop()
        self._configure()
        self._start_web()
        return self

    def register(self):
        """Makes this stack's redirect URI known to the simulator; again after sim.reset().

        Stacks that share a simulator share its app registration, each with a redirect URI of its own.
        """
        known = next(app for app in self.sim.call("GET", "apps")["apps"] if app["client_id"] == self.sim.client_id)
        if self.redirect_uri not in known["redirect_uris"]:
            self.sim.app(redirect_uris=[*known["redirect_uris"], self.redirect_uri])

    def ctl(self, *arguments, text=None, env=None, check=True):
        """Runs graphgatectl with this stack's configuration; the completed process with text output."""
        done = subprocess.run(
            [str(self.bin_dir / "graphgatectl"), *map(str, arguments)],
            input=text, text=True, capture_output=True, check=False, env={**self.env, **(env or {})})
        if check and done.returncode != 0:
            raise RuntimeError(f"graphgatectl {' '.join(map(str, arguments))}: exit {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done

    def migrate(self, *arguments):
        """graphgatectl migrate, as the database's administrator."""
        return self.ctl("migrate", *arguments, env={"DATABASE_URL": self.mariadb.url(self.database.admin)})

    def worker_pids(self):
        """The ids of graphgate's processes: the supervisor, where there is one, and its workers."""
        return self.web.worker_pids()

    def serving_pids(self):
        """The ids of the workers alone."""
        return self.web.serving_pids()

    def sql(self, text):
        """Runs statements in this stack's database as its owner; rows as lists of strings."""
        return self.mariadb.rows(text, self.database.name)

    def settle(self):
        """Waits until no row of the audit waits in the journal."""
        settle(self.directory)

    def dump(self):
        """All of this stack's database as SQL text."""
        return self.mariadb.dump(self.database.name)

    def logs(self):
        """All log text of the web server and of the workers."""
        text = self.web.logs() if self.web else ""
        target = self.conf.get("LOG_TARGET") or ""
        if target.startswith("file:") and Path(target[5:]).exists():
            text += Path(target[5:]).read_text(errors="replace")
        return text

    def _start_database(self):
        if self.mariadb is None:
            self.mariadb = MariaDB(self.directory / "mariadb").start()
            self._own.append(self.mariadb)
        self.database = self.mariadb.create(self._database_name)

    def _start_sim(self):
        if self.sim is None:
            from sim.client import Sim  # pylint: disable=import-outside-toplevel
            self.sim = Sim(self.directory / "sim")
            self.sim.start()
            self._own.append(self.sim)
        self.register()

    def _configure(self):
        usual = {
            "MSCLIENTID": self.sim.client_id,
            "MSCLIENTSECRET": self.sim.client_secret,
            "MSTENANTID": self.sim.tenant_id,
            "REDIRECT_URI": self.redirect_uri,
            **self._keys,
            "DATABASE_URL": self.mariadb.url(self.database.worker),
            "MICROSOFT_LOGIN_URL": self.sim.https,
            "MICROSOFT_GRAPH_URL": self.sim.https + "/v1.0",
            "MICROSOFT_CA_FILE": self.sim.ca_file,
            "ALLOWED_RETURN_URLS": self.url,
            "METRICS_FILE": self.directory / "metrics",
        }
        self.conf = {name: str(value) for name, value in {**usual, **self._config}.items() if value is not None}
        self.conf_file.unlink(missing_ok=True)
        with open(os.open(self.conf_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in self.conf.items())
        # Nothing that the caller's own environment sets may reach graphgate: the environment wins over the file.
        self.env = {name: value for name, value in os.environ.items()
                    if name in ("PATH", "HOME", "TZ", "LANG", "TMPDIR") or name.endswith("SAN_OPTIONS")
                    or name.startswith(("GCOV_", "LLVM_PROFILE_"))}
        self.env["GRAPHGATE_CONFIG"] = str(self.conf_file)

    def _migrate(self):
        self.migrate()
        self.mariadb.grant(self.database.name, ROOT / "sql" / "grants.sql")

    def _start_web(self):
        worker = self.bin_dir / "graphgate.fcgi"
        if not os.access(worker, os.X_OK):
            raise StartError(f"{worker} is not there: build it first")
        self.web = SERVERS[self.server](self.directory / "web", {
            "binary": worker, "config_file": self.conf_file, "workers": self.workers,
            "document_root": ROOT / "htdocs"}, *self._ports)
        self.web.start(self.env)
