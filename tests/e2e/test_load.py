# SPDX-License-Identifier: MIT
"""Four times more clients than workers, Graph at 300 ms, and a twentieth of its answers bad: for GRAPHGATE_LOAD_S seconds."""

import os
import random
import time
from collections import Counter

import pytest
from conftest import Person
from kit import expires_in
from trouble import Callers, kept

from stack.smoke import REALMS

LENGTH_S = int(os.environ.get("GRAPHGATE_LOAD_S") or 120)
WORKERS, CLIENTS = 4, 16
# One after the other, each with its own chance: together a twentieth.
FAULTS = [{"kind": "status", "status": 503, "body": ""}, {"kind": "reset", "when": "before"},
          {"kind": "status", "code": "TooManyRequests", "retry_after": 1}, {"kind": "slow_body", "over_ms": 2000},
          {"kind": "malformed", "name": "html"}]
# What Graph's faults may turn into; everything else is a wrong answer.
FAULTY = {(429, "microsoft_throttled"), (502, "microsoft_unavailable"), (504, "microsoft_timeout")}


class Client:
    """One person's page: lists, creates and reads, and knows what must be there."""

    def __init__(self, person, number):
        self.person = person
        self.sure, self.maybe, self.wrong = set(), set(), []
        self.kinds = []
        self._dice = random.Random(number)
        self._made = 0

    def __call__(self):
        kind = self._dice.choices(["list", "create", "user", "start", "calendars"], [5, 2, 3, 1, 2])[0]
        if self._dice.random() < 0.02:
            expires_in(self.person, 100)
        answer = getattr(self, kind)()
        self.kinds.append((kind, answer.status))
        return answer

    def _checked(self, answer, good, fact=lambda body: True):
        code = answer.body.get("code") if isinstance(answer.body, dict) else None
        if answer.status == good and fact(answer.body):
            return answer
        if answer.status == good or (answer.status, code) not in FAULTY:
            self.wrong.append((answer.status, str(answer.body)[:300]))
        return answer

    def list(self):
        """Every event that was created, none of anybody else's, none twice."""
        def is_right(body):
            found = [event["subject"] for event in body["events"]]
            return self.sure <= set(found) <= self.sure | self.maybe and len(found) == len(set(found))
        return self._checked(self.person.cal("GET", "/events?limit=1000"), 200, is_right)

    def create(self):
        """An event whose name tells whose it is."""
        self._made += 1
        name = f"{self.person.user}-{self._made}"
        answer = self._checked(self.person.cal("POST", "/events", {
            "subject": name, "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T09:30:00Z"}), 201, lambda body: body["event"]["subject"] == name)
        (self.sure if answer.status == 201 else self.maybe).add(name)
        return answer

    def user(self):
        """Needs no Graph: always good."""
        return self._checked(self.person.api("GET", "auth/microsoft/user"), 200,
                             lambda body: body["microsoft"]["connected"] and body["microsoft"]["email"] == f"{self.person.user}@example.com")

    def start(self):
        """Needs no Graph either."""
        return self._checked(self.person.api("GET", "auth/microsoft/"), 200, lambda body: "state=" in body["auth_url"])

    def calendars(self):
        """All of one's own calendars."""
        return self._checked(self.person.cal("GET"), 200, lambda body: body["event"]["default_calendar"]["isDefaultCalendar"])


def percentiles(times):
    """p50, p95, p99 and the longest, in seconds."""
    ordered = sorted(times)
    return [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.95, 0.99, 1)]


@pytest.mark.promise("faults/load", "Four clients a worker, Graph at 300 ms with 5% faults: no wrong answer, no crash, no stuck worker")
def test_load(make_stack, sim, measured, capsys):
    site = make_stack(workers=WORKERS)
    clients = [Client(Person(site, REALMS[number % 2]).connect(), number) for number in range(CLIENTS)]
    before, pids = kept(*[client.person for client in clients]), set(site.serving_pids())
    sim.faults(*[{"target": "graph", "percent": 1, "delay_ms": 300, **fault} for fault in FAULTS],
               {"target": "graph", "kind": "delay", "delay_ms": 300})
    with Callers(*clients) as callers:
        time.sleep(LENGTH_S)
    sim.clear_faults()
    assert not [wrong for client in clients for wrong in client.wrong]
    assert not [call for call in callers.calls if call.status == 0], callers.tally()
    # Everybody is still connected, and every worker answers: the same as before.
    assert [row[4] for row in kept(*[client.person for client in clients])] == [row[4] for row in before]
    assert {client.user().status for client in clients} == {200} and {client.list().status for client in clients} == {200}
    assert not [wrong for client in clients for wrong in client.wrong]
    # None has gone; mod_fcgid starts more when there is more to do.
    assert pids <= set(site.serving_pids()) and "signal=" not in site.logs()
    with capsys.disabled():
        _print_tables(callers, clients, measured)


def _print_tables(callers, clients, measured):
    kinds = Counter(kind for client in clients for kind in client.kinds)
    p50, p95, p99, longest = percentiles([call.took for call in callers.calls])
    total = len(callers.calls)
    print(f"\n{total} requests in {LENGTH_S} s, {CLIENTS} clients, {WORKERS} workers")
    print(f"latency: p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s, longest {longest:.2f} s")
    for (status, code), count in sorted(callers.tally().items(), key=str):
        print(f"{status} {code or 'ok':<24} {count:>6} {100 * count / total:6.2f} %")
    print("; ".join(f"{kind} {status}: {count}" for (kind, status), count in sorted(kinds.items())), flush=True)
    bad = sum(count for (_, code), count in callers.tally().items() if code)
    measured(f"{total} requests in {LENGTH_S} s: p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s, longest {longest:.2f} s; "
             f"{100 * bad / total:.1f} % told that Microsoft failed, none wrong")
