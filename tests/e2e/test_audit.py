# SPDX-License-Identifier: MIT
"""The audit: a row for each use of a token and each change of state, by whom, from where, and how it ended."""

import os
import re
import signal
import subprocess
import time
from collections import namedtuple

import pytest
from conftest import Person
from fcgi_client import direct
from kit import expires_in, is_problem, refreshes, wait_for

from stack.journal import waiting
from stack.smoke import REALMS

MAIN = REALMS[0]
COLUMNS = "id, at, event, realm, subject, actor, address, request_id, result, detail, key_fingerprint, mac"
Row = namedtuple("Row", COLUMNS)
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def rows(stack, where="TRUE"):
    """Rows of the audit, oldest first, when none waits any more."""
    stack.settle()
    return rows_now(stack, where)


def rows_now(stack, where):
    """Those that are in the table by now."""
    return [Row(*row) for row in stack.sql(f"SELECT {COLUMNS} FROM audit_log WHERE {where} ORDER BY id")]


def of(person, where="TRUE"):
    return rows(person.stack, f"subject = '{person.subject}' AND {where}")


def of_now(person, where="TRUE"):
    return rows_now(person.stack, f"subject = '{person.subject}' AND {where}")


def told(found):
    """What happened: event, result, detail of each."""
    return [(row.event, row.result, row.detail) for row in found]


def newest(person, answer):
    """The rows of that answer's request, which say who, whose, when and from where."""
    found = rows(person.stack, f"request_id = '{answer.headers['X-Request-ID']}'")
    for row in found:
        assert row.realm == person.realm.name and row.subject == person.subject
        assert row.address == "127.0.0.1" and UUID7.fullmatch(row.id)
        at_us = int(time.time() * 1e6) - int(row.id.replace("-", "")[:12], 16) * 1000
        assert -1e6 < at_us < 60e6
        assert person.stack.sql(f"SELECT FLOOR(UNIX_TIMESTAMP('{row.at}') * 1000)")[0][0] == str(int(row.id.replace("-", "")[:12], 16))
    return found


# mutant: src/flow/calendar.c: if (c->token_uses > 0) => if (c->token_uses > 1)
def test_each_use_of_a_token(person):
    someone = person().connect()
    event = {"subject": "x", "start": "2027-03-02T10:00:00Z", "end": "2027-03-02T11:00:00Z"}
    made = someone.cal("POST", "/events", event)
    one = "/events/" + made.body["event"]["id"]
    for answer, detail in ((someone.cal("GET"), "calendars.list"), (someone.cal("GET", "/events"), "events.list"), (made, "events.create"),
                           (someone.cal("GET", one), "events.get"), (someone.cal("PATCH", one, {"subject": "y"}), "events.update"),
                           (someone.cal("DELETE", one), "events.delete")):
        found = newest(someone, answer)
        assert told(found) == [("token.use", "ok", detail)]
        assert found[0].actor == f"{someone.realm.name}:{someone.subject}"
    answer = someone.cal("GET", one)
    assert (answer.status, told(newest(someone, answer))) == (404, [("token.use", "ErrorItemNotFound", "events.get")])


def test_the_request_id_is_the_callers(person):
    someone = person().connect()
    answer = someone.cal("GET")
    assert [row.request_id for row in newest(someone, answer)] == [answer.headers["X-Request-ID"]]


def test_what_uses_no_token_and_changes_nothing_has_no_row(stack, person):
    """Refused callers above all: who sends many of those must not fill the table."""
    before = len(rows(stack))
    someone = person().log_in()
    answers = [someone.cal("GET"), someone.cal("POST", "/events", {}), someone.api("GET", "auth/microsoft/user"),
               someone.api("GET", "auth/microsoft/"), someone.api("GET", "nothing"), someone.call("GET", "/api/v1/health/microsoft"),
               someone.call("GET", "/api/v1/health/microsoft/tokens"), someone.api("POST", "auth/microsoft/exchange", {"session_code": "x"})]
    someone.token = "x.y.z"
    answers.append(someone.cal("GET"))
    assert [answer.status for answer in answers] == [401, 422, 200, 200, 404, 200, 403, 400, 401]
    assert len(rows(stack)) == before


def test_connect_and_disconnect(person):
    someone = person().connect()
    assert [(*row[2:7], row.result, row.detail) for row in of(someone)] == [
        ("token.connect", someone.realm.name, someone.subject, "browser", "127.0.0.1", "ok", "connect")]
    found = newest(someone, someone.api("DELETE", "auth/microsoft/token"))
    assert told(found) == [("token.disconnect", "ok", "NULL")] and found[0].actor == f"{someone.realm.name}:{someone.subject}"


def test_a_connect_that_fails(person):
    someone = person().log_in()
    start = someone.api("GET", "auth/microsoft/")
    state = re.search("state=([^&]+)", start.body["auth_url"])[1]
    answer = someone.api("GET", f"auth/microsoft/callback?state={state}&error=access_denied")
    assert answer.status == 403 and told(newest(someone, answer)) == [("token.connect", "access_denied", "connect")]
    # A state that is not there, or not this browser's, changes nothing.
    answer = someone.api("GET", f"auth/microsoft/callback?state={state}&error=access_denied")
    assert answer.status == 400 and newest(someone, answer) == []


def test_a_sign_in_and_its_sessions(person):
    someone = person()
    answer = someone.sign_in()
    someone.subject = answer.body["user_info"]["id"]
    assert told(newest(someone, answer)) == [("token.connect", "ok", "sign_in"), ("signin", "ok", "NULL")]
    refreshed = someone.api("POST", "auth/refresh", {"refresh_token": answer.body["refresh_token"]})
    found = newest(someone, refreshed)
    assert told(found) == [("session.refresh", "ok", "NULL")] and found[0].actor == f"{someone.realm.name}:{someone.subject}"
    spent = someone.api("POST", "auth/refresh", {"refresh_token": answer.body["refresh_token"]})
    assert spent.status == 401
    assert told(newest(someone, spent)) == [("session.refresh", "invalid_token", "a spent refresh token: its family has ended")]
    again = someone.api("POST", "auth/refresh", {"refresh_token": refreshed.body["refresh_token"]})
    assert again.status == 401
    assert told(newest(someone, again)) == [("session.refresh", "invalid_token", "its family is too old or unknown")]


def test_a_session_code(person):
    someone = person()
    start = someone.api("GET", f"auth/microsoft/?return_to={someone.stack.url}/x")
    answer = someone.call("GET", someone.stack.sim.authorize(start.body["auth_url"], someone.user))
    code = re.search("session_code=([^&]+)", answer.headers["Location"])[1]
    exchanged = someone.api("POST", "auth/microsoft/exchange", {"session_code": code})
    someone.subject = exchanged.body["user_info"]["id"]
    assert told(newest(someone, answer)) == [("token.connect", "ok", "sign_in")]
    assert told(newest(someone, exchanged)) == [("signin", "ok", "NULL")]
    assert code not in someone.stack.mariadb.dump(someone.stack.database.name)


def test_a_refresh(person):
    someone = person().connect()
    expires_in(someone, 60)
    assert told(newest(someone, someone.cal("GET"))) == [("token.refresh", "ok", "NULL"), ("token.use", "ok", "calendars.list")]


@pytest.mark.parametrize("word, status, rest", [
    ("invalid_grant", 401, [("token.reconnect_forced", "ok", "invalid_grant")]), ("invalid_client", 503, [])])
def test_a_refresh_that_fails(person, word, status, rest):
    someone = person().connect()
    expires_in(someone, -60)
    someone.stack.sim.faults({"target": "token", "grant": "refresh_token", "user": someone.user, "kind": "status", "status": 400,
                              "body": {"error": word, "error_codes": [1]}})
    before = refreshes(someone)
    answer = someone.cal("GET")
    assert answer.status == status and refreshes(someone) == before + 1
    found = newest(someone, answer)
    assert told(found) == [("token.refresh_failed", word, "permanent" if rest else "operator"), *rest]
    # What is asked again meets the same end without a call of its own: nothing happens, no row.
    assert newest(someone, someone.cal("GET")) == []


def test_admin_reads(stack):
    someone = Person(stack, MAIN, "sam").log_in(scopes=["admin"])
    for path, detail in (("/api/v1/health/microsoft/tokens", "health.tokens"), ("/api/v1/health/microsoft", "health.details"), ("/metrics", "metrics")):
        answer = someone.call("GET", path)
        found = rows(stack, f"request_id = '{answer.headers['X-Request-ID']}'")
        assert told(found) == [("admin.read", "ok", detail)]
        assert found[0][3:7] == ("NULL", "NULL", f"main:{someone.subject}", "127.0.0.1")


def looks(stack, *words, check=True, **env):
    """A run of graphgatectl, and the rows it left."""
    before = rows(stack, "event = 'admin.read' AND actor LIKE 'ctl:%'")
    done = stack.ctl(*words, check=check, env=env)
    return done, rows(stack, "event = 'admin.read' AND actor LIKE 'ctl:%'")[len(before):]


# mutant: src/ctl/whose.c: return gg_audit_flush(&c->call, &err) || gg_ctl_fail("%s", err.log) == GG_CTL_DONE; => return true;
def test_an_operators_reads(stack, person):
    someone = person().connect()
    name, who = someone.realm.name, someone.subject
    for words, row in ((("tokens", "show", "--user", who), ("tokens.show", name, who)), (("users", "show", "--user", who), ("users.show", name, who)),
                       (("tokens", "list", "--user", who), ("tokens.list", name, who)), (("users", "list", "--realm", name), ("users.list", name, "NULL")),
                       (("tokens", "list", "--tenant", "t-1", "--state", "active"), ("tokens.list tenant=t-1 state=active", "NULL", "NULL"))):
        found = looks(stack, *words, check=False)[1]
        assert [(one.result, one.detail, one.realm, one.subject) for one in found] == [("ok", *row)], words
    for words in (("stats",), ("tokens", "list", "--state", "nonsense"), ("users", "list", "x")):
        assert looks(stack, *words, check=False)[1] == []


def test_an_operators_read_without_its_row(stack, person, no_audit):
    someone = person()
    someone.subject = someone.sign_in().body["user_info"]["id"]
    no_audit()
    for words in (("tokens", "show", "--user", someone.subject), ("tokens", "list"), ("users", "list"), ("users", "show", "--user", someone.subject)):
        done = looks(stack, *words, check=False, AUDIT_FAILURE="closed")[0]
        assert done.returncode == 1 and done.stdout == "" and "a row of the audit could not be written" in done.stderr
        assert someone.subject in looks(stack, *words, AUDIT_FAILURE="open")[0].stdout


@pytest.mark.parametrize("forwarded, address", [("192.0.2.9", "192.0.2.9"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6")])
def test_the_address_is_whole(program, realm, forwarded, address):
    """The limits count an IPv6 address by its /64; the audit keeps all of it."""
    someone = direct(Person, program(TRUSTED_PROXIES="127.0.0.0/8"), realm).connect()
    answer = someone.cal("GET", parameters={"HTTP_X_FORWARDED_FOR": forwarded})
    assert [row.address for row in rows(someone.stack, f"request_id = '{answer.headers['X-Request-ID']}'")] == [address]


@pytest.fixture
def no_audit(stack):
    """no_audit(): no row can be written, until the test ends."""
    account, table = f"'{stack.database.worker}'@'%'", f"`{stack.database.name}`.audit_log"
    yield lambda: stack.mariadb.sql(f"REVOKE INSERT ON {table} FROM {account}")
    stack.mariadb.sql(f"GRANT INSERT ON {table} TO {account}")


def audit_lines(text, event):
    return [line for line in text.splitlines() if f" level=error event={event} " in line]


# mutant: src/flow/audit.c: if (!is_closed) => if (is_closed)
def test_a_write_that_fails_open(stack, person, no_audit):
    """What changes a state is written at once; the answer is given, and the loss is told."""
    someone = person().connect()
    no_audit()
    answer = someone.api("DELETE", "auth/microsoft/token")
    assert answer.status == 200 and newest(someone, answer) == []
    lines = [line for line in audit_lines(stack.logs(), "audit.write") if answer.headers["X-Request-ID"] in line]
    assert any("failure=open" in line and "denied" in line for line in lines), lines
    assert someone.subject not in "".join(lines)


# mutant: src/flow/settler.c: gg_journal_put_off(ctx->journal); => gg_journal_clear(ctx->journal);
def test_uses_wait_for_a_table_that_takes_none(program, realm, stack, no_audit):
    """They are tried again, and each try that failed is told and counted; then all of them are there, once."""
    worker = program("--workers", 2, METRICS_TOKEN="t" * 24)
    someone = direct(Person, worker, realm).connect()
    no_audit()
    answers = [someone.cal("GET") for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 5
    wait_for(lambda: audit_lines(worker.logs(), "audit.journal"))
    assert "result=waits" in audit_lines(worker.logs(), "audit.journal")[0] and "denied" in audit_lines(worker.logs(), "audit.journal")[0]
    text = worker.ask("GET", "/metrics", {"HTTP_AUTHORIZATION": "Bearer " + "t" * 24}).body
    assert int(re.search(r"^graphgate_audit_failures_total (\d+)$", text, re.M)[1]) >= 1
    assert told(of_now(someone)) == [("token.connect", "ok", "connect")]
    stack.mariadb.sql(f"GRANT INSERT ON `{stack.database.name}`.audit_log TO '{stack.database.worker}'@'%'")
    assert sorted(row.request_id for row in of(someone, "event = 'token.use'")) == sorted(answer.headers["X-Request-ID"] for answer in answers)
    assert someone.subject not in "".join(audit_lines(worker.logs(), "audit.journal"))


# mutant: src/app/main.c: (void)gg_settler_run_left(&p->ctx, a); => (void)a;
@pytest.mark.parametrize("after", ["restart", "maintain"])
def test_the_killed_lose_nothing(program, realm, after):
    """All of its processes at once, before anything was written: the next ones write it, or `maintain` does; each row once."""
    worker = program("--workers", 3)
    someone = direct(Person, worker, realm).connect()
    answers = [someone.cal("GET") for _ in range(20)]
    for pid in (worker.pid, *worker.workers()):
        os.kill(pid, signal.SIGSTOP)
    waited = len(of_now(someone, "event = 'token.use'"))
    for pid in (worker.pid, *worker.workers()):
        os.kill(pid, signal.SIGKILL)
    worker.wait()
    if after == "restart":
        worker.address.unlink()
        worker.start()
    else:
        done = subprocess.run([worker.stack.bin_dir / "graphgatectl", "maintain"], env=worker.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert sorted(row.request_id for row in of(someone, "event = 'token.use'")) == sorted(answer.headers["X-Request-ID"] for answer in answers)
    assert waited < 20, "nothing had to be found"
    done = subprocess.run([worker.stack.bin_dir / "graphgatectl", "audit", "verify"], env=worker.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_who_is_asked_to_stop_leaves_nothing(program, realm):
    worker = program("--workers", 2)
    someone = direct(Person, worker, realm).connect()
    answers = [someone.cal("GET") for _ in range(5)]
    assert worker.stop() == 0
    assert waiting(worker.directory) == [] and len(of_now(someone, "event = 'token.use'")) == len(answers)


# mutant: src/flow/audit.c: return c->ctx->journal != NULL && !c->ctx->conf->audit_fails_closed && => return c->ctx->journal != NULL &&
@pytest.mark.parametrize("settings", [{"AUDIT_FAILURE": "closed"}, {"METRICS_FILE": "off"}], ids=["closed", "no_journal"])
def test_where_nothing_waits(program, realm, settings):
    """Each answer has its row when it comes."""
    someone = direct(Person, program("--workers", 1, **settings), realm).connect()
    for _ in range(5):
        answer = someone.cal("GET")
        assert len(of_now(someone, f"request_id = '{answer.headers['X-Request-ID']}'")) == 1


def test_a_journal_that_cannot_be(program, realm):
    """Rows are written at once; test_metrics has what is wrong with a file."""
    worker = program("--workers", 1, METRICS_FILE="/nonexistent/page")
    someone = direct(Person, worker, realm).connect()
    answer = someone.cal("GET")
    assert len(of_now(someone, f"request_id = '{answer.headers['X-Request-ID']}'")) == 1
    assert re.search(r"level=warning event=audit.journal .*result=off name=METRICS_FILE reason=.*No such file", worker.logs())


# mutant: src/web/route.c: gg_response_rewind(&x->response, x->header_mark); => (void)x->header_mark;
def test_a_write_that_fails_closed(program, realm, no_audit):
    """Nothing of the calendar is given, nobody is sent on with a session code, and no cause is told."""
    worker = program("--workers", 1, AUDIT_FAILURE="closed", METRICS_TOKEN="t" * 24)
    someone, newcomer = direct(Person, worker, realm).connect(), direct(Person, worker, realm)
    start = newcomer.api("GET", f"auth/microsoft/?return_to={someone.stack.conf['ALLOWED_RETURN_URLS']}/x")
    assert someone.cal("GET").status == 200
    no_audit()
    for answer in (someone.cal("GET"), someone.cal("POST", "/events", {
            "subject": "x", "start": "2027-03-02T10:00:00Z", "end": "2027-03-02T11:00:00Z"}), someone.api("DELETE", "auth/microsoft/token")):
        is_problem(answer, 503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1 and answer.headers["Location"] is None
    answer = newcomer.call("GET", worker.sim.authorize(start.body["auth_url"], newcomer.user))
    assert answer.status == 303 and answer.headers.get_all("Location") == [f"{someone.stack.conf['ALLOWED_RETURN_URLS']}/x?error=database_unavailable"]
    text = worker.ask("GET", "/metrics", {"HTTP_AUTHORIZATION": "Bearer " + "t" * 24}).body
    assert "\ngraphgate_audit_failures_total 4\n" in text
    # What has nothing to record goes on.
    assert someone.api("GET", "auth/microsoft/user").status == 200 and worker.health().status == 200


def test_details_without_any_database(program):
    """Where there must be a row and can be none, there are no details."""
    for failure, is_told in (("closed", False), ("open", True)):
        someone = direct(Person, program(AUDIT_FAILURE=failure, DATABASE_URL=None), MAIN, user="sam").log_in(scopes=["admin"])
        answer = someone.call("GET", "/api/v1/health/microsoft")
        assert (answer.status, answer.body["status"], "details" in answer.body) == (503, "unhealthy", is_told)


def test_the_workers_account_only_adds(stack, person):
    someone = person().connect()
    for statement in ("UPDATE audit_log SET result = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log", "DROP TABLE audit_log",
                      "REPLACE INTO audit_log SELECT * FROM audit_log LIMIT 1", "UPDATE audit_seals SET row_count = 0",
                      "DELETE FROM audit_seals", "INSERT INTO audit_log SELECT * FROM audit_log LIMIT 1 ON DUPLICATE KEY UPDATE result = 'x'"):
        with pytest.raises(RuntimeError, match="denied"):
            stack.mariadb.as_user(stack.database.worker, statement)
    assert told(of(someone)) == [("token.connect", "ok", "connect")]


# mutant: src/flow/audit.c: c->arena, rows, n, err) => c->arena, rows, 1, err) && gg_audit_put(c->ctx->db, c->arena, rows + 1, n - 1, err)
def test_one_insert_a_request(stack, person):
    someone = person().connect()
    expires_in(someone, 60)
    stack.mariadb.sql("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1; TRUNCATE mysql.general_log")
    try:
        answer = someone.cal("GET")
    finally:
        stack.mariadb.sql("SET GLOBAL general_log = 0")
    found = stack.mariadb.rows("SELECT argument FROM mysql.general_log WHERE command_type = 'Execute' AND argument LIKE '%INTO audit_log%'")
    assert len(newest(someone, answer)) == 2 and len(found) == 1


def test_a_connection_that_is_lost_doubles_nothing(stack, person):
    """The statement is repeated, under the same ids."""
    someone = person().connect()
    ids = stack.mariadb.rows(f"SELECT id FROM information_schema.processlist WHERE user = '{stack.database.worker}'")
    stack.mariadb.sql("; ".join(f"KILL {row[0]}" for row in ids))
    answers = [someone.cal("GET") for _ in range(8)]
    assert [told(newest(someone, answer)) for answer in answers] == [[("token.use", "ok", "calendars.list")]] * 8
