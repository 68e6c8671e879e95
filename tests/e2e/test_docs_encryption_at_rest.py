# SPDX-License-Identifier: MIT
"""docs/encryption-at-rest.md, command by command, on a MariaDB of its own."""

import subprocess

import pytest

from conftest import BUILD
from kit import wait_for
from stack.mariadb import MariaDB
from stack.stack import ROOT
from walk import Shell, blocks

PLUGINS = ROOT / "build" / "packages" / "mariadb-server" / "usr" / "lib" / "mysql" / "plugin"
STEPS = blocks("encryption-at-rest.md")
LOGS = {"innodb_encrypt_log", "encrypt_binlog", "encrypt_tmp_files", "encrypt_tmp_disk_tables", "innodb_encrypt_temporary_tables",
        "aria_encrypt_tables"}


@pytest.fixture(scope="module")
def plugins():
    """The plugins of Debian's mariadb-server, whose programs are installed without its service."""
    done = subprocess.run(["sh", "-c", ". tests/stack/setup.sh; unpack mariadb-server "
                           "\"$(dpkg-query -W -f '${Version}' mariadb-server-core)\""],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return PLUGINS


def options_of(file):
    """The lines of a section of MariaDB's configuration as options of the command line."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "=" in line]
    return ["--" + "=".join(part.strip() for part in line.split("=", 1)) for line in lines]


def test_as_documented(tmp_path, plugins):
    """What was readable in the files is so no more, nor what comes later, in tables, redo log and binary log."""
    server = MariaDB(tmp_path / "db", tcp=False)
    server.start()
    try:
        made = server.create("graphgate")
        shell = Shell(tmp_path / "sh", server, {}, {"DB": made.name, "KEYS": tmp_path / "keys", "CONF": tmp_path / "60.cnf"})
        subprocess.run([BUILD / "graphgatectl", "migrate"], env={"DATABASE_URL": server.url(made.admin), "GRAPHGATE_CONFIG": "/nonexistent"},
                       check=True, capture_output=True)
        insert = "INSERT INTO users (tenant_id, microsoft_id, email) VALUES ('t', '{0}', 'zzmarker{0}@example.org')"
        server.sql(insert.format(1), made.name)
        assert "is readable" in shell.run(STEPS["proof"])
        shell.run(STEPS["keys"] + STEPS["options"])
        for path in (tmp_path / "keys").iterdir():
            assert path.stat().st_mode & 0o77 == 0, path
        server.stop()
        server.start(*options_of(tmp_path / "60.cnf"), f"--plugin-dir={plugins}", "--log-bin=binlog", "--server-id=1")
        server.sql(insert.format(2), made.name)
        wait_for(lambda: shell.run(STEPS["pending"]) == "", seconds=60, every=0.5)
        state = [line.split("\t") for line in shell.run(STEPS["state"]).splitlines()]
        tables = {f"graphgate/{row[0]}" for row in server.rows("SHOW TABLES", made.name)}
        assert {row[0] for row in state if len(row) == 3 and row[1:] == ["1", "1"]} == tables
        assert {row[0] for row in state if len(row) == 2} == LOGS
        assert shell.run(STEPS["proof"]) == "not readable\n"
        assert [path.name for path in server.data.rglob("*") if path.is_file() and b"zzmarker" in path.read_bytes()] == []
        with pytest.raises(RuntimeError, match="ENCRYPTED"):
            server.sql("CREATE TABLE plain (a INT) ENCRYPTED=NO", made.name)
        shell.run(STEPS["move"], NUMBER=2)
        assert server.rows("SELECT CURRENT_KEY_ID FROM information_schema.INNODB_TABLESPACES_ENCRYPTION WHERE NAME='graphgate/users'") == [["2"]]
    finally:
        server.stop()
