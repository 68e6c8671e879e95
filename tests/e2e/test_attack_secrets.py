# SPDX-License-Identifier: MIT
"""Where secrets are not: memory after a request, core dumps, /proc, argument lists, files that others can read.

What stays in a worker's memory for good is its configuration: the client secret, the JWT key, the Fernet keys, the
database's password. Of a request nothing stays: arenas wipe theirs, and app/heap clears what json-c, libcurl, OpenSSL and
libfcgi give back. While it waits the worker holds nobody's token.
"""

import contextlib
import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import BUILD, Person
from fcgi_client import Program, direct
from kit import wait_for
from leaks import patterns
from memory import IS_SANITIZED, SYS_PTRACE, SYS_RESOURCE, has_capability, held
from test_zz_leaks import drive_bad_tokens, drive_connect, drive_failing_flows, drive_refreshes, drive_sign_in

WIPED = pytest.mark.promise("attack/secrets", "After a request no token, code, state or cookie of it is in the worker's memory")
CORE = pytest.mark.promise("attack/secrets", "A worker that crashes leaves no core file, whatever the limit it was started with")
PROC = pytest.mark.promise("attack/secrets", "A process of the same user reads neither the worker's environment nor its memory")
ENVIRON = pytest.mark.promise("attack/secrets", "With NAME_FILE the environment holds the file's name, never the secret")
ARGUMENTS = pytest.mark.promise("attack/secrets", "graphgatectl takes no secret on its command line, where ps shows it")
FILES = pytest.mark.promise("attack/secrets", "Files that it writes are 0600, its own socket 0660, whatever the umask")
DRIVES = [drive_sign_in, drive_connect, drive_failing_flows, drive_bad_tokens, drive_refreshes]
NOBODY = 65534
needs_root = pytest.mark.skipif(not has_capability(SYS_PTRACE), reason="reads another process's memory")
needs_own_heap = pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer keeps what is freed, and maps terabytes")


def of_users(sim):
    """What to look for, without what is configuration."""
    return {value: kind for value, kind in patterns(sim).items() if kind != "client_secret"}


def settle(worker):
    """The request before is over when the next one has its answer: a worker takes one at a time."""
    assert worker.ask("GET", "/api/v1/nowhere").status == 404


# mutant: src/app/heap.c: clear(p, malloc_usable_size(p)); => ;
@WIPED
@needs_root
@needs_own_heap
@pytest.mark.parametrize("drive", DRIVES, ids=[drive.__name__ for drive in DRIVES])
def test_nothing_of_a_request_stays_in_memory(make_stack, realm, sim, tmp_path, drive, measured):
    """Requests that work, fail at Microsoft, at the database's row, at the JWT: behind the web server, a worker by itself."""
    stack = make_stack(workers=1)
    drive(stack, realm, sim)
    sim.clear_faults()
    sim.clear_token_options()
    assert Person(stack, realm).api("GET", "nowhere").status == 404
    wanted = of_users(sim)
    wait_for(lambda: not held(stack.worker_pids(), wanted, tmp_path / "memory"), 20, 0.5)
    measured(f"{len(wanted)} values looked for, 0 found")


@WIPED
@needs_root
@needs_own_heap
def test_the_search_finds_what_is_there(program, realm, sim, tmp_path):
    """While Microsoft keeps it waiting the worker must hold the token; its configuration it always holds."""
    worker = program()
    someone = direct(Person, worker, realm).connect()
    settle(worker)
    token = {sim.token_of(someone.user): "token"}
    assert held([worker.pid], token, tmp_path / "memory") == set()
    sim.fault("delay", "graph", user=someone.user, delay_ms=4000)
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            someone.cal("GET")
        os._exit(0)  # pylint: disable=protected-access
    try:
        wait_for(lambda: sim.faults()[0]["hits"] == 1, 15)
        assert held([worker.pid], token, tmp_path / "memory") == {"token"}
    finally:
        os.waitpid(pid, 0)
    settle(worker)
    assert held([worker.pid], token, tmp_path / "memory") == set()
    keys = {worker.conf["MSCLIENTSECRET"]: "secret", worker.conf["JWT_SECRET_KEY"]: "key"}
    assert held([worker.pid], keys, tmp_path / "memory") == {"secret", "key"}


@pytest.fixture
def place():
    """A folder that an ordinary user can reach, with copies of the programs."""
    folder = Path(tempfile.mkdtemp(prefix="gg-", dir="/tmp"))
    folder.chmod(0o755)
    for name in ("graphgate.fcgi", "graphgatectl"):
        shutil.copy(BUILD / name, folder / name)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def ordinary():
    """Words that start a program as an ordinary user, where these tests are root's."""
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups") if os.geteuid() == 0 else ()


@pytest.fixture
def ordinary_worker(stack, place):
    """A worker of an ordinary user, whose secrets are in a file."""
    class Placed(Program):
        """Runs the copy."""
        def start(self, *given, **named):
            self.stack = type("Copied", (), {"bin_dir": place})
            return super().start(*given, **named)

    worker = Placed(stack, place, settings={"JWT_SECRET_KEY": None, "MSCLIENTSECRET": None})
    key = place / "jwt.key"
    key.write_text("a key that is in a file alone\n")
    worker.env = {**worker.env, "JWT_SECRET_KEY_FILE": str(key), "MSCLIENTSECRET": "in the environment itself"}
    worker.launcher = ordinary()
    key.touch()
    for path in place.iterdir():
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    worker.start()
    yield worker
    worker.stop()


# mutant: src/app/main.c: (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); => ;
@PROC
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer's own tools need to look")
@pytest.mark.parametrize("name", ["environ", "mem", "maps", "fd/2"])
def test_the_same_user_sees_nothing_of_it(ordinary_worker, name):
    path = f"/proc/{ordinary_worker.pid}/{name}"
    done = subprocess.run([*ordinary(), "cat", path], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "denied" in done.stderr and done.stdout == ""
    assert os.stat(f"/proc/{ordinary_worker.pid}/environ").st_uid == 0


@ENVIRON
@needs_root
def test_a_secret_in_a_file_is_not_in_the_environment(ordinary_worker):
    environ = Path(f"/proc/{ordinary_worker.pid}/environ").read_bytes()
    assert b"JWT_SECRET_KEY_FILE=" in environ and b"in the environment itself" in environ
    assert b"in a file alone" not in environ


def core_limit(pid):
    """The soft and the hard limit of core files."""
    (line,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file" in line]
    return line.split()[4:6]


# mutant: src/app/main.c: (void)setrlimit(RLIMIT_CORE, &none); => (void)none;
@CORE
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_leaves_no_core(bare_program, tmp_path, number):
    worker = bare_program("--workers", 1)
    most = resource.RLIM_INFINITY if has_capability(SYS_RESOURCE) else resource.getrlimit(resource.RLIMIT_CORE)[1]
    most = "unlimited" if most == resource.RLIM_INFINITY else most
    worker.launcher = ("prlimit", f"--core={most}", "env", f"--chdir={tmp_path}")
    worker.start()
    (pid,) = wait_for(worker.workers, 15)
    assert core_limit(pid) == core_limit(worker.pid) == ["0", "0"]
    before = set(tmp_path.iterdir())
    os.kill(pid, number)
    wait_for(lambda: worker.workers() - {pid}, 15)
    assert set(tmp_path.iterdir()) == before and worker.ask("GET", "/api/v1/nowhere").status == 404


@pytest.fixture
def bare_program(stack, tmp_path_factory):
    """A program that is not started yet."""
    made = []

    def make(*arguments, **settings):
        made.append(Program(stack, tmp_path_factory.mktemp("p"), arguments, settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()


# mutant: src/app/prefork.c: mode_t mask = umask(0117); => mode_t mask = umask(0);
@FILES
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_whatever_the_umask(bare_program, tmp_path, umask):
    log = tmp_path / "log"
    worker = bare_program("--workers", 1, LOG_TARGET=f"file:{log}")
    worker.launcher = ("sh", "-c", f'umask {umask:o}; exec "$@"', "sh")
    worker.start()
    assert worker.ask("GET", "/api/v1/nowhere").status == 404
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(os.stat(worker.address).st_mode) == 0o660


@FILES
def test_graphgatectl_makes_no_file_that_others_read(stack, tmp_path):
    """Nothing at all, but the log that it was told to write."""
    log = tmp_path / "log"
    for command in (["check"], ["maintain"], ["migrate", "--status"], ["genkey"]):
        subprocess.run(["sh", "-c", 'umask 0; cd "$0" && exec "$@"', str(tmp_path), str(BUILD / "graphgatectl"), *command],
                       env={**stack.env, "LOG_TARGET": f"file:{log}"}, capture_output=True, check=False)
    assert set(tmp_path.iterdir()) <= {log}
    assert not log.exists() or stat.S_IMODE(log.stat().st_mode) == 0o600


@ARGUMENTS
@pytest.mark.parametrize("command", ["genkey", "check", "migrate", "encrypt", "decrypt", "jwt", "maintain"])
def test_no_option_takes_a_secret(stack, command):
    text = stack.ctl(command, "--help").stdout.lower()
    for word in ("--key", "--secret", "--password", "--token", "--database"):
        assert word not in text


@ARGUMENTS
@pytest.mark.parametrize("command", [["encrypt"], ["decrypt"], ["jwt", "verify"]])
def test_what_is_secret_comes_by_standard_input(stack, command):
    """It waits for its input: what ps shows of it meanwhile."""
    with subprocess.Popen([str(BUILD / "graphgatectl"), *command], env=stack.env, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        words = wait_for(lambda: Path(f"/proc/{running.pid}/cmdline").read_bytes().split(b"\0")[1:-1], 20)
        assert words == [word.encode() for word in command]
        out, _ = running.communicate(b"a value to be kept", timeout=20)
        assert b"a value to be kept" not in out
