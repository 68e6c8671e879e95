# SPDX-License-Identifier: MIT
"""The schema: how it comes into a database, what `check` says of it, and what the worker's account may do."""

import os
import re
import shutil
import signal
import subprocess
import time
from urllib.parse import unquote

import pytest
from conftest import BUILD, Person
from fcgi_client import direct

from stack.mariadb import MariaDB
from stack.stack import ROOT

SCRIPTS = sorted(path.name for path in (ROOT / "sql").glob("[0-9]*.sql"))
TABLES = {"microsoft_oauth_tokens", "beta_microsoft_oauth_tokens", "users", "beta_teachers", "login_states", "session_codes",
          "refresh_families", "rate_limits", "signing_keys", "audit_log", "audit_seals", "schema_migrations", "schema_lock"}
VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
GRANTED = {(table, verb) for verbs, table in re.findall(r"^GRANT ([A-Z, ]+) ON `@DB@`\.(\w+) TO @USER@;$",
                                                        (ROOT / "sql" / "grants.sql").read_text(), re.M) for verb in verbs.split(", ")}
# What the contract says that the old service has; nothing more.
OLD = ("id {id} PRIMARY KEY AUTO_INCREMENT, {key} NOT NULL UNIQUE, access_token TEXT NOT NULL, refresh_token TEXT, id_token TEXT, "
       "token_type VARCHAR(50) DEFAULT 'Bearer', expires_at DATETIME NOT NULL, scope TEXT, microsoft_id VARCHAR(255), "
       "microsoft_email VARCHAR(255), tenant_id VARCHAR(255), is_active BOOLEAN DEFAULT TRUE, last_used_at DATETIME, "
       "created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME DEFAULT CURRENT_TIMESTAMP")
OLD_TABLES = (("microsoft_oauth_tokens", "user_id", "BIGINT", "9007199254740993"),
              ("beta_microsoft_oauth_tokens", "teacher_id", "CHAR(36)", "'0b0e2c4e-0000-4000-8000-000000000001'"))


@pytest.fixture
def empty(mariadb, request):
    """An empty database with its accounts."""
    name = "gm_" + re.sub(r"\W", "_", request.node.name)[:40]
    yield mariadb.create(name)
    mariadb.drop(name)


@pytest.fixture
def ctl(mariadb, stack, empty):
    """ctl("migrate"): a run with the empty database's administrator; binary= and user= differ."""
    def start(*arguments, binary=BUILD / "graphgatectl", user=None, **env):
        return subprocess.Popen([str(binary), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                env={**stack.conf, "GRAPHGATE_CONFIG": "/nonexistent/x.conf",
                                     "DATABASE_URL": mariadb.url(user or empty.admin), **env})

    def run(*arguments, **rest):
        process = start(*arguments, **rest)
        output = process.communicate(timeout=60)[0]
        return process.returncode, output

    run.start = start
    return run


@pytest.fixture
def installed(tmp_path):
    """A copy of the command with scripts of its own, as installed: the binary and the folder of scripts."""
    scripts = tmp_path / "share" / "graphgate" / "sql"
    shutil.copytree(ROOT / "sql", scripts)
    (tmp_path / "bin").mkdir()
    return shutil.copy(BUILD / "graphgatectl", tmp_path / "bin"), scripts


def shape(mariadb, database):
    """Every column, key and engine of a database."""
    where = f"WHERE table_schema = '{database.name}' ORDER BY 1, 2, 3"
    return [mariadb.rows(f"SELECT table_name, column_name, column_type, is_nullable, column_default, collation_name "
                         f"FROM information_schema.columns {where}"),
            mariadb.rows(f"SELECT table_name, index_name, seq_in_index, column_name, non_unique FROM information_schema.statistics {where}"),
            mariadb.rows(f"SELECT table_name, engine, table_collation FROM information_schema.tables {where}")]


def test_from_empty_and_again(ctl, mariadb, empty):
    code, output = ctl("migrate", "--status")
    assert code == 1 and [line.split() for line in output.splitlines()] == [[name, "pending"] for name in SCRIPTS]
    assert mariadb.rows("SHOW TABLES", empty.name) == []
    code, output = ctl("migrate")
    assert code == 0 and [line for line in output.splitlines() if line.endswith(" applied")] == [f"{name} applied" for name in SCRIPTS]
    assert {row[0] for row in mariadb.rows("SHOW TABLES", empty.name)} == TABLES
    before = shape(mariadb, empty)
    applied = mariadb.rows("SELECT * FROM schema_migrations", empty.name)
    code, output = ctl("migrate")
    assert code == 0 and "applied" not in output and SCRIPTS[-1] in output
    assert shape(mariadb, empty) == before and mariadb.rows("SELECT * FROM schema_migrations", empty.name) == applied
    code, output = ctl("migrate", "--status")
    assert code == 0 and [line.split() for line in output.splitlines()] == [
        *([name, "applied"] for name in SCRIPTS), ["rate_limits", "in", "InnoDB"]]


def table_of_limits(mariadb, database):
    """All that MariaDB knows of it."""
    return mariadb.rows("SHOW CREATE TABLE rate_limits", database.name)[0][1]


@pytest.mark.parametrize("word, name", [("aria", "Aria"), ("memory", "MEMORY")])
def test_the_limits_engine(ctl, mariadb, empty, word, name):
    """On a fresh database as on one in use; a migration without the option changes none; and back, with nothing left behind."""
    code, output = ctl("migrate", "--limits-engine", "innodb")
    assert code == 0 and output.splitlines()[-2:] == [f"the schema is at {SCRIPTS[-1]}", "rate_limits is in InnoDB"]
    before = table_of_limits(mariadb, empty)
    mariadb.sql("INSERT INTO rate_limits VALUES ('a/60', 1, 2, 3, 1, '2037-01-01')", empty.name)
    for arguments, said in ((("--limits-engine", word), f"rate_limits is in {name} now (was InnoDB)"),
                            ((f"--limits-engine={word}",), f"rate_limits is in {name}"), ((), f"the schema is at {SCRIPTS[-1]}")):
        code, output = ctl("migrate", *arguments)
        assert code == 0 and output.splitlines()[-1] == said
        assert ctl("migrate", "--status")[1].splitlines()[-1].split() == ["rate_limits", "in", name]
    assert ctl("migrate", "--limits-engine", "innodb")[1].splitlines()[-1] == f"rate_limits is in InnoDB now (was {name})"
    assert table_of_limits(mariadb, empty) == before
    assert mariadb.rows("SELECT * FROM rate_limits", empty.name) == [["a/60", "1", "2", "3", "1", "2037-01-01 00:00:00"]]


@pytest.mark.parametrize("arguments, word", [
    (("--limits-engine", "myisam"), "innodb|aria|memory"), (("--limits-engine",), "--limits-engine"), (("--limits-engine", "Aria"), "is one of"),
    (("--status", "--limits-engine", "aria"), "--status alone"), (("aria",), "--status alone")])
def test_a_limits_engine_that_is_none(ctl, mariadb, empty, arguments, word):
    code, output = ctl("migrate", *arguments)
    assert code == 2 and word in output and mariadb.rows("SHOW TABLES", empty.name) == []


@pytest.mark.parametrize("options, may", [
    ((), True), (("--wsrep-cluster-address=gcomm://192.0.2.1",), False), (("--wsrep-on=ON", "--binlog-format=ROW"), False)])
def test_the_limits_stay_in_innodb_on_galera(ctl, tmp_path, options, may):
    """A server that is set up to be a node; where it does not replicate yet, it soon would."""
    server = MariaDB(tmp_path / "node").start(*options)
    try:
        url = server.url(server.create("gm_node").admin)
        for word in ("aria", "memory"):
            code, output = ctl("migrate", "--limits-engine", word, DATABASE_URL=url)
            assert (code == 0) is may and ("Galera" in output) is not may, output
            assert (server.rows("SHOW TABLES", "gm_node") != []) is may
        server.sql("DROP DATABASE gm_node; CREATE DATABASE gm_node")
        assert ctl("migrate", "--limits-engine", "innodb", DATABASE_URL=url)[0] == 0
        assert check_limits(ctl, url) == "ok: in InnoDB"
        # As a dump of another server's may have it.
        server.sql("ALTER TABLE rate_limits ENGINE=Aria", "gm_node")
        assert check_limits(ctl, url).startswith("ok: in Aria" if may else "failed: rate_limits is in Aria, and Galera replicates InnoDB alone")
        assert ctl("migrate", "--limits-engine", "innodb", DATABASE_URL=url)[0] == 0
        assert check_limits(ctl, url) == "ok: in InnoDB"
    finally:
        server.stop()


def check_limits(ctl, url):
    """What check says of them."""
    return re.search(r"^limits +(.*)$", ctl("check", DATABASE_URL=url)[1], re.M)[1]


def test_the_room_of_a_table_in_memory(ctl, tmp_path):
    """It is the administrator's until the server ends; then whatever the server's configuration gives, of which check warns."""
    server = MariaDB(tmp_path / "alone").start()
    rows = "SELECT max_data_length DIV avg_row_length FROM information_schema.tables WHERE table_name = 'rate_limits'"
    try:
        url = server.url(server.create("gm_alone").admin)
        assert ctl("migrate", "--limits-engine", "memory", DATABASE_URL=url)[0] == 0
        assert int(server.rows(rows)[0][0]) > 1000000
        said = check_limits(ctl, url)
        assert said.startswith("warning: ") and "max_heap_table_size" in said
        server.stop()
        server.start()
        told = int(re.search(r"room for (\d+) users", check_limits(ctl, url))[1])
        assert abs(int(server.rows(rows)[0][0]) / told - 1) < 0.1 and said == check_limits(ctl, url)
        server.stop()
        server.start("--max-heap-table-size=64M")
        assert check_limits(ctl, url) == "ok: in MEMORY"
        assert int(server.rows(rows)[0][0]) > 3.5 * told
    finally:
        server.stop()


def test_four_at_once(ctl, mariadb, empty):
    processes = [ctl.start("migrate") for _ in range(4)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert sorted(re.findall(r"^(\S+) applied$", "".join(outputs), re.M)) == SCRIPTS
    assert mariadb.rows("SELECT COUNT(*) FROM schema_migrations", empty.name) == [[str(len(SCRIPTS))]]


def test_a_changed_script_is_detected(ctl, mariadb, empty, installed):
    binary, scripts = installed
    assert ctl("migrate", binary=binary)[0] == 0
    with open(scripts / SCRIPTS[1], "a", encoding="utf-8") as script:
        script.write("CREATE TABLE sneaked_in (a INT);\n")
    code, output = ctl("migrate", "--status", binary=binary)
    assert code == 1 and f"{SCRIPTS[1]} " in output and "CHANGED" in output
    code, output = ctl("migrate", binary=binary)
    assert code == 1 and SCRIPTS[1] in output
    assert "sneaked_in" not in {row[0] for row in mariadb.rows("SHOW TABLES", empty.name)}


def test_a_new_script_is_applied_alone(ctl, mariadb, empty, installed):
    binary, scripts = installed
    assert ctl("migrate", binary=binary)[0] == 0
    (scripts / "900_more.sql").write_text("CREATE TABLE more (a INT);\nINSERT INTO more VALUES (1);\n")
    code, output = ctl("migrate", "--status", binary=binary)
    assert code == 1 and output.count("pending") == 1
    for _ in range(2):
        assert ctl("migrate", binary=binary)[0] == 0
    assert mariadb.rows("SELECT a FROM more", empty.name) == [["1"]]


def test_a_script_that_fails_is_named_and_not_recorded(ctl, mariadb, empty, installed):
    binary, scripts = installed
    (scripts / "900_bad.sql").write_text("CREATE TABLE more (a INT);\nNO SUCH STATEMENT;\n")
    code, output = ctl("migrate", binary=binary)
    assert code == 1 and "900_bad.sql" in output
    assert ["900"] not in mariadb.rows("SELECT version FROM schema_migrations", empty.name)


def test_killed_half_way_and_run_again(ctl, mariadb, empty, installed):
    binary, scripts = installed
    whole = (scripts / SCRIPTS[0]).read_text()
    tables, alters = whole.split("ALTER TABLE", 1)
    (scripts / SCRIPTS[0]).write_text(tables + "DO SLEEP(1);\nALTER TABLE" + alters)
    process = ctl.start("migrate", binary=binary)
    end = time.monotonic() + 10
    while ["beta_microsoft_oauth_tokens"] not in mariadb.rows("SHOW TABLES", empty.name) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert mariadb.rows("SELECT COUNT(*) FROM schema_migrations", empty.name) == [["0"]]
    (scripts / SCRIPTS[0]).write_text(whole)
    code, output = ctl("migrate", binary=binary)
    assert code == 0, output
    fresh = mariadb.create("gm_fresh")
    assert ctl("migrate", DATABASE_URL=mariadb.url(fresh.admin))[0] == 0
    assert shape(mariadb, empty)[:1] == shape(mariadb, fresh)[:1]
    mariadb.drop("gm_fresh")


def test_tables_of_the_old_service_are_kept(ctl, mariadb, empty):
    for table, key, kind, value in OLD_TABLES:
        mariadb.sql(f"CREATE TABLE {table} ({OLD.format(id='INT', key=f'{key} {kind}')}) DEFAULT CHARSET=utf8mb4; "
                    f"INSERT INTO {table} ({key}, access_token, expires_at, updated_at) "
                    f"VALUES ({value}, 'gAAAA-old', '2024-01-02 03:04:05', '2024-02-02')",
                    empty.name)
    code, output = ctl("migrate")
    assert code == 0, output
    for table, key, _, value in OLD_TABLES:
        row = mariadb.rows(f"SELECT {key}, access_token, expires_at, is_active, refresh_lease, updated_at FROM {table}", empty.name)
        assert row == [[value.strip("'"), "gAAAA-old", "2024-01-02 03:04:05", "1", "NULL", "2024-02-02 00:00:00"]]
        # When it was connected, and by which key it is encrypted, is not known.
        row = mariadb.rows(f"SELECT connected_at, key_fingerprint, seal, access_seal FROM {table}", empty.name)
        assert row == [["NULL"] * 4]
        # Tokens are up to 64 KiB each, and longer when encrypted.
        mariadb.sql(f"UPDATE {table} SET access_token = REPEAT('x', 90000), refresh_token = REPEAT('x', 90000), "
                    "id_token = REPEAT('x', 90000)", empty.name)
        assert mariadb.rows(f"SELECT LENGTH(access_token) + LENGTH(id_token) FROM {table}", empty.name) == [["180000"]]


# Accounts and tokens as a service with defaults of its own, outside of the database, has them.
OLD_ACCOUNTS = {"main": ("users", "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY", "41"),
                "beta": ("beta_teachers", "CHAR(36) NOT NULL PRIMARY KEY", "0b0e2c4e-0000-4000-8000-000000000041")}


@pytest.fixture
def moved(ctl, mariadb, empty, program):
    """moved(statements of the old service): a program on that database, once it is migrated."""
    def make(statements):
        mariadb.sql(statements, empty.name)
        code, output = ctl("migrate")
        assert code == 0, output
        mariadb.grant(empty.name, ROOT / "sql" / "grants.sql")
        worker = program(DATABASE_URL=mariadb.url(empty.worker))
        worker.sql = lambda text: mariadb.rows(text, empty.name)
        return worker
    return make


def test_accounts_of_the_old_service_are_kept(moved, realm):
    """Its users are no Microsoft identities, and new ones are added beside them."""
    table, key, number = OLD_ACCOUNTS[realm.name]
    worker = moved(f"CREATE TABLE {table} (id {key}, email VARCHAR(255) NULL UNIQUE, password_hash VARCHAR(128) NULL); "
                   f"INSERT INTO {table} VALUES ('{number}', 'old@example.com', 'hash')")
    assert worker.health().status == 200
    someone = direct(Person, worker, realm)
    identifier = someone.sign_in().body["user_info"]["id"]
    assert direct(Person, worker, realm, user=someone.user).sign_in().body["user_info"]["id"] == identifier
    answer = someone.api("GET", "auth/microsoft/user")
    assert answer.status == 200 and answer.body[realm.account]["id"] == identifier and answer.body["microsoft"]["connected"]
    assert sorted(worker.sql(f"SELECT id, email, password_hash FROM {table}")) == sorted([
        [number, "old@example.com", "hash"], [identifier, f"{someone.user}@example.com", "NULL"]])
    someone.subject = number
    assert someone.log_in().api("GET", "auth/microsoft/user").body[realm.account]["email"] == "old@example.com"


def test_token_tables_without_defaults_and_keys(moved, realm):
    table, key, kind, _ = OLD_TABLES[0 if realm.name == "main" else 1]
    columns = OLD.format(id="INT", key=f"{key} {kind}").replace(" UNIQUE", "")
    for name in ("created_at", "updated_at"):
        columns = columns.replace(f"{name} DATETIME DEFAULT CURRENT_TIMESTAMP", f"{name} DATETIME NOT NULL")
    someone = direct(Person, moved(f"CREATE TABLE {table} ({columns}) DEFAULT CHARSET=utf8mb4"), realm)
    for _ in range(2):
        someone.connect()
        assert someone.row("COUNT(*)") == ["1"] and someone.cal("GET").status == 200


@pytest.mark.parametrize("table, key, kind, value", OLD_TABLES, ids=["main", "beta"])
def test_a_row_of_the_contracts_columns_alone(stack, table, key, kind, value):
    assert kind
    columns = [word.split()[0] for word in OLD.split(", ")[2:]]
    values = ["'a'", "'r'", "'i'", "'Bearer'", "NOW()", "'s'", "'m'", "'e'", "'t'", "1", "NOW()", "NOW()", "NOW()"]
    assert len(columns) == len(values)
    stack.sql(f"INSERT INTO {table} ({key}, {', '.join(columns)}) VALUES ({value}, {', '.join(values)}); "
              f"DELETE FROM {table} WHERE {key} = {value}")


@pytest.fixture
def migrated(ctl, mariadb, empty):
    assert ctl("migrate")[0] == 0
    mariadb.grant(empty.name, ROOT / "sql" / "grants.sql")
    return empty


def test_check_is_ok(ctl, migrated):
    code, output = ctl("check", user=migrated.worker)
    assert code == 0 and re.search(r"^schema +ok$", output, re.M) and re.search(r"^grants +ok$", output, re.M), output


@pytest.mark.parametrize("wrong, part, word", [
    ({"SIGN_IN": "x"}, "configuration", "SIGN_IN"), ({"MSCLIENTID": ""}, "configuration", "MSCLIENTID"),
    ({"DATABASE_URL": "mariadb://u:topsecret@127.0.0.1:1/x"}, "database", "connect"),
    ({"DATABASE_URL": ""}, "configuration", "DATABASE_URL"),
    ({"TOKEN_ENCRYPTION_KEY": "", "JWT_SECRET_KEY": ""}, "configuration", "TOKEN_ENCRYPTION_KEY")])
def test_check_says_what_is_wrong(ctl, migrated, wrong, part, word):
    code, output = ctl("check", user=migrated.worker, **wrong)
    assert code == 1 and "topsecret" not in output
    assert any(line.startswith(f"{part} ") and "failed" in line and word in line for line in output.splitlines()), output


def test_check_before_migrate(ctl, empty):
    code, output = ctl("check")
    assert code == 1 and re.search(r"^schema +failed: .*migrate", output, re.M) and empty


@pytest.mark.parametrize("table", sorted(TABLES - {"schema_lock"}))
def test_check_and_health_miss_any_table(ctl, mariadb, migrated, table):
    mariadb.sql(f"DROP TABLE {table}", migrated.name)
    code, output = ctl("check", user=migrated.worker)
    assert code == 1 and re.search(r"^schema +failed", output, re.M), output


def test_check_without_grants(ctl, mariadb, migrated):
    mariadb.sql(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM '{migrated.worker}'@'%'; "
                f"GRANT SELECT ON `{migrated.name}`.schema_migrations TO '{migrated.worker}'@'%'")
    code, output = ctl("check", user=migrated.worker)
    assert code == 1 and re.search(r"^schema +not checked: grants", output, re.M), output
    missing = {(table, verb) for table, verbs in re.findall(r"^grants +failed: (\w+): the user lacks ([A-Z, ]+):", output, re.M)
               for verb in verbs.split(", ")}
    assert missing == GRANTED - {("schema_migrations", "SELECT")}


def test_check_with_every_grant(ctl, mariadb, migrated):
    """What the worker need not have is told, table by table: all that grants.sql does not give."""
    tables = {table for table, _ in GRANTED}
    for table in tables:
        mariadb.sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON `{migrated.name}`.{table} TO '{migrated.worker}'@'%'")
    code, output = ctl("check", user=migrated.worker)
    assert code == 0, output
    needless = {(table, verb) for table, verbs in re.findall(r"^grants +warning: (\w+): the user may ([A-Z, ]+) and", output, re.M)
                for verb in verbs.split(", ")}
    assert needless == {(table, verb) for table in tables for verb in VERBS} - GRANTED


def test_check_as_administrator(ctl, migrated):
    code, output = ctl("check")
    assert code == 0 and re.search(r"^grants +warning: .*privileges beyond .*ALTER.*DROP", output, re.M) and migrated, output


def test_migrate_with_the_workers_account_is_refused(ctl, migrated, installed):
    binary, scripts = installed
    (scripts / "900_more.sql").write_text("CREATE TABLE more (a INT);\n")
    assert ctl("migrate", binary=binary, user=migrated.worker)[0] == 1


@pytest.mark.parametrize("statement", [
    "DROP TABLE rate_limits", "ALTER TABLE users ADD COLUMN x INT", "CREATE TABLE x (a INT)", "TRUNCATE login_states",
    "DELETE FROM users", "DELETE FROM beta_teachers", "SELECT * FROM mysql.user", "SELECT * FROM mysql.global_priv",
    "CREATE USER x", "GRANT SELECT ON users TO CURRENT_USER", "DELETE FROM schema_migrations", "DROP DATABASE {db}",
    "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW SET NEW.id = 1", "SELECT 1 INTO OUTFILE '/tmp/gg-x'",
    "UPDATE login_states SET realm = 'beta'", "UPDATE session_codes SET realm = 'beta'"])
def test_what_the_worker_may_not(mariadb, stack, statement):
    user, _, rest = mariadb.url(stack.database.worker).removeprefix("mariadb://").partition(":")
    done = subprocess.run(["mariadb", "--no-defaults", f"--socket={mariadb.socket}", f"--user={user}", stack.database.name],
                          input=statement.format(db=stack.database.name), text=True, capture_output=True, check=False,
                          env={**os.environ, "MYSQL_PWD": unquote(rest.partition("@")[0])})
    assert done.returncode == 1 and "denied" in done.stderr, done.stderr
