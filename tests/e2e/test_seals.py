# SPDX-License-Identifier: MIT
"""The seal of a row: who can write to the database moves no token to another user. And what it does not give."""

import secrets

import pytest
from conftest import Person
from fcgi_client import direct
from kit import expires_in, name_in_log, needs_microsoft, stored

from stack.smoke import REALMS

TOKENS = ("access_token", "refresh_token", "id_token")
ALL = (*TOKENS, "seal", "access_seal", "key_fingerprint")
STATE = ", ".join((*ALL, "is_active", "updated_at", "expires_at"))


@pytest.fixture
def pair(program, realm):
    """A worker that reads whole rows, and of it two connected people: the victim and the one who can write to the database."""
    worker = program(RATE_LIMIT_CALENDAR="off")
    return [direct(Person, worker, realm).connect() for _ in range(2)]


def give(victim, mallory, *columns):
    """Puts what the victim's row has into mallory's."""
    mallory.set_row(", ".join(f"{name} = '{value}'" for name, value in zip(columns, victim.row(", ".join(columns)))))


def keep(someone):
    """What put_back() takes."""
    return dict(zip(ALL, someone.row(", ".join(ALL))))


def put_back(someone, row):
    """The row's tokens and seal as they were."""
    someone.set_row(", ".join(f"{name} = '{value}'" for name, value in row.items()))


def is_refused(someone, sim):
    """401, an ERROR that names the row and no seal, nothing asked of Microsoft, and the row as it was."""
    before, request_id = someone.row(STATE), secrets.token_hex(8)
    asked = len(sim.requests())
    answer = someone.cal("GET", parameters={"HTTP_X_REQUEST_ID": request_id})
    needs_microsoft(answer, someone)
    lines = [line for line in someone.stack.logs().splitlines() if request_id in line and "token.seal" in line]
    assert len(lines) == 1 and "error" in lines[0].lower() and name_in_log(someone) in lines[0], lines
    assert len(before[3]) < 43 or before[3] not in someone.stack.logs()
    assert someone.row(STATE) == before and len(sim.requests()) == asked
    return True


def serves(someone):
    """200 from the calendar."""
    return someone.cal("GET").status == 200


# mutant: src/store/token.c: return check_seal(s, a, token, err) && decrypt( => return decrypt(
@pytest.mark.parametrize("seconds", [3600, 60])
def test_what_is_anothers(pair, sim, seconds):
    """The row copied to another subject, whole or in part; also when a refresh is due, which would send what was moved."""
    victim, mallory = pair
    for someone in pair:
        expires_in(someone, seconds)
    own = keep(mallory)
    for columns in (ALL, TOKENS, ("access_token",), ("refresh_token",), ("id_token",), ("seal",), ("access_token", "seal"),
                    ("refresh_token", "seal")):
        give(victim, mallory, *columns)
        assert is_refused(mallory, sim), columns
        put_back(mallory, own)
    assert serves(victim) and serves(mallory)


@pytest.fixture
def counted(program, realm):
    """The same of a worker that counts a limit: with that comes the access token, under a seal of its own."""
    worker = program(RATE_LIMIT_CALENDAR="1000000/60")
    pair = [direct(Person, worker, realm).connect() for _ in range(2)]
    assert all(serves(someone) for someone in pair)
    return pair


# mutant: src/store/tokenuse.c: return gg_seal_check_access(fernet, a, &sealed, row->access_seal, &ignored) && => return
def test_what_comes_with_the_limit(counted, sim):
    """Another's access token is never sent, and another's refresh token not when its time has come."""
    victim, mallory = counted
    own = keep(mallory)
    for columns in (ALL, TOKENS, ("access_token",), ("access_token", "access_seal"), ("access_token", "seal", "access_seal")):
        give(victim, mallory, *columns)
        assert is_refused(mallory, sim), columns
        put_back(mallory, own)
    for columns in (("refresh_token",), ("id_token",), ("refresh_token", "seal")):
        give(victim, mallory, *columns)
        before = len(sim.requests())
        assert serves(mallory) and [call["secrets"]["authorization"] for call in sim.requests(secrets=True)[before:]] == [f"Bearer {stored(mallory)}"]
        expires_in(mallory, 60)
        assert is_refused(mallory, sim), columns
        put_back(mallory, own)
        expires_in(mallory, 3600)
    for change in ("access_seal = NULL", "access_seal = seal", "access_seal = 'x'"):
        mallory.set_row(change)
        assert serves(mallory), change
    mallory.set_row("access_token = refresh_token")
    assert is_refused(mallory, sim)
    put_back(mallory, own)
    assert serves(victim) and serves(mallory)


def test_rows_are_swapped(pair, sim):
    """Each with the other's tokens and seal."""
    one, other = pair
    mine, theirs = keep(one), keep(other)
    put_back(one, theirs)
    put_back(other, mine)
    assert is_refused(one, sim) and is_refused(other, sim)


def test_a_row_gets_another_owner(pair, sim):
    """The row itself is left alone but for its key column."""
    victim, mallory = pair
    mallory.stack.sql(f"DELETE FROM {mallory.table} WHERE {mallory.key_column} = '{mallory.subject}'")
    mallory.stack.sql(f"UPDATE {victim.table} SET {victim.key_column} = '{mallory.subject}' "
                      f"WHERE {victim.key_column} = '{victim.subject}'")
    assert is_refused(mallory, sim)


def test_between_the_realms(program, sim):
    worker = program()
    main, beta = (direct(Person, worker, realm).connect() for realm in REALMS)
    give(main, beta, *ALL)
    assert is_refused(beta, sim)
    beta.connect()
    give(beta, main, *ALL)
    assert is_refused(main, sim)


@pytest.mark.parametrize("change", [
    ["access_token = id_token", "access_token = refresh_token", "refresh_token = access_token", "id_token = access_token"],
    ["refresh_token = NULL", "id_token = NULL", "id_token = ''"],
    ["seal = ''", "seal = 'x'", "seal = CONCAT(LEFT(seal, 42), IF(RIGHT(seal, 1) = 'A', 'E', 'A'))"]],
    ids=["one column into another", "taken away", "seals that are none"])
def test_what_is_changed_within_a_row(pair, sim, change):
    someone = pair[0]
    own = keep(someone)
    for each in change:
        someone.set_row(each)
        assert is_refused(someone, sim), each
        put_back(someone, own)
    assert serves(someone)


def test_no_name_is_what_the_seal_is_made_of(pair):
    """The columns that say when and how are not sealed: to change them moves no token."""
    pair[0].set_row("scope = 'x', token_type = 'Bearer', last_used_at = NULL, microsoft_email = 'x@example.com'")
    assert serves(pair[0])


def test_without_a_seal(pair, program, realm, sim):
    """By design a row without a seal is served: so come the rows of the old service. UNSEALED_ROWS=refuse ends that."""
    victim, mallory = pair
    give(victim, mallory, *TOKENS)
    mallory.set_row("seal = NULL, access_seal = NULL")
    assert serves(mallory)
    strict = direct(Person, program(UNSEALED_ROWS="refuse"), realm)
    strict.subject, strict.token = mallory.subject, mallory.token
    assert is_refused(strict, sim)
    strict.subject, strict.token = victim.subject, victim.token
    assert serves(strict)
    strict.set_row("seal = NULL, access_seal = NULL")
    assert is_refused(strict, sim) and strict.connect() and serves(strict)


# mutant: src/store/token.c: (!end->lease->is_sealed || make_seal( => (make_seal(
def test_a_refresh_seals_no_imported_row(pair, sim):
    """Or a row without a seal would be trusted once its token was refreshed, whosever it is."""
    someone = pair[0]
    someone.set_row("seal = NULL")
    expires_in(someone, 60)
    before = stored(someone)
    assert serves(someone) and stored(someone) == sim.token_of(someone.user) != before
    assert someone.row("seal, access_seal, key_fingerprint IS NULL") == ["NULL", "NULL", "0"]


def test_an_old_row_put_back_is_not_told(pair):
    """A backup of the row is the owner's own: the seal cannot tell that it is old. The tokens' own ends bound it."""
    someone = pair[0]
    old = keep(someone)
    assert keep(someone.connect()) != old
    put_back(someone, old)
    assert serves(someone)


@pytest.mark.parametrize("kept", [(), ("refresh_token",), ("id_token",)], ids=["all new", "refresh_token kept", "id_token kept"])
def test_a_refreshed_row_is_sealed_anew(pair, sim, kept):
    """What the answer did not bring is sealed together with what it did."""
    someone = pair[0]
    before = someone.row(", ".join(ALL))
    for _ in range(2):
        for name in kept:
            sim.token_options(user=someone.user, grant="refresh_token", drop=[name])
        expires_in(someone, 60)
        assert serves(someone)
    after = someone.row(", ".join(ALL))
    assert all(after[i] != before[i] for i in (0, 3, 4)) and after[5] == before[5]
    assert [name for name, old, new in zip(TOKENS, before, after) if old == new] == list(kept)
