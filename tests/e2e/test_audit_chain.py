# SPDX-License-Identifier: MIT
"""What was done to the audit afterwards: seals, `audit verify`, `audit prune`, and what is read of it."""

import json
import re
import time

import pytest
from audit_kit import COLUMNS, Audit, Key

from stack.stack import fernet_key


@pytest.fixture(scope="module")
def _audit(stack, mariadb):
    made = mariadb.create("gg_audit")
    yield Audit(stack, mariadb, made)
    mariadb.drop(made.name)


@pytest.fixture
def audit(_audit):
    """An audit of nobody else's, empty."""
    _audit.sql("DELETE FROM audit_log; DELETE FROM audit_seals")
    return _audit


@pytest.fixture(scope="module")
def _sealed(_audit):
    _audit.sql("DELETE FROM audit_log; DELETE FROM audit_seals")
    _audit.ids = []
    for days in (30, 20, 10):
        _audit.ids += _audit.add(5, days)
        _audit.head = _audit.seal()
    _audit.ids += _audit.add(2)
    _audit.sql("CREATE TABLE kept_log AS SELECT * FROM audit_log; CREATE TABLE kept_seals AS SELECT * FROM audit_seals")
    return _audit


@pytest.fixture
def sealed(_sealed, audit):
    """Three spans of five rows, and two rows behind them; audit.ids, audit.head."""
    audit.sql("INSERT INTO audit_log SELECT * FROM kept_log; INSERT INTO audit_seals SELECT * FROM kept_seals")
    return audit


def test_what_is_whole_is_ok(sealed):
    for words in ((), ("--head", sealed.head)):
        text = sealed.verify(*words)
        assert text.startswith(f"ok: 17 rows read (2 not sealed yet, 0 late), 3 seals, head {sealed.head}\n"), text
        assert ("--head" in text) is (not words) and "not sealed yet it cannot be told" in text
    assert sealed.sql("SELECT GROUP_CONCAT(row_count ORDER BY number) FROM audit_seals") == [["5,5,5"]]


def test_an_audit_that_is_empty(audit):
    assert audit.verify().startswith("ok: 0 rows read (0 not sealed yet, 0 late), 0 seals\n")
    done = audit.ctl("maintain", worker=True)
    assert done.returncode == 0 and done.stdout.endswith("audit: 0 rows sealed\n")


CHANGES = {"at": "at = at + INTERVAL 1 MICROSECOND", "event": "event = 'token.usf'", "realm": "realm = 'beta'", "subject": "subject = '8'",
           "nobody": "subject = NULL", "actor": "actor = 'main:9'", "address": "address = '192.0.2.2'", "request": "request_id = 'r'",
           "result": "result = 'no'", "detail": "detail = ''", "mac": "mac = CONCAT(IF(LEFT(mac, 1) = 'x', 'y', 'x'), SUBSTR(mac, 2))"}


# mutant: src/flow/auditor.c: if (verdict != GG_AUDIT_GOOD || (is_listed && !is_sealed)) => if (is_listed && !is_sealed)
@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.parametrize("number", [7, 16], ids=["sealed", "unsealed"])
def test_one_changed_byte(sealed, change, number):
    sealed.sql(f"UPDATE audit_log SET {change} WHERE id = '{sealed.ids[number]}'")
    assert sealed.faults() == [f"row {sealed.ids[number]}: changed, or not written by graphgate"]


# mutant: src/flow/auditor.c: tell_removed(r, s, row->id); => (void)s;
@pytest.mark.parametrize("numbers", [(0,), (7,), (14,), (5, 6, 7, 8, 9)], ids=str)
def test_deleted_rows(sealed, numbers):
    for number in numbers:
        sealed.sql(f"DELETE FROM audit_log WHERE id = '{sealed.ids[number]}'")
    assert sealed.faults() == [f"row {sealed.ids[number]}: removed (seal {number // 5 + 1} has it)" for number in numbers]


@pytest.mark.parametrize("first, second", [(6, 8), (1, 13)], ids=["one span", "two spans"])
def test_two_swapped_rows(sealed, first, second):
    """Each under the other's id, with everything that was its own."""
    one, other = sealed.ids[first], sealed.ids[second]
    sealed.sql(f"UPDATE audit_log SET id = 'x' WHERE id = '{one}'; UPDATE audit_log SET id = '{one}' WHERE id = '{other}'; "
               f"UPDATE audit_log SET id = '{other}' WHERE id = 'x'")
    found = sealed.faults()
    if first // 5 == second // 5:
        assert found == [f"row {one}: changed places: it has what row {other} had", f"row {other}: changed places: it has what row {one} had"]
    else:
        assert found == [f"row {row}: changed, or not written by graphgate" for row in (one, other)]


# mutant: src/flow/auditor.c: if (v->head_number > r->number) => if (v->head_number > INT64_MAX - 1)
def test_a_truncated_tail(sealed):
    """Rows of the last span: named by its seal. Seal and rows: told by the head that maintain gave."""
    sealed.sql(f"DELETE FROM audit_log WHERE id >= '{sealed.ids[12]}'")
    assert sealed.faults() == [f"row {sealed.ids[number]}: removed (seal 3 has it)" for number in (12, 13, 14)]
    sealed.sql(f"DELETE FROM audit_log WHERE id >= '{sealed.ids[10]}'; DELETE FROM audit_seals WHERE number = 3")
    assert sealed.faults("--head", sealed.head) == ["seal 3: removed (and those up to seal 3): the chain is cut off"]
    text = sealed.verify()
    assert text.startswith("ok: 10 rows") and "cut off at the end can only be told with --head" in text
    # Sealed anew, the chain has the same length and another head.
    sealed.add(5)
    sealed.seal()
    assert sealed.faults("--head", sealed.head) == ["seal 3: is not the head that was given: the chain was made anew"]


def test_a_row_that_was_put_in(sealed):
    middle = sealed.ids[7][:-1] + ("1" if sealed.ids[7][-1] != "1" else "2")
    sealed.sql(f"INSERT INTO audit_log SELECT '{middle}', at, event, realm, subject, actor, address, request_id, result, detail, "
               f"key_fingerprint, mac FROM audit_log WHERE id = '{sealed.ids[7]}'")
    assert sealed.faults() == [f"row {middle}: changed places: it has what row {sealed.ids[7]} had"]


def test_an_id_that_is_none(sealed):
    """It is named, and keeps nothing else from being sealed."""
    sealed.sql("INSERT INTO audit_log (id, at, event, result, key_fingerprint, mac) VALUES ('~~~', NOW(6), 'x', 'ok', 'x', 'x'), "
               f"('{sealed.ids[15][:-5]}', NOW(6), 'x', 'ok', 'x', 'x')")
    sealed.seal()
    assert sorted(row.partition(":")[0] for row in sealed.faults()) == [f"row {sealed.ids[15][:-5]}", "row ~~~"]


SEALS = {"count": ("row_count = 4", "seal 2: it was changed"), "hash": ("rows_hash = REPEAT('x', 43)", "seal 2: it was changed"),
         "last": ("last_id = first_id", "seal 2: it was changed"), "by": ("made_by = 'x'", "seal 2: it was changed"),
         "listing": ("listing = REPLACE(listing, '-7', '-6')", "seal 2: its listing of 5 rows was changed"),
         "no listing": ("listing = NULL", "seal 2: its listing of 5 rows was changed or removed"),
         "key": ("key_fingerprint = 'x'", "seal 2: it cannot be verified"),
         "removed": ("removed_at = NOW(6), removed_by = 'x', removed_fingerprint = key_fingerprint, removed_mac = mac",
                     "seal 2: the proof of its removal was changed")}


@pytest.mark.parametrize("change, fault", SEALS.values(), ids=list(SEALS))
def test_a_changed_seal(sealed, change, fault):
    sealed.sql(f"UPDATE audit_seals SET {change} WHERE number = 2")
    assert any(line.startswith(fault) for line in sealed.faults())


def test_seals_removed_or_swapped(sealed):
    sealed.sql("UPDATE audit_seals SET number = 9 WHERE number = 1; UPDATE audit_seals SET number = 1 WHERE number = 2; "
               "UPDATE audit_seals SET number = 2 WHERE number = 9")
    assert {"seal 1: it was changed, or not made by graphgate", "seal 2: it was changed, or not made by graphgate"} <= set(sealed.faults())
    sealed.sql("DELETE FROM audit_seals WHERE number = 1")
    assert "seal 1: removed (and those up to seal 2)" in sealed.faults()


def test_a_removal_with_another_seals_proof(sealed):
    """What retention left of one span is no proof for another."""
    assert sealed.ctl("audit", "prune", "--keep-days", 25).returncode == 0
    sealed.sql("UPDATE audit_seals AS a JOIN audit_seals AS b ON b.number = 1 SET a.removed_at = b.removed_at, a.removed_by = b.removed_by, "
               "a.removed_fingerprint = b.removed_fingerprint, a.removed_mac = b.removed_mac, a.listing = NULL WHERE a.number = 2; "
               f"DELETE FROM audit_log WHERE id <= '{sealed.ids[9]}'")
    assert "seal 2: the proof of its removal was changed, or not made by graphgate" in sealed.faults()


def test_rows_that_come_late(sealed):
    """A row of ours below the last seal is neither lost nor taken for a stranger's."""
    sealed.add(1, 15)
    text = sealed.verify()
    assert text.startswith("ok: 18 rows read (2 not sealed yet, 1 late), 3 seals")


def test_a_span_of_time(sealed):
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 20 * 86400))
    assert sealed.verify("--from", day, "--to", day).startswith("ok: 5 rows read (0 not sealed yet")
    assert sealed.verify("--from", day + "T00:00:00Z").startswith("ok: 12 rows read (2 not sealed yet")
    sealed.sql(f"UPDATE audit_log SET result = 'no' WHERE id = '{sealed.ids[0]}'")
    assert sealed.faults("--from", day) == [] and len(sealed.faults("--to", day)) == 1


def test_more_rows_than_a_span_holds(audit):
    audit.add(1204, 1)
    head = audit.seal()
    assert head.startswith("3:") and audit.verify("--head", head).startswith("ok: 1204 rows read (0 not sealed yet, 0 late), 3 seals")


def test_two_seal_at_once(audit):
    """Of each number there is one seal, and each row is in one."""
    for _ in range(3):
        audit.add(40)
        time.sleep(0.05)  # until the last of them is not in the future
        runs = [audit.start("audit", "seal", "--age", 0, worker=True) for _ in range(4)]
        assert [run.wait(60) for run in runs] == [0] * 4
        for run in runs:
            run.communicate()
    assert audit.verify().startswith("ok: 120 rows read (0 not sealed yet, 0 late)")
    assert audit.sql("SELECT SUM(row_count), COUNT(*) = MAX(number) FROM audit_seals") == [["120", "1"]]


def test_young_rows_are_left(audit):
    """maintain waits until no request can still have one to write, whatever its host's clock."""
    audit.add(2, 101 / 86400)
    audit.add(3, 60 / 86400)
    done = audit.ctl("maintain", worker=True, REQUEST_DEADLINE_S="25")
    assert done.returncode == 0 and re.search("^audit: 2 rows sealed, head 1:", done.stdout, re.M), done.stdout
    assert re.search("^audit: 0 rows sealed, head 1:", audit.ctl("maintain", worker=True).stdout, re.M)


def test_the_head_is_logged(audit, tmp_path):
    audit.add(2, 1)
    (tmp_path / "log").touch()
    done = audit.ctl("maintain", worker=True, LOG_TARGET=f"file:{tmp_path}/log")
    head = done.stdout.strip().rpartition(" ")[2]
    line = (tmp_path / "log").read_text()
    assert " level=info event=audit.seal " in line and f"head={head} rows=2" in line and done.stderr == ""


# mutant: src/ctl/audit.c: gg_log_be_guest(); => (void)0;
def test_the_log_is_not_made_for_the_head(audit, tmp_path):
    """Root's file of mode 0600 would be closed to the workers."""
    audit.add(2, 1)
    done = audit.ctl("maintain", worker=True, LOG_TARGET=f"file:{tmp_path}/log")
    assert done.returncode == 0 and "head 1:" in done.stdout and not (tmp_path / "log").exists()
    assert "the head is not logged" in done.stderr


# mutant: src/flow/sealer.c: !check_last(s, a, &last, err) => false
def test_a_forged_seal_does_not_end_the_sealing_silently(sealed):
    """The worker's account may put seals in: one behind all rows to come."""
    sealed.mariadb.as_user(sealed.made.worker, f"""INSERT INTO {sealed.made.name}.audit_seals (number, first_id, last_id, row_count, rows_hash,
        previous, made_at, made_by, key_fingerprint, mac) SELECT 4, '~', '~', 1, rows_hash, mac, NOW(6), made_by, key_fingerprint, mac
        FROM {sealed.made.name}.audit_seals WHERE number = 3""")
    for words in (("maintain",), ("audit", "seal", "--age", 0)):
        done = sealed.ctl(*words, worker=True)
        assert done.returncode == 1 and "rows sealed" not in done.stdout, done
        assert "audit: seal 4 was changed or not made by graphgate: see audit verify" in done.stderr
        assert " level=error event=audit.seal " in done.stderr
    assert "seal 4: it was changed, or not made by graphgate" in sealed.faults()
    sealed.sql("DELETE FROM audit_seals WHERE number = 4")
    assert sealed.ctl("maintain", worker=True).returncode == 0


def test_a_last_seal_whose_key_is_missing(sealed):
    done = sealed.ctl("audit", "seal", "--age", 0, worker=True, AUDIT_KEY=fernet_key())
    assert done.returncode == 1 and f"the key {Key(sealed.key).name} is not among the audit's: put that key behind AUDIT_KEY" in done.stderr


# mutant: src/proto/audit.c: *verdict = GG_AUDIT_NO_KEY; => *verdict = GG_AUDIT_CHANGED;
def test_keys(sealed):
    """The first key signs, all verify; one that is missing is named, and its rows are not called forged."""
    new, old = fernet_key(), sealed.key
    assert sealed.faults(AUDIT_KEY=f"{new},{old}") == []
    found = sealed.faults(AUDIT_KEY=new)
    assert len(found) == 17 + 3 and all("cannot be verified" in line for line in found)
    assert sum(f"the key {Key(old).name} is not among the audit's" in line for line in found) == 17
    sealed.ctl("audit", "seal", "--age", 0, worker=True, AUDIT_KEY=f"{new},{old}")
    assert sealed.sql("SELECT key_fingerprint FROM audit_seals WHERE number = 4") == [[Key(new).name]]
    assert sealed.faults(AUDIT_KEY=f"{new},{old}") == [] and len(sealed.faults()) == 1


def test_prune_leaves_a_proof(sealed):
    """Whole old spans go, their seals stay, and verify takes the gap there and nowhere else."""
    before = sealed.sql("SELECT number, first_id, last_id, row_count, rows_hash, mac FROM audit_seals ORDER BY number")
    dry = sealed.ctl("audit", "prune", "--keep-days", 15, "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "audit: 10 rows of 2 seals would be removed\n")
    assert sealed.sql("SELECT COUNT(*) FROM audit_log") == [["17"]]
    done = sealed.ctl("audit", "prune", "--keep-days", 15)
    assert (done.returncode, done.stdout) == (0, "audit: 10 rows of 2 seals removed; the seals stay as the proof\n"), done
    assert sealed.sql("SELECT number, first_id, last_id, row_count, rows_hash, mac FROM audit_seals ORDER BY number") == before
    found = sealed.sql("SELECT number, removed_at > NOW() - INTERVAL 1 MINUTE, removed_by LIKE 'ctl:%', listing IS NULL FROM audit_seals ORDER BY number")
    assert found == [["1", "1", "1", "1"], ["2", "1", "1", "1"], ["3", "NULL", "NULL", "0"]]
    assert sealed.sql("SELECT event, result, detail, actor LIKE 'ctl:%' FROM audit_log WHERE event <> 'token.use'") == [
        ["audit.prune", "ok", "seals=2 rows=10", "1"]]
    # Again: nothing is old any more, and of that there is no row.
    assert sealed.ctl("audit", "prune", "--keep-days", 15).stdout.startswith("audit: 0 rows of 0 seals removed")
    text = sealed.verify("--head", sealed.head)
    assert text.startswith(f"ok: 8 rows read (3 not sealed yet, 0 late), 3 seals (2 whose rows retention removed), head {sealed.head}"), text
    sealed.sql(f"DELETE FROM audit_log WHERE id <= '{sealed.ids[10]}'")
    assert sealed.faults() == [f"row {sealed.ids[10]}: removed (seal 3 has it)"]
    sealed.sql("UPDATE audit_seals SET removed_by = 'somebody else' WHERE number = 1")
    assert sealed.faults()[0] == "seal 1: the proof of its removal was changed, or not made by graphgate"


# mutant: src/ctl/audit.c: if (days == 0 && !is_sure => if (days < 0 && !is_sure
def test_prune_keeps_what_is_young(sealed):
    assert sealed.ctl("audit", "prune").stdout.startswith("audit: 0 rows of 0 seals removed")
    assert sealed.ctl("audit", "prune", AUDIT_KEEP_DAYS="25").stdout.startswith("audit: 5 rows of 1 seals removed")
    before = sealed.sql("SELECT COUNT(*) FROM audit_log")
    refused = sealed.ctl("audit", "prune", "--keep-days", 0)
    assert refused.returncode == 2 and "removes all that is sealed: --yes" in refused.stderr and sealed.sql("SELECT COUNT(*) FROM audit_log") == before
    assert sealed.ctl("audit", "prune", "--keep-days", 0, "--dry-run").stdout.startswith("audit: 10 rows of 2 seals would be removed")
    assert sealed.ctl("audit", "prune", "--keep-days", 0, "--yes").stdout.startswith("audit: 10 rows of 2 seals removed")
    assert sealed.sql("SELECT COUNT(*) FROM audit_log WHERE event = 'token.use'") == [["2"]]


# mutant: src/flow/auditor.c: if (r->v->remove_before.p == NULL || r->v->faults > 0) => if (r->v->remove_before.p == NULL)
def test_prune_removes_nothing_from_a_fault_on(sealed):
    """It would take the traces away."""
    sealed.sql(f"UPDATE audit_log SET result = 'no' WHERE id = '{sealed.ids[6]}'")
    done = sealed.ctl("audit", "prune", "--keep-days", 5)
    assert done.returncode == 1 and sealed.ids[6] in done.stdout and "5 rows of 1 seals removed" in done.stdout
    assert "from the first fault on" in done.stderr
    assert sealed.sql("SELECT COUNT(*) FROM audit_log WHERE event = 'token.use'") == [["12"]]
    assert sealed.faults() == [f"row {sealed.ids[6]}: changed, or not written by graphgate"]


def test_prune_that_was_ended_halfway(sealed):
    """Its proof is there, the rows are too: they are still read, and go with the next."""
    sealed.sql("CREATE TABLE halfway AS SELECT * FROM audit_log")
    assert sealed.ctl("audit", "prune", "--keep-days", 25).returncode == 0
    sealed.sql(f"INSERT INTO audit_log SELECT * FROM halfway WHERE id IN ('{sealed.ids[2]}', '{sealed.ids[3]}'); DROP TABLE halfway")
    assert sealed.verify().startswith("ok: 15 rows read (3 not sealed yet, 2 late)")
    sealed.sql(f"UPDATE audit_log SET result = 'no' WHERE id = '{sealed.ids[2]}'")
    assert sealed.faults() == [f"row {sealed.ids[2]}: changed, or not written by graphgate"]
    sealed.sql(f"UPDATE audit_log SET result = 'ok' WHERE id = '{sealed.ids[2]}'")
    assert sealed.ctl("audit", "prune", "--keep-days", 15).stdout.startswith("audit: 7 rows of 1 seals removed")
    assert sealed.verify().startswith("ok: 9 rows read (4 not sealed yet, 0 late)")


def test_prune_is_the_administrators(sealed):
    done = sealed.ctl("audit", "prune", "--keep-days", 15, worker=True)
    assert done.returncode == 1 and "administrator's DATABASE_URL" in done.stderr and done.stdout == ""
    assert sealed.faults() == []


def exported(audit, *words):
    """What export gives; the row that says so comes with it, unless a filter leaves it out."""
    done = audit.ctl("audit", "export", *words, worker=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_export(sealed):
    rows = exported(sealed, "--event", "token.use")
    assert [row["id"] for row in rows] == sealed.ids and all(tuple(row) == COLUMNS for row in rows)
    key = Key(sealed.key)
    for row in rows:
        row["at"] = row["at"].removesuffix("Z")
        assert key.mac("row", *[row[name] for name in COLUMNS[:-1]]) == row["mac"]
    last = exported(sealed)[-1]
    assert (last["event"], last["detail"], last["realm"], last["subject"]) == ("admin.read", "audit.export", None, None)
    assert last["actor"].startswith("ctl:") and last["address"] and last["request_id"] is None


def test_filters(sealed):
    sealed.add(1, 3, realm="beta", subject="11111111-2222-4333-8444-555555555555", actor="ctl:root", event="token.disconnect", result="x",
               request_id="this-one", detail="odd")
    day = [time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86400)) for days in (0, 3, 10, 20)]
    one = [("--realm", "beta"), ("--subject", "11111111-2222-4333-8444-555555555555"), ("--actor", "ctl:root"), ("--event", "token.disconnect"),
           ("--result", "x"), ("--request-id", "this-one"), ("--since", day[1], "--until", day[1])]
    for words in one:
        assert [row["detail"] for row in exported(sealed, *words, "--until", day[1])] == ["odd"], words
    assert len(exported(sealed, "--realm", "main", "--subject", "3", "--event", "token.use")) == 3
    assert len(exported(sealed, "--since", day[2], "--until", day[1])) == 6
    assert len(exported(sealed, "--since", day[3] + "T00:00:00+00:00", "--until", day[2] + "T00:00:00Z")) == 5
    assert exported(sealed, "--realm", "beta", "--result", "ok", "--event", "token.use") == []


def test_list(sealed):
    done = sealed.ctl("audit", "list", "--limit", 3, worker=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 3
    assert " event=admin.read result=ok actor=ctl:" in lines[0] and lines[0].endswith(" detail=audit.list")
    assert [f" id={identifier}" in line for line, identifier in zip(lines[1:], [sealed.ids[16], sealed.ids[15]])] == [True, True]
    assert re.match(r"[0-9T:.-]{26}Z event=token.use result=ok realm=main subject=1 actor=main:1 address=192.0.2.1 request_id=r1 id=", lines[1])
    sealed.add(120)
    assert len(sealed.ctl("audit", "list").stdout.splitlines()) == 100
    # What somebody put there does not reach the terminal.
    sealed.sql("UPDATE audit_log SET detail = CONCAT(CHAR(27), '[2J', CHAR(10), 'x')")
    assert all(line.isprintable() for line in sealed.ctl("audit", "list").stdout.splitlines())
    # Nor does one value look like several.
    sealed.sql("""UPDATE audit_log SET detail = 'x" result=ok', actor = 'a=b'""")
    assert r' actor="a=b" ' in (line := sealed.ctl("audit", "list").stdout.splitlines()[-1]) and line.endswith(r' detail="x\" result=ok"'), line


@pytest.mark.parametrize("words, why", [
    (("list", "--since", "yesterday"), "RFC 3339"), (("list", "--until", "2026-02-30"), "RFC 3339"), (("export", "--since", "2026-03-02T10:00:00"), "RFC 3339"),
    (("verify", "--from", "1"), "RFC 3339"), (("verify", "--head", "x"), "NUMBER:MAC"), (("verify", "--head", "1:x"), "NUMBER:MAC"),
    (("verify", "x"), "options alone"), (("list", "--realm", "gamma"), "--realm is one of main|beta"), (("list", "x"), "options alone"),
    (("list", "--limit", "0"), "--limit is a whole number from 1 to 100000"), (("export", "--limit", "3"), "there is no option --limit"),
    (("prune", "--keep-days", "-1"), "--keep-days is a whole number from 0"), (("prune", "x"), "--keep-days"),
    (("seal", "--age", "soon"), "--age is a whole number of seconds from 0"), ((), "which of these"), (("shred",), "which of these")], ids=str)
def test_wrong_usage(audit, words, why):
    done = audit.ctl("audit", *words)
    assert done.returncode == 2 and why in done.stderr and "Usage: graphgatectl audit" in done.stderr and done.stdout == ""


def test_nothing_is_said_of_a_database_that_is_away(audit):
    for verb in ("list", "export", "verify", "seal", "prune"):
        done = audit.ctl("audit", verb, DATABASE_URL="mariadb://u:topsecret@127.0.0.1:1/x")
        assert done.returncode == 1 and "topsecret" not in done.stdout + done.stderr and "ok" not in done.stdout
