# SPDX-License-Identifier: MIT
"""Whom a limit by address counts: REMOTE_ADDR, and X-Forwarded-For where a trusted proxy vouches for it."""

import itertools

import pytest

LIMIT = "RATE_LIMIT_OAUTH_CALLBACK"
V4, V6 = "203.0.113.7", "2001:db8:1:2::7"


@pytest.fixture
def ask(program, stack):
    """ask(remote, forwarded, trusted): what is left for that caller; two that are one caller count down together."""
    workers, stack_sql = {}, stack.sql
    stack_sql("DELETE FROM rate_limits")

    def call(remote, forwarded=None, trusted=None):
        if trusted not in workers:
            workers[trusted] = program(TRUSTED_PROXIES=trusted, **{LIMIT: "50/3600"})
        parameters = {"REMOTE_ADDR": remote, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {})}
        answer = workers[trusted].ask("GET", "/api/v1/auth/microsoft/callback", parameters)
        assert answer.status == 400
        return int(answer.headers["RateLimit-Remaining"])

    yield call
    stack_sql("DELETE FROM rate_limits")


def is_same(ask, first, *rest):
    """Whether these calls count as one caller; each is (remote, forwarded, trusted). None counted before."""
    left = [ask(*one) for one in (first, *rest)]
    assert left[0] == 49
    return left == [49 - number for number in range(len(left))]


def is_each_another(ask, *calls):
    return [ask(*one) for one in calls] == [49] * len(calls)


def test_remote_addresses_are_apart(ask):
    assert is_same(ask, (V4,), (V4,))
    assert is_each_another(ask, ("203.0.113.8",), ("198.51.100.7",))


@pytest.mark.parametrize("trusted", [None, "198.51.100.0/24", "2001:db8:ffff::/48"])
def test_a_header_of_nobody_trusted_is_ignored(ask, trusted):
    assert is_same(ask, (V4, None, trusted), (V4, "192.0.2.1", trusted), (V4, "192.0.2.2, 192.0.2.3", trusted))


@pytest.mark.parametrize("trusted", ["10.0.0.0/8", "10.1.2.3", "192.0.2.0/24,10.0.0.0/8", "::1/128, 10.1.0.0/16"])
def test_a_trusted_proxy_is_believed(ask, trusted):
    assert is_same(ask, ("10.1.2.3", V4, trusted), ("10.1.2.3", V4, trusted), (V4, None, trusted))
    assert is_each_another(ask, ("10.1.2.3", "203.0.113.9", trusted), ("10.1.2.3", None, trusted))


def test_read_from_right_to_left(ask):
    """What stands left of the first address that is no proxy of ours, anybody may have written."""
    trusted = "10.0.0.0/8"
    assert is_same(ask, ("10.0.0.1", V4, trusted), ("10.0.0.1", f"192.0.2.66, {V4}", trusted),
                   ("10.0.0.1", f"192.0.2.67,{V4} , 10.0.0.9", trusted), ("10.0.0.1", f"10.0.0.2, {V4},10.0.0.8,10.0.0.9", trusted))


def test_a_spoofed_header_gives_no_new_counter(ask):
    trusted = "10.0.0.0/8"
    calls = [("10.0.0.1", f"192.0.2.{number}, {V4}", trusted) for number in range(5)]
    assert is_same(ask, *calls)


def test_all_of_them_proxies_is_the_leftmost(ask):
    assert is_same(ask, ("10.0.0.1", "10.0.0.7, 10.0.0.8", "10.0.0.0/8"), ("10.0.0.7", None, "10.0.0.0/8"))


@pytest.mark.parametrize("junk", ["nonsense", "", " ", ",", "203.0.113.7.8", "unknown", "a" * 3000, "'; DROP TABLE x"])
def test_junk_stops_at_the_last_address_that_is_known(ask, junk):
    trusted = "10.0.0.0/8"
    assert is_same(ask, ("10.0.0.1", f"{V4}, {junk}, 10.0.0.5", trusted), ("10.0.0.5", None, trusted))


def test_an_address_with_a_port(ask):
    trusted = "10.0.0.0/8"
    assert is_same(ask, ("10.0.0.1", V4, trusted), ("10.0.0.1", f"{V4}:4711", trusted))
    assert is_same(ask, ("10.0.0.1", V6, trusted), ("10.0.0.1", f"[{V6}]:4711", trusted), ("10.0.0.1", f"[{V6}]", trusted))


def test_ipv6_counts_by_its_64(ask):
    trusted = "::1"
    assert is_same(ask, (V6,), ("2001:db8:1:2::8",), ("2001:0DB8:1:2:ffff:ffff:ffff:ffff",), ("::1", "2001:db8:1:2::9", trusted))
    assert is_each_another(ask, ("2001:db8:1:3::7",), ("2001:db8:2:2::7",))


def test_ipv4_inside_ipv6_is_ipv4(ask):
    assert is_same(ask, (V4,), (f"::ffff:{V4}",))
    assert is_each_another(ask, ("::ffff:203.0.113.8",))


def test_ipv6_proxies(ask):
    trusted = "2001:db8:ffff::/48"
    assert is_same(ask, ("2001:db8:ffff::1", V4, trusted), ("2001:db8:ffff:1::2", f"{V4}, 2001:db8:ffff::3", trusted))


@pytest.mark.parametrize("network, inside, outside", [
    ("10.0.0.0/9", "10.127.255.255", "10.128.0.0"), ("10.0.0.8/29", "10.0.0.15", "10.0.0.16"),
    ("10.0.0.1/32", "10.0.0.1", "10.0.0.2"), ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1")])
def test_where_a_network_ends(ask, network, inside, outside):
    assert is_same(ask, (inside, V4, network), (V4, None, network))
    assert ask(outside, V4, network) == 49


def test_every_address_is_trusted(ask):
    everybody = "0.0.0.0/0,::/0"
    assert is_same(ask, ("198.51.100.1", V4, everybody), *itertools.repeat(("198.51.100.2", V4, everybody), 2))
