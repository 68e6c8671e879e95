# SPDX-License-Identifier: MIT
"""Workers that are killed in the midst of things, a supervisor that is killed, and restarts that nobody notices."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
from conftest import BUILD, NO_LIMITS, Person
from fcgi_client import Program, direct
from kit import expires_in, refreshes, stored, wait_for
from trouble import Callers, Transaction, kept, lock_row, statements

from stack.process import wait_until
from stack.smoke import REALMS
from stack.stack import Stack

NOWHERE = "/api/v1/nowhere"


class Under:
    """A call under way in a thread, of a person to a program."""

    def __init__(self, call):
        self.answer = self.fault = None
        self._thread = threading.Thread(target=self._run, args=(call,))
        self._thread.start()

    def _run(self, call):
        try:
            self.answer = call()
        except (OSError, EOFError) as fault:
            self.fault = fault

    def over(self):
        """Waits for its end."""
        self._thread.join(60)
        return self


def kill_all(program):
    """SIGKILL to every worker; returns when others are in their places."""
    victims = wait_for(program.workers)
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(program.workers() - victims) == len(victims), 20)


def begin_refresh(someone, delay_ms, seconds):
    """A call that needs a refresh, whose answer is slow; returns when the lease is taken."""
    expires_in(someone, seconds)
    someone.stack.sim.fault("delay", "token", user=someone.user, delay_ms=delay_ms, grant="refresh_token")
    call = Under(lambda: someone.cal("GET"))
    wait_for(lambda: someone.row("refresh_lease") != ["NULL"], 20)
    return call


def back_after(someone):
    """Seconds until a call is answered well."""
    began = time.monotonic()
    assert wait_until(lambda: Under(lambda: someone.cal("GET")).over().answer.status == 200, 20)
    return time.monotonic() - began


@pytest.mark.promise("faults/worker", "A worker killed while it waits for Microsoft costs that one request; others serve at once")
def test_killed_while_it_waits_for_microsoft(program, sim, realm, measured):
    master = program("--workers", 2)
    someone = direct(Person, master, realm).connect()
    before = kept(someone)
    sim.fault("delay", "graph", user=someone.user, delay_ms=20000)
    call = Under(lambda: someone.cal("GET"))
    wait_for(lambda: sim.faults()[0]["hits"] == 1, 20)
    killed_at = time.monotonic()
    kill_all(master)
    assert isinstance(call.over().fault, (OSError, EOFError)) and time.monotonic() - killed_at < 15
    measured(f"next good answer {back_after(someone):.2f} s after the kill")
    assert kept(someone) == before


@pytest.mark.promise("faults/worker", "A worker killed during a refresh: the old token serves meanwhile, nobody is disconnected")
def test_killed_during_a_refresh_the_old_token_serves(program, realm, measured):
    master = program("--workers", 2)
    someone = direct(Person, master, realm).connect()
    before = someone.row("access_token, refresh_token, is_active")
    call = begin_refresh(someone, 8000, 100)
    kill_all(master)
    assert call.over().answer is None
    measured(f"old token served {back_after(someone):.2f} s after the kill")
    # The dead one's lease holds still: nobody has asked Microsoft again.
    assert someone.row("access_token, refresh_token, is_active") == before and refreshes(someone) <= 1
    assert someone.row("refresh_lease_until <= NOW(6) + INTERVAL 20 SECOND") == ["1"]


@pytest.mark.parametrize("is_stored", [True, False], ids=["stored late", "lost"])
@pytest.mark.promise("faults/worker", "A worker killed between Microsoft's answer and the store: the user stays connected")
def test_killed_between_the_answer_and_the_store(program, stack, realm, is_stored):
    """The row is locked, so that the worker hangs in its UPDATE; the server may carry that out after its death, or not."""
    master = program("--workers", 2)
    someone = direct(Person, master, realm).connect()
    before = stored(someone, "refresh_token")
    with Transaction(stack.mariadb, stack.database.name) as holder:
        holder.run("SELECT 1")
        call = begin_refresh(someone, 3000, -10)
        lock_row(holder, someone)
        ids = wait_for(lambda: statements(stack, f"UPDATE {someone.table} SET access_token=%"), 20)
        assert someone.stack.sim.counters(someone.user)["refresh_token_ok"] == 1
        kill_all(master)
        if not is_stored:
            for one in ids:
                stack.mariadb.sql(f"KILL {one}")
            wait_for(lambda: not statements(stack, f"UPDATE {someone.table} SET access_token=%"), 20)
        holder.run("COMMIT")
    assert call.over().answer is None
    if is_stored:
        wait_for(lambda: someone.row("refresh_lease") == ["NULL"], 20)
    else:
        assert stored(someone, "refresh_token") == before and someone.row("is_active") == ["1"]
        # What a wait of at most 20 seconds does.
        someone.set_row("refresh_lease_until = NOW(6)")
    assert someone.cal("GET").status == 200
    assert refreshes(someone) == (1 if is_stored else 2) and stored(someone, "refresh_token") != before


@pytest.mark.parametrize("is_connected", [False, True], ids=["first time", "again"])
@pytest.mark.promise("faults/worker", "A worker killed during a callback: nothing half done; starting again connects")
def test_killed_during_a_callback(program, sim, realm, is_connected):
    master = program("--workers", 2)
    someone = direct(Person, master, realm).log_in()
    if is_connected:
        someone.connect()
    before = kept(someone)
    url = sim.authorize(someone.api("GET", "auth/microsoft/").body["auth_url"], someone.user)
    sim.fault("delay", "token", user=someone.user, grant="authorization_code", delay_ms=8000)
    call = Under(lambda: someone.call("GET", url))
    wait_for(lambda: sim.faults()[0]["hits"] == 1, 20)
    kill_all(master)
    assert call.over().answer is None and kept(someone) == before
    again = someone.call("GET", url)
    assert (again.status, again.body["code"]) == (400, "state_invalid") and kept(someone) == before
    assert someone.connect().cal("GET").status == 200


@pytest.mark.promise("faults/worker", "The supervisor killed: its workers finish what they have in hand, then end; no orphan serves on")
def test_a_busy_worker_does_not_outlive_its_master(program, sim, realm):
    master = program("--workers", 2)
    someone = direct(Person, master, realm).connect()
    workers = wait_for(lambda: len(found := master.workers()) == 2 and found)
    sim.fault("delay", "graph", user=someone.user, delay_ms=1500)
    call = Under(lambda: someone.cal("GET"))
    wait_for(lambda: sim.faults()[0]["hits"] == 1, 20)
    master.signal(signal.SIGKILL)
    master.wait()
    assert call.over().answer.status == 200
    assert wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), 20)


@pytest.fixture
def site(mariadb, sim, tmp_path_factory):
    """A whole site for a test that is rough with it; behind lighttpd, which itself starts the supervisor."""
    with Stack(tmp_path_factory.mktemp("rough"), BUILD, NO_LIMITS, mariadb=mariadb, sim=sim, server="lighttpd") as made:
        yield made


def processes_of(site):
    """All of graphgate's processes with the site's configuration, whoever their parent is; {pid: parent}."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text(encoding="ascii")
            if "(graphgate.fcgi)" in stat and f"GRAPHGATE_CONFIG={site.conf_file}\0".encode() in (entry / "environ").read_bytes():
                found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
        except OSError:
            pass
    return found


def supervisor_of(site):
    """The one whose parent is none of them."""
    family = processes_of(site)
    (top,) = [pid for pid, parent in family.items() if parent not in family]
    return top


# mutant: src/app/prefork.c: if (is_heir(p, master)) { => if (is_heir(p, master) && false) {
@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees whose processes they are")
@pytest.mark.promise("faults/worker", "The supervisor killed, twice: a worker takes its place, no request is dropped; all end with lighttpd")
def test_a_killed_supervisor_has_an_heir(site, measured):
    people = [Person(site, realm).connect() for realm in REALMS]
    before = kept(*people)
    with Callers(*[lambda one=one: one.cal("GET") for one in people] * 2, pause_s=0.02) as callers:
        for _ in range(2):
            callers.more(10)
            old = set(processes_of(site))
            os.kill(supervisor_of(site), signal.SIGKILL)
            wait_for(lambda old=old: not old - {heir_of(site)} & set(processes_of(site)) and len(processes_of(site)) == len(old), 30)
            callers.more(20)
    assert set(callers.tally()) == {(200, None)}, callers.tally()
    assert kept(*people) == before
    site.web.stop()
    wait_for(lambda: not processes_of(site), 30)
    measured(f"{len(callers.calls)} requests over two kills, none dropped")


def heir_of(site):
    """The supervisor, which was a worker before; 0 while there is not just one."""
    try:
        return supervisor_of(site)
    except ValueError:
        return 0


def calls_of(people):
    return [lambda one=one, path=path: one.api("GET", path)
            for one in people for path in ("auth/microsoft/user", "integration/microsoft/calendar/")]


# mutant: src/app/prefork.c: got == SIGHUP && p->reload != NULL => got == SIGHUP && p->reload == NULL
@pytest.mark.promise("faults/worker", "SIGHUP reads the configuration again and puts new workers in place: no request is dropped")
def test_a_reload_under_load_drops_nothing(program, measured):
    master = program("--workers", 3, SIGN_IN="provision")
    people = [direct(Person, master, realm).connect() for realm in REALMS]
    with Callers(*calls_of(people) * 2) as callers:
        for sign_in in ("off", "provision", "existing", "off"):
            old = wait_for(lambda: len(found := master.workers()) == 3 and found, 20)
            master.conf_file.write_text(master.conf_file.read_text().replace(f"SIGN_IN={master.conf['SIGN_IN']}", f"SIGN_IN={sign_in}"))
            master.conf["SIGN_IN"] = sign_in
            callers.more(20)
            master.signal(signal.SIGHUP)
            wait_for(lambda old=old: not master.workers() & old, 20)
        callers.more(20)
    assert set(callers.tally()) == {(200, None)}, callers.tally()
    measured(f"4 reloads, {len(callers.calls)} requests, none dropped")
    assert master.ask("GET", "/api/v1/auth/microsoft/").status == 401
    assert master.alive() and "worker.end" not in master.logs()


@pytest.mark.promise("faults/worker", "A configuration with faults is not taken by a reload: the log names them, the old one serves on")
def test_a_reload_of_a_bad_file_is_refused(program):
    master = program("--workers", 2)
    workers = wait_for(lambda: len(found := master.workers()) == 2 and found)
    good = master.conf_file.read_text()
    for bad in (good + "NO_SUCH_NAME=1\n", good.replace("TOKEN_ENCRYPTION_KEY=", "TOKEN_ENCRYPTION_KEY=x"), ""):
        seen = master.logs().count("result=refused")
        master.conf_file.write_text(bad)
        master.signal(signal.SIGHUP)
        wait_for(lambda seen=seen: master.logs().count("result=refused") > seen, 20)
    assert "name=NO_SUCH_NAME" in master.logs() and master.conf["TOKEN_ENCRYPTION_KEY"] not in master.logs()
    assert master.workers() == workers and master.health().status == 200
    master.conf_file.write_text(good)
    master.signal(signal.SIGHUP)
    wait_for(lambda: not master.workers() & workers, 20)
    assert master.health().status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.promise("faults/worker", "A restart on a socket that the service manager holds drops no request")
def test_a_restart_on_a_held_socket_drops_nothing(stack, tmp_path_factory, number, measured):
    """As with systemd's sockets: the listening socket outlives the program, whose next run finds it on descriptor 0."""
    master = Program(stack, tmp_path_factory.mktemp("p"), ("--workers", 3))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(master.address))
        listener.listen(1024)
        try:
            master.start(stdin=listener)
            people = [direct(Person, master, realm).connect() for realm in REALMS]
            with Callers(*calls_of(people) * 2) as callers:
                for _ in range(3):
                    callers.more(20)
                    master.signal(number)
                    assert master.wait(40) == 0
                    master.start(stdin=listener)
                callers.more(20)
        finally:
            master.stop()
    assert set(callers.tally()) == {(200, None)}, callers.tally()
    measured(f"3 restarts, {len(callers.calls)} requests, none dropped")


@pytest.mark.promise("faults/worker", "lighttpd's graceful restart (SIGUSR1) under load drops no request")
def test_a_graceful_restart_of_lighttpd(site, measured):
    people = [Person(site, realm).connect() for realm in REALMS]
    with Callers(*calls_of(people)) as callers:
        for _ in range(2):
            callers.more(20)
            old = set(site.worker_pids())
            os.kill(site.web.pid, signal.SIGUSR1)
            wait_for(lambda old=old: len(found := set(site.worker_pids())) == len(old) and not found & old, 40)
        callers.more(20)
    assert set(callers.tally()) == {(200, None)}, callers.tally()
    measured(f"2 restarts, {len(callers.calls)} requests, none dropped")
