# SPDX-License-Identifier: MIT
"""The rows of the table: what is measured, its bar, what was found, whether it holds."""

import json
import re
import statistics
import subprocess
from collections import namedtuple

from bench import spawn
from bench.load import Wrong, ask, connection, good, must, pairs, spread, wrk
from bench.place import EVENTS, HEALTH, LIST

# holds is None where there is nothing to judge yet.
Row = namedtuple("Row", "name what bar found holds note", defaults=("",))

CLIENTS, WARM = 16, 1
WRITE = json.dumps({"subject": "A new one", "start": "2027-03-01T09:00:00Z", "end": "2027-03-01T09:30:00Z"}).encode()
COUNTERS = ("Questions", "Com_admin_commands", "Com_stmt_prepare", "Com_stmt_execute")
ROUND_TRIPS = ("Questions", "Com_admin_commands", "Com_stmt_prepare")
# An answer of Graph's whose every event would look different once parsed and written again.
ODD = ['{"id":"a" , "start":{"dateTime":"2027-03-01T09:00:00.0000000","timeZone":"UTC"},"subject":"caf\\u00e9 \\/ \\u2603","n":1.50e+01}',
       '{"start":{"dateTime":"2027-03-01T10:00:00.0000000","timeZone":"UTC"},\n\t"z":1,"id":"b","a":[ ],"big":12345678901234567890.10}',
       '{ "id" : "c", "start":{"dateTime":"2027-03-01T11:00:00.0000000","timeZone":"UTC"}, "empty" : { }, "text":"\\ud83d\\ude00 and \U0001f600" }']


def _load(place, url, requests, clients):
    return good(wrk(url, requests, clients, place.seconds))


def _ratios(place, requests, clients, floor, site=None):
    """graphgate's runs and the floor's, in pairs; both are warm."""
    ours = (site or place.site).url
    for url in (floor.url, ours):
        wrk(url, requests, clients, WARM)
    return pairs(place.pairs, lambda: _load(place, floor.url, requests, clients), lambda: _load(place, ours, requests, clients))


def _throughputs(runs):
    return [(ours.count / ours.seconds) / (floor.count / floor.seconds) for floor, ours in runs]


def throughput(place):
    """list: throughput of the event list, 16 clients, against the floor."""
    runs = _ratios(place, place.requests, CLIENTS, place.floor)
    ratios = _throughputs(runs)
    middle = statistics.median(ratios)
    rate = statistics.median(floor.count / floor.seconds for floor, _ in runs)
    return Row("list", f"list events, 10 of 1.5 KB, {CLIENTS} clients, {place.site.workers} workers, limits in {place.engine}: throughput / floor",
               "≥ 0.65; aim 0.80", spread(ratios), middle >= 0.65, f"the floor made {rate:.0f} requests/s")


def innodb(place):
    """innodb: the same with the limits in InnoDB, as a migration without options leaves them."""
    runs = _ratios(place, place.requests_of(place.plain), CLIENTS, place.floor, place.plain)
    place.end(place.plain)
    return Row("innodb", "the same with the limits in InnoDB: throughput / floor", "-", spread(_throughputs(runs)), None)


def alike(place):
    """alike: throughput of a bare program that asks the database what graphgate asks it, against the floor."""
    for url in (place.floor.url, place.alike.url, place.site.url):
        wrk(url, place.requests, CLIENTS, WARM)
    runs = [[_load(place, url, place.requests, CLIENTS) for url in (place.floor.url, place.alike.url, place.site.url)] for _ in range(place.pairs)]
    rates = [[run.count / run.seconds for run in one] for one in runs]
    return Row("alike", f"a bare program that asks the database the same in graphgate's place, {CLIENTS} clients, limits in {place.engine}: "
               "throughput / floor", "-",
               spread([bare / floor for floor, bare, _ in rates]), None,
               f"graphgate's throughput / this program's: {spread([ours / bare for _, bare, ours in rates])}")


def added(place):
    """one: the time that graphgate adds for one client."""
    runs = _ratios(place, place.requests, 1, place.floor)
    ratios = [(ours.p50_ms - floor.p50_ms) / floor.p50_ms for floor, ours in runs]
    middle = statistics.median(ratios)
    return Row("one", f"graphgate again, one client, limits in {place.engine}: added time / the floor's median", "≤ 0.25", spread(ratios), middle <= 0.25,
               f"the floor's median was {statistics.median(floor.p50_ms for floor, _ in runs):.2f} ms")


def health(place):
    """health: throughput of the health check, against the floor that only answers."""
    runs = _ratios(place, place.health, CLIENTS, place.answer)
    ratios = _throughputs(runs)
    return Row("health", f"health ({HEALTH}), {CLIENTS} clients: throughput / the floor that only answers", "≥ 0.80",
               spread(ratios), statistics.median(ratios) >= 0.80)


def _counters(place):
    rows = place.mariadb.rows("SHOW GLOBAL STATUS WHERE Variable_name IN ('" + "', '".join(COUNTERS) + "')")
    return {name: int(value) for name, value in rows}


def _round_trips(place, call, count=100):
    """Commands of one call that a client waits for, by MariaDB's own counters; those of reading the counters are taken off."""
    for _ in range(10):
        call()
    first, second = _counters(place), _counters(place)
    for _ in range(count):
        call()
    third = _counters(place)
    grown = {name: third[name] - second[name] - (second[name] - first[name]) for name in COUNTERS}
    return sum(grown[name] for name in ROUND_TRIPS) / count, ", ".join(f"{name} {grown[name] / count:.2f}" for name in COUNTERS)


def database(place):
    """database: round trips of a warm read and of a warm write."""
    site, subject = place.single, place.subjects[0]
    token, link = site.token(subject), connection(site.web.port)
    try:
        read, read_note = _round_trips(place, lambda: must(ask(link, LIST, token), 200))
        write, write_note = _round_trips(place, lambda: must(ask(link, EVENTS, token, WRITE), 201))
    finally:
        link.close()
    return Row("database", "database round trips of a warm calendar read / write", "≤ 2 / 2; aim 1", f"{read:.2f} / {write:.2f}",
               read < 2.1 and write < 2.1, f"a call by MariaDB's counters: read {read_note}; write {write_note}")


def rebuilt(place):
    """bytes: what of the events is not as Graph sent it."""
    site, subject = place.single, place.subjects[0]
    link = connection(site.web.port)
    try:
        body = must(ask(link, EVENTS + "?calendar_id=odd", site.token(subject)), 200)
    finally:
        link.close()
    sent = [text.encode() for text in ODD]
    wrong = sum(len(one) for one in sent if one not in body)
    if len(json.loads(body)["events"]) != len(sent):
        raise Wrong(f"{len(sent)} events were sent: {body.decode()}")
    return Row("bytes", "bytes of Graph's events that are parsed and rebuilt", "none", f"{wrong} of {sum(map(len, sent))}", wrong == 0,
               "looked for byte by byte: events with odd white space, escapes, numbers and order, that any rewriting would change. "
               "The page is read once, to check it and to find where each event begins and ends")


def fernet(place):
    """fernet: against OpenSSL alone."""
    done = subprocess.run([place.bin_dir / "tests/bench/fernet", str(place.pairs)], capture_output=True, text=True, check=True).stdout
    ways = {way: [float(value) for value in re.findall(rf"^{way} (\S+)$", done, re.M)] for way in ("encrypt", "decrypt")}
    return Row("fernet", "Fernet, a 2 KB token: time / AES-128-CBC + HMAC-SHA256 + base64 of the same bytes by OpenSSL", "≤ 1.3",
               "; ".join(f"{way} {spread(values)}" for way, values in ways.items()),
               all(statistics.median(values) <= 1.3 for values in ways.values()))


def memory(place):
    """memory: private dirty memory of a worker after 10,000 requests."""
    site = place.lasting
    count = place.many(10000)
    good(wrk(site.url, place.requests_of(site), 4, 600, count))
    kib = spawn.rollup(site.serving_pids()[0])["Private_Dirty"]
    return Row("memory", f"private dirty memory of a worker after {count} requests", "≤ 1.5 MB", f"{kib / 1024:.2f} MB", kib <= 1.5 * 1024,
               "one worker with --max-requests out of reach; Private_Dirty of its smaps_rollup")


def start(place):
    """start: a worker spawned, to its first answer, a list of events."""
    site, subject = place.single, place.subjects[0]
    ours = spawn.Start(place.directory / "start", [site.bin_dir / "graphgate.fcgi"], site.conf_file)
    floor = spawn.Start(place.directory / "start-floor", [place.bin_dir / "tests/bench/floor", "--workers", "1"], place.floor.conf_file)
    request = f"{LIST}&user={subject}", site.token(subject)
    for one in (ours, floor):
        one.measure(*request)
    runs = pairs(2 * place.pairs, lambda: floor.measure(*request), lambda: ours.measure(*request))
    times = [mine for _, mine in runs]
    return Row("start", "cold start of a worker: spawn to the first answer (a list of events)", "≤ 30 ms", spread(times, "{:.1f}") + " ms",
               statistics.median(times) <= 30, f"the floor's: {spread([other for other, _ in runs], '{:.1f}')} ms; "
               f"ratio {spread([mine / other for other, mine in runs])}")
