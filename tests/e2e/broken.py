# SPDX-License-Identifier: MIT
"""Set-ups that are broken in one way each, for test_check.py: what is broken, and what check must say of it."""

import datetime
import re
import secrets
from dataclasses import dataclass, field
from typing import Callable, Optional

from cryptography.fernet import Fernet

from stack.process import free_port
from stack.stack import CALLBACK, fernet_key

ROWS = ("limits", "stored tokens", "seals", "inactive")
MICROSOFT = ("signing keys", "clock", "client secret")
SITE = ("discovery", *MICROSOFT, "secret expiry", "redirect URI", "callback")
SECRET = "a telltale secret"
OTHER_APP, OTHER_SECRET = "99999999-0000-4e68-97a1-0b2c3d4e5f60", secrets.token_urlsafe(24)


@dataclass
class World:
    """What a row may break."""

    stack: object
    sim: object
    own: object
    mariadb: object
    site: Callable
    lighttpd: object
    worker: Callable
    tmp: object


@dataclass
class Row:
    """One broken set-up."""

    name: str
    says: dict
    settings: dict = field(default_factory=dict)
    by: Optional[Callable] = None
    skips: tuple = ()


def failed(*words):
    """The level and the words of a line."""
    return ("failed", *words)


def warned(*words):
    """The same of a warning."""
    return ("warning", *words)


def config_file(world, text, mode=0o600):
    """A file with more lines than the stack's, whose settings are in the environment all the same."""
    path = world.tmp / "graphgate.conf"
    path.write_text(world.stack.conf_file.read_text(encoding="utf-8") + text, encoding="utf-8")
    path.chmod(mode)
    return {"GRAPHGATE_CONFIG": path}


def config_without(world, *names):
    """The stack's file without these settings."""
    path = world.tmp / "less.conf"
    path.write_text("".join(f"{name}={value}\n" for name, value in world.stack.conf.items() if name not in names), encoding="utf-8")
    path.chmod(0o600)
    return {"GRAPHGATE_CONFIG": path}


def environment_without(world, *names):
    """The stack's settings, for the environment."""
    return {name: value for name, value in world.stack.conf.items() if name not in names} | {"DATABASE_URL": world.own.url}


def secret_file(world, mode):
    """A secret in a file of its own."""
    path = world.tmp / "secret"
    path.write_text("x" * 40 + "\n", encoding="utf-8")
    path.chmod(mode)
    return path


def own_sql(*statements):
    """Statements in this file's own database, as its owner."""
    def act(world):
        world.own.broken.add(world.own.grant if any(word in " ".join(statements) for word in ("GRANT", "REVOKE")) else world.own.migrate)
        world.own.sql(";".join(statements).format(name=world.own.name, worker=world.own.worker))
        return {"DATABASE_URL": world.own.url}
    return act


def database_clock(ahead_s):
    """What the database takes for the time, for the worker's account alone."""
    def act(world):
        world.own.broken.add(lambda: world.own.sql("SET GLOBAL init_connect = ''"))
        world.own.sql(f"SET GLOBAL init_connect = 'SET timestamp = IF(CURRENT_USER() = \"{world.own.worker.replace(chr(39), '')}\", "
                      f"UNIX_TIMESTAMP() + {ahead_s}, 0)'")
        return {}
    return act


def stored(key=None, realm="main", **columns):
    """A stored row, encrypted with another key than the stack's, or with its own."""
    table, column, value = {"main": ("microsoft_oauth_tokens", "user_id", "7"),
                            "beta": ("beta_microsoft_oauth_tokens", "teacher_id", "'0b0e2c4e-0000-4000-8000-000000000007'")}[realm]

    def act(world):
        token = Fernet(key or world.stack.conf["TOKEN_ENCRYPTION_KEY"]).encrypt(b"x").decode()
        rest = {"seal": "'s'", **columns}
        world.own.broken.add(world.own.empty)
        world.own.sql(f"REPLACE INTO {table} ({column}, access_token, expires_at{''.join(f', {name}' for name in rest)}) VALUES "
                      f"({value}, '{token}', NOW(){''.join(f', {text}' for text in rest.values())})")
        return {"DATABASE_URL": world.own.url}
    return act


def sim_settings(**changes):
    """Settings of the simulator, until the test ends."""
    return lambda world: world.sim.settings(**changes) and {}


def sim_fault(kind, target, **rest):
    """A fault that lasts as long as the test."""
    return lambda world: world.sim.fault(kind, target, count=None, **rest) and {}


def sim_app(**changes):
    """Another app registration of the simulator's."""
    def act(world):
        fields = {"enabled": True, "audience": "single", "redirect_uris": [world.stack.redirect_uri], "secrets": [{"value": OTHER_SECRET}], **changes}
        world.sim.app(OTHER_APP, **fields)
        return {"MSCLIENTID": OTHER_APP, "MSCLIENTSECRET": OTHER_SECRET}
    return act


def callback(make):
    """REDIRECT_URI is what make(world) answers."""
    return lambda world: {"REDIRECT_URI": make(world)}


def days(count):
    """The day that is so many days from today."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=count)).date().isoformat()


DEAD = f"http://127.0.0.1:{free_port()}"
KEY = fernet_key()

BROKEN = [
    # The configuration
    Row("a bad value", {"configuration": failed("SIGN_IN", "off, existing or provision")}, {"SIGN_IN": "sometimes"}, skips=SITE),
    Row("an unknown name in the file", {"configuration": failed("REDIRECT_URL", "line ", "not the name of a setting")},
        by=lambda w: config_file(w, "REDIRECT_URL=x\n"), skips=SITE),
    Row("an unreadable file", {"configuration": failed("GRAPHGATE_CONFIG", "cannot be read")},
        by=lambda w: {**w.stack.conf, "GRAPHGATE_CONFIG": w.tmp, "DATABASE_URL": w.own.url}, skips=SITE),
    Row("a setting is missing", {"configuration": failed("MSCLIENTID", "is required")}, {"MSCLIENTID": None},
        by=lambda w: config_without(w, "MSCLIENTID"), skips=SITE),
    Row("the file is not there", {"configuration": failed("GRAPHGATE_CONFIG: ", "none.conf does not exist", "MSCLIENTID: is required")},
        {"MSCLIENTID": None}, by=lambda w: {**environment_without(w, "MSCLIENTID"), "GRAPHGATE_CONFIG": w.tmp / "none.conf"}, skips=SITE),
    Row("the file is not there and not needed", {"configuration": warned("none.conf does not exist", "take GRAPHGATE_CONFIG away")},
        by=lambda w: {**environment_without(w), "GRAPHGATE_CONFIG": w.tmp / "none.conf"}),
    Row("the address of the database is missing", {"configuration": failed("DATABASE_URL", "is required")}, {"DATABASE_URL": None},
        by=lambda w: {**config_without(w, "DATABASE_URL"), "DATABASE_URL": None},
        skips=("database", "schema", "grants", *ROWS, "database clock", *SITE)),
    Row("a secret is given twice", {"configuration": failed("JWT_SECRET_KEY: ", "JWT_SECRET_KEY_FILE beside it", "keep one")},
        by=lambda w: config_file(w, f"JWT_SECRET_KEY_FILE={secret_file(w, 0o600)}\n"), skips=SITE),
    Row("a secret's file has no whole path", {"configuration": failed("METRICS_TOKEN_FILE", "line ", "whole path")},
        by=lambda w: config_file(w, "METRICS_TOKEN_FILE=token\n"), skips=SITE),
    Row("the log's file has no whole path", {"configuration": failed("LOG_TARGET", "whole path")}, {"LOG_TARGET": "file:log"}, skips=SITE),
    *(Row(f"others may {what} a secret's file", {"configuration": warned("METRICS_TOKEN_FILE", "chmod g-w,o= /", "/secret")},
          by=lambda w, mode=mode: config_file(w, f"METRICS_TOKEN_FILE={secret_file(w, mode)}\n"))
      for what, mode in (("read", 0o604), ("write to", 0o620))),
    Row("everybody can read the file", {"configuration": warned("everybody", "chmod")}, by=lambda w: config_file(w, "", 0o644)),
    # The database
    Row("the database's password is wrong", {"database": failed("1045", "password")},
        by=lambda w: {"DATABASE_URL": re.sub(r":[^:@]*@", f":{SECRET.replace(' ', '%20')}@", w.own.url, count=1)},
        skips=("schema", "grants", *ROWS, "database clock")),
    Row("the database is away", {"database": failed("connect", "start MariaDB")},
        {"DATABASE_URL": f"mariadb://u:p@127.0.0.1:{free_port()}/x"}, skips=("schema", "grants", *ROWS, "database clock")),
    Row("the database's host has no address", {"database": failed("resolve")}, {"DATABASE_URL": "mariadb://u:p@db.invalid:3306/x"},
        skips=("schema", "grants", *ROWS, "database clock")),
    Row("another database's name", {"database": failed("1044", "grants.sql")},
        by=lambda w: {"DATABASE_URL": w.own.url.replace("/gg_check?", "/gg_chick?")}, skips=("schema", "grants", *ROWS, "database clock")),
    # The schema
    Row("nobody has migrated", {"schema": failed("graphgatectl migrate")}, by=own_sql("DROP TABLE schema_migrations"),
        skips=("grants", *ROWS)),
    Row("one script is missing", {"schema": failed("005_signing_keys.sql is missing", "graphgatectl migrate")},
        by=own_sql("DELETE FROM schema_migrations WHERE version = 5"), skips=("grants", *ROWS)),
    Row("a script was edited", {"schema": failed("003_sign_in.sql was changed")},
        by=own_sql("UPDATE schema_migrations SET sha256 = REPEAT('x', 43) WHERE version = 3"), skips=("grants", *ROWS)),
    Row("the database is newer than the program", {"schema": warned("900_more.sql", "newer version")},
        by=own_sql("INSERT INTO schema_migrations (version, name, sha256) VALUES (900, '900_more.sql', 'x')")),
    Row("a table was dropped", {"schema": failed("signing_keys", "restore")}, by=own_sql("DROP TABLE signing_keys"),
        skips=("grants", *ROWS)),
    Row("a column was dropped", {"schema": failed("refresh_lease", "restore")},
        by=own_sql("ALTER TABLE beta_microsoft_oauth_tokens DROP COLUMN refresh_lease"), skips=("grants", *ROWS)),
    # The grants
    Row("one privilege is missing", {"grants": failed("rate_limits: the user lacks DELETE", "sql/grants.sql")},
        by=own_sql("REVOKE DELETE ON `{name}`.rate_limits FROM {worker}"), skips=ROWS),
    Row("a table was left out", {"grants": failed("users: the user lacks SELECT, INSERT, UPDATE")},
        by=own_sql("REVOKE ALL PRIVILEGES ON `{name}`.users FROM {worker}"), skips=("schema", *ROWS)),
    Row("one privilege too many", {"grants": warned("users: the user may DELETE", "REVOKE")},
        by=own_sql("GRANT DELETE ON `{name}`.users TO {worker}")),
    Row("a privilege too many by a role", {"grants": warned("users: the user may DELETE")},
        by=own_sql("CREATE OR REPLACE ROLE gg_check_role", "GRANT DELETE ON `{name}`.users TO gg_check_role",
                   "GRANT gg_check_role TO {worker}", "SET DEFAULT ROLE gg_check_role FOR {worker}")),
    Row("the user may drop tables", {"grants": warned("beyond single tables' rows", "DROP")},
        by=own_sql("GRANT DROP ON `{name}`.users TO {worker}")),
    # The limits
    Row("the limits are in memory", {"limits": warned("in MEMORY", "room for 80659 users and addresses", "max_heap_table_size (16777216)")},
        by=own_sql("ALTER TABLE rate_limits ENGINE=MEMORY")),
    # Keys and rows
    Row("there is no key", {"configuration": failed("JWT_SECRET_KEY", "is required", "TOKEN_ENCRYPTION_KEY", "graphgatectl genkey")},
        by=lambda w: config_without(w, "TOKEN_ENCRYPTION_KEY", "JWT_SECRET_KEY"), skips=("JWT secret", "encryption", "stored tokens", *SITE)),
    Row("the key is none", {"configuration": failed("TOKEN_ENCRYPTION_KEY", "44 characters")}, {"TOKEN_ENCRYPTION_KEY": "x"},
        skips=("encryption", "stored tokens", *SITE)),
    Row("the key is derived", {"encryption": warned("derived from the JWT secret", "genkey")},
        by=lambda w: config_without(w, "TOKEN_ENCRYPTION_KEY")),
    Row("the JWT secret is short", {"JWT secret": warned("31 bytes", "32 or more")}, {"JWT_SECRET_KEY": "x" * 31}),
    Row("the JWT secret is another secret", {"JWT secret": warned("another setting's value")},
        by=lambda w: {"JWT_SECRET_KEY": w.stack.conf["TOKEN_ENCRYPTION_KEY"]}),
    Row("the key was changed", {"stored tokens": failed("1 of the newest 1 rows of microsoft_oauth_tokens", "key has changed")},
        by=stored(KEY)),
    Row("the key was changed, in beta", {"stored tokens": failed("beta_microsoft_oauth_tokens", "behind the first")},
        by=stored(KEY, "beta")),
    Row("rows name a key that is gone", {"stored tokens": failed("1 rows of microsoft_oauth_tokens need the key 0a1b2c3d")},
        by=stored(KEY, key_fingerprint="'0a1b2c3d'")),
    Row("rows without a seal", {"seals": warned("1 rows of microsoft_oauth_tokens", "seal")}, by=stored(seal="NULL")),
    Row("rows without a seal are refused", {"seals": failed("1 rows of beta_microsoft_oauth_tokens", "UNSEALED_ROWS refuses them")},
        {"UNSEALED_ROWS": "refuse"}, by=stored(realm="beta", seal="NULL")),
    Row("inactive rows", {"inactive": warned("1 rows of microsoft_oauth_tokens (1 invalid_grant)", "graphgatectl explain invalid_grant")},
        by=stored(is_active="0", inactive_reason="'invalid_grant'")),
    Row("inactive rows of another reason", {"inactive": warned("beta_microsoft_oauth_tokens (1 without reason)", "connect again")},
        by=stored(realm="beta", is_active="0")),
    # The clock
    Row("this machine's clock is behind", {"clock": failed("s behind Microsoft's", "NTP")}, by=sim_settings(date_skew_s=600)),
    Row("this machine's clock is ahead", {"clock": failed("s ahead of Microsoft's", "NTP")}, by=sim_settings(date_skew_s=-600)),
    Row("the database's clock is ahead", {"database clock": failed("s behind the database's", "NTP")}, by=database_clock(600)),
    Row("the database's clock is behind", {"database clock": failed("s ahead of the database's", "NTP")}, by=database_clock(-600)),
    # Microsoft
    Row("Microsoft is out of reach", {"discovery": failed(DEAD, "connect", "firewall")}, {"MICROSOFT_LOGIN_URL": DEAD}, skips=MICROSOFT),
    Row("Microsoft's name has no address", {"discovery": failed("resolve", "name server")},
        {"MICROSOFT_LOGIN_URL": "https://login.invalid"}, skips=MICROSOFT),
    Row("Microsoft is silent", {"discovery": failed("no answer in time")}, {"LOGIN_TIMEOUT_S": 1},
        by=sim_fault("delay", "discovery", delay_ms=2500), skips=MICROSOFT),
    Row("the authority is unknown", {"discovery": failed("MICROSOFT_CA_FILE", "clock")},
        by=lambda w: config_without(w, "MICROSOFT_CA_FILE"), skips=MICROSOFT),
    Row("the certificate is another host's", {"discovery": failed("MICROSOFT_CA_FILE")},
        by=lambda w: {"MICROSOFT_LOGIN_URL": w.sim.https_bad["wrong_host"]}, skips=MICROSOFT),
    Row("the certificate has expired", {"discovery": failed("MICROSOFT_CA_FILE")},
        by=lambda w: {"MICROSOFT_LOGIN_URL": w.sim.https_bad["expired"]}, skips=MICROSOFT),
    Row("the tenant is unknown", {"discovery": failed("tenant unknown", "90002", "MSTENANTID")},
        {"MSTENANTID": "00000000-51b7-4a3e-8d22-7b1f5a9c0e44"}, skips=MICROSOFT),
    Row("the login address is another site's", {"discovery": warned("there is no document"), "signing keys": failed("404"),
                                                "client secret": warned("did not say", "404")},
        by=lambda w: {"MICROSOFT_LOGIN_URL": w.lighttpd.at("none").removesuffix(CALLBACK)}),
    Row("the login address answers pages", {"discovery": failed("MICROSOFT_LOGIN_URL", "not JSON")},
        by=lambda w: {"MICROSOFT_LOGIN_URL": w.site(200, body=b"<html>").removesuffix(CALLBACK)}, skips=MICROSOFT),
    Row("the document is another tenant's", {"discovery": failed("the issuer is https://x.example/", "MSTENANTID")},
        by=sim_fault("merge", "discovery", body={"issuer": "https://x.example/{tenantid}/v2.0"}), skips=MICROSOFT),
    Row("Graph is another cloud's", {"discovery": warned("graph.microsoft.us", "MICROSOFT_GRAPH_URL")},
        by=sim_fault("merge", "discovery", body={"msgraph_host": "graph.microsoft.us"})),
    Row("the signing keys are out of reach", {"signing keys": failed("answered 500")}, by=sim_fault("status", "keys", status=500)),
    # The client secret
    Row("the client id is unknown", {"client secret": failed("AADSTS700016", "MSCLIENTID", "/v2.0/adminconsent?client_id=0")},
        {"MSCLIENTID": "00000000-4a59-4e68-97a1-0b2c3d4e5f60"}),
    Row("the client secret is wrong", {"client secret": failed("MSCLIENTSECRET: AADSTS7000215", "Secret ID")}, {"MSCLIENTSECRET": SECRET}),
    Row("the client secret has expired", {"client secret": failed("AADSTS7000222", "new client secret")},
        by=sim_app(secrets=[{"value": OTHER_SECRET, "expires": 1}])),
    Row("the application is disabled", {"client secret": failed("AADSTS7000112", "Enable it")}, by=sim_app(enabled=False)),
    Row("the application is for one tenant", {"client secret": failed("AADSTS50194", "MSTENANTID")}, {"MSTENANTID": "common"}),
    Row("the client secret is wrong at common", {"client secret": failed("AADSTS7000215")}, {"MSTENANTID": "common", "MSCLIENTSECRET": SECRET},
        by=lambda w: {"MSCLIENTID": sim_app(audience="all")(w)["MSCLIENTID"]}),
    Row("Microsoft does not say", {"client secret": warned("did not say", "AADSTS90033")},
        by=sim_fault("status", "token", aadsts=90033)),
    Row("the next secret serves", {"client secret": warned("MSCLIENTSECRET: AADSTS7000215", "make it MSCLIENTSECRET")},
        by=lambda w: {"MSCLIENTSECRET": SECRET, "MSCLIENTSECRET_NEXT": w.sim.client_secret}),
    Row("the next secret is wrong", {"client secret": warned("MSCLIENTSECRET_NEXT: AADSTS7000215")}, {"MSCLIENTSECRET_NEXT": SECRET}),
    Row("the client secret ends soon", {"secret expiry": warned("ends in 10 days", "MSCLIENTSECRET_NEXT")}, {"MSCLIENTSECRET_EXPIRES": days(10)}),
    Row("the client secret's day has passed", {"secret expiry": failed("MSCLIENTSECRET_EXPIRES passed")}, {"MSCLIENTSECRET_EXPIRES": days(-3)}),
    # The redirect URI
    Row("plain http in public", {"redirect URI": failed("plain http", "https://")},
        {"REDIRECT_URI": f"http://site.example{CALLBACK}"}, skips=("callback",)),
    Row("the path is another", {"redirect URI": failed(f"the path must be {CALLBACK}")},
        {"REDIRECT_URI": "https://site.example/auth/microsoft/callback"}, skips=("callback",)),
    Row("capitals in the path", {"redirect URI": failed("capitals", CALLBACK)},
        {"REDIRECT_URI": "https://site.example/API/v1/auth/microsoft/callback"}, skips=("callback",)),
    Row("a query behind the path", {"redirect URI": failed("query or a fragment")},
        {"REDIRECT_URI": f"https://site.example{CALLBACK}?x=1"}, skips=("callback",)),
    Row("the site is below a path that the proxy keeps", {"redirect URI": warned("stands before"), "callback": failed("404", "httpd-conf")},
        by=callback(lambda w: w.lighttpd.at("none").replace("/api/", "/app/api/"))),
    # Who answers there
    Row("the web server does not know the path", {"callback": failed("the web server answers 404", "httpd-conf/")},
        by=callback(lambda w: w.lighttpd.at("none"))),
    Row("the worker is down", {"callback": failed("the web server answers 503", "does not run")}, by=callback(lambda w: w.lighttpd.at("down"))),
    Row("the site is at another host", {"callback": failed("redirects to https://www.example.org", "REDIRECT_URI")},
        by=callback(lambda w: w.lighttpd.at("moved"))),
    Row("a login page is in between", {"callback": failed("redirects to", "/login", "pass the path on")},
        by=callback(lambda w: w.lighttpd.at("login"))),
    Row("a password is in between", {"callback": failed("401", "let everybody in")}, by=callback(lambda w: w.site(401))),
    Row("another site answers", {"callback": failed("(200) is not graphgate", "another machine or site")},
        by=callback(lambda w: w.site(200, body=b'{"code": "state_invalid"}'))),
    Row("nobody listens", {"callback": failed("connect", "web server running")}, {"REDIRECT_URI": DEAD + CALLBACK}),
    Row("the name has no address", {"callback": failed("resolve", "the name lead to it")}, {"REDIRECT_URI": f"https://site.invalid{CALLBACK}"}),
    Row("the site's certificate is not trusted", {"callback": warned("certificate is not trusted")},
        by=callback(lambda w: w.stack.web.tls_url + CALLBACK)),
    Row("the worker is not configured", {"callback": failed("not configured", "its log names the setting")},
        by=callback(lambda w: w.worker(SIGN_IN="sometimes"))),
    Row("the worker has no database", {"callback": failed("does not reach its database")},
        by=callback(lambda w: w.worker(DATABASE_URL=f"mariadb://u:p@127.0.0.1:{free_port()}/x", RATE_LIMIT_OAUTH_CALLBACK="20/3600"))),
]
