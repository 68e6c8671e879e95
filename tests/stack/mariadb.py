# SPDX-License-Identifier: MIT
"""A private MariaDB server: its own data directory, unix socket and loopback port; no system service is touched."""

import getpass
import os
import secrets
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path
from urllib.parse import quote

from .process import Child, StartError, drop_socket_dir, free_port, socket_dir, tail

# A database with its two accounts: admin may do everything in it (graphgatectl migrate), worker what grants.sql gives.
Database = namedtuple("Database", "name admin worker")

# Small and fast. What is written need not outlive a power cut.
SETTINGS = (
    "--character-set-server=utf8mb4", "--skip-log-bin", "--skip-name-resolve", "--performance-schema=OFF",
    "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=OFF", "--innodb-use-native-aio=OFF", "--key-buffer-size=1M",
    "--aria-pagecache-buffer-size=8M", "--max-connections=300", "--table-open-cache=200",
)


def _program(name):
    """A server's path: Debian keeps some in /usr/sbin, which an ordinary user's PATH may lack."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
    if not found:
        raise StartError(f"{name} is not installed (Debian packages: mariadb-server-core, mariadb-client)")
    return found


class MariaDB:
    """One server under directory. A second start() with the same directory takes up its data again."""

    def __init__(self, directory, tcp=True):
        self.directory = Path(directory).resolve()
        self.data = self.directory / "data"
        self.port = free_port() if tcp else None
        self._run = socket_dir(self.directory)
        self.socket = self._run / "mariadb.socket"
        self._passwords = {}
        self._databases = {}
        self._child = Child("mariadbd", self._arguments(), self.directory)

    @property
    def pid(self):
        """The server's process id, or None."""
        return self._child.pid

    @property
    def log(self):
        """The server's own log."""
        return self._child.log

    def start(self, *options):
        """Installs the system tables where there are none, starts the server and waits until it answers.

        options are beside the usual ones, for this time.
        """
        if not (self.data / "installed").exists():
            self._install()
        self._run.mkdir(exist_ok=True)
        self._child.argv = [str(word) for word in (*self._arguments(), *options)]
        self._child.start()
        self._child.wait_for(self._answers, timeout_s=60)
        return self

    def stop(self):
        """SIGTERM, and SIGKILL after a while."""
        self._child.stop(timeout_s=30)
        drop_socket_dir(self._run, self.directory)

    def kill(self):
        """SIGKILL: the server is gone in the middle of what it did; start() brings it back on the same port."""
        self._child.kill()

    def sql(self, text, db=None):
        """Runs statements as the server's owner; their rows as text, one a line, columns parted by tabs."""
        return self._client("mariadb", ["--batch", "--skip-column-names", *([db] if db else [])], text)

    def rows(self, text, db=None):
        """The same as a list of lists of strings; an SQL NULL is the string NULL."""
        return [line.split("\t") for line in self.sql(text, db).splitlines()]

    def create(self, database):
        """Makes an empty database of that name (dropping an earlier one) with its two accounts."""
        made = Database(database, f"{database}_admin", f"{database}_web")
        statements = [f"DROP DATABASE IF EXISTS `{database}`",
                      f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"]
        for account in (made.admin, made.worker):
            # Characters that mean something in a URL: whoever reads DATABASE_URL has to decode them.
            password = secrets.token_urlsafe(18) + "@:/%+"
            self._passwords[account] = (password, database)
            statements.append(f"CREATE OR REPLACE USER '{account}'@'%' IDENTIFIED BY '{password}'")
        statements.append(f"GRANT ALL PRIVILEGES ON `{database}`.* TO '{made.admin}'@'%'")
        self.sql(";\n".join(statements) + ";\n")
        self._databases[database] = made
        return made

    def grant(self, database, grants_file):
        """Gives the worker's account what a file of GRANT lines says: @DB@ is the database, @USER@ 'name'@'host'."""
        text = Path(grants_file).read_text(encoding="utf-8")
        account = f"'{self._databases[database].worker}'@'%'"
        self.sql(text.replace("@DB@", database).replace("@USER@", account))

    def url(self, user):
        """DATABASE_URL for an account that create() made."""
        password, database = self._passwords[user]
        return (f"mariadb://{quote(user, safe='')}:{quote(password, safe='')}@localhost:{self.port or 3306}/"
                f"{quote(database, safe='')}?unix_socket={quote(str(self.socket), safe='')}")

    def tcp_url(self, user):
        """The same over TCP."""
        return self.url(user).partition("?")[0].replace("@localhost:", "@127.0.0.1:")

    def drop(self, database):
        """Removes a database and its accounts."""
        made = self._databases.pop(database)
        self.sql(f"DROP DATABASE `{database}`; DROP USER '{made.admin}'@'%', '{made.worker}'@'%';")

    def dump(self, *databases):
        """A dump as SQL text of these databases, or of all that create() made. Binary columns stay readable bytes."""
        names = databases or tuple(self._databases)
        return "" if not names else self._client("mariadb-dump", ["--single-transaction", "--skip-extended-insert", "--databases", *names])

    def as_user(self, user, text):
        """Runs statements as an account that create() made, in its database."""
        password, database = self._passwords[user]
        return self._client("mariadb", ["--batch", "--skip-column-names", database], text, user, password)

    def _client(self, program, arguments, text="", user=None, password=None):
        done = subprocess.run(
            [program, "--no-defaults", f"--socket={self.socket}", f"--user={user or getpass.getuser()}",
             "--default-character-set=utf8mb4", *arguments],
            input=text.encode("utf-8"), capture_output=True, check=False,
            env=os.environ | ({"MYSQL_PWD": password} if password else {}))
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout.decode("utf-8", "backslashreplace")

    def _answers(self):
        try:
            return self.sql("SELECT 1") == "1\n"
        except RuntimeError:
            return False

    def _arguments(self):
        owner = ["--user=root"] if os.geteuid() == 0 else []
        network = [f"--port={self.port}", "--bind-address=127.0.0.1"] if self.port else ["--skip-networking"]
        return [_program("mariadbd"), "--no-defaults", *owner, f"--datadir={self.data}", f"--socket={self.socket}",
                f"--pid-file={self._run}/mariadb.pid", f"--tmpdir={self.directory}", *network, *SETTINGS]

    def _install(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / "install.log"
        with open(log, "wb") as output:
            done = subprocess.run(
                [_program("mariadb-install-db"), "--no-defaults", f"--datadir={self.data}", "--skip-test-db", "--force",
                 "--skip-name-resolve", f"--user={getpass.getuser()}", "--auth-root-authentication-method=socket",
                 f"--auth-root-socket-user={getpass.getuser()}"],
                # Servers that are installed at once would take each other's temporary tables for their own.
                env=os.environ | {"TMPDIR": str(self.directory)}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
        if done.returncode != 0:
            raise StartError(f"mariadb-install-db failed; the end of {log}:\n{tail(log)}")
        (self.data / "installed").touch()
