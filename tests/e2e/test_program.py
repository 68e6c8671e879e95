# SPDX-License-Identifier: MIT
"""The worker program by itself: its sockets, its workers, its signals, its exit statuses."""

import os
import pty
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from conftest import BUILD, Person
from fcgi_client import Program, connect, direct, receive, send

from stack.process import free_port, wait_until
from stack.stack import ROOT

WORKER = BUILD / "graphgate.fcgi"
NOWHERE = "/api/v1/nowhere"
LONG = "/api/v1/integration/microsoft/calendar/"


def run(*arguments, stdin=subprocess.DEVNULL):
    """The program run to its end."""
    return subprocess.run([str(WORKER), *map(str, arguments)], stdin=stdin, capture_output=True, text=True, timeout=10,
                          check=False, env={"GRAPHGATE_CONFIG": "/dev/null"})


def ask_at(address, uri=NOWHERE):
    """One request to a program at any address."""
    with connect(address) as link:
        send(link, "GET", uri)
        return receive(link)


@pytest.fixture
def bare(stack, tmp_path_factory):
    """A program that the test starts by itself."""
    made = []

    def make(*arguments):
        made.append(Program(stack, tmp_path_factory.mktemp("p"), arguments))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def wakings(pids):
    """How often these processes went to sleep so far."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"), re.M)[1])
               for pid in pids)


# mutant: src/ext/fcgi.c: EPOLLIN | EPOLLEXCLUSIVE => EPOLLIN
def test_a_request_wakes_one_worker(bare):
    """Not all that wait, of whom but one can have it: with hundreds of workers they would do little else."""
    program, count = bare("--workers", 16).start(), 200
    assert wait_until(lambda: len(program.workers()) == 16, 10)
    ask_at(program.address)
    before = wakings(program.workers())
    for _ in range(count):
        ask_at(program.address)
    # Each sleeps once for the connection, and once more for what comes on it; all of them would be sixteen.
    assert wakings(program.workers()) - before < 6 * count


@pytest.mark.parametrize("flag, words", [("--version", "graphgate "), ("--help", "--listen")])
def test_prints_and_exits_0(flag, words):
    done = run(flag)
    assert done.returncode == 0 and words in done.stdout and done.stderr == ""


@pytest.mark.parametrize("arguments, why", [
    (("--workers", "x"), "--workers is a whole number from 0 to 4096"), (("--workers", "-1"), "--workers is a whole number from 0 to 4096"),
    (("--max-requests", "0"), "--max-requests is a whole number from 1 to "), (("--bogus",), "'--bogus'"), (("--listen",), "'--listen'"),
    (("word",), 'takes options alone, not "word"')], ids=str)
def test_wrong_usage_is_64(arguments, why):
    done = run(*arguments)
    lines = done.stderr.splitlines()
    assert done.returncode == 64 and why in lines[0] and lines[1].startswith("Usage:") and done.stdout == ""


def test_the_demo_s_help():
    """Prints what it takes, and builds nothing; only what it does not know is wrong usage."""
    done = subprocess.run([ROOT / "demo.sh", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "./demo.sh --smoke" in done.stdout and done.stderr == "" and len(done.stdout.splitlines()) == 3
    wrong = subprocess.run([ROOT / "demo.sh", "--bogus"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "[--smoke]" in wrong.stderr


def descriptor(kind, tmp_path):
    """Two descriptors: one for descriptor 0 that is no listening socket, and what must stay open beside it."""
    if kind == "terminal":
        return pty.openpty()[::-1]
    if kind == "pipe":
        return os.pipe()
    if kind == "socket":
        return tuple(one.detach() for one in socket.socketpair())
    path = "/dev/null" if kind == "null" else tmp_path / "file"
    return os.open(path, os.O_RDWR | os.O_CREAT), os.dup(1)


@pytest.mark.parametrize("kind", ["terminal", "null", "file", "pipe", "socket"])
@pytest.mark.parametrize("arguments", [(), ("--workers", 2)])
def test_no_listening_socket_is_a_hint_of_two_lines(kind, arguments, tmp_path):
    descriptors = descriptor(kind, tmp_path)
    done = run(*arguments, stdin=descriptors[0])
    for one in descriptors:
        os.close(one)
    assert done.returncode == 64 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2 and "listening socket" in lines[0] and "--listen" in lines[1]


def test_closed_descriptor_0_is_a_hint_too():
    done = subprocess.run(["sh", "-c", f'exec "{WORKER}" <&-'], capture_output=True, text=True, check=False)
    assert done.returncode == 64 and len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
@pytest.mark.parametrize("workers", [0, 2])
def test_serves_the_listening_socket_on_descriptor_0(bare, family, workers):
    program = bare("--workers", workers)
    with socket.socket(family) as listener:
        listener.bind(str(program.address) if family == socket.AF_UNIX else ("127.0.0.1", 0))
        listener.listen()
        address = listener.getsockname()
        program.start(stdin=listener)
    assert ask_at(address).status == 404
    assert program.stop() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_opens_a_tcp_socket(bare, host):
    port = free_port()
    assert bare().start(listen=f"{host}:{port}").ask("GET", NOWHERE).status == 404


def test_opens_a_unix_socket(bare):
    program = bare().start()
    assert stat.S_ISSOCK(os.stat(program.address).st_mode)
    assert program.ask("GET", NOWHERE).status == 404
    assert program.workers() == set()


def test_a_stale_socket_is_replaced(bare):
    program = bare()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(program.address))
        dead.listen()
    program.start()
    assert program.ask("GET", NOWHERE).status == 404


def test_a_socket_in_use_is_not_replaced(bare):
    program = bare().start()
    done = run("--listen", f"unix:{program.address}")
    assert done.returncode != 0 and str(program.address) in done.stderr
    assert program.ask("GET", NOWHERE).status == 404


def test_a_file_is_not_replaced(tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    done = run("--listen", f"unix:{path}")
    assert done.returncode != 0 and str(path) in done.stderr and path.read_text() == "precious"


@pytest.mark.parametrize("where", ["nonsense", "unix:", "127.0.0.1:", ":9000x", "unix:" + "x" * 200, "no.such.host.invalid:90"])
def test_a_place_that_cannot_be_listened_on(where):
    done = run("--listen", where)
    assert done.returncode != 0 and where in done.stderr


@pytest.mark.promise("faults/worker", "A killed worker is replaced by the supervisor")
def test_a_killed_worker_is_replaced(program):
    master = program("--workers", 3)
    assert wait_until(lambda: len(master.workers()) == 3, 5)
    victims = master.workers()
    for _ in range(2):
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: len(master.workers() - victims) == 3, 5)
        assert master.ask("GET", NOWHERE).status == 404
        victims = master.workers()
    assert master.alive()


def test_a_sign_in_outlives_its_workers(program, realm):
    """A worker keeps no state that another request needs: here each request has a worker of its own."""
    someone = direct(Person, program("--workers", 1, "--max-requests", 1), realm)
    tokens = someone.sign_in().body
    assert someone.cal("GET").status == 200
    assert someone.api("POST", "auth/refresh", {"refresh_token": tokens["refresh_token"]}).status == 200


def test_a_worker_leaves_after_its_requests_and_is_replaced(program):
    master = program("--workers", 1, "--max-requests", 3)
    assert wait_until(master.workers, 5)
    first = master.workers()
    for _ in range(2):
        assert master.ask("GET", NOWHERE).status == 404
    assert master.workers() == first
    assert master.ask("GET", NOWHERE).status == 404
    assert wait_until(lambda: master.workers() and not master.workers() & first, 5)
    for _ in range(10):
        assert master.ask("GET", NOWHERE).status == 404
    assert "worker.end" not in master.logs() and master.alive()


def test_a_single_process_leaves_after_its_requests(program):
    single = program("--max-requests", 2)
    for _ in range(2):
        assert single.ask("GET", NOWHERE).status == 404
    assert single.wait() == 0


def test_leaves_after_10000_requests_by_default(program):
    single = program(LOG_LEVEL="error")
    for _ in range(9999):
        single.ask("GET", NOWHERE)
    time.sleep(0.1)
    assert single.alive()
    assert single.ask("GET", NOWHERE).status == 404
    assert single.wait() == 0


def slow_call(program, sim, someone, answers):
    """A call of the calendar that takes half a second, under way in a thread."""
    sim.fault("delay", "graph", user=someone.user, delay_ms=500)
    thread = threading.Thread(target=lambda: answers.append(someone.cal("GET")))
    thread.start()
    assert wait_until(lambda: sim.faults()[0]["hits"] == 1, 5)
    return thread


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_signal_finishes_the_request_in_hand(program, sim, realm, number, workers):
    running = program("--workers", workers)
    someone = direct(Person, running, realm).connect()
    answers = []
    thread = slow_call(running, sim, someone, answers)
    running.signal(number)
    thread.join()
    assert answers[0].status == 200 and answers[0].body["success"] is True
    assert running.wait(5) == 0


def test_an_idle_program_leaves_at_once(program):
    for workers in (0, 4):
        running = program("--workers", workers)
        for _ in range(20):
            running.ask("GET", NOWHERE)
        before = time.monotonic()
        assert running.stop() == 0 and time.monotonic() - before < 2


@pytest.mark.parametrize("workers", [0, 2])
def test_a_signal_ends_a_program_that_always_has_callers(program, sim, realm, workers):
    """The listen queue is never empty: that it has somebody in it may not hide the signal."""
    running = program("--workers", workers)
    someone = direct(Person, running, realm).connect()
    sim.fault("delay", "graph", user=someone.user, count=None, delay_ms=25)
    over = threading.Event()

    def calls_on():
        while not over.is_set():
            try:
                someone.cal("GET")
            except (OSError, EOFError):
                over.wait(0.02)

    callers = [threading.Thread(target=calls_on) for _ in range(8)]
    for caller in callers:
        caller.start()
    try:
        assert wait_until(lambda: sim.faults()[0]["hits"] > 10, 10)
        running.signal(signal.SIGTERM)
        assert running.wait(5) == 0
    finally:
        over.set()
        for caller in callers:
            caller.join()


def test_a_master_whose_parent_ignores_the_end_of_children(bare):
    """A disposition that is inherited: some supervisors and shells ignore SIGCHLD."""
    master = bare("--workers", 2)
    master.launcher = ("env", "--ignore-signal=CHLD")
    master.start()
    assert wait_until(lambda: len(master.workers()) == 2, 5)
    victims = master.workers()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: len(master.workers() - victims) == 2, 5)
    assert master.ask("GET", NOWHERE).status == 404
    master.signal(signal.SIGTERM)
    assert master.wait(5) == 0


def test_a_signal_to_one_worker_replaces_it(program, sim, realm):
    master = program("--workers", 1)
    someone = direct(Person, master, realm).connect()
    answers = []
    (worker,) = master.workers()
    thread = slow_call(master, sim, someone, answers)
    os.kill(worker, signal.SIGTERM)
    thread.join()
    assert answers[0].status == 200
    assert wait_until(lambda: master.workers() and worker not in master.workers(), 5)
    assert master.ask("GET", NOWHERE).status == 404


def test_one_request_at_a_time(program, sim, realm):
    master = program("--workers", 1)
    someone = direct(Person, master, realm).connect()
    thread = slow_call(master, sim, someone, [])
    before = time.monotonic()
    assert master.ask("GET", NOWHERE).status == 404
    assert time.monotonic() - before > 0.25
    thread.join()


@pytest.mark.promise("faults/worker", "The supervisor killed: its workers finish what they have in hand, then end; no orphan serves on")
def test_workers_die_with_their_master(program):
    master = program("--workers", 2)
    assert wait_until(lambda: len(master.workers()) == 2, 5)
    workers = master.workers()
    master.signal(signal.SIGKILL)
    master.wait()
    assert wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), 5)


# mutant: src/app/main.c: i < LEFT_MAX && gg_fcgi_accept_waiting(f) => i < 0
def test_a_lone_process_that_leaves_serves_who_has_come(program):
    """Whoever connects later finds nobody there, so that a web server turns to another process."""
    worker = program()
    assert worker.health().status == 200
    worker.signal(signal.SIGSTOP)
    links = [connect(worker.address) for _ in range(5)]
    for link in links:
        send(link, "GET", "/api/v1/health/live")
    worker.signal(signal.SIGHUP)
    worker.signal(signal.SIGCONT)
    assert [receive(link).status for link in links] == [200] * len(links)
    for link in links:
        link.close()
    assert worker.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        connect(worker.address)
