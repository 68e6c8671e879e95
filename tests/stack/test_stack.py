# SPDX-License-Identifier: MIT
"""The test stack itself: what every other test stands on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack import process
from stack.lighttpd import SAMPLE, fill_in
from stack.mariadb import MariaDB
from stack.process import Child, StartError
from stack.servers import SERVERS
from stack.tally import in_results, tally
from stack.web import SAMPLES


def sleeper(directory, *words):
    return Child("sleeper", [sys.executable, "-c", *words], directory)


def test_child_is_stopped_with_all_below_it(tmp_path):
    child = sleeper(tmp_path, "import subprocess; subprocess.run(['sleep', '600'])")
    child.start()
    assert process.wait_until(child.children, 10)
    below = process.descendants(child.pid)
    child.stop()
    assert not child.alive() and not [pid for pid in below if process.descendants(1).get(pid) == below[pid]]


def test_child_that_ignores_sigterm_is_killed(tmp_path):
    child = sleeper(tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)")
    child.start()
    child.wait_for(lambda: process.tail(child.log))
    child.stop(timeout_s=0.2)
    assert child.pid is None


def test_child_left_by_a_killed_run_is_ended_by_the_next(tmp_path):
    first = sleeper(tmp_path, "import time; time.sleep(600)")
    first.start()
    second = sleeper(tmp_path, "import time; time.sleep(600)")
    second.start()
    assert process.wait_until(lambda: not first.alive(), 5) and second.alive()
    second.stop()


def test_failure_to_start_tells_the_end_of_the_log(tmp_path):
    child = sleeper(tmp_path, "raise SystemExit('no such thing')")
    child.start()
    with pytest.raises(StartError, match="no such thing"):
        child.wait_for(lambda: False, 10)


def test_sample_is_filled_in_only_where_marked():
    sample = SAMPLE.read_text(encoding="utf-8")
    filled = fill_in(sample, {"port": 8123, "binary": '/a "b"', "upload_dirs": ["/x", "/y"]})
    changed = [(old, new) for old, new in zip(sample.splitlines(), filled.splitlines()) if old != new]
    assert len(changed) == 3 and all("# SET:" in old for old, _ in changed)
    assert 'server.port          = 8123 ' in filled and r'"/a \"b\""' in filled and '( "/x", "/y" )' in filled


def test_sample_lacks_no_mark():
    with pytest.raises(ValueError, match="not marked"):
        fill_in(SAMPLE.read_text(encoding="utf-8"), {"no_such_mark": "x"})


@pytest.mark.parametrize("server", SERVERS)
def test_each_sample_is_whole(tmp_path, server):
    """It differs from what the tests run in marked lines alone, and the server itself finds nothing wrong with that."""
    site = {"binary": "/bin/true", "config_file": "/dev/null", "workers": 3, "document_root": SAMPLES}
    web = SERVERS[server](tmp_path, site)
    web.write_config()
    lines = [["", *path.read_text(encoding="utf-8").splitlines()] for path in (SAMPLES / web.sample, web.config)]
    changed = [number for number, (old, new) in enumerate(zip(*lines)) if old != new]
    assert len(lines[0]) == len(lines[1]) and len(changed) >= 8
    assert all("# SET: " in lines[0][number] or lines[0][number - 1].startswith("# SET: ") for number in changed)
    done = subprocess.run([str(word) for word in web.check_command()], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "warn" not in done.stdout + done.stderr, done


@pytest.mark.parametrize("status, text, wanted", [
    (0, "", (1, 0, 0)),
    (1, "Traceback …", (0, 1, 0)),
    (0, "== 12 passed, 3 skipped in 4.05s ==\n", (12, 0, 3)),
    (0, "12 passed in 64.05s (0:01:04)\n", (12, 0, 0)),
    (1, "1 failed, 12 passed, 2 warnings in 4.05s\n", (12, 1, 0)),
    (1, "10 passed, 2 errors in 1.00s\n", (10, 2, 0)),
    (0, "layers: 88 passed, 0 failed\nsizes self-test: 9 passed, 0 failed\n", (97, 0, 0)),
    (0, "we have 3 passed and went on\n", (1, 0, 0)),
    (0, "# TOTAL: 7\n# PASS:  7\n# FAIL:  0\n", (7, 0, 0)),
])
def test_tests_are_counted(status, text, wanted):
    assert tally(status, text, in_results("/nonexistent", 0)) == wanted


def test_unit_tests_are_counted_one_by_one(tmp_path):
    (tmp_path / "a.trs").write_text(":test-result: PASS\n")
    (tmp_path / "a.log").write_text("Running suite(s): a\n100%: Checks: 12, Failures: 0, Errors: 0\n")
    (tmp_path / "b.trs").write_text(":test-result: FAIL b (exit status: 1)\n")
    (tmp_path / "b.log").write_text("66%: Checks: 3, Failures: 1, Errors: 0\nb.c:3:F: …\n")
    (tmp_path / "c.trs").write_text(":test-result: SKIP\n")
    assert tally(1, "# PASS:  1\n", in_results(tmp_path, 0)) == (14, 1, 1)
    assert in_results(tmp_path, os.stat(tmp_path / "a.trs").st_mtime + 60) == {}


def test_packages_are_read_by_section():
    root = Path(__file__).resolve().parents[2]
    told = subprocess.run(["sh", "-c", ". tests/stack/setup.sh; packages demo"], cwd=root, text=True,
                          capture_output=True, check=True).stdout.split()
    assert "lighttpd" in told and "python3-aiohttp" in told and "autoconf" not in told


def test_mariadb_keeps_its_data_and_leaves_nothing_behind(tmp_path):
    # A path too long for a unix socket.
    server = MariaDB(tmp_path / ("d" * 90)).start()
    try:
        made = server.create("gg_a")
        grants = tmp_path / "grants.sql"
        grants.write_text("GRANT SELECT ON `@DB@`.`t` TO @USER@;\n")
        server.sql("CREATE TABLE t (a INT, b BLOB); INSERT INTO t VALUES (1, 'secret-text'), (2, NULL)", "gg_a")
        server.grant("gg_a", grants)
        assert server.rows("SELECT * FROM t", "gg_a") == [["1", "secret-text"], ["2", "NULL"]]
        assert "secret-text" in server.dump()
        assert server.url(made.worker).startswith("mariadb://gg_a_web:") and "?unix_socket=%2Ftmp%2F" in server.url(made.worker)
        assert ["GRANT SELECT ON `gg_a`.`t` TO `gg_a_web`@`%`"] in server.rows("SHOW GRANTS FOR gg_a_web")
        server.kill()
        server.start()
        assert server.rows("SELECT COUNT(*) FROM gg_a.t") == [["2"]]
        server.drop("gg_a")
        assert server.rows("SHOW DATABASES LIKE 'gg%'") == []
    finally:
        run = server.socket.parent
        server.stop()
    assert server.pid is None and not run.exists()
