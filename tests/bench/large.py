# SPDX-License-Identifier: MIT
"""Rows for a site that is large: many rows, many workers, many calendars."""

import statistics
import time

from bench.bars import EVENTS, Row
from bench.load import ask, connection, good, must, pairs, spread, wrk
from bench.place import Delayed, Site
from bench.spawn import rollup

USERS = 1000

# Rows of others, as short as they may be: the indexes are as deep, and the data is loaded in a minute.
_TOKENS = ("INSERT INTO microsoft_oauth_tokens (user_id, access_token, refresh_token, expires_at) SELECT seq, REPEAT('x', 100), REPEAT('y', 100),"
           " '2037-01-01' FROM seq_1_to_{count} WHERE seq % {step} <> 0")
_LIMITS = ("INSERT INTO rate_limits (k, win, used, prev, admitted, ends_at) SELECT name, FLOOR(UNIX_TIMESTAMP() / 60), 1, 0, 1, NOW() + INTERVAL 1 DAY"
           " FROM (SELECT CONCAT('calendar:main:', {first} + seq, '/60') AS name FROM seq_1_to_{count}) AS names ORDER BY name")
_SESSIONS = ("INSERT INTO refresh_families (family_id, current_id, realm, subject, expires_at) SELECT LPAD(seq, 22, 'f'), LPAD(seq, 22, 'c'), 'main', seq,"
             " NOW() + INTERVAL 7 DAY FROM seq_1_to_{count}")


def _fill(site, tokens, sessions):
    """Rows, of which those of the USERS that ask are spread evenly over all; the subjects that ask."""
    step = max(1, tokens // USERS)
    subjects = range(step, tokens + 1, step)
    site.connect(subjects)
    # Each asks about once a minute, which would be when its time of use is written: that is another row's.
    site.sql("UPDATE microsoft_oauth_tokens SET last_used_at = NOW() + INTERVAL 1 DAY")
    if step > 1:
        site.sql(_TOKENS.format(count=tokens, step=step))
    # The limits of those who ask are there after the first request of each.
    site.sql(_LIMITS.format(count=tokens, first=10 * tokens))
    site.sql(_SESSIONS.format(count=sessions))
    site.sql("ANALYZE TABLE microsoft_oauth_tokens, rate_limits, refresh_families")
    return subjects


def growth(place):
    """growth: the event list with many rows, against few."""
    many, sessions = place.many(1_000_000), place.many(100_000)
    few, full = place.new_site("few"), place.new_site("full")
    requests = {}
    for site, tokens, others in ((few, min(USERS, many), 1000), (full, many, sessions)):
        requests[site] = place.write(site.directory.name, site.requests(_fill(site, tokens, others)))
    for site in (few, full):
        wrk(site.url, requests[site], 4, 60, 2 * USERS)
    runs = pairs(place.pairs, lambda: good(wrk(few.url, requests[few], 1, place.seconds)), lambda: good(wrk(full.url, requests[full], 1, place.seconds)))
    ratios = [large.p50_ms / small.p50_ms for small, large in runs]
    for site in (few, full):
        place.end(site)
    return Row("growth", f"{many} token rows, {many} live rate-limit rows, {sessions} sessions: median time / with 1,000 rows", "≤ 1.15",
               spread(ratios), statistics.median(ratios) <= 1.15, f"{USERS} users who ask in turn, one client; the other rows are short")


def slow_graph(place):
    """slow: Graph answers in 1 s, 500 workers, 500 clients, and a database that takes 151 connections, its default."""
    count, rate = place.many(500), place.many(450)
    graph = place.keep(Delayed(place.directory / "second", place.bin_dir, 1000).start())
    mariadb = place.new_mariadb("narrow", "--max-connections=151")
    # What README.md says of more workers than the database has connections.
    site = place.keep(Site(place.directory / "slow", place.bin_dir, graph, mariadb, workers=count, settings={"DATABASE_CONNECTION": "shared"}).start())
    site.connect(place.subjects)
    requests = place.write("slow", site.requests(place.subjects))
    wrk(site.url, requests, count, place.long(5))
    run = wrk(site.url, requests, count, place.long(20))
    pids = site.worker_pids()
    private = sum(sum(rollup(pid)[name] for name in ("Private_Clean", "Private_Dirty")) for pid in pids) / 1024
    failed = run.refused + run.broken
    # The first second of a run has no answer in it.
    found = (run.count - run.refused) / (run.seconds - 1)
    for one in (site, graph, mariadb):
        place.end(one)
    return Row("slow", f"Graph answering in 1 s, {count} workers, {count} clients; max_connections 151", f"≥ {rate} requests/s, ≤ 1 GB private, no error",
               f"{found:.0f} requests/s, {private:.0f} MB, {failed} errors of {run.count}", found >= rate and private <= 1024 and failed == 0,
               f"private memory, clean and dirty, of {len(pids)} processes")


def _timed(link, path, token):
    begin = time.monotonic()
    must(ask(link, path, token), 200)
    return time.monotonic() - begin


def wide(place):
    """wide: ten calendars of one user, against one, Graph at 200 ms."""
    graph = place.keep(Delayed(place.directory / "fifth", place.bin_dir, 200).start())
    site = place.keep(Site(place.directory / "wide", place.bin_dir, graph, place.mariadb, workers=1).start())
    subject = place.subjects[0]
    site.connect([subject])
    token, link = site.token(subject), connection(site.web.port)
    ranged = EVENTS + "?start_time=2027-03-01T00:00:00Z&end_time=2027-03-08T00:00:00Z"
    one, ten = (ranged + "".join(f"&calendar_id=calendar{number}" for number in range(count)) for count in (1, 10))
    what, bar = "wide read: ten calendars of one user, Graph at 200 ms: time / one calendar's", "≤ 3"
    try:
        must(ask(link, one, token), 200)
        before = graph.asked()
        answer = ask(link, ten, token)
        if answer[0] != 200 or graph.asked() - before < 10:
            return Row("wide", what, bar, "not built", False, f"ten calendar_id: answered {answer[0]}, Graph was asked {graph.asked() - before} times")
        runs = pairs(place.pairs, lambda: _timed(link, one, token), lambda: _timed(link, ten, token))
    finally:
        link.close()
        for made in (site, graph):
            place.end(made)
    ratios = [many / single for single, many in runs]
    return Row("wide", what, bar, spread(ratios), statistics.median(ratios) <= 3)
