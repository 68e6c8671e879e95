# SPDX-License-Identifier: MIT
"""The configuration: every setting's good and bad values, where they come from, and what a fault does."""

import json
import subprocess

import pytest
from conftest import BUILD, Person
from fcgi_client import ROUTES, direct

from stack.smoke import REALMS

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
URLS = (["https://login.example/", "http://127.0.0.1:1", "http://localhost:8", "http://[::1]:1/v1.0"],
        ["http://login.example", "http://127.0.0.1.example", "http://localhost.example", "http://10.0.0.1", "nonsense",
         "ftp://x.example", "http://127.0.0.1@evil.example", "https://"])
SECONDS = (["1", "30"], ["0", "-1", "1.5", "x", "5s", "99999999999999999999"])
LIMIT = (["off", "1/1", "100/60"], ["0/60", "10", "10/0", "-1/60", "x/60", "10/60/60", "10/", "/60", "OFF "[:3] + "x"])

# Each setting with values that are good and values that are not.
VALUES = {
    "MSCLIENTID": (["6f1d2c3b"], ["a\x01b"]),
    "MSCLIENTSECRET": (["x~y"], []),
    "MSCLIENTSECRET_NEXT": (["x~y", "x~z"], []),
    "MSCLIENTSECRET_EXPIRES": (["2027-03-31", "2020-02-29"], ["2027-02-29", "31.3.2027", "2027-3-31", "2027-03-31T00:00:00Z", "soon"]),
    "MSTENANTID": (["common", "organizations", "consumers", "example.com"], ["a/b", "a b", "x?y"]),
    "REDIRECT_URI": (["https://site.example/cb"], ["nonsense", "/cb", "https://"]),
    "TOKEN_ENCRYPTION_KEY": ([KEY, f"{KEY},{KEY[::-1][1:]}="], ["plain-key-text", KEY[:-1], KEY + "A", f"{KEY},zzzz-zzzz",
                                                              f"{KEY};{KEY}", KEY[:-2] + "+="]),
    "JWT_SECRET_KEY": (["x" * 40], []),
    "SECRET_KEY": (["y" * 40], []),
    "TOKEN_KEY_SALT": (["other salt"], ["a\x02b"]),
    "TOKEN_MAX_AGE_DAYS": (["0", "1", "3650"], ["-1", "3651", "1.5", "30d", "off"]),
    "REFRESH_IDLE_DAYS": (["0", "30", "89"], ["90", "-1", "x"]),
    "UNSEALED_ROWS": (["accept", "refuse"], ["Accept", "yes", "off"]),
    "JWT_ALGORITHM": (["HS256", "HS384", "HS512"], ["none", "hs256", "RS256", "HS1"]),
    "JWT_ISSUER": (["https://site.example"], ["a\x03b"]),
    "JWT_AUDIENCE": (["graphgate"], ["a\x03b"]),
    "DATABASE_URL": ([], ["mysql://u:topsecret@h/db", "mariadb://u:topsecret@h", "mariadb://h/db", "topsecret",
                          "mariadb://u:topsecret@h:0/db", "mariadb://u:topsecret@h:70000/db",
                          "mariadb://u:topsecret%zz@h/db", "mariadb://u:topsecret@h/db?pool=3",
                          "mariadb://u:top@secret@h/db", "mariadb://u:topsecret@,h/db", "mariadb://u:topsecret@/db"]),
    "MICROSOFT_LOGIN_URL": URLS,
    "MICROSOFT_GRAPH_URL": URLS,
    "MICROSOFT_CA_FILE": (["/etc/ssl/certs/ca-certificates.crt"], ["/nonexistent/ca.pem", "a\x03b"]),
    "MICROSOFT_SCOPES": (["openid User.Read"], ["a\x03b"]),
    "SIGN_IN": (["off", "existing", "provision"], ["on", "Off", "true"]),
    "ALLOWED_RETURN_URLS": (["https://a.example", "https://a.example,http://localhost:3000/app"],
                            ["nonsense", "https://a.example,b.example", "*"]),
    "TRUSTED_PROXIES": (["10.0.0.0/8", "127.0.0.1", "10.0.0.0/8,2001:db8::/32,::1"],
                        ["10.0.0.0/33", "x", "10.0.0/8", "::/129", "10.0.0.0/8,x"]),
    "RATE_LIMIT_OAUTH_START": LIMIT,
    "RATE_LIMIT_OAUTH_CALLBACK": LIMIT,
    "RATE_LIMIT_CALENDAR": LIMIT,
    "CONNECT_TIMEOUT_S": SECONDS,
    "LOGIN_TIMEOUT_S": SECONDS,
    "GRAPH_TIMEOUT_S": SECONDS,
    "REQUEST_DEADLINE_S": SECONDS,
    "AUDIT_KEY": ([KEY, f"{KEY},{KEY[::-1][1:]}="], ["plain-key-text", KEY[:-1], f"{KEY};{KEY}"]),
    "AUDIT_FAILURE": (["open", "closed"], ["Open", "yes", "0"]),
    "DATABASE_CONNECTION": (["kept", "shared"], ["Kept", "off", "0"]),
    "AUDIT_KEEP_DAYS": (["1", "400"], ["0", "-1", "x", "1.5", "99999"]),
    "LOG_LEVEL": (["debug", "info", "warning", "error"], ["verbose", "INFO", "3"]),
    "LOG_TARGET": (["stderr", "syslog", "file:/dev/null"], ["stdout", "file:", "/var/log/x", "file:log", "file:./log"]),
    "LOG_FORMAT": (["logfmt", "json"], ["JSON", "text"]),
    "LOG_SUBJECTS": (["hash", "plain"], ["Plain", "off"]),
    "METRICS_TOKEN": (["t" * 20, "AZaz09-._~+/=AZaz09-"], ["topsecret", "topsecret of many words", "topsecret,topsecret,topsecret"]),
    "METRICS_FILE": (["off", "/nonexistent/metrics"], ["metrics", "Off", "/a\x03b"]),
}
NEEDED_SECRETS = ("MSCLIENTSECRET", "TOKEN_ENCRYPTION_KEY", "JWT_SECRET_KEY", "SECRET_KEY", "DATABASE_URL")
SECRETS = (*NEEDED_SECRETS, "MSCLIENTSECRET_NEXT", "METRICS_TOKEN", "AUDIT_KEY")
GOOD = [(name, value) for name, (good, _) in VALUES.items() for value in good]
BAD = [(name, value) for name, (_, bad) in VALUES.items() for value in bad]


@pytest.fixture
def check(stack, tmp_path):
    """check(file text or None for the stack's own, environment): a run of `graphgatectl check`."""
    def run(text=None, env=None, path=None):
        file = path or tmp_path / "graphgate.conf"
        if path is None:
            file.write_text(lines(stack.conf) if text is None else text, encoding="utf-8")
            file.chmod(0o600)
        return subprocess.run([str(BUILD / "graphgatectl"), "check"], capture_output=True, text=True, check=False,
                              env={**stack.env, "GRAPHGATE_CONFIG": str(file), **(env or {})})
    return run


def lines(conf):
    """Settings as a file."""
    return "".join(f"{name}={value}\n" for name, value in conf.items() if value is not None)


def told(done):
    """All that a run printed about a faulty configuration, which it must have ended for."""
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_setting_is_tried(stack):
    table = stack.ctl("options", "--markdown").stdout
    names = [row.split("`")[1] for row in table.splitlines()[2:]]
    assert sorted(names) == sorted(VALUES)
    assert {row.split("`")[1] for row in table.splitlines() if "(secret)" in row} == set(SECRETS)


@pytest.mark.parametrize("name, value", GOOD)
def test_good_values_are_taken(check, stack, name, value):
    """Microsoft and the site are left out of it: check would ask them each time."""
    nobody = {"MICROSOFT_LOGIN_URL": "http://127.0.0.1:1", "REDIRECT_URI": "http://127.0.0.1:1/api/v1/auth/microsoft/callback"}
    done = check(lines({**stack.conf, **nobody, name: value}))
    assert "configuration  ok" in done.stdout, done.stdout + done.stderr
    assert "configuration  ok" in check(env={**nobody, name: value}).stdout


@pytest.mark.parametrize("name, value", BAD)
def test_bad_values_are_named_with_their_line(check, stack, name, value):
    text = told(check("# a comment\n\n" + f"{name}={value}\n" + lines({**stack.conf, name: None})))
    assert name in text and "line 3 of " in text
    assert name not in SECRETS or (value not in text and "topsecret" not in text)


@pytest.mark.parametrize("name, value", BAD)
def test_bad_values_of_the_environment_are_named(check, name, value):
    text = told(check(env={name: value}))
    assert name in text and "line" not in text.partition(name)[2].splitlines()[0]
    assert name not in SECRETS or (value not in text and "topsecret" not in text)


@pytest.mark.parametrize("name", [name for name, (_, bad) in VALUES.items() if bad])
def test_the_environment_does_not_hide_a_bad_value_of_the_file(check, stack, name):
    good, bad = VALUES[name]
    text = told(check(lines({**stack.conf, name: bad[0]}), env={name: (good or [stack.conf[name]])[0]}))
    assert name in text and "line " in text


@pytest.mark.parametrize("name", ["MSCLIENTID", "MSCLIENTSECRET", "MSTENANTID", "REDIRECT_URI", "DATABASE_URL"])
def test_required_settings_are_missed(check, program, stack, name):
    assert f"{name}: is required" in told(check(lines({**stack.conf, name: None})))
    worker = program(**{name: None})
    assert worker.ask("GET", "/api/v1/auth/microsoft/user").body["code"] == "not_configured"
    assert f"name={name}" in worker.logs()


def test_one_of_the_two_jwt_secrets_is_required(check, stack):
    conf = {**stack.conf, "JWT_SECRET_KEY": None}
    text = told(check(lines(conf)))
    assert "JWT_SECRET_KEY" in text and "SECRET_KEY" in text
    assert check(lines({**conf, "SECRET_KEY": "x" * 40})).returncode == 0


@pytest.mark.parametrize("line, words", [
    ("NO_SUCH_NAME=1", "NO_SUCH_NAME"), ("mstenantid=x", "mstenantid"), ("MSTENANTID_FILE=/dev/null", "MSTENANTID_FILE"),
    ("export SIGN_IN=off", "export"), ("no equals sign", "line 1 of"), ("=value", "line 1 of")])
def test_unknown_names_and_broken_lines(check, stack, line, words):
    text = told(check(line + "\n" + lines(stack.conf)))
    assert words in text and "line 1 of " in text


def test_every_fault_is_named_at_once(check, stack):
    text = told(check(lines({**stack.conf, "SIGN_IN": "on", "LOG_LEVEL": "loud", "NOPE": "1"})))
    assert all(name in text for name in ("SIGN_IN", "LOG_LEVEL", "NOPE"))


def test_blanks_comments_and_quotes(check, stack):
    text = "\r\n".join(f'  {name} = "{value}"  ' for name, value in stack.conf.items())
    assert check(f"# a comment\r\n\r\n  # another\r\n{text}\r\n").returncode == 0


def test_the_environment_wins(check, stack):
    wrong = {**stack.conf, "DATABASE_URL": "mariadb://u:p@127.0.0.1:1/x"}
    assert "database       failed" in check(lines(wrong)).stdout
    assert check(lines(wrong), env={"DATABASE_URL": stack.conf["DATABASE_URL"]}).returncode == 0
    assert check("", env=stack.conf).returncode == 0


def test_an_absent_file_is_fine(check, stack, tmp_path):
    done = check(path=tmp_path / "none.conf", env=stack.conf)
    assert done.returncode == 0 and "(absent)" in done.stdout


def test_an_unreadable_file_is_a_fault(check, program, stack, tmp_path):
    text = told(check(path=tmp_path, env=stack.conf))
    assert "GRAPHGATE_CONFIG" in text and str(tmp_path) in text
    worker = program(env={**stack.conf, "GRAPHGATE_CONFIG": str(tmp_path)})
    assert worker.ask("GET", "/api/v1/auth/microsoft/").body["code"] == "not_configured"
    assert "name=GRAPHGATE_CONFIG" in worker.logs()


def secret_file(tmp_path, name, value, end="\n"):
    file = tmp_path / name
    file.write_text(value + end)
    return str(file)


@pytest.mark.parametrize("name", NEEDED_SECRETS)
@pytest.mark.parametrize("where", ["file", "environment"])
def test_secrets_come_from_files_of_their_own(check, stack, tmp_path, name, where):
    """The value arrives: what the first run cannot do without it, the second can."""
    value = stack.conf.get(name, "a-secret-key-of-some-length")
    path = {name + "_FILE": secret_file(tmp_path, name, value)}
    drop = {name: None, **({"JWT_SECRET_KEY": None} if name == "SECRET_KEY" else {})}
    conf = {**stack.conf, **drop}
    if name == "TOKEN_ENCRYPTION_KEY":
        bad = {name + "_FILE": secret_file(tmp_path, "bad", "no key")}
        assert name in told(check(lines(conf), env=bad))
    else:
        assert name.replace("JWT_", "") in told(check(lines(conf)))
    done = check(lines({**conf, **path})) if where == "file" else check(lines(conf), env=path)
    assert done.returncode == 0, done.stdout


def test_a_jwt_secret_from_a_file_is_the_very_secret(program, stack, tmp_path, realm):
    path = secret_file(tmp_path, "jwt", stack.conf["JWT_SECRET_KEY"], "\r\n")
    worker = program(JWT_SECRET_KEY=None, JWT_SECRET_KEY_FILE=path)
    worker.conf["JWT_SECRET_KEY"] = stack.conf["JWT_SECRET_KEY"]
    someone = direct(Person, worker, realm).log_in()
    assert someone.api("GET", "auth/microsoft/user").status == 200


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_file_that_cannot_be_read(check, stack, tmp_path, name):
    done = check(f"{name}_FILE={tmp_path}/none\n" + lines({**stack.conf, name: None}))
    assert f"{name}_FILE: line 1 of " in told(done)
    assert f"{name}_FILE" in told(check(env={f"{name}_FILE": str(tmp_path)}))


# mutant: src/app/load.c: if (is_double || is_set => if (is_double && is_set
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_and_its_file_in_one_place(check, program, stack, tmp_path, name):
    """Which of the two is meant, nobody can tell; across the two places the environment wins."""
    value = {**{one: KEY for one in SECRETS}, **stack.conf}[name]
    path = secret_file(tmp_path, "secret", value)
    text = told(check(env={name: value, name + "_FILE": path}))
    assert f"{name}: is set, and {name}_FILE beside it in the environment: keep one of the two" in text and value not in text
    text = told(check(lines({**stack.conf, name: value, name + "_FILE": path})))
    assert f"{name}: is set, and {name}_FILE beside it in {tmp_path}/graphgate.conf: keep one of the two" in text
    worker = program(**{name: value, name + "_FILE": path})
    assert worker.ask("GET", "/api/v1/auth/microsoft/").body["code"] == "not_configured" and f"name={name} " in worker.logs()
    assert check(lines({**stack.conf, name: value}), env={name + "_FILE": path}).returncode == 0
    assert check(lines({**stack.conf, name: None, name + "_FILE": path}), env={name: value}).returncode == 0
    assert check(lines({**stack.conf, name: value, name + "_FILE": ""})).returncode == 0


# mutant: src/app/load.c: if (*path != '/') { => if (*path == '?') {
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_file_is_named_by_its_whole_path(check, stack, name):
    text = told(check(f"{name}_FILE=secret\n" + lines({**stack.conf, name: None})))
    assert f"{name}_FILE: line 1 of " in text and "whole path" in text
    assert "whole path" in told(check(lines({**stack.conf, name: None}), env={name + "_FILE": "./secret"}))


def test_the_environment_s_file_wins_over_the_file_s_value(check, tmp_path):
    bad = secret_file(tmp_path, "url", "mariadb://u:p@127.0.0.1:1/x")
    assert "database       failed" in check(env={"DATABASE_URL_FILE": bad}).stdout


@pytest.mark.parametrize("name", [name for name, (_, bad) in VALUES.items() if bad] + ["NO_SUCH_NAME"])
def test_a_worker_with_a_fault_keeps_running(program, stack, name):
    value = VALUES.get(name, ([], ["1"]))[1][0]
    worker = program(lines=f"{name}={value}\n" + lines({**stack.conf, name: None}))
    answer = worker.ask("GET", "/api/v1/auth/microsoft/")
    assert (answer.status, answer.body["code"]) == (503, "not_configured")
    health = worker.health()
    assert (health.status, health.body["status"], health.body["configured"]) == (503, "unhealthy", False)
    line = next(line for line in worker.logs().splitlines() if f"name={name} " in line)
    assert "level=error event=configuration " in line and "line 1 of " in line
    assert name not in SECRETS or value not in worker.logs()
    assert worker.alive()


@pytest.mark.parametrize("workers", [0, 2])
def test_every_endpoint_but_health_is_not_configured(program, workers):
    worker = program("--workers", workers, SIGN_IN="sometimes")
    paths = [(method, f"{realm.prefix}/{path}") for realm in REALMS for method, path in ROUTES]
    for method, path in [*paths, ("GET", "/api/v1/health/microsoft/tokens")]:
        answer = worker.ask(method, path)
        assert (answer.status, answer.body["code"]) == (503, "not_configured"), path
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert worker.health().body | {"last_check": ""} == {
        "status": "unhealthy", "service": "microsoft_graph", "configured": False, "last_check": ""}


@pytest.mark.parametrize("settings", [
    {"TOKEN_ENCRYPTION_KEY": "not a key"}, {"TOKEN_ENCRYPTION_KEY": None, "JWT_SECRET_KEY": None}])
def test_without_a_usable_key_nothing_is_stored_or_served(program, stack, realm, settings):
    someone = direct(Person, program(), realm).connect()
    worker = program(**settings)
    someone.call = direct(Person, worker, realm).call
    before = someone.row("access_token, last_used_at, updated_at")
    assert someone.cal("GET").body["code"] == "not_configured"
    assert worker.health().status == 503 and someone.row("access_token, last_used_at, updated_at") == before
    assert next(iter(settings)) in worker.logs()


def test_a_log_file_that_cannot_be_opened_is_a_fault(program, check, stack, tmp_path):
    target = f"file:{tmp_path}/no/such/dir/log"
    assert "LOG_TARGET" in told(check(lines({**stack.conf, "LOG_TARGET": target})))
    assert "LOG_TARGET" in told(check(env={"LOG_TARGET": target}))
    worker = program(LOG_TARGET=target)
    health = worker.health()
    assert (health.status, health.body["configured"]) == (503, False)
    answer = worker.ask("GET", "/api/v1/auth/microsoft/")
    assert (answer.status, answer.body["code"]) == (503, "not_configured")
    assert "name=LOG_TARGET" in worker.logs()


def test_the_log_goes_to_its_target(program, tmp_path):
    worker = program(LOG_TARGET=f"file:{tmp_path}/log", LOG_LEVEL="info")
    worker.health()
    assert "event=start pid=" in (tmp_path / "log").read_text() and worker.logs() == ""


def test_the_log_level_is_kept(program):
    worker = program(LOG_LEVEL="error")
    worker.ask("GET", "/api/v1/auth/microsoft/user")
    assert "level=info" not in worker.logs() and "level=warning" not in worker.logs()


def test_request_parameters_never_configure(program, stack, realm):
    """What the web server passes on, a client may have chosen."""
    hostile = {name: (bad or ["x"])[0] for name, (_, bad) in VALUES.items()}
    hostile |= {"GRAPHGATE_CONFIG": "/nonexistent", "JWT_SECRET_KEY": "attacker", "SIGN_IN": "off",
                "MSCLIENTID": "attacker", "MICROSOFT_LOGIN_URL": "https://evil.example", "RATE_LIMIT_OAUTH_START": "1/3600"}
    worker = program()
    someone = direct(Person, worker, realm)
    for _ in range(2):
        answer = someone.call("GET", someone.path("auth/microsoft/"), parameters=hostile)
        assert answer.status == 200 and stack.conf["MSCLIENTID"] in answer.body["auth_url"]
        assert answer.body["auth_url"].startswith(stack.conf["MICROSOFT_LOGIN_URL"])
    someone.log_in()
    answer = someone.call("GET", someone.path("auth/microsoft/user"), parameters=hostile)
    assert answer.status == 200
    assert worker.health().status == 200 and worker.alive()


@pytest.mark.parametrize("faulty", [False, True])
def test_no_secret_is_printed_or_logged(program, check, stack, faulty):
    settings = {**stack.conf, "LOG_LEVEL": "debug", "SECRET_KEY": "another-secret-of-ours",
                "METRICS_TOKEN": "a-scraper-s-token-of-ours", "MSCLIENTSECRET_NEXT": "the-next-secret-of-ours",
                "AUDIT_KEY": KEY,
                **({"SIGN_IN": "sometimes"} if faulty else {})}
    worker = program(**settings)
    worker.health()
    direct(Person, worker, REALMS[0]).log_in().api("GET", "auth/microsoft/user")
    done = check(lines(settings))
    text = worker.logs() + done.stdout + done.stderr + json.dumps(worker.health().body)
    password = stack.conf["DATABASE_URL"].split(":")[2].split("@")[0]
    for secret in [*(settings[name] for name in SECRETS), password]:
        assert secret not in text
