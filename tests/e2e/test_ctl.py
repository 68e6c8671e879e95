# SPDX-License-Identifier: MIT
"""graphgatectl: every command, its exit statuses, its help, and what Python's cryptography makes of its output."""

import base64
import json
import os
import subprocess
import time

import pytest
from conftest import BUILD, Person, sign_jwt
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from fcgi_client import direct

import seen
from stack.stack import fernet_key

CTL = str(BUILD / "graphgatectl")
COMMANDS = ("genkey", "check", "explain", "migrate", "encrypt", "decrypt", "jwt", "log-subject", "maintain", "keys", "rotate-keys", "seal", "audit", "tokens", "stats", "users", "options", "commands")
DEAD = "mariadb://u:topsecret@127.0.0.1:1/x"


@pytest.fixture
def ctl(stack):
    """ctl("jwt", "sign", text=b"…", SIGN_IN="off"): one run; settings go into the environment, "" empties one."""
    def run(*arguments, text=b"", **env):
        conf = {name: value for name, value in {**stack.conf, **env}.items() if value is not None}
        return subprocess.run([CTL, *map(str, arguments)], input=text, capture_output=True, check=False,
                              env={"GRAPHGATE_CONFIG": "/nonexistent/graphgate.conf", **conf})
    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(ctl, command):
    for arguments in ((command, "--help"), (command, "x", "--help")):
        done = ctl(*arguments, DATABASE_URL="nonsense")
        assert done.returncode == 0 and f"graphgatectl {command}".encode() in done.stdout and done.stderr == b""


def test_help_and_version(ctl):
    done = ctl("--help")
    assert done.returncode == 0 and all(command.encode() in done.stdout for command in COMMANDS)
    done = ctl("--version")
    assert done.returncode == 0 and done.stdout.startswith(b"graphgate ")


@pytest.mark.parametrize("arguments", [
    (), ("nonsense",), ("--nonsense",), ("genkey", "x"), ("check", "x"), ("migrate", "x"), ("migrate", "--status", "x"),
    ("encrypt", "x"), ("decrypt", "x"), ("maintain", "x"), ("keys",), ("keys", "x"), ("keys", "status", "x"), ("rotate-keys", "x"),
    ("rotate-keys", "--bogus"), ("seal", "x"), ("seal", "--all"), ("options",), ("options", "--x"), ("commands",), ("commands", "--x"), ("jwt",), ("jwt", "x"),
    ("jwt", "sign"), ("jwt", "sign", "--sub"), ("jwt", "sign", "--sub", "1", "x"), ("jwt", "sign", "--sub", "1", "--bogus"),
    ("jwt", "sign", "--sub", "1", "--ttl", "0"), ("jwt", "sign", "--sub", "1", "--ttl", "soon"),
    ("jwt", "sign", "--sub", "1", "--type", "admin"), ("jwt", "sign", "--sub", "x"), ("jwt", "sign", "--sub", "0"),
    ("jwt", "sign", "--sub", "1", "--type", "teacher"), ("jwt", "verify", "x"), ("log-subject",), ("log-subject", "1", "2"),
    ("log-subject", "x"), ("log-subject", "1", "--type", "teacher"), ("log-subject", "1", "--type", "admin")])
def test_wrong_usage_is_2(ctl, arguments):
    done = ctl(*arguments)
    assert done.returncode == 2 and b"Usage:" in done.stderr and done.stdout == b""


@pytest.mark.parametrize("arguments", [
    ("check",), ("migrate",), ("migrate", "--status"), ("encrypt",), ("decrypt",), ("jwt", "sign", "--sub", "1"),
    ("jwt", "verify"), ("log-subject", "1"), ("maintain",), ("keys", "status"), ("rotate-keys",), ("seal",)])
def test_a_faulty_configuration_is_1(ctl, arguments):
    done = ctl(*arguments, SIGN_IN="sometimes", DATABASE_URL="topsecret")
    assert done.returncode == 1 and b"SIGN_IN" in done.stdout + done.stderr
    assert b"topsecret" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("check",), ("migrate",), ("migrate", "--status"), ("maintain",), ("keys", "status"),
                                       ("rotate-keys",), ("seal",)])
@pytest.mark.parametrize("url", [DEAD, None])
def test_no_database_is_1(ctl, arguments, url):
    done = ctl(*arguments, DATABASE_URL=url)
    assert done.returncode == 1 and done.stdout + done.stderr != b"" and b"topsecret" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments, name", [
    (("keys", "status"), b"TOKEN_ENCRYPTION_KEY"), (("rotate-keys",), b"TOKEN_ENCRYPTION_KEY"), (("seal",), b"TOKEN_ENCRYPTION_KEY"),
    (("encrypt",), b"TOKEN_ENCRYPTION_KEY"), (("decrypt",), b"TOKEN_ENCRYPTION_KEY"),
    (("log-subject", "1"), b"TOKEN_ENCRYPTION_KEY"),
    (("jwt", "sign", "--sub", "1"), b"JWT_SECRET_KEY"), (("jwt", "verify"), b"JWT_SECRET_KEY")])
def test_no_key_is_1(ctl, arguments, name):
    done = ctl(*arguments, TOKEN_ENCRYPTION_KEY=None, JWT_SECRET_KEY=None)
    assert done.returncode == 1 and name in done.stderr and done.stdout == b""


def test_genkey(ctl):
    keys = {ctl("genkey").stdout for _ in range(5)}
    assert len(keys) == 5
    for key in keys:
        assert key.endswith(b"\n") and len(key) == 45 and len(base64.urlsafe_b64decode(key)) == 32
        assert ctl("decrypt", text=Fernet(key.strip()).encrypt(b"x"), TOKEN_ENCRYPTION_KEY=key.strip().decode()).stdout == b"x"


TEXTS = {"empty": b"", "newline": b"\n", "zeros": bytes(33), "block": b"x" * 16, "text": "naïve café ☕\r\n".encode(),
         "random": os.urandom(4099), "large": os.urandom(1 << 20)}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_encrypts_as_python_does(ctl, text):
    first, second = fernet_key(), fernet_key()
    done = ctl("encrypt", text=text, TOKEN_ENCRYPTION_KEY=f"{first},{second}")
    assert done.returncode == 0 and done.stdout.endswith(b"\n")
    token = done.stdout.strip()
    assert Fernet(first).decrypt(token) == text and abs(Fernet(first).extract_timestamp(token) - time.time()) < 60
    assert MultiFernet([Fernet(second), Fernet(first)]).decrypt(token) == text
    with pytest.raises(InvalidToken):
        Fernet(second).decrypt(token)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_decrypts_what_python_encrypted(ctl, text, end):
    first, second = fernet_key(), fernet_key()
    for key in (first, second):
        done = ctl("decrypt", text=Fernet(key).encrypt(text) + end, TOKEN_ENCRYPTION_KEY=f"{first},{second}")
        assert done.returncode == 0 and done.stdout == text


def test_over_1_mib_is_refused(ctl):
    done = ctl("encrypt", text=bytes((1 << 20) + 1))
    assert done.returncode == 1 and done.stdout == b""


def test_tampered_tokens_are_refused(ctl, stack):
    good = Fernet(stack.conf["TOKEN_ENCRYPTION_KEY"]).encrypt(b"x" * 40)
    raw = bytearray(base64.urlsafe_b64decode(good))
    bad = [b"", b"nonsense", good[:-4], good + b"AAAA", good[:20] + b"*" + good[21:], Fernet(fernet_key()).encrypt(b"x")]
    for at in (0, 1, 9, 25, len(raw) - 33, len(raw) - 1):
        changed = bytearray(raw)
        changed[at] ^= 1
        bad.append(base64.urlsafe_b64encode(changed))
    for token in bad:
        done = ctl("decrypt", text=token)
        assert done.returncode == 1 and done.stdout == b"" and b"does not decrypt" in done.stderr


def test_signed_jwts_are_taken_by_the_api(ctl, program, realm):
    someone = direct(Person, program(), realm)
    kind = "user" if realm.name == "main" else "teacher"
    done = ctl("jwt", "sign", "--sub", someone.subject, "--type", kind, "--scope", "a admin", "--ttl", 120)
    assert done.returncode == 0 and done.stdout.count(b"\n") == 1
    someone.token = done.stdout.decode().strip()
    seen.note("jwt", someone.token)
    answer = someone.api("GET", "auth/microsoft/user")
    assert answer.status == 200 and answer.body[realm.account]["id"] == someone.subject
    claims = json.loads(ctl("jwt", "verify", text=done.stdout).stdout)
    assert (claims["sub"], claims["type"], claims["scope"]) == (someone.subject, kind, "a admin")
    assert claims["exp"] - claims["iat"] == 120 and abs(claims["iat"] - time.time()) < 30
    answer = someone.call("GET", "/api/v1/health/microsoft/tokens")
    assert answer.status == (200 if realm.name == "main" else 403)


def test_signed_jwts_have_sensible_defaults(ctl):
    token = ctl("jwt", "sign", "--sub", "42", JWT_ISSUER="https://a", JWT_AUDIENCE="b", JWT_ALGORITHM="HS384").stdout
    claims = json.loads(ctl("jwt", "verify", text=token, JWT_ISSUER="https://a", JWT_AUDIENCE="b", JWT_ALGORITHM="HS384").stdout)
    assert claims["type"] == "user" and claims["exp"] > claims["iat"] and "scope" not in claims
    assert (claims["iss"], claims["aud"]) == ("https://a", "b")
    assert ctl("jwt", "verify", text=token).returncode == 1


def test_verify_checks(ctl, person):
    someone = person()
    done = ctl("jwt", "verify", text=someone.jwt(email="naïve@example.com").encode() + b"\r\n")
    assert done.returncode == 0 and json.loads(done.stdout)["email"] == "naïve@example.com"
    expired, none = someone.jwt(exp=int(time.time()) - 100), someone.jwt({"alg": "none"})
    other = sign_jwt("another key", someone.claims())
    for bad in (expired, none, other, someone.jwt(sub=None), someone.jwt(type="admin"), someone.jwt()[:-3], "", "a.b.c", "x" * 20000):
        done = ctl("jwt", "verify", text=bad.encode())
        assert done.returncode == 1 and done.stdout == b"" and done.stderr.startswith(b"graphgatectl: ")
        assert not bad or len(bad) < 10 or bad.encode() not in done.stderr


def test_output_that_cannot_be_written_is_1(stack):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([CTL, "genkey"], stdout=full, stderr=subprocess.PIPE, env=stack.env, check=False)
    assert done.returncode == 1 and b"cannot write" in done.stderr


# name of the table, its columns but the time, a value for each, and the column of the time
EXPIRING = {
    "login_states": ("state_hash, browser_hash, realm, sealed", "'{key}', 'b', 'main', 's'", "expires_at"),
    "session_codes": ("code_hash, realm, subject", "'{key}', 'main', '1'", "expires_at"),
    "refresh_families": ("family_id, current_id, realm, subject", "'{key}', 'c', 'main', '1'", "expires_at"),
    "rate_limits": ("k, win, used, prev, admitted", "'{key}', 1, 1, 0, 1", "ends_at"),
}


def test_maintain_deletes_what_has_expired_and_nothing_else(ctl, stack, person):
    someone = person().connect()
    for table, (columns, values, column) in EXPIRING.items():
        for key, when in (("past", "- INTERVAL 2 SECOND"), ("long-past", "- INTERVAL 90 DAY"), ("future", "+ INTERVAL 1 HOUR")):
            stack.sql(f"REPLACE INTO {table} ({columns}, {column}) VALUES ({values.format(key=key)}, UTC_TIMESTAMP() {when})")
    someone.set_row("expires_at = UTC_TIMESTAMP() - INTERVAL 90 DAY, is_active = 0")
    done = ctl("maintain")
    assert done.returncode == 0 and done.stdout.count(b"deleted") == len(EXPIRING)
    for table, (columns, _, _) in EXPIRING.items():
        key = columns.split(",", maxsplit=1)[0]
        assert stack.sql(f"SELECT {key} FROM {table} WHERE {key} IN ('past', 'long-past', 'future')") == [["future"]]
        stack.sql(f"DELETE FROM {table} WHERE {key} = 'future'")
    assert someone.row("is_active") == ["0"]
    assert b" 0 deleted" in ctl("maintain").stdout


def test_maintain_deletes_many(ctl, stack):
    stack.sql("INSERT INTO rate_limits (k, win, used, prev, admitted, ends_at) SELECT CONCAT('many:', seq), 1, 1, 0, 1, "
              "UTC_TIMESTAMP() - INTERVAL 1 DAY FROM seq_1_to_5000")
    assert ctl("maintain").returncode == 0
    assert stack.sql("SELECT COUNT(*) FROM rate_limits WHERE k LIKE 'many:%'") == [["0"]]
