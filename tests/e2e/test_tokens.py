# SPDX-License-Identifier: MIT
"""The rows: the old service's, several keys, large tokens, what does not decrypt, and last_used_at."""

import base64
import json
import secrets

import pytest
from cryptography.fernet import Fernet
from kit import asked, at_once, cal, expires_in, fernet, needs_microsoft, refreshes, stored

from stack.smoke import REALMS
from stack.stack import fernet_key


def insert(person, key=None, **columns):
    """A row as the old service left it: the contract's columns, sealed by Python's cryptography."""
    tokens = person.stack.sim.mint(person.user)
    seal = key or fernet(person.stack)
    row = {person.key_column: person.subject, "token_type": "Bearer", "scope": "User.Read Calendars.ReadWrite",
           "microsoft_id": "0f", "microsoft_email": "old@example.com", "tenant_id": person.stack.sim.tenant_id, "is_active": "1",
           "last_used_at": "2024-01-01 00:00:00", "created_at": "2023-01-01 00:00:00", "updated_at": "2023-01-01 00:00:00",
           **{name: seal.encrypt(tokens[name].encode()).decode() for name in ("access_token", "refresh_token", "id_token")}, **columns}
    names = [name for name, value in row.items() if value is not None]
    values = ", ".join(f"'{row[name]}'" for name in names)
    person.stack.sql(f"INSERT INTO {person.table} ({', '.join(names)}, expires_at)"
                     f" VALUES ({values}, UTC_TIMESTAMP() + INTERVAL 1 HOUR)")
    return tokens


@pytest.mark.parametrize("columns", [{}, {"id_token": None, "scope": None, "microsoft_id": None, "microsoft_email": None,
                                          "tenant_id": None, "last_used_at": None, "created_at": None, "updated_at": None,
                                          "is_active": None, "token_type": None}], ids=["all columns", "the least"])
def test_rows_of_the_old_service(person, columns):
    someone = person().log_in()
    insert(someone, **columns)
    assert cal(someone, "GET").status == 200 and refreshes(someone) == 0
    expires_in(someone, 10)
    assert cal(someone, "GET").status == 200 and refreshes(someone) == 1
    assert stored(someone) == someone.stack.sim.token_of(someone.user)


def test_row_without_refresh_token_serves_while_it_is_valid(person):
    someone = person().log_in()
    insert(someone, refresh_token=None)
    for seconds in (3600, 100):
        expires_in(someone, seconds)
        assert cal(someone, "GET").status == 200
    expires_in(someone, -1)
    needs_microsoft(cal(someone, "GET"), someone)
    assert someone.row("is_active") == ["1"] and refreshes(someone) == 0


def test_what_is_stored_is_fernet_that_python_reads(person):
    someone = person().connect()
    for column in ("access_token", "refresh_token", "id_token"):
        assert stored(someone, column) == someone.stack.sim.token_of(someone.user, column)
    assert someone.row("token_type, is_active, tenant_id") == ["Bearer", "1", someone.stack.sim.tenant_id]


@pytest.fixture(scope="module")
def keys():
    return [fernet_key() for _ in range(3)]


def test_every_key_decrypts_and_the_first_encrypts(person, make_stack, keys):
    several = make_stack(TOKEN_ENCRYPTION_KEY=",".join(keys), workers=2)
    for key in keys:
        someone = person(stack=several).log_in()
        insert(someone, Fernet(key))
        assert cal(someone, "GET").status == 200
        expires_in(someone, 10)
        assert cal(someone, "GET").status == 200
        for column in ("access_token", "refresh_token", "id_token"):
            assert Fernet(keys[0]).decrypt(someone.row(column)[0].encode())


def test_key_derived_as_the_old_service_did(person, make_stack):
    from cryptography.hazmat.primitives import hashes  # pylint: disable=import-outside-toplevel
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC  # pylint: disable=import-outside-toplevel
    derived = make_stack(TOKEN_ENCRYPTION_KEY=None, JWT_SECRET_KEY="a secret of the old service's, long", workers=2)
    raw = PBKDF2HMAC(hashes.SHA256(), 32, b"faraday_token_encryption_salt", 100000).derive(derived.conf["JWT_SECRET_KEY"].encode())
    someone = person(stack=derived).log_in()
    insert(someone, Fernet(base64.urlsafe_b64encode(raw)))
    assert cal(someone, "GET").status == 200


def broken(sealed):
    """Tokens that do not decrypt, by the fault that each has."""
    at = len(sealed) // 2
    return {"empty": "", "plain text": "eyJ0eXAiOiJKV1QifQ.e30.x", "another key's": Fernet(Fernet.generate_key()).encrypt(b"x").decode(),
            "changed": sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1:], "cut": sealed[:-8],
            "not base64": "gAAAAA" + "é" * 50, "long": "gAAAAA" + "A" * 100000}


@pytest.mark.parametrize("column, seconds", [("access_token", 3600), ("refresh_token", -10)])
@pytest.mark.parametrize("fault", list(broken("x" * 20)))
def test_token_that_does_not_decrypt(person, fault, column, seconds):
    someone = person().connect()
    someone.set_row(f"{column} = '{broken(someone.row(column)[0])[fault]}', seal = NULL")
    expires_in(someone, seconds)
    columns = "access_token, refresh_token, id_token, is_active, updated_at, expires_at"
    before, request_id = someone.row(columns), secrets.token_hex(8)
    needs_microsoft(cal(someone, "GET", headers={"X-Request-ID": request_id}), someone)
    assert someone.row(columns) == before and not asked(someone) and refreshes(someone) == 0
    lines = [line for line in someone.stack.logs().splitlines() if request_id in line and "decrypt" in line]
    assert any("error" in line.lower() for line in lines), lines
    needs_microsoft(cal(someone, "GET"), someone)
    assert someone.connect() and cal(someone, "GET").status == 200


@pytest.mark.parametrize("column", ["access_token", "refresh_token"])
def test_one_that_does_not_decrypt_when_a_refresh_is_due(person, column):
    """The old access token is still valid, or the refresh token still good: either may heal it, nothing may break."""
    someone = person().connect()
    kept = someone.row("is_active, id_token")
    someone.set_row(f"{column} = 'gAAAAAnonsense', seal = NULL")
    expires_in(someone, 100)
    assert cal(someone, "GET").status in (200, 401)
    assert someone.row("is_active") == kept[:1] and refreshes(someone) <= 1


SIZE = 64 * 1024


def test_largest_tokens_are_kept_whole(person, sim):
    someone = person().connect()
    big = {name: secrets.token_hex(SIZE // 2) for name in ("access_token", "refresh_token", "id_token")}
    sim.token_options(user=someone.user, grant="refresh_token", set=big)
    expires_in(someone, 10)
    cal(someone, "GET")
    assert {name: stored(someone, name) for name in big} == big
    assert someone.row("is_active") == ["1"]


def test_largest_refresh_token_is_sent_whole(person, sim):
    someone = person().log_in()
    token = secrets.token_hex(SIZE // 2)
    insert(someone, refresh_token=fernet(someone.stack).encrypt(token.encode()).decode())
    expires_in(someone, -10)
    needs_microsoft(cal(someone, "GET"), someone)
    sent = [call["secrets"].get("refresh_token") for call in sim.requests(secrets=True, target="token")]
    assert sent[-1] == token


def test_large_access_token_is_sent_whole(person, sim):
    someone = person().log_in()
    token = secrets.token_hex(30000)
    insert(someone, access_token=fernet(someone.stack).encrypt(token.encode()).decode())
    assert cal(someone, "GET").status == 200
    sent = [call["secrets"].get("authorization") for call in sim.requests(secrets=True, target="graph")]
    assert f"Bearer {token}" in sent and refreshes(someone) == 1


def test_last_used_at_is_kept_to_the_minute(person):
    someone = person().connect()
    columns = "last_used_at, updated_at, access_token"
    assert cal(someone, "GET").status == 200
    first = someone.row(columns)
    assert first[0] != "NULL" and someone.row("ABS(TIMESTAMPDIFF(SECOND, last_used_at, UTC_TIMESTAMP())) < 60") == ["1"]
    someone.set_row("last_used_at = UTC_TIMESTAMP() - INTERVAL 30 SECOND, updated_at = '2024-01-01'")
    kept = someone.row(columns)
    at_once(8, lambda _: cal(someone, "GET"))
    assert someone.row(columns) == kept
    someone.set_row("last_used_at = UTC_TIMESTAMP() - INTERVAL 70 SECOND, updated_at = '2024-01-01'")
    assert cal(someone, "GET").status == 200
    assert someone.row("ABS(TIMESTAMPDIFF(SECOND, last_used_at, UTC_TIMESTAMP())) < 20, updated_at") == ["1", "2024-01-01 00:00:00"]


def test_calm_requests_write_nothing(person, mariadb):
    someone = person().log_in()

    def writes():
        rows = mariadb.rows("SELECT ROWS_CHANGED FROM information_schema.TABLE_STATISTICS WHERE TABLE_SCHEMA = "
                            f"'{someone.stack.database.name}' AND TABLE_NAME = '{someone.table}'")
        return int(rows[0][0]) if rows else 0

    mariadb.sql("SET GLOBAL userstat = 1")
    try:
        at_once(8, lambda _: person().connect())
        someone.connect()
        assert cal(someone, "GET").status == 200
        before = writes()
        assert before > 0
        at_once(10, lambda _: cal(someone, "GET"))
        assert writes() == before
    finally:
        mariadb.sql("SET GLOBAL userstat = 0")


@pytest.mark.promise("attack/isolation", "A token of one realm opens nothing in the other")
def test_realms_never_mix(person, realm):
    """The same subject would be another person in the other realm: nothing of it is read or written there."""
    someone = person().connect()
    other = next(one for one in REALMS if one != realm)
    assert someone.call("GET", f"{other.prefix}/integration/microsoft/calendar/").body["code"] == "wrong_realm"
    assert someone.call("DELETE", f"{other.prefix}/auth/microsoft/token").body["code"] == "wrong_realm"
    assert cal(someone, "GET").status == 200
    stranger = person(realm=other).log_in()
    needs_microsoft(cal(stranger, "GET"), stranger)
    assert stranger.row("id") is None and someone.row("is_active") == ["1"]


@pytest.mark.parametrize("spelled", ["upper", "mixed"])
def test_uuid_in_any_case_is_one_subject(person, realm, spelled):
    someone = person().connect()
    changed = someone.subject.upper() if spelled == "upper" else someone.subject.title()
    someone.token = someone.jwt(sub=changed)
    assert cal(someone, "GET").status == 200
    assert len(someone.stack.sql(f"SELECT id FROM {someone.table} WHERE {someone.key_column} = '{someone.subject}'")) == 1
    assert realm.name == "main" or changed != someone.subject


def test_nothing_secret_in_the_answer(person):
    someone = person().connect()
    expires_in(someone, 10)
    text = json.dumps([cal(someone, "GET").body, someone.api("GET", "auth/microsoft/user").body])
    for column in ("access_token", "refresh_token", "id_token"):
        assert stored(someone, column) not in text and someone.row(column)[0] not in text
