# SPDX-License-Identifier: MIT
"""graphgatectl explain: every code of the identity platform that graphgate may meet, and its short form in the log."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Person
from fcgi_client import direct
from kit import expires_in, wait_for

# By what must be done about them. Microsoft's own pages: reference-error-codes, and those of the flows.
RECONNECT = (70008, 700082, 50173, 70043, 700084, 70000, 50089, 50132, 50133, 50057, 54005, 501481, 700005)
INTERACTION = (50076, 50079, 50072, 50074, 50078, 50097, 50158, 700020)
CONSENT = (65001, 65004, 90094, 90095)
POLICY = (53003, 53000, 53001, 530032, 50105, 500212, 500213)
CLIENT = (7000215, 7000222, 7000218, 700025, 700027, 50012)
APPLICATION = (700016, 700011, 70001, 7000112, 50194, 90130, 9002332)
REQUEST = (900144, 50011, 90002, 70011, 28002, 700022, 50001, 500011, 650052, 650057)
PASSING = (50033, 50087, 70012, 90006, 90012, 90024, 90033, 90055, 90090, 50196)
CODES = (*RECONNECT, *INTERACTION, *CONSENT, *POLICY, *CLIENT, *APPLICATION, *REQUEST, *PASSING)
WORDS = ("invalid_grant", "interaction_required", "login_required", "consent_required", "access_denied", "invalid_client",
         "unauthorized_client", "invalid_request", "invalid_scope", "invalid_resource", "temporarily_unavailable", "server_error")
# Where the link of admin consent is the answer, and where it must not be offered.
WITH_LINK, WITHOUT_LINK = (65001, 90094, 90095, 700016, 650052, 500011), (7000215, 50173, 65004, 53003, 50076, 90033)


def explained(stack, name, **rest):
    """The lines of an explanation by their labels, the first under ""."""
    done = stack.ctl("explain", name, **rest)
    assert done.stderr == ""
    first, *others = done.stdout.splitlines()
    return {"": first, **{line[:10].strip(): line[11:] for line in others if line[:10].strip()}}


def test_every_code_has_its_sentences(stack):
    assert len(CODES) == len(set(CODES)) == 65
    for code in CODES:
        said = explained(stack, f"AADSTS{code}")
        assert said[""].startswith(f"AADSTS{code}: ") and said["Microsoft"].endswith(f"/error?code={code}")
        assert len(said["cause"]) > 20 and said["cause"].endswith(".") and len(said["what to do"]) > 20, code
        assert said["who acts"].split(",")[0].split(":")[0] in (
            "the user", "an administrator of the organisation", "the operator of graphgate", "nobody"), code
        assert said == explained(stack, str(code)) == explained(stack, f"aadsts{code}")


@pytest.mark.parametrize("codes, who", [((50173, 50076, 65004), "the user"), ((53003, 90094, 50105), "an administrator"),
                                        ((7000215, 7000222, 700016, 50011, 90002), "the operator"), (PASSING, "nobody")])
def test_who_must_act(stack, codes, who):
    assert all(explained(stack, str(code))["who acts"].startswith(who) for code in codes)


@pytest.mark.parametrize("word", WORDS)
def test_words(stack, word):
    said = explained(stack, word)
    assert said[""].startswith(f"{word}: ") and "cause" in said and "what to do" in said and "Microsoft" not in said


def test_the_consent_link(stack):
    for code in WITH_LINK:
        link = urlsplit(explained(stack, str(code))["consent"])
        assert f"{link.scheme}://{link.netloc}" == stack.sim.https and link.path == f"/{stack.sim.tenant_id}/v2.0/adminconsent"
        assert parse_qs(link.query) == {
            "client_id": [stack.sim.client_id], "redirect_uri": [stack.redirect_uri],
            "scope": ["openid profile email offline_access User.Read Calendars.ReadWrite"]}
    for code in WITHOUT_LINK:
        assert "consent" not in explained(stack, str(code))


@pytest.mark.parametrize("tenant, shown", [("common", "organizations"), ("consumers", "organizations"), ("organizations", "organizations"),
                                           ("example.com", "example.com")])
def test_the_consent_link_of_a_class_of_tenants(stack, tenant, shown):
    """Microsoft has no consent page at common, and personal accounts have no administrator."""
    assert urlsplit(explained(stack, "65001", env={"MSTENANTID": tenant})["consent"]).path.startswith(f"/{shown}/")


def test_without_a_configuration(stack):
    env = {"GRAPHGATE_CONFIG": "/nonexistent/x.conf"}
    assert explained(stack, "65001", env=env)["consent"] == (
        "https://login.microsoftonline.com/TENANT/v2.0/adminconsent?client_id=MSCLIENTID&"
        "scope=openid%20profile%20email%20offline_access%20User.Read%20Calendars.ReadWrite&redirect_uri=REDIRECT_URI")
    assert "consent" not in explained(stack, "7000215", env={**env, "SIGN_IN": "nonsense"})


@pytest.mark.parametrize("name", ["AADSTS1", "1", "nonsense", "AADSTS", "65001;x", "\x1b[31mx", ""])
def test_what_is_not_known(stack, name):
    done = stack.ctl("explain", name, check=False)
    assert done.returncode == 1 and done.stdout == "" and "https://login.microsoftonline.com/error" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("arguments", [(), ("65001", "65001"), ("--nonsense", "x", "y")])
def test_wrong_usage(stack, arguments):
    done = stack.ctl("explain", *arguments, check=False)
    assert done.returncode == 2 and "Usage: graphgatectl explain" in done.stderr and done.stdout == ""


TELLTALE = "telltale text of Microsoft"


# mutant: src/flow/redeem.c: err->why = gg_aadsts_why => (void)gg_aadsts_why
@pytest.mark.parametrize("code, short", [(700082, "refresh token not used for 90 days"), (7000222, "client secret expired"),
                                         (50076, "multi-factor authentication needed"), (90033, "passing fault at Microsoft")])
def test_the_log_of_a_refresh_has_the_short_form(program, realm, sim, code, short):
    someone = direct(Person, program(), realm).connect()
    expires_in(someone, -5)
    sim.fault("status", "token", user=someone.user, grant="refresh_token", aadsts=code, description=TELLTALE, count=None)
    assert someone.cal("GET", "/events").status in (401, 503)
    lines = wait_for(lambda: [line for line in someone.stack.logs().splitlines() if f"aadsts={code}" in line and "event=request " in line])
    lines += [line for line in someone.stack.logs().splitlines() if "event=token.refresh " in line and "result=failed" in line]
    assert len(lines) == 2 and all(f'why="{short}"' in line for line in lines), lines
    assert TELLTALE not in someone.stack.logs()


@pytest.mark.parametrize("fault, short", [
    ({"kind": "status", "target": "token", "aadsts": 7000215}, "client secret wrong"),
    ({"kind": "oauth_error", "target": "authorize", "aadsts": 90094}, "an administrator's consent is needed"),
    ({"kind": "oauth_error", "target": "authorize", "aadsts": 65004}, "user declined the permissions"),
    ({"kind": "oauth_error", "target": "authorize", "error": "access_denied"},
     "user pressed Cancel, or the organisation does not let them consent")])
def test_the_log_of_a_callback_has_the_short_form(program, realm, sim, fault, short):
    someone = direct(Person, program(), realm)
    start = someone.api("GET", "auth/microsoft/").body["auth_url"]
    sim.fault(fault["kind"], fault["target"], description=TELLTALE, **{key: fault[key] for key in ("aadsts", "error") if key in fault})
    assert someone.call("GET", sim.authorize(start, someone.user)).status in (403, 503)
    line = wait_for(lambda: [line for line in someone.stack.logs().splitlines() if "route=auth/microsoft/callback" in line])[0]
    assert f'why="{short}"' in line and TELLTALE not in line and re.search(r"aadsts=\d*", line), line
