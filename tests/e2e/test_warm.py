# SPDX-License-Identifier: MIT
"""A warm request: its round trips to the database, and that none of its statements reads a table from end to end."""

import json
import re
import secrets

import pytest
from conftest import Person
from fcgi_client import direct
from kit import expires_in, stored

EVENT = {"subject": "Warm", "start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z"}
RUNS = 20


@pytest.fixture
def warm(program, realm):
    """A connected person at a program of one process, which has served each kind of request before."""
    someone = direct(Person, program(RATE_LIMIT_CALENDAR="1000000/60"), realm).connect()
    for _ in range(2):
        read(someone)
        write(someone)
    someone.stack.settle()
    return someone


def read(someone):
    answer = someone.cal("GET", "/events")
    assert answer.status == 200, answer.body


def write(someone):
    answer = someone.cal("POST", "/events", EVENT)
    assert answer.status == 201, answer.body


def look_up(someone):
    answer = someone.api("GET", "auth/microsoft/user")
    assert answer.status == 200, answer.body


def counted(mariadb, action):
    """What the server's counters say of an action, without what asking for them costs."""
    def status():
        return {name: int(value) for name, value in mariadb.rows("SHOW GLOBAL STATUS") if value.isdigit()}

    def grown(after, before):
        return {name: after[name] - before[name] for name in before if name in after}

    first = status()
    second = status()
    action()
    third = status()
    own = grown(second, first)
    return {name: value - own[name] for name, value in grown(third, second).items() if name in own}


@pytest.mark.parametrize("request_of", [read, write], ids=["read", "write"])
# mutant: src/web/guard.c: wants_row ? &whose : NULL => NULL
def test_round_trips(warm, mariadb, request_of):
    """By the server's counters: one for limit and token row; the audit of all in one more; nothing is prepared or connected again."""
    def run():
        for _ in range(RUNS):
            request_of(warm)
        warm.stack.settle()

    grown = counted(mariadb, run)
    # Who sweeps the limits is left to chance: one request of 512.
    swept = grown["Com_delete"]
    audit = grown["Com_insert"]
    trips = grown["Questions"] - swept - audit
    assert trips == RUNS and 1 <= audit <= RUNS / 2, {name: value for name, value in grown.items() if name.startswith("Com_") and value}
    # What Questions does not count.
    # There is a statement for each of some numbers of rows of the audit.
    assert grown["Com_stmt_prepare"] <= swept + audit
    assert grown["Com_stmt_reset"] == grown["Com_admin_commands"] == grown["Com_set_option"] == grown["Connections"] == 0
    assert grown["Com_insert_select"] == RUNS and grown["Com_select"] == grown["Com_update"] == 0


# mutant: include/gg/ext/db.h: (size_t)256 => (size_t)64
def test_the_largest_tokens_come_with_the_limit(warm, mariadb, sim):
    big = {name: secrets.token_hex(32 * 1024) for name in ("access_token", "refresh_token", "id_token")}
    sim.token_options(user=warm.user, grant="refresh_token", set=big)
    expires_in(warm, 10)
    assert warm.cal("GET").status == 400 and {name: stored(warm, name) for name in big} == big

    def ask():
        # Microsoft's stand-in takes no header of that size, and says so: it was asked.
        assert warm.cal("GET").status == 400
        warm.stack.settle()

    grown = counted(mariadb, ask)
    assert grown["Com_insert_select"] == 1 and grown["Com_select"] == 0


def test_the_row_is_looked_at_again(warm):
    """What comes with the limit is one request's: a disconnect is seen by the next."""
    assert warm.api("DELETE", "auth/microsoft/token").status == 200
    assert warm.cal("GET", "/events").status == 401
    warm.connect()
    read(warm)
    warm.set_row("is_active = 0")
    assert warm.cal("GET", "/events").status == 401


@pytest.fixture
def full(warm, stack):
    """The same beside 3,000 others' rows in each of the tables."""
    numbers = "FROM seq_1_to_3000"
    subject = "900000 + seq" if warm.realm.name == "main" else "CONCAT('00000000-0000-4000-8000-', LPAD(seq, 12, '0'))"
    stack.sql(f"INSERT IGNORE INTO {warm.table} ({warm.key_column}, access_token, expires_at)"
              f" SELECT {subject}, 'x', NOW() + INTERVAL 1 HOUR {numbers};"
              " INSERT IGNORE INTO rate_limits (k, win, used, prev, admitted, ends_at)"
              f" SELECT CONCAT('full:', seq), 1, 1, 0, 1, NOW() + INTERVAL 1 HOUR {numbers};"
              " INSERT IGNORE INTO audit_log (id, at, event, result, key_fingerprint, mac)"
              f" SELECT CONCAT('full-', seq), NOW(), 'x', 'x', 'x', 'x' {numbers}")
    yield warm
    stack.sql(f"DELETE FROM {warm.table} WHERE access_token = 'x'; DELETE FROM rate_limits WHERE k LIKE 'full:%';"
              " DELETE FROM audit_log WHERE id LIKE 'full-%'")


def tables_of(plan):
    """Every table of a plan in JSON."""
    if isinstance(plan, dict):
        if "table_name" in plan:
            yield plan
        for value in plan.values():
            yield from tables_of(value)
    elif isinstance(plan, list):
        for value in plan:
            yield from tables_of(value)


def statements(mariadb, action, subject):
    """The text of each statement that the server ran, as its own log has it.

    Of what was prepared before, without its values: a number will do, and the subject in the end.
    """
    mariadb.sql("SET GLOBAL log_output='TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log=1")
    try:
        action()
    finally:
        mariadb.sql("SET GLOBAL general_log=0")
    rows = mariadb.sql("SELECT CONCAT(HEX(argument), ' ') FROM mysql.general_log WHERE command_type='Execute'").split()
    texts = [bytes.fromhex(row).decode() for row in rows]
    for text in texts:
        *marks, last = text.split("?")
        if marks:
            last = "60".join(marks) + f"'{subject}'" + last
        yield last
        # What RETURNING reads is not in the statement's plan.
        if cell := re.search(r" RETURNING .*\((SELECT .*)\)$", last, re.S):
            yield cell[1]


def test_no_statement_reads_a_whole_table(full, mariadb, stack):
    """EXPLAIN of each statement of a read, a write, a look at the user and a minute's first use: by a key, a row at most."""
    def run():
        for request_of in (read, write, look_up):
            full.set_row("last_used_at = NOW() - INTERVAL 1 HOUR")
            request_of(full)
        full.stack.settle()

    seen = set()
    for text in statements(mariadb, run, full.subject):
        kind = text.split()[0]
        if kind == "DELETE":
            continue
        seen.add((kind, re.search(r"(?:INTO|FROM|UPDATE)\s+(\w+)", text)[1]))
        for table in tables_of(json.loads(stack.sql(f"EXPLAIN FORMAT=JSON {text}")[0][0].replace("\\n", " "))):
            # An INSERT has a line too, which says ALL and no rows.
            if kind != "INSERT":
                assert table["access_type"] in ("const", "eq_ref", "range"), (text, table)
                assert table["rows"] == 1, (text, table)
    assert {("INSERT", "rate_limits"), ("SELECT", full.table), ("INSERT", "audit_log"), ("UPDATE", full.table)} <= seen


def test_as_few_rows_as_without_others(full, mariadb):
    """What was run says so too: rows are found by keys, and none is read on the way."""
    def run():
        for _ in range(RUNS):
            read(full)

    grown = counted(mariadb, run)
    assert grown["Select_scan"] == grown["Handler_read_rnd_next"] == grown["Handler_read_rnd"] == 0
    assert grown["Handler_read_key"] <= 3 * RUNS
    assert grown["Handler_read_next"] == grown["Handler_read_first"] == 0
