# SPDX-License-Identifier: MIT
"""What the tests of the metrics share: reading the text of /metrics, and what changed in it."""

import re
from collections import Counter

TOKEN = "a-token-for-the-scraper"
TYPE = "text/plain; version=0.0.4; charset=utf-8"
AUTHORIZATION = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """{(name, frozenset of labels): number} of an exposition; names lose their prefix."""
    samples = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, number = _SAMPLE.fullmatch(line).groups()
            key = name.removeprefix("graphgate_"), frozenset(_LABEL.findall(labels or ""))
            assert name.startswith("graphgate_") and key not in samples, line
            samples[key] = float(number)
    return samples


def total(samples, name, **labels):
    """The sum of all series of that name that have these labels."""
    wanted = set(labels.items())
    return sum(number for (found, have), number in samples.items() if found == name and wanted <= have)


def scrape(program):
    """The samples that a Program gives its scraper."""
    answer = program.ask("GET", "/metrics", AUTHORIZATION)
    assert (answer.status, answer.headers["Content-Type"]) == (200, TYPE), answer
    return parse(answer.body)


class Moves:
    """with Moves(program) as moved: … moved(name, label="…") is by how much the counters have risen in the block."""

    def __init__(self, program):
        self._program = program
        self._before = self._after = None

    def __enter__(self):
        self._before = scrape(self._program)
        return self

    def __exit__(self, *fault):
        self._after = scrape(self._program)

    def __call__(self, name, **labels):
        return total(self._after, name, **labels) - total(self._before, name, **labels)

    def only(self, name):
        """{its labels' values, sorted by the labels' names: by how much}, of the series that have risen."""
        risen = Counter()
        for (found, labels), number in self._after.items():
            if found == name and number != self._before.get((found, labels), 0):
                risen[tuple(value for _, value in sorted(labels))] += number - self._before.get((found, labels), 0)
        return dict(risen)
