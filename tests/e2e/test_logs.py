# SPDX-License-Identifier: MIT
"""The log: its two forms, its members, how it names users, and what happens when somebody rotates its file."""

import contextlib
import getpass
import grp
import gzip
import itertools
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections import Counter

import pytest
from conftest import CALENDAR, Person
from fcgi_client import Program, direct
from kit import expires_in, name_in_log, wait_for
from trouble import Callers, Transaction

from stack.smoke import REALMS
from stack.stack import ROOT, fernet_key

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


@pytest.fixture
def bare_program(stack, tmp_path_factory):
    """The program, not yet started."""
    made = []

    def make(*arguments, **settings):
        made.append(Program(stack, tmp_path_factory.mktemp("p"), arguments, settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


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


# The events of the program, and how its formats look: what base/logline understands.
CALL = re.compile(r'gg_log\(\s*[^";]*?"([a-z_.]+)",\s*((?:"(?:\\.|[^"\\])*"\s*)+)')
FORMAT = re.compile(r'[a-z_0-9]+=(?:"(?:[^"%]|%(?:\.\*)?s|%(?:hh?|ll?|z|j)?[diux])*"|'
                    r'(?:[^" %]|%(?:\.\*)?s|%(?:hh?|ll?|z|j)?[diux])*)(?: |$)')


def calls():
    """(event, format) of every call in the program's sources."""
    found = []
    for path in sorted((ROOT / "src").rglob("*.c")):
        for event, text in CALL.findall(path.read_text(encoding="utf-8")):
            found.append((event, "".join(re.findall(r'"((?:\\.|[^"\\])*)"', text)).replace('\\"', '"')))
    return found


def test_every_format_is_pairs():
    """No event has a member twice, nor one that comes by itself."""
    known = calls()
    assert len(known) > 30
    for event, text in known:
        pairs = FORMAT.findall(text)
        assert "".join(pairs) == text, (event, text)
        names = [pair.partition("=")[0] for pair in pairs]
        assert len(set(names)) == len(names) and not {*HEAD, "request_id", "text"} & set(names), (event, names)


def test_every_event_is_described():
    text = (ROOT / "docs" / "logging.md").read_text(encoding="utf-8")
    table = text.partition("<!-- events -->")[2].partition("<!-- /events -->")[0]
    described = [event for line in table.splitlines() for event in re.findall(r"`([a-z_.]+)`", line.partition("|")[2].partition("|")[0])]
    assert len(set(described)) == len(described) and set(described) == {event for event, _ in calls()}


def ids_of(directory, form="logfmt"):
    """The request ids of all files of a log, however often each is there."""
    found = Counter()
    for path in directory.glob("graphgate.log*"):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("ascii")
        assert text.endswith("\n") or not text
        found.update(line["request_id"] for line in map(READ[form], text.splitlines()) if line["event"] == "request")
    return found


def sample(directory, state, *lines):
    """The sample for logrotate with this log in place of its own, and this account."""
    text = (ROOT / "logrotate" / "graphgate").read_text(encoding="utf-8")
    group = grp.getgrgid(os.getgid()).gr_name
    text = text.replace("/var/log/graphgate/", f"{directory}/").replace("su graphgate graphgate", f"su {getpass.getuser()} {group}")
    assert str(directory) in text and "su graphgate" not in text
    path = state / "logrotate.conf"
    path.write_text(text.replace("\n}", "\n" + "\n".join(lines) + "\n}"), encoding="utf-8")
    path.chmod(0o644)
    return path


def rotate(conf, state):
    """As cron does it, but now."""
    found = shutil.which("logrotate", path="/usr/sbin:/sbin:" + os.environ["PATH"])
    done = subprocess.run([found, "--force", "--state", str(state / "state"), str(conf)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done


@pytest.mark.parametrize("arguments, told", [(("--workers", 2), True), (("--workers", 2), False), ((), False)],
                         ids=["a master that is told", "workers that are not told", "one process that is not told"])
def test_rotation_loses_no_line(bare_program, tmp_path, arguments, told):
    """The sample, run by logrotate itself while requests come in: each has its line in one of the files, and only there."""
    logs, state = tmp_path / "logs", tmp_path / "state"
    logs.mkdir(mode=0o750)
    state.mkdir()
    worker = bare_program(*arguments, LOG_TARGET=f"file:{logs}/graphgate.log")
    worker.start()
    script = ["postrotate", f"kill -HUP {worker.pid}", "endscript"] if told else []
    conf = sample(logs, state, *script)
    numbers = itertools.count()

    def call():
        return worker.ask("GET", "/api/v1/health/live", {"HTTP_X_REQUEST_ID": f"r{next(numbers)}"})

    with Callers(call, call, pause_s=0.002) as callers:
        for turn in range(3):
            callers.more(20)
            time.sleep(1.1)
            rotate(conf, state)
            wait_for((logs / "graphgate.log").exists)
            callers.more(20)
            assert len(list(logs.iterdir())) == turn + 2
    assert callers.tally() == {(200, None): len(callers.calls)}
    worker.stop()
    asked = {call.answer.headers["X-Request-ID"] for call in callers.calls}
    assert ids_of(logs) == Counter(asked) and len(asked) == len(callers.calls)
    assert {path.suffix for path in logs.iterdir()} == {".log", ".1", ".gz"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in logs.iterdir()} == {0o600}


# mutant: src/app/main.c: gg_log_reopen(); => (void)p;
def test_a_refused_configuration_still_opens_the_log_anew(bare_program, tmp_path):
    """Told at once, without a request; and what was there stays with the old file."""
    log = tmp_path / "log"
    master = bare_program("--workers", 1, LOG_TARGET=f"file:{log}").start()
    log.rename(tmp_path / "old")
    master.conf_file.write_text("NO_SUCH_NAME=1\n")
    master.signal(signal.SIGHUP)
    wait_for(lambda: log.exists() and "event=reload" in log.read_text())
    assert "result=refused" in log.read_text() and "event=start " in (tmp_path / "old").read_text()


def test_a_log_that_cannot_be_made_anew_goes_on(bare_program, tmp_path):
    """No request fails for that, and the old file says it; later it comes back by itself."""
    logs, aside = tmp_path / "logs", tmp_path / "aside"
    logs.mkdir()
    worker = bare_program(LOG_TARGET=f"file:{logs}/log").start()
    wait_for((logs / "log").exists)
    logs.rename(aside)
    time.sleep(1.1)
    for number in range(3):
        assert worker.ask("GET", "/api/v1/health/live", {"HTTP_X_REQUEST_ID": f"r{number}"}).status == 200
    text = wait_for(lambda: "request_id=r2" in (aside / "log").read_text() and (aside / "log").read_text())
    assert text.count("event=log.reopen") == 1 and "level=error event=log.reopen" in text
    logs.mkdir()
    wait_for(lambda: worker.ask("GET", "/api/v1/health/live").status == 200 and (logs / "log").exists())


def test_behind_a_web_server_sighup_opens_the_log_anew(make_stack, tmp_path_factory):
    """However it was started: a master opens it, a lone process leaves and the next one opens it; nobody is turned away."""
    log = tmp_path_factory.mktemp("logs") / "log"
    site = make_stack(workers=2, LOG_TARGET=f"file:{log}")
    someone = Person(site, REALMS[0])
    assert someone.call("GET", "/api/v1/health/live").status == 200
    wait_for(lambda: "route=health/live" in log.read_text())
    log.rename(log.with_suffix(".1"))
    for pid in site.worker_pids():
        with contextlib.suppress(ProcessLookupError):  # a worker whose master was told before it
            os.kill(pid, signal.SIGHUP)
    for _ in range(20):
        assert someone.call("GET", "/api/v1/health/live").status == 200
    wait_for(lambda: log.exists() and "route=health/live" in log.read_text())
    assert "event=start" in log.with_suffix(".1").read_text()
