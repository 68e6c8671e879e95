# SPDX-License-Identifier: MIT
"""Bodies that are refused: each fault by its field, all of them at once, and nothing reaches Graph."""

import json

import pytest
from kit import asked, cal, fields, is_problem, one

LEAST = {"subject": "s", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T09:30:00Z"}
EVENT = one("AAMkADk3AAAAAAAAAAAA")
MAX = 1024 * 1024

# Fields that are wrong in a creation (beside LEAST) and in an update alike, and what errors names.
WRONG = [
    *[({"subject": bad}, ["subject"]) for bad in ("", "x" * 256, "é" * 256, 7, ["s"], {"a": 1}, True)],
    *[({name: bad}, [name]) for name in ("start", "end")
      for bad in ("", "tomorrow", "2027-02-30T09:00:00Z", "2027-03-02T25:00:00Z", "2027-03-02 09:00:00", "2027-03-02T09:00:00+1",
                  "2027-03-02T09:00Z ", "20270302T090000Z", "2027-03-02T09:00:00Z'", 1804000000, ["x"], {"dateTime": "x"}, False)],
    ({"start": "2027-03-02T09:30:00Z", "end": "2027-03-02T09:30:00Z"}, ["end"]),
    ({"start": "2027-03-02T09:30:00Z", "end": "2027-03-02T10:00:00+01:00"}, ["end"]),
    ({"start": "2027-03-02T09:30:00", "end": "2027-03-02T09:00:00"}, ["end"]),
    ({"start": "2027-03-02T09:30:00", "end": "2027-03-02T09:00:00", "timezone": "Asia/Tokyo"}, ["end"]),
    ({"start": "2027-03-02", "end": "2027-03-02", "is_all_day": True}, ["end"]),
    ({"start": "2027-03-02", "end": "2027-03-03", "is_all_day": False}, ["start", "end"]),
    *[({"body": bad}, ["body"]) for bad in ("x" * 10001, "é" * 10001, 1, {"content": "x"}, ["x"])],
    *[({"body": "x", "body_type": bad}, ["body_type"]) for bad in ("HTML", "markdown", "", 1, ["html"])],
    *[({"location": bad}, ["location"]) for bad in ("x" * 256, 1, {"displayName": "x"})],
    *[({"attendees": bad}, ["attendees"]) for bad in (
        "a@example.org", {"a": 1}, ["nobody"], ["@example.org"], ["a@"], ["a@b@example.org"], ["a b@example.org"], [7], [None],
        [""], ["A <a@example.org>"], ["a@example.org\r\nBcc: b@example.org"], [{"email": "a@example.org"}],
        [f"a{number}@example.org" for number in range(101)], ["x" * 300 + "@example.org"])],
    *[({"is_all_day": bad}, ["is_all_day"]) for bad in ("true", 1, 0, "", [])],
    *[({"reminder_minutes": bad}, ["reminder_minutes"]) for bad in (-1, 20161, 1.5, "15", True, 10 ** 30, [])],
    *[({"subject": "s", "timezone": bad}, ["timezone"]) for bad in ("", "x" * 65, "Zürich", "a\nb", 'a"b', "a,b", "a;b", 1, [])],
    *[({"subject": "s", name: bad}, [name]) for name in ("unknown", "Subject", "id", "recurrence", "transactionId", "end_time", "")
      for bad in ("x", None)],
    ({"subject": "", "start": "x", "end": 5, "body": 1, "body_type": "x", "location": 2, "attendees": 3, "is_all_day": 4,
      "reminder_minutes": -5, "timezone": "ä", "one": 1, "two": None},
     ["subject", "start", "end", "body", "body_type", "location", "attendees", "is_all_day", "reminder_minutes", "timezone",
      "one", "two"]),
]
# Whole bodies of creations.
CREATE = [
    ({}, ["subject", "start", "end"]),
    ({"subject": None, "start": None, "end": None}, ["subject", "start", "end"]),
    ({"subject": "s", "start": LEAST["start"]}, ["end"]),
    ({"subject": "s", "end": LEAST["end"]}, ["start"]),
    ({"start": LEAST["start"], "end": LEAST["end"]}, ["subject"]),
    ({"timezone": "UTC"}, ["subject", "start", "end"]),
    ({"subject": "s", "start": "2027-03-02", "end": "2027-03-03"}, ["start", "end"]),
    ({"nonsense": 1, "subject": 5}, ["subject", "start", "end", "nonsense"]),
]
# Whole bodies of updates.
UPDATE = [
    ({"timezone": "UTC"}, ["timezone"]), ({"timezone": "UTC", "subject": None}, ["timezone"]),
    ({"nonsense": None}, ["nonsense"]), ({"subject": "s", "nonsense": None, "more": 1}, ["nonsense", "more"]),
]
# Nothing to change, or no object: 422, whatever field it is said to be.
NOTHING = [{}, {"subject": None}, {"subject": None, "start": None, "location": None}, [], [LEAST], "x", 7, None, True]


def ids(cases):
    return [f"{number}-{json.dumps(case[0])[:40]}" for number, case in enumerate(cases)]


@pytest.mark.parametrize("body, wanted", WRONG, ids=ids(WRONG))
def test_wrong_fields(person, body, wanted):
    someone = person().log_in()
    for method, below, whole in (("POST", "/events", {**LEAST, **body}), ("PATCH", EVENT, body), ("PUT", EVENT, body)):
        assert sorted(set(fields(cal(someone, method, below, whole)))) == sorted(wanted), method


@pytest.mark.parametrize("method, body, wanted", [
    *[("POST", *case) for case in CREATE], *[(method, *case) for method in ("PATCH", "PUT") for case in UPDATE]])
def test_wrong_bodies(person, method, body, wanted):
    below = "/events" if method == "POST" else EVENT
    assert sorted(fields(cal(person().log_in(), method, below, body))) == sorted(wanted)


@pytest.mark.parametrize("body", NOTHING, ids=str)
def test_nothing_to_change(person, body):
    someone = person().log_in()
    for method, below in (("POST", "/events"), ("PATCH", EVENT), ("PUT", EVENT)):
        assert fields(cal(someone, method, below, json.dumps(body).encode()))


def test_each_fault_has_a_sentence(person):
    body = is_problem(cal(person().log_in(), "POST", "/events", {"attendees": ["a", "b@example.org", "c"], "zzz": 1}),
                      422, "validation_failed")
    assert all(set(fault) == {"field", "detail"} and fault["detail"] for fault in body["errors"])
    assert len([fault for fault in body["errors"] if fault["field"] == "attendees"]) in (1, 2)


@pytest.mark.parametrize("header, method, below", [("Idempotency-Key", "POST", "/events"), ("If-Match", "PATCH", EVENT)])
def test_wrong_headers_beside_wrong_fields(person, header, method, below):
    answer = cal(person().log_in(), method, below, {**LEAST, "subject": ""}, {header: "x" * 256})
    assert sorted(fields(answer)) == sorted([header, "subject"])


def test_wrong_calendar_beside_wrong_fields(person):
    answer = cal(person().log_in(), "POST", "/events?calendar_id=..", {**LEAST, "subject": ""})
    assert sorted(fields(answer)) == ["calendar_id", "subject"]


WRITES = [("POST", "/events"), ("PATCH", EVENT), ("PUT", EVENT)]


@pytest.mark.parametrize("text", [
    b"", b" ", b"{", b'{"subject":"s"', b"{'subject':'s'}", b'{"subject":"s",}', b'{"subject":"s"}x', b'{"subject":"s"}{}',
    b'{"subject":"a","subject":"b"}', b'{"subject":"a","\\u0073ubject":"b"}', b'{"x":{"a":1,"a":2}}', b'{"subject":NaN}',
    b'{"subject":Infinity}', b'{"subject":"\xff"}', b'{"subject":"\xed\xa0\x80"}', b'{"subject":"a\nb"}',
    b'\xef\xbb\xbf{"subject":"s"}', b"{\0}", b"// c\n{}", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b"[" * 100000, b"nul",
    '{"subject":"s"}'.encode("utf-16")])
def test_not_well_formed(person, text):
    someone = person().log_in()
    for method, below in WRITES:
        is_problem(cal(someone, method, below, text), 400, "invalid_json")


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "application/jsonp", "text/json", "json", "application/merge-patch+json"])
def test_type_of_the_body(person, kind):
    someone = person().log_in()
    for method, below in WRITES:
        is_problem(cal(someone, method, below, LEAST, {"Content-Type": kind}), 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=UTF-8"])
def test_type_that_will_do(person, kind):
    answer = cal(person().log_in(), "POST", "/events", {}, {"Content-Type": kind})
    is_problem(answer, 422, "validation_failed")


@pytest.mark.parametrize("size, status, code", [(MAX, 422, "validation_failed"), (MAX + 1, 413, "payload_too_large"),
                                                (3 * MAX, 413, "payload_too_large")])
def test_size_of_the_body(person, size, status, code):
    someone = person().log_in()
    body = json.dumps({"subject": ""}).encode().ljust(size)
    assert len(body) == size
    for method, below in WRITES:
        is_problem(cal(someone, method, below, body), status, code)


def test_escaped_nul_goes_no_further_than_the_field(connected):
    """A NUL within a string is a character like others: nothing after it is lost."""
    answer = cal(connected, "POST", "/events", {**LEAST, "subject": "a\0b"})
    if answer.status == 201:
        assert asked(connected, method="POST")[-1]["body"]["subject"] == "a\0b"
    else:
        assert fields(answer) == ["subject"]


def test_nothing_of_it_reached_graph(connected):
    before = len(asked(connected))
    for body, _ in WRONG[:20]:
        cal(connected, "POST", "/events", {**LEAST, **body})
        cal(connected, "PATCH", EVENT, body)
    assert len(asked(connected)) == before


def test_zone_name_is_microsofts_to_judge(connected):
    body = is_problem(cal(connected, "POST", "/events", {
        "subject": "s", "start": "2027-03-02T09:00:00", "end": "2027-03-02T10:00:00", "timezone": "Europe/Atlantis"}),
        400, "microsoft_rejected")
    assert body["microsoft_code"] == "TimeZoneNotSupportedException"
