# SPDX-License-Identifier: MIT
"""The log: its two forms, its members, how it names users, and what happens when somebody rotates its file."""

import json
import re
import signal
import threading

import pytest
from conftest import CALENDAR, Person
from fcgi_client import direct
from kit import expires_in, name_in_log, wait_for
from trouble import Transaction

from stack.stack import fernet_key

PAIR = re.compile(r'([a-z_]+)=(?:"([^"]*)"|([^" =]*))(?: |$)')
HEAD = ["time", "level", "event", "pid"]
REQUEST = ["method", "route", "realm", "subject", "status", "ms", "graph_ms", "db_ms", "code", "microsoft_code", "why", "reason"]
NUMBERS = {"pid", "status", "ms", "graph_ms", "db_ms"}


def read_logfmt(line):
    """The members of a line, in their order; nothing else is in it."""
    pairs = list(PAIR.finditer(line))
    assert "".join(pair[0] for pair in pairs) == line, line
    found = {name: quoted if quoted is not None else bare for name, quoted, bare in (pair.groups() for pair in pairs)}
    assert len(found) == len(pairs), line
    return {name: int(value) if name in NUMBERS else value for name, value in found.items()}


def read_json(line):
    """The same of the other form."""
    found = json.loads(line, object_pairs_hook=list)
    assert len(dict(found)) == len(found) and line.isascii(), line
    assert all(isinstance(value, (str, int)) for _, value in found), line
    return dict(found)


READ = {"logfmt": read_logfmt, "json": read_json}


def lines_of(worker, form="logfmt"):
    return [READ[form](line) for line in worker.logs().splitlines()]


def request_line(worker, answer, form="logfmt"):
    """The line of the request that got this answer; it is written when the answer has left."""
    wanted = answer.headers["X-Request-ID"]
    return wait_for(lambda: [line for line in lines_of(worker, form)
                             if line.get("request_id") == wanted and line["event"] == "request"])[0]


def large_subject(someone):
    """A number that stands in no log by chance."""
    if someone.realm.name == "main":
        someone.subject = str(7_000_000_000_000 + someone.number)
    return someone


@pytest.mark.parametrize("form", READ)
def test_members_of_a_request(program, realm, form):
    worker = program(LOG_FORMAT=form, LOG_LEVEL="debug")
    someone = direct(Person, worker, realm).connect()
    good = request_line(worker, someone.cal("GET"), form)
    assert list(good) == [*HEAD, "request_id", *REQUEST]
    assert {name: good[name] for name in ("level", "method", "route", "realm", "status", "code", "microsoft_code", "reason")} == {
        "level": "info", "method": "GET", "route": CALENDAR, "realm": realm.name, "status": 200, "code": "ok",
        "microsoft_code": "", "reason": ""}
    assert all(isinstance(good[name], int) for name in NUMBERS)
    bad = request_line(worker, someone.cal("GET", "/events/nothing%20here?x=%22"), form)
    assert (bad["level"], bad["route"], bad["status"], bad["code"], bad["microsoft_code"]) == (
        "warning", CALENDAR + "/events/{id}", 400, "microsoft_rejected", "ErrorInvalidIdMalformed")
    assert bad["reason"] == "Graph answered 400"
    nowhere = request_line(worker, someone.call("HEAD", "/nowhere"), form)
    assert (nowhere["method"], nowhere["route"], nowhere["realm"], nowhere["subject"]) == ("HEAD", "-", "-", "-")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", nowhere["time"])
    assert {"start", "request", "graph.call", "auth.connect"} <= {line["event"] for line in lines_of(worker, form)}


# mutant: src/flow/ctx.c: c->graph_us += gg_clock_mono_us() - start_us; => (void)start_us;
# mutant: src/ext/db.c: db->spent_us += took_us; => (void)took_us;
def test_time_is_counted_where_it_was_spent(program, realm, sim):
    """A slow Graph, a slow identity platform and a slow database, each in a request of its own."""
    worker = program(LOG_FORMAT="json")
    someone = direct(Person, worker, realm).connect()
    sim.fault("delay", "graph", user=someone.user, delay_ms=400, count=1)
    slow = request_line(worker, someone.cal("GET"), "json")
    assert slow["graph_ms"] >= 400 and slow["ms"] >= slow["graph_ms"]
    expires_in(someone, -10)
    sim.fault("delay", "token", user=someone.user, delay_ms=400, count=1)
    assert request_line(worker, someone.cal("GET"), "json")["graph_ms"] >= 400
    site = someone.stack.stack
    with Transaction(site.mariadb, site.database.name) as holder:
        holder.run(f"LOCK TABLES {someone.table} WRITE")
        release = threading.Timer(0.5, holder.run, ["UNLOCK TABLES"])
        release.start()
        waited = someone.api("GET", "auth/microsoft/user")
        release.join()
    line = request_line(worker, waited, "json")
    assert waited.status == 200 and line["db_ms"] >= 300 and line["ms"] >= line["db_ms"] and line["graph_ms"] == 0


def drive(worker, realm, sim):
    """One user, of whom every kind of line speaks, and a second one who is none; their answers are not the point."""
    someone = large_subject(direct(Person, worker, realm)).connect()
    expires_in(someone, -10)
    sim.fault("status", "token", grant="refresh_token", user=someone.user, aadsts=7000215, count=1)
    someone.cal("GET")
    sim.clear_faults()
    someone.set_row("access_token = CONCAT('x', access_token), expires_at = UTC_TIMESTAMP() + INTERVAL 3600 SECOND, "
                    "refresh_failure = NULL, refresh_failed_until = NULL")
    someone.cal("GET")
    for path in ("/api/v1/health/microsoft/tokens", "/api/v1/beta/auth/microsoft/user", "/api/v1/auth/microsoft/user"):
        someone.call("GET", path)
    for _ in range(4):
        someone.cal("GET")
    someone.api("DELETE", "auth/microsoft/token")
    return someone


EVENTS = {"request", "auth.connect", "auth.disconnect", "token.refresh"}


@pytest.mark.parametrize("level", ["debug", "warning"])
def test_users_are_named_by_a_hash(program, realm, sim, level):
    worker = program(LOG_LEVEL=level, RATE_LIMIT_CALENDAR="4/3600")
    someone = drive(worker, realm, sim)
    name = name_in_log(someone)
    wait_for(lambda: "route=auth/microsoft/token" in worker.logs() or level == "warning")
    lines = [line for line in lines_of(worker) if line.get("subject") == name]
    assert level == "warning" or EVENTS <= {line["event"] for line in lines}
    assert f"key={realm.name}:{name}" in worker.logs() and someone.subject not in worker.logs()
    assert level == "warning" or realm.name == "beta" or f"subject={name}" in next(
        line["reason"] for line in lines if line.get("code") == "admin_required")
    assert all(line["subject"] in (name, "-") for line in lines_of(worker) if "subject" in line)


def test_users_are_named_plainly_where_that_is_wanted(program, realm, sim):
    worker = program(LOG_SUBJECTS="plain", LOG_FORMAT="json", RATE_LIMIT_CALENDAR="4/3600")
    someone = drive(worker, realm, sim)
    wait_for(lambda: "auth/microsoft/token" in worker.logs())
    lines = [line for line in lines_of(worker, "json") if line.get("subject") == someone.subject]
    assert EVENTS <= {line["event"] for line in lines} and name_in_log(someone) not in worker.logs()
    assert f"key={realm.name}:{someone.subject}" in worker.logs()


def test_the_operators_command_names_them_too(stack, person):
    someone = person()
    kind = {"main": "user", "beta": "teacher"}[someone.realm.name]
    assert stack.ctl("log-subject", "--type", kind, someone.subject.upper()).stdout == name_in_log(someone) + "\n"
    keys = ",".join([fernet_key(), stack.conf["TOKEN_ENCRYPTION_KEY"]])
    names = stack.ctl("log-subject", someone.subject, "--type", kind, env={"TOKEN_ENCRYPTION_KEY": keys}).stdout.split()
    assert names[1:] == [name_in_log(someone)] and re.fullmatch(r"h:[A-Za-z0-9_-]{16}", names[0]) and names[0] != names[1]


def test_a_reload_changes_form_and_names(program, realm):
    """Together with the first request of a new worker; the lines of before stay as they are."""
    master = program("--workers", 1)
    someone = large_subject(direct(Person, master, realm)).log_in()
    someone.api("GET", "auth/microsoft/user")
    wait_for(lambda: f"subject={name_in_log(someone)}" in master.logs())
    settings = {**master.conf, "LOG_FORMAT": "json", "LOG_SUBJECTS": "plain"}
    master.conf_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    master.signal(signal.SIGHUP)
    wait_for(lambda: "event=reload pid=" in master.logs() or '"event":"reload"' in master.logs())
    wait_for(lambda: someone.api("GET", "auth/microsoft/user") and f'"subject":"{someone.subject}"' in master.logs())
    for line in master.logs().splitlines():
        (read_json if line.startswith("{") else read_logfmt)(line)
