# SPDX-License-Identifier: MIT
"""Key rotation while traffic runs, `keys status`, and `seal`: on a database of its own, in both realms at once."""

import re
import signal
import subprocess
import time

import pytest
from conftest import BUILD, Person
from cryptography.fernet import Fernet
from fcgi_client import direct
from kit import expires_in, needs_microsoft, wait_for
from trouble import Callers
from walk import Shell, blocks

import rows
from stack.smoke import REALMS
from stack.stack import ROOT, fernet_key

COLUMNS = f"{', '.join(rows.TOKENS)}, seal, access_seal, key_fingerprint"


class Site:
    """A database, its keys, and graphgatectl on it."""

    def __init__(self, mariadb, stack, database):
        self.mariadb, self.database = mariadb, database
        self.old, self.new = fernet_key(), fernet_key()
        self.conf = {**stack.conf, "DATABASE_URL": mariadb.url(database.admin)}
        assert self.ctl("migrate").returncode == 0
        mariadb.grant(database.name, ROOT / "sql" / "grants.sql")
        self.conf["DATABASE_URL"] = mariadb.url(database.worker)

    def start(self, *arguments, keys=None, **more):
        """A run of graphgatectl, begun."""
        env = {**self.conf, "GRAPHGATE_CONFIG": "/nonexistent/x.conf", "TOKEN_ENCRYPTION_KEY": keys or f"{self.new},{self.old}", **more}
        return subprocess.Popen([str(BUILD / "graphgatectl"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def ctl(self, *arguments, **rest):
        """A run, done."""
        process = self.start(*arguments, **rest)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def sql(self, text):
        """Rows of a statement."""
        return self.mariadb.rows(text, self.database.name)

    def all(self, realm, where="TRUE"):
        """Rows as rows.check() wants them."""
        table, column = rows.TABLES[realm]
        return self.sql(f"SELECT {column}, {COLUMNS} FROM {table} WHERE {where} ORDER BY id")

    def count(self, realm, where="TRUE"):
        """How many rows."""
        return int(self.sql(f"SELECT COUNT(*) FROM {rows.TABLES[realm][0]} WHERE {where}")[0][0])


@pytest.fixture
def site(mariadb, stack):
    """A migrated database, empty."""
    yield Site(mariadb, stack, mariadb.create("gm_rotation"))
    mariadb.drop("gm_rotation")


@pytest.fixture
def worker(site, program):
    """worker(keys): graphgate on the site's database."""
    def make(*arguments, keys=None, **settings):
        one = program(*arguments, DATABASE_URL=site.conf["DATABASE_URL"], TOKEN_ENCRYPTION_KEY=keys or site.old, **settings)
        one.sql = site.sql
        return one
    return make


def changed(text):
    """{realm: rows} of the lines that say how many were changed."""
    return {realm: int(count) for realm, count in re.findall(r"^(\w+): (\d+) rows? (?:would be )?(?:re-encrypted|sealed)$", text, re.M)}


def as_person(someone, one, realm):
    """The same person's calls to another worker."""
    other = direct(Person, one, realm, user=someone.user)
    other.subject, other.token = someone.subject, someone.token
    return other


def test_rotated_rows_are_served_by_the_new_key_alone(site, worker, realm):
    """Sealed and not, active and not; what says when and how stays as it is."""
    before = worker()
    people = [direct(Person, before, realm).connect() for _ in range(3)]
    people[1].set_row("seal = NULL, key_fingerprint = NULL, id_token = NULL")
    people[2].set_row("is_active = 0, inactive_reason = 'invalid_grant'")
    kept = "updated_at, created_at, connected_at, expires_at, scope, is_active, inactive_reason, microsoft_id"
    for one in people:
        one.set_row("updated_at = '2024-01-01', created_at = '2023-01-01'")
    was, tokens = [one.row(kept) for one in people], [one.row(COLUMNS) for one in people]
    done = site.ctl("rotate-keys", "--dry-run")
    assert done.returncode == 0 and changed(done.stdout) == {"main": 0, "beta": 0, realm.name: 3}, done
    assert done.stdout.startswith(f"The key {rows.fingerprint(site.new)} would encrypt. All workers must know it already: ")
    assert "still used by 3 rows: keep it" in done.stdout and [one.row(COLUMNS) for one in people] == tokens
    done = site.ctl("rotate-keys")
    assert done.returncode == 0 and changed(done.stdout) == {"main": 0, "beta": 0, realm.name: 3}, done
    assert done.stdout.startswith(f"The key {rows.fingerprint(site.new)} encrypts. All workers must know it already: ")
    assert f"The key {rows.fingerprint(site.old)} is no longer used: it may be removed." in done.stdout and done.stderr == ""
    assert f"{realm.name}: 1 row without a seal, as before" in done.stdout
    assert [one.row(kept) for one in people] == was
    rows.check([[people[0].subject, *people[0].row(COLUMNS)]], realm.name, site.new)
    assert people[1].row("seal, id_token, key_fingerprint") == ["NULL", "NULL", rows.fingerprint(site.new)]
    after = worker(keys=site.new)
    assert [as_person(one, after, realm).cal("GET").status for one in people] == [200, 200, 401]
    done = site.ctl("rotate-keys")
    assert done.returncode == 0 and changed(done.stdout) == {"main": 0, "beta": 0}
    assert "no longer used" not in done.stdout
    audit = site.sql("SELECT event, realm, result, detail FROM audit_log WHERE event = 'key.rotate' ORDER BY id")
    assert [row[2] for row in audit] == ["begun", "ok"] * 4
    assert ["key.rotate", realm.name, "ok", f"3 re-encrypted, key {rows.fingerprint(site.new)}; left 0"] in audit


# mutant: src/ctl/rekey.c: if (!note(c, k, &r, "begun", &unwritten)) => if (false)
def test_a_rotation_that_fails_is_on_record(site):
    """That it was begun, and what ended it; where the audit must have that and cannot, nothing is done."""
    rows.insert(site.sql, "main", site.old, 2)
    account, first = f"'{site.database.worker}'@'%'", rows.fingerprint(site.new)
    site.mariadb.sql(f"REVOKE UPDATE ON {site.database.name}.microsoft_oauth_tokens FROM {account}")
    assert site.ctl("rotate-keys").returncode == 1
    audit = site.sql("SELECT realm, result, detail FROM audit_log WHERE event = 'key.rotate' ORDER BY id")
    assert audit == [[realm, result, f"0 re-encrypted, key {first}; left 0"] for realm, result in (
        ("main", "begun"), ("main", "database_unavailable"), ("beta", "begun"), ("beta", "ok"))]
    site.mariadb.sql(f"GRANT UPDATE ON {site.database.name}.microsoft_oauth_tokens TO {account}; "
                     f"REVOKE INSERT ON {site.database.name}.audit_log FROM {account}")
    done = site.ctl("rotate-keys", AUDIT_FAILURE="closed")
    assert done.returncode == 1 and "main: not begun" in done.stderr and "beta: not begun" in done.stderr
    assert site.count("main", f"key_fingerprint = '{first}'") == 0
    assert site.ctl("rotate-keys", AUDIT_FAILURE="open").returncode == 0
    assert site.count("main", f"key_fingerprint = '{first}'") == 2


# mutant: src/flow/rekey.c: if (is_sealed && !gg_seal_check( => if (false && !gg_seal_check(
def test_what_is_left_is_named(site, worker, realm):
    """A row that no key opens, one that was moved here: untouched, named, exit 1. A rotation blesses nothing."""
    one = worker()
    good, moved, foreign, broken = (direct(Person, one, realm).connect() for _ in range(4))
    moved.set_row(", ".join(f"{name} = '{value}'" for name, value in zip(COLUMNS.split(", "), good.row(COLUMNS))))
    foreign.set_row(f"access_token = '{rows.Mint(fernet_key())()}', seal = NULL")
    broken.set_row("id_token = 'nonsense', seal = NULL, key_fingerprint = NULL")
    left = {moved: "its seal is wrong", foreign: "no key decrypts it", broken: "no key decrypts it"}
    was = {who: who.row(f"{COLUMNS}, updated_at") for who in left}
    for command in (["rotate-keys", "--dry-run"], ["rotate-keys"], ["rotate-keys", "--all"], ["seal"], ["keys", "status", "--scan"]):
        done = site.ctl(*command)
        assert done.returncode == 1, (command, done)
        for who, why in left.items():
            assert done.stdout.count(f"{realm.name}: left {who.subject}: {why}\n") == 1, (command, done.stdout)
            assert who.row(f"{COLUMNS}, updated_at") == was[who], command
        assert not any(value in done.stdout + done.stderr for value in was[moved][:4])
    rows.check([[good.subject, *good.row(COLUMNS)]], realm.name, site.new)
    assert "still used by 2 rows" in site.ctl("rotate-keys").stdout


def test_a_new_key_behind_the_old_one_is_not_said_to_be_useless(site):
    """OLD,NEW: who takes out what a run found nothing under must not be told to take out NEW."""
    rows.insert(site.sql, "main", site.old, 2)
    for more in ((), ("--dry-run",)):
        done = site.ctl("rotate-keys", *more, keys=f"{site.old},{site.new}")
        assert done.returncode == 0 and "no longer used" not in done.stdout
        assert (f"No row is under the key {rows.fingerprint(site.new)}: if it is the old one it may be removed; "
                "if it is the new one, put it first.\n") in done.stdout


# mutant: src/proto/fernet.c: || gg_str_is(noted, own)) => || true)
def test_a_missing_key_is_no_forgery(site, worker, realm):
    """The key is missing: said so, by its name, and nothing is served or changed; noting a key does nobody any good."""
    someone = direct(Person, worker(), realm).connect()
    name, was = rows.fingerprint(site.old), someone.row(f"{COLUMNS}, updated_at")
    one = worker(keys=site.new)
    needs_microsoft(as_person(someone, one, realm).cal("GET"), someone)
    assert "token.decrypt" in one.logs() and f"needs the key {name}, which is not configured" in one.logs()
    assert "token.seal" not in one.logs()
    for command in (["rotate-keys"], ["rotate-keys", "--all"], ["seal"], ["keys", "status", "--scan"]):
        done = site.ctl(*command, keys=site.new)
        assert done.returncode == 1, (command, done)
        assert f"{realm.name}: left {someone.subject}: needs the key {name}, which is not configured\n" in done.stdout, (command, done)
    assert f"{realm.name}: 0 rows decrypted\n" in done.stdout
    done = site.ctl("keys", "status", keys=site.new)
    assert done.returncode == 1 and "unknown" in done.stdout
    assert someone.row(f"{COLUMNS}, updated_at") == was
    assert site.ctl("keys", "status", keys=f"{site.new},{site.old}").returncode == 0
    someone.set_row("seal = REVERSE(seal), access_seal = NULL, key_fingerprint = '0a1b2c3d'")
    needs_microsoft(as_person(someone, worker(), realm).cal("GET"), someone)


def test_nothing_of_a_row_acts_upon_a_terminal(site):
    site.sql("INSERT INTO beta_microsoft_oauth_tokens (teacher_id, access_token, expires_at, key_fingerprint) "
             "VALUES (CONCAT(CHAR(27), '[2J'), 'x', NOW(), CONCAT(CHAR(27), '[3J'))")
    for command in (["rotate-keys"], ["seal"], ["keys", "status", "--scan"], ["check"]):
        done = site.ctl(*command)
        assert "\x1b" not in done.stdout + done.stderr and ("?[2J" in done.stdout or "?[3J" in done.stdout), (command, done)


def test_rows_under_a_lease_are_waited_for(site, worker, realm):
    """Whoever refreshes now writes with what it read; a lease that has ended goes with the rotation."""
    someone = direct(Person, worker(), realm).connect()
    someone.set_row("refresh_lease = 'another', refresh_lease_until = NOW(6) + INTERVAL 3 SECOND")
    before, process = someone.row(COLUMNS), site.start("rotate-keys")
    time.sleep(1)
    assert someone.row(COLUMNS) == before and process.poll() is None
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and changed(out)[realm.name] == 1
    assert someone.row("refresh_lease, refresh_lease_until") == ["NULL", "NULL"]
    rows.check([[someone.subject, *someone.row(COLUMNS)]], realm.name, site.new)


def test_two_at_once(site):
    """On two hosts, say: each row is put under the new key by one of them."""
    for realm in rows.TABLES:
        rows.insert(site.sql, realm, site.old, 1500)
    processes = [site.start("rotate-keys") for _ in range(2)]
    outs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outs
    for realm in rows.TABLES:
        assert sum(changed(out)[realm] for out in outs) == 1500
        rows.check(site.all(realm), realm, site.new)
        assert site.count(realm, "updated_at = '2024-01-01'") == 1500


def test_keys_status(site):
    """Rows by key, those of no configured key, those of which nothing is noted; --scan looks into all."""
    other = fernet_key()
    for first, (key, count, sealed) in enumerate([(site.old, 3, True), (site.new, 2, True), (other, 1, True), (site.old, 4, False)]):
        rows.insert(site.sql, "main", key, count, sealed, 10_000_000 + 100 * first)
    rows.insert(site.sql, "beta", site.old, 1)
    names = [rows.fingerprint(key) for key in (site.new, site.old, other)]
    done = site.ctl("keys", "status")
    table = [line.split() for line in done.stdout.splitlines()]
    assert done.returncode == 1 and table[:7] == [
        ["key", "use", "main", "beta"], [names[0], "first", "2", "0"], [names[1], "also", "3", "1"], [names[2], "unknown", "1", "0"],
        ["-", "not", "noted", "4", "0"], ["rows", "10", "1"], ["unsealed", "4", "0"]], done.stdout
    assert f"main: 4 rows decrypted of those whose key is not noted\nmain: 4 rows under {names[1]}\n" in done.stdout
    done = site.ctl("keys", "status", "--scan")
    assert done.returncode == 1 and f"main: left 10000200: needs the key {names[2]}, " in done.stdout and f"main: 9 rows decrypted\nmain: 2 rows under {names[0]}\nmain: 7 rows under {names[1]}" in done.stdout
    site.sql(f"DELETE FROM microsoft_oauth_tokens WHERE user_id = 10000200; UPDATE microsoft_oauth_tokens SET key_fingerprint = '{names[0]}'")
    assert site.ctl("keys", "status").returncode == 1
    assert site.ctl("seal").returncode == 0 and site.ctl("keys", "status").returncode == 0
    site.sql(f"UPDATE microsoft_oauth_tokens SET key_fingerprint = '{names[0]}'")
    done = site.ctl("keys", "status", "--scan")
    assert done.returncode == 1 and "main: 7 rows noted under a key that is not theirs: graphgatectl rotate-keys --all" in done.stdout
    assert changed(site.ctl("rotate-keys").stdout)["main"] == 0
    assert changed(site.ctl("rotate-keys", "--all").stdout)["main"] == 7
    assert site.ctl("keys", "status", "--scan", keys=site.new).returncode == 0


# mutant: src/flow/rekey.c: bool is_to_seal = run->rekey->job == GG_REKEY_SEAL || => bool is_to_seal =
def test_seal(site, worker, realm):
    """What was imported is sealed as it is, and served by a site that refuses what is not."""
    imported = [direct(Person, worker(), realm).connect() for _ in range(2)]
    for one in imported:
        one.set_row("seal = NULL, access_seal = NULL, key_fingerprint = NULL, updated_at = '2024-01-01'")
    strict = [as_person(one, worker(UNSEALED_ROWS="refuse"), realm) for one in imported]
    needs_microsoft(strict[0].cal("GET"), strict[0])
    was = imported[0].row(", ".join(rows.TOKENS))
    done = site.ctl("seal", "--dry-run")
    assert done.returncode == 0 and changed(done.stdout)[realm.name] == 2 and imported[0].row("seal") == ["NULL"]
    done = site.ctl("seal")
    assert done.returncode == 0 and changed(done.stdout) == {"main": 0, "beta": 0, realm.name: 2}, done
    assert imported[0].row(", ".join(rows.TOKENS)) == was and imported[0].row("updated_at") == ["2024-01-01 00:00:00"]
    rows.check([[one.subject, *one.row(COLUMNS)] for one in imported], realm.name, site.old)
    assert [one.cal("GET").status for one in strict] == [200, 200]
    assert changed(site.ctl("seal").stdout) == {"main": 0, "beta": 0}
    assert ["row.seal", realm.name, "ok"] in site.sql("SELECT event, realm, result FROM audit_log WHERE event = 'row.seal'")
    assert site.ctl("rotate-keys").returncode == 0
    assert [as_person(one, worker(keys=site.new, UNSEALED_ROWS="refuse"), realm).cal("GET").status for one in imported] == [200, 200]


def test_no_key_is_shown(site):
    """Fingerprints tell nothing: neither keys nor tokens stand in what is printed."""
    rows.insert(site.sql, "main", site.old, 3)
    out = "".join(done.stdout + done.stderr for done in (site.ctl("keys", "status", "--scan"), site.ctl("rotate-keys", "--progress")))
    assert site.old not in out and site.new not in out and "gAAAA" not in out and rows.fingerprint(site.old) in out


def test_as_documented(site, stack, mariadb, tmp_path):
    """docs/keys.md, command by command."""
    steps = blocks("keys.md")
    shell = Shell(tmp_path, mariadb, {"graphgatectl": BUILD / "graphgatectl"},
                  {**site.conf, "GRAPHGATE_CONFIG": "/nonexistent/x.conf", "SITE": stack.url})
    assert f'"keys":["{rows.fingerprint(stack.conf["TOKEN_ENCRYPTION_KEY"])}"]' in shell.run(steps["known"])
    rows.insert(site.sql, "main", site.old, 3, sealed=False)
    both = {"TOKEN_ENCRYPTION_KEY": f"{site.new},{site.old}"}
    assert "unsealed            3" in shell.run(steps["status"], status=1, **both) and changed(shell.run(steps["look"], **both))["main"] == 3
    out = shell.run(steps["rotate"], **both)
    assert changed(out)["main"] == 3 and "it may be removed" in out
    alone = {"TOKEN_ENCRYPTION_KEY": site.new, "UNSEALED_ROWS": "refuse"}
    assert "3 rows under" in shell.run(steps["alone"], status=1, **alone)
    assert changed(shell.run(steps["would-seal"], **alone))["main"] == changed(shell.run(steps["seal"], **alone))["main"] == 3
    assert "unsealed            0" in shell.run(steps["status"], **alone)
    rows.check(site.all("main"), "main", site.new)
    derived = shell.run(steps["derived"]).strip()
    token = shell.run("echo x | graphgatectl encrypt", TOKEN_ENCRYPTION_KEY="")
    assert Fernet(derived).decrypt(token.strip()) == b"x\n"


MAIN, BETA, CLIENTS = 70_000, 30_000, 8


def reload(master, keys):
    """The keys that all workers have from here on."""
    old = master.workers()
    master.conf_file.write_text(re.sub("^TOKEN_ENCRYPTION_KEY=.*$", f"TOKEN_ENCRYPTION_KEY={keys}", master.conf_file.read_text(), flags=re.M))
    master.signal(signal.SIGHUP)
    wait_for(lambda: not master.workers() & old, 30)


def work(someone):
    """What a client does: reads, and now and then its token must be refreshed."""
    turn = iter(range(10**9))

    def call():
        if next(turn) % 10 == 9:
            expires_in(someone, 60)
        return someone.cal("GET")
    return call


def killed_half_way(site):
    """Begins a rotation, and kills it in the middle; how many rows it had done."""
    process = site.start("rotate-keys", "--progress")
    for line in process.stderr:
        if int(re.search(r"(\d+) of \d+ rows, \d+ a second, \d+ s left", line)[1]) > 5000:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = sum(site.count(realm, f"key_fingerprint = '{rows.fingerprint(site.new)}'") for realm in rows.TABLES)
    assert 5000 < done < MAIN + BETA
    return done


def test_100000_rows_while_8_clients_work(site, worker):
    """From the old key to the new one, each step as documented, while they work: no failed request, no row lost."""
    for realm, count in (("main", MAIN), ("beta", BETA)):
        rows.insert(site.sql, realm, site.old, count)
    master = worker("--workers", 4)
    people = [direct(Person, master, REALMS[number % 2]).connect() for number in range(CLIENTS)]
    with Callers(*map(work, people), pause_s=0.25) as callers:
        callers.more(CLIENTS)
        reload(master, f"{site.old},{site.new}")
        reload(master, f"{site.new},{site.old}")
        early = killed_half_way(site)
        callers.more(CLIENTS)
        done = site.ctl("rotate-keys")
        assert done.returncode == 0, done
        assert MAIN + BETA <= early + sum(changed(done.stdout).values()) <= MAIN + BETA + CLIENTS
        assert f"The key {rows.fingerprint(site.old)} is no longer used: it may be removed." in done.stdout
        reload(master, site.new)
        callers.more(CLIENTS)
    assert set(callers.tally()) == {(200, None)}, callers.tally()
    for realm, count in (("main", MAIN), ("beta", BETA)):
        found = site.all(realm)
        assert len(found) == count + CLIENTS // 2
        rows.check(found, realm, site.new)
    done = site.ctl("keys", "status", "--scan", keys=site.new)
    assert done.returncode == 0 and f"main: {MAIN + CLIENTS // 2} rows under {rows.fingerprint(site.new)}" in done.stdout, done
