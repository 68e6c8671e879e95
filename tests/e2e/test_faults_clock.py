# SPDX-License-Identifier: MIT
"""Clocks that are off, and days and years that are odd: what goes on working, and who says what is wrong."""

import pytest
from conftest import BUILD, NO_LIMITS, Person
from fcgi_client import direct
from kit import asked, cal, event, events, expires_in, fields, is_problem, last_sent, refreshes, subjects, wait_for

from stack.mariadb import MariaDB
from stack.process import free_port
from stack.smoke import REALMS
from stack.stack import Stack
from wire import query_of, stored

SECTION = "faults/clock"
TEN_MINUTES = pytest.mark.parametrize("skew_s", [-600, 600], ids=["ours ahead", "ours behind"])
WHO = "auth/microsoft/user"
LEFT = "TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), expires_at)"


@pytest.fixture(name="microsofts_clock")
def _microsofts_clock(sim):
    """microsofts_clock(600): Microsoft's clock is ten minutes ahead of ours, until the test ends."""
    yield lambda skew_s: sim.settings(date_skew_s=skew_s, token_skew_s=skew_s)
    sim.settings(date_skew_s=0, token_skew_s=0)


@pytest.mark.promise(SECTION, "Ten minutes off Microsoft's clock either way: the calendar and refreshes go on as if nothing were")
@TEN_MINUTES
def test_connected_users_notice_nothing(person, sim, microsofts_clock, skew_s):
    someone = person().connect()
    microsofts_clock(skew_s)
    for _ in range(2):
        sim.token_options(user=someone.user, grant="refresh_token", expires_in=3600)
        expires_in(someone, 60)
        assert events(someone).status == 200
        assert 3500 <= int(someone.row(LEFT)[0]) <= 3600
    assert refreshes(someone) == 2 and events(someone).status == 200 and refreshes(someone) == 2


@pytest.mark.promise(SECTION, "Ten minutes ahead of Microsoft, sign-in works")
def test_sign_in_with_our_clock_ahead(person, microsofts_clock):
    microsofts_clock(-600)
    someone = person()
    someone.sign_in()
    assert events(someone).status == 200


# mutant: src/proto/jwt.c: this machine's clock is behind => it is early
@pytest.mark.promise(SECTION, "Ten minutes behind Microsoft, sign-in is 401 id_token_invalid, and the log names the clock")
def test_sign_in_with_our_clock_behind(program, realm, sim, microsofts_clock):
    microsofts_clock(600)
    someone = direct(Person, program(), realm)
    before = stored(someone.stack)
    start = someone.api("GET", "auth/microsoft/").body["auth_url"]
    is_problem(someone.call("GET", sim.authorize(start, someone.user)), 401, "id_token_invalid")
    said = wait_for(lambda: [line for line in someone.stack.logs().splitlines() if "code=id_token_invalid" in line])
    assert len(said) == 1 and "in the future: this machine's clock is behind" in said[0], said
    assert stored(someone.stack) == before
    microsofts_clock(0)
    someone.sign_in()
    assert someone.cal("GET", "/events").status == 200


@pytest.mark.promise(SECTION, "A Retry-After that is a date is counted on Microsoft's clock, however far ours is off")
@TEN_MINUTES
def test_retry_after_on_microsofts_clock(program, realm, sim, microsofts_clock, skew_s):
    someone = direct(Person, program(), realm).connect()
    microsofts_clock(skew_s)
    for wait_s, status in ((1, 200), (60, 429)):
        sim.fault("status", "graph", user=someone.user, status=429, body="", retry_after_date=skew_s + wait_s)
        answer = someone.cal("GET", "/events")
        assert answer.status == status, answer
    assert 55 <= int(answer.headers["Retry-After"]) <= 61


def said_of(done, name):
    """The line of `graphgatectl check` on that part."""
    return next(line[15:] for line in done.stdout.splitlines() if line[:14].rstrip() == name)


@pytest.mark.promise(SECTION, "graphgatectl check says by how much our clock is off Microsoft's, and exits 1 beyond a minute")
@pytest.mark.parametrize("skew_s, word", [(0, None), (30, None), (-30, None), (600, "behind"), (-600, "ahead of"), (86400, "behind")])
def test_check_against_microsoft(stack, clean_url, microsofts_clock, skew_s, word, measured):
    microsofts_clock(skew_s)
    done = stack.ctl("check", env={"DATABASE_URL": clean_url}, check=False)
    assert done.returncode == (1 if word else 0), done.stdout
    line = said_of(done, "clock")
    if word is None:
        assert line == "ok"
    else:
        assert line.startswith("failed: the clock is ") and f" s {word} Microsoft's: " in line
        assert abs(int(line.split()[4]) - abs(skew_s)) <= 20
        measured(line)
    assert said_of(done, "database clock") == "ok"


@pytest.mark.promise(SECTION, "graphgatectl check does not call the clock wrong because Microsoft is out of reach")
def test_check_without_microsoft(stack):
    done = stack.ctl("check", env={"MICROSOFT_LOGIN_URL": f"http://127.0.0.1:{free_port()}"}, check=False)
    assert said_of(done, "discovery").startswith("failed: ") and said_of(done, "clock") == "not checked: discovery must be right first"


@pytest.fixture(scope="module", name="off_stack")
def _off_stack(tmp_path_factory, sim):
    """A stack of its own with a database whose clock can be set for connections to come: off_stack(600)."""
    with_database = MariaDB(tmp_path_factory.mktemp("offdb")).start()
    made = Stack(tmp_path_factory.mktemp("off"), BUILD, NO_LIMITS, workers=1, mariadb=with_database, sim=sim)

    def set_clock(skew_s):
        with_database.sql(f"SET GLOBAL init_connect = 'SET timestamp = UNIX_TIMESTAMP() + {skew_s}'")
        return made.restart_worker()
    try:
        made.start()
        yield set_clock
    finally:
        made.stop()
        with_database.stop()


@pytest.mark.promise(SECTION, "Ten minutes off the database's clock: sign-in, calendar and refresh work; check says so")
@TEN_MINUTES
def test_database_clock(off_stack, sim, skew_s):
    stack = off_stack(skew_s)
    for realm in REALMS:
        someone = Person(stack, realm)
        someone.subject = someone.sign_in().body["user_info"]["id"]
        sim.token_options(user=someone.user, grant="refresh_token", expires_in=3600)
        expires_in(someone, skew_s + 60)
        assert events(someone).status == 200 and refreshes(someone) == 1
        assert abs(int(someone.row(LEFT)[0]) - skew_s - 3600) <= 60
        assert events(someone).status == 200 and refreshes(someone) == 1
    done = stack.ctl("check", check=False)
    line = said_of(done, "database clock")
    assert done.returncode == 1 and said_of(done, "clock") == "ok"
    word = "behind" if skew_s > 0 else "ahead of"
    assert line.startswith("failed: the clock is ") and f" s {word} the database's: " in line


YEAR_S = 365 * 86400
LATE = ["2038-01-19 03:14:07", "2038-01-19 03:14:08", "2100-03-01 00:00:00", "9999-12-31 23:59:59"]


# mutant: src/store/token.c: gg_db_cell_us(row[EXPIRES_AT], 0) => (int32_t)gg_db_cell_us(row[EXPIRES_AT], 0)
@pytest.mark.promise(SECTION, "Times after January 2038 are stored, compared and shown as they are")
@pytest.mark.parametrize("when", LATE)
def test_expiry_in_a_late_year(person, when):
    someone = person().connect()
    someone.set_row(f"expires_at = '{when}', last_used_at = '{when}'")
    assert events(someone).status == 200 and refreshes(someone) == 0
    told = someone.api("GET", WHO).body["microsoft"]
    assert (told["expires_at"], told["last_used_at"]) == (when.replace(" ", "T") + "Z",) * 2


@pytest.mark.promise(SECTION, "Times after January 2038 are stored, compared and shown as they are")
def test_token_that_outlives_2038(off_stack, sim, realm):
    """Ten years, the most that a token may last, on a database that is nine years ahead."""
    someone = Person(off_stack(9 * YEAR_S), realm)
    sim.token_options(user=someone.user, expires_in=10 * YEAR_S)
    someone.connect()
    assert someone.row("expires_at > '2045-01-01'") == ["1"]
    someone.log_in(exp=4102444800 + YEAR_S)
    assert events(someone).status == 200 and refreshes(someone) == 0
    assert someone.api("GET", WHO).body["microsoft"]["expires_at"] > "2045"


ODD_TIMES = {
    "2028-02-29T09:00:00Z": "2028-02-29T09:00:00", "2000-02-29T23:59:59Z": "2000-02-29T23:59:59",
    "2038-01-19T03:14:08Z": "2038-01-19T03:14:08", "2100-02-28T23:30:00-01:00": "2100-03-01T00:30:00",
    "9999-12-31T21:00:00Z": "9999-12-31T21:00:00", "2027-06-30T23:59:60Z": "2027-07-01T00:00:00",
    "2027-10-31T02:30:00+02:00": "2027-10-31T00:30:00", "2027-10-31T02:30:00+01:00": "2027-10-31T01:30:00",
    "2027-03-28T03:00:00+02:00": "2027-03-28T01:00:00",
}


@pytest.mark.promise(SECTION, "Leap days and seconds, edges of summer time and years to 9999 reach Graph as the right instant")
@pytest.mark.parametrize("start, sent", ODD_TIMES.items())
def test_odd_instants(connected, start, sent):
    answer = cal(connected, "POST", "/events", {"subject": "s", "start": start, "end": "9999-12-31T22:00:00Z"})
    assert answer.status in (201, 400), answer  # a calendar may have an end of its own
    assert last_sent(connected, "POST")["body"]["start"] == {"dateTime": sent, "timeZone": "UTC"}
    answer = events(connected, start_time=start)
    assert answer.status == 200 and f"'{sent}" in query_of("/?" + last_sent(connected, "GET")["raw_query"])["$filter"]


@pytest.mark.promise(SECTION, "Days and times that do not exist are 422")
@pytest.mark.parametrize("bad", ["2027-02-29T09:00:00Z", "2100-02-29T09:00:00Z", "2027-06-30T23:58:60Z", "2027-06-30T24:00:00Z",
                                 "10000-01-01T00:00:00Z", "2027-06-31T09:00:00Z", "2027-06-30T23:59:61Z"])
def test_no_such_time(person, bad):
    someone = person().log_in()
    assert fields(events(someone, start_time=bad)) == ["start_time"]
    assert "start" in fields(cal(someone, "POST", "/events", {"subject": "s", "start": bad, "end": "2099-01-01T00:00:00Z"}))


def series(day, count):
    """Every day at nine in Berlin."""
    at = {"dateTime": f"{day}T09:00:00", "timeZone": "Europe/Berlin"}
    return event("nine", start=at, end={**at, "dateTime": f"{day}T09:30:00"},
                 recurrence={"pattern": {"type": "daily", "interval": 1},
                             "range": {"type": "numbered", "startDate": day, "numberOfOccurrences": count}})


@pytest.mark.promise(SECTION, "Over an edge of summer time a daily event stays at its hour, and a day of 23 or 25 hours is whole")
@pytest.mark.parametrize("first, edge, before, after, span", [
    ("2027-03-27", "2027-03-28", "+01:00", "+02:00", 23), ("2027-10-30", "2027-10-31", "+02:00", "+01:00", 25)])
def test_edges_of_summer_time(person, first, edge, before, after, span):
    someone = person().connect()
    someone.stack.sim.add_events(someone.user, series(first, 3))
    year, month, day = edge.split("-")
    whole = {"start_time": f"{first}T00:00:00{before}", "end_time": f"{year}-{month}-{int(day) + 1:02d}T00:00:00{after}"}
    if edge == "2027-10-31":
        whole["end_time"] = f"2027-11-01T00:00:00{after}"
    found = events(someone, **whole, timezone="Europe/Berlin")
    assert subjects(found) == ["nine"] * 2
    assert [one["start"]["dateTime"][:19] for one in found.body["events"]] == [f"{first}T09:00:00", f"{edge}T09:00:00"]
    in_utc = events(someone, **whole).body["events"]
    assert [one["start"]["dateTime"][11:13] for one in in_utc] == [f"{9 - int(zone[2]):02d}" for zone in (before, after)]
    found = events(someone, **{**whole, "start_time": f"{edge}T00:00:00{before}"})
    assert subjects(found) == ["nine"]
    asked_for = query_of("/?" + asked(someone)[-1]["raw_query"])
    hours = [int(asked_for[name][8:10]) * 24 + int(asked_for[name][11:13]) for name in ("startDateTime", "endDateTime")]
    assert hours[1] - hours[0] == span
