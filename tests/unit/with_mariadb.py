# SPDX-License-Identifier: MIT
"""Runs test programs, one after another, with a private MariaDB that has our tables: with_mariadb.py PROGRAM …"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# pylint: disable-next=wrong-import-position
from tests.stack.mariadb import MariaDB  # noqa: E402

NAME = "unit"


# For store/grants: what the account that may do little may do.
LITTLE = """
CREATE TABLE grants_remove (a INT, b INT); INSERT INTO grants_remove VALUES (1, 2); GRANT SELECT, DELETE ON grants_remove TO {user};
CREATE TABLE grants_change (a INT, b INT); INSERT INTO grants_change VALUES (1, 2);
GRANT SELECT, INSERT, UPDATE, ALTER ON grants_change TO {user};
CREATE TABLE grants_nothing (a INT);
"""


def environment(server):
    """Where the database is, as tests/unit/database.c reads it."""
    made = server.create(NAME)
    for script in sorted((ROOT / "sql").glob("[0-9]*_*.sql")):
        server.sql(script.read_text(encoding="utf-8"), NAME)
    server.sql(LITTLE.format(user=f"'{made.worker}'@'%'"), NAME)
    return os.environ | {
        "GG_TEST_DB_SOCKET": str(server.socket),
        "GG_TEST_DB_USER": made.admin,
        "GG_TEST_DB_PASSWORD": unquote(urlsplit(server.url(made.admin)).password),
        "GG_TEST_DB_NAME": NAME,
        "GG_TEST_DB_LITTLE_USER": made.worker,
        "GG_TEST_DB_LITTLE_PASSWORD": unquote(urlsplit(server.url(made.worker)).password),
    }


def run(programs):
    """The programs that failed."""
    with tempfile.TemporaryDirectory(prefix="gg-unit-") as directory:
        server = MariaDB(directory, tcp=False)
        server.start()
        try:
            there = environment(server)
            return [p for p in programs if subprocess.run([p], env=there, check=False).returncode != 0]
        finally:
            server.stop()


def main():
    """Exit status 0 when every program passed; 2 without any."""
    programs = sys.argv[1:]
    if not programs:
        print(__doc__, file=sys.stderr)
        return 2
    failed = run(programs)
    for program in failed:
        print(f"failed: {program}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
