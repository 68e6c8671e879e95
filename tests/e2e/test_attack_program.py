# SPDX-License-Identifier: MIT
"""The program itself: what rights it runs with, and whether the sample units leave it those that it needs and no others."""

import grp
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILD, Person
from fcgi_client import Program, direct
from kit import wait_for
from memory import IS_SANITIZED, has_capability
from test_attack_secrets import place as _place

from stack.stack import ROOT

DROPS = pytest.mark.promise("attack/program", "Started as root with --user it becomes that account for good, groups and all")
REFUSES = pytest.mark.promise("attack/program", "An account that does not exist, or is root, keeps it from starting")
GAINS = pytest.mark.promise("attack/program", "Neither it nor what it might be made to start can gain rights (no_new_privs)")
UNIT = pytest.mark.promise("attack/program", "The sample unit is valid, and systemd rates what it leaves exposed below 2 of 10")
CALLS = pytest.mark.promise("attack/program", "The sample unit allows every system call that it makes, and no dangerous one")
SCAN = pytest.mark.promise("attack/program", "No secret is left in the source tree, and no library has a known hole")
UNITS = BUILD / "systemd"
SETPCAP = 8
NOWHERE = "/api/v1/nowhere"
USER, GROUP = "nobody", "daemon"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
place = _place


def status_of(pid):
    """The lines of a process's status as a dictionary."""
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


@pytest.fixture
def worker_of(stack, place):
    """worker_of("--user", "nobody"): a program in a folder that an ordinary user can reach, and its settings too."""
    made = []

    def make(*arguments, launcher=(), **settings):
        # What root's own folders hold is out of its reach: the database's socket, the simulator's CA.
        url = stack.mariadb.tcp_url(stack.database.worker)
        reached = {"MICROSOFT_CA_FILE": place / "ca.pem", "DATABASE_URL": url}
        made.append(Program(stack, place, arguments, {**reached, **settings}))
        shutil.copy(stack.conf["MICROSOFT_CA_FILE"], place / "ca.pem")
        (place / "ca.pem").chmod(0o644)
        (place / "graphgate.conf").touch()
        if os.geteuid() == 0:
            os.chown(place / "graphgate.conf", pwd.getpwnam(USER).pw_uid, -1)
        made[-1].launcher = launcher
        return made[-1]

    yield make
    for one in made:
        one.stop()


# mutant: src/app/drop.c: if (initgroups(account->name, account->gid) != 0 || => if (account->gid == 0 ||
@DROPS
@needs_root
@pytest.mark.parametrize("account, group", [(USER, None), (f"{USER}:{GROUP}", GROUP)])
@pytest.mark.parametrize("workers", [0, 2])
def test_becomes_the_account_for_good(worker_of, realm, account, group, workers, measured):
    worker = worker_of("--user", account, "--workers", workers, launcher=("setpriv", "--groups=0,4")).start()
    uid = str(pwd.getpwnam(USER).pw_uid)
    gid = str(grp.getgrnam(group).gr_gid if group else pwd.getpwnam(USER).pw_gid)
    wait_for(lambda: len(worker.workers()) == workers, 15)
    for pid in {worker.pid, *worker.workers()}:
        status = status_of(pid)
        assert status["Uid"].split() == [uid] * 4 and status["Gid"].split() == [gid] * 4
        assert not {"0", "4"} & set(status["Groups"].split())
        assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0
    own = os.stat(worker.address)
    assert (str(own.st_uid), str(own.st_gid), own.st_mode & 0o777) == (uid, gid, 0o660)
    someone = direct(Person, worker, realm)
    assert someone.sign_in().status == 200 and someone.cal("GET").status == 200
    measured("no capability, no group of root's, in master and workers")


@DROPS
@needs_root
def test_the_log_is_the_accounts(worker_of, place):
    worker = worker_of("--user", USER, LOG_TARGET=f"file:{place / 'out'}").start()
    assert worker.ask("GET", NOWHERE).status == 404
    assert (place / "out").stat().st_uid == pwd.getpwnam(USER).pw_uid and (place / "out").stat().st_mode & 0o777 == 0o600
    assert "start.root" not in (place / "out").read_text()


@DROPS
@needs_root
def test_root_without_a_user_is_told(program):
    worker = program()
    wait_for(lambda: "start.root" in worker.logs(), 20)


# mutant: src/app/drop.c: if (out->uid == 0 || out->gid == 0) => if (out->uid == 0 && out->name[0] == '-')
@REFUSES
@pytest.mark.parametrize("account", ["root", "root:nogroup", "nobody:root", "no-such-user", "nobody:no-such-group", "", ":",
                                     "x" * 300])
def test_accounts_that_will_not_do(place, account):
    done = subprocess.run([BUILD / "graphgate.fcgi", "--listen", f"unix:{place / 's'}", "--user", account], timeout=20,
                          env={"GRAPHGATE_CONFIG": "/dev/null"}, capture_output=True, text=True, check=False)
    assert done.returncode == 67 and "start.user" in done.stderr


@REFUSES
@needs_root
def test_only_root_becomes_somebody_else(place):
    done = subprocess.run(["setpriv", "--reuid=1", "--regid=1", "--clear-groups", place / "graphgate.fcgi", "--listen",
                           "127.0.0.1:0", "--user", USER], env={"GRAPHGATE_CONFIG": "/dev/null"}, timeout=20,
                          capture_output=True, text=True, check=False)
    assert done.returncode in (64, 67)


# mutant: src/app/main.c: (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); => ;
@GAINS
def test_no_new_privileges(program):
    worker = program("--workers", 1)
    wait_for(worker.workers, 15)
    for pid in {worker.pid, *worker.workers()}:
        assert status_of(pid)["NoNewPrivs"] == "1"


@GAINS
@needs_root
def test_an_ordinary_user_needs_nothing_more(worker_of, realm):
    """Spawned as web servers do: by an account without rights, with no capability to be had."""
    uid = pwd.getpwnam(USER).pw_uid
    bound = ["--bounding-set=-all"] if has_capability(SETPCAP) else []
    worker = worker_of(launcher=("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *bound)).start()
    assert set(status_of(worker.pid)["CapBnd" if has_capability(SETPCAP) else "CapEff"]) == {"0"}
    assert direct(Person, worker, realm).sign_in().status == 200


def analyze(*arguments):
    """systemd's own look at units, without systemd running."""
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def units(place):
    """The units, with the programs' places filled in."""
    shutil.copy(BUILD / "graphgatectl", place)
    for name in UNIT_FILES:
        text = next(path for path in (UNITS / name, ROOT / "systemd" / name) if path.exists()).read_text(encoding="utf-8")
        (place / name).write_text(re.sub(r"(?m)^(ExecStart=)/\S+/(graphgate\S+)", rf"\1{place}/\2", text))
    return [place / name for name in UNIT_FILES]


@UNIT
def test_the_units_are_valid(units, measured):
    done = analyze("verify", "--man=no", *units)
    # systemd may miss units of the machine; of these it must say nothing.
    assert not [line for line in done.stderr.splitlines() if "graphgate" in line], done.stderr
    done = analyze("security", "--offline=true", "--threshold=12", *[unit for unit in units if unit.suffix == ".service"])
    levels = re.findall(r"Overall exposure level for (\S+): ([\d.]+)", done.stdout)
    assert len(levels) == 2 and done.returncode == 0, done.stdout
    measured(f"exposure {max(float(level) for _, level in levels)} of 10")


UNIT_FILES = ("graphgate.service", "graphgate-maintain.service", "graphgate.socket", "graphgate-maintain.timer")
WANTED = ("User=graphgate", "NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "PrivateDevices=yes",
          "MemoryDenyWriteExecute=yes", "CapabilityBoundingSet=", "LockPersonality=yes", "RestrictNamespaces=yes",
          "LimitCORE=0", "UMask=0077", "RuntimeDirectory=graphgate", "RuntimeDirectoryPreserve=yes",
          "Environment=METRICS_FILE=%t/graphgate/metrics")


@UNIT
@pytest.mark.parametrize("name", ["graphgate.service", "graphgate-maintain.service"])
@pytest.mark.parametrize("line", WANTED)
def test_what_the_unit_says(name, line):
    lines = (UNITS / name).read_text(encoding="utf-8").splitlines()
    assert line in lines and ("StandardInput=socket" in lines) == (name == "graphgate.service")


@UNIT
def test_every_secret_of_the_unit_is_a_credential(stack):
    """No secret's value in a unit: by the drop-in each is a file of root's that systemd hands over, named by NAME_FILE."""
    text = (UNITS / "credentials.conf").read_text(encoding="utf-8")
    given = re.findall(r"^LoadCredential=(\w+):", text, re.M)
    assert {"MSCLIENTSECRET", "DATABASE_URL", "JWT_SECRET_KEY", "TOKEN_ENCRYPTION_KEY"} == set(given)
    assert all(f"{name}_FILE=%d/{name}" in text and f"{name}=" not in text for name in given)
    assert set(given) <= set(stack.conf) | {"TOKEN_ENCRYPTION_KEY"}


def expand(name, done=None):
    """The system calls of a set of systemd's, and of the sets in it."""
    done = set() if done is None else done
    if name in done:
        return set()
    done.add(name)
    out = analyze("syscall-filter", name).stdout.split("\n", 1)[1]
    words = [line.strip() for line in out.splitlines() if line.strip() and not line.strip().startswith("#")]
    return {word for word in words if word[0] != "@"}.union(*(expand(word, done) for word in words if word[0] == "@"))


def allowed():
    """What the unit's SystemCallFilter= lines leave."""
    calls = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", (UNITS / "graphgate.service").read_text(encoding="utf-8"), re.M):
        taken = line.startswith("~")
        words = line.lstrip("~").split()
        named = {word for word in words if word[0] != "@"}.union(*(expand(word) for word in words if word[0] == "@"))
        calls = calls - named if taken else calls | named
    return calls


DANGEROUS = {"ptrace", "process_vm_readv", "process_vm_writev", "mount", "setuid", "setgid", "setgroups", "chroot", "bpf",
             "init_module", "kexec_load", "keyctl", "add_key", "chown", "fchownat", "unshare", "setns", "userfaultfd",
             "perf_event_open", "io_uring_setup", "mlockall", "reboot", "swapon", "settimeofday", "personality"}


@CALLS
@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer makes calls of its own")
def test_the_list_of_system_calls(worker_of, realm, sim, tmp_path, measured):
    """Every system call of a start, a sign-in, calendars, a refresh, a fault, a reload, a lost worker and an end."""
    trace = tmp_path / "trace"
    worker = worker_of("--workers", 2, launcher=("strace", "-D", "-f", "-qq", "-e", "signal=none", "-o", str(trace)))
    worker.start()
    someone = direct(Person, worker, realm)
    someone.sign_in()
    for _ in range(4):
        assert someone.cal("GET").status == 200
    connected = direct(Person, worker, realm).connect()
    connected.set_row("expires_at = UTC_TIMESTAMP() + INTERVAL 60 SECOND")
    assert connected.cal("GET").status == 200
    sim.fault("reset", "graph", user=someone.user, count=1)
    someone.cal("GET")
    before = worker.workers()
    worker.signal(signal.SIGHUP)
    wait_for(lambda: len(worker.workers() - before) == 2, 30)
    os.kill(min(worker.workers()), signal.SIGKILL)
    assert worker.ask("GET", NOWHERE).status == 404
    worker.stop()
    wait_for(lambda: re.search(rf"^{worker.pid} +exit_group", trace.read_text(errors="replace"), re.M), 20)
    made = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", trace.read_text(errors="replace"), re.M)) - {"exited", "killed"}
    may = allowed()
    assert {"accept4", "clone", "exit_group"} & made and len(made) > 40
    assert made - may == set()
    assert not DANGEROUS & may
    measured(f"{len(made)} different calls made, {len(may)} allowed")


@SCAN
@pytest.mark.parametrize("tool", ["secrets", "dependencies"])
def test_scanners(tool, measured):
    """Each shows first that it finds what it is made for."""
    for words in (["--self-test"], []):
        done = subprocess.run([sys.executable, "-B", ROOT / "tests" / "lint" / f"{tool}.py", *words],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    measured(done.stdout.splitlines()[-1])
