# SPDX-License-Identifier: MIT
"""Where the web servers rightly differ, in one place, and which tests need not be repeated behind each of them."""

import http.client
import re

import pytest

# These talk to the program itself, or run graphgatectl: a web server is no part of them, but for tests with this word in
# their name. They are marked no_server.
WITHOUT_SERVER = {"test_addresses", "test_attack_headers", "test_audit", "test_audit_chain", "test_client_secret", "test_check",
                  "test_config", "test_connections", "test_ctl", "test_ctl_tokens", "test_ctl_users", "test_database",
                  "test_docs", "test_docs_encryption_at_rest", "test_explain", "test_faults_dns", "test_faults_growth",
                  "test_faults_hosts", "test_faults_worker", "test_install", "test_keys", "test_limits", "test_logs",
                  "test_metrics", "test_metrics_moves", "test_metrics_sum", "test_migrate", "test_monitoring", "test_openapi",
                  "test_operations_docs", "test_program", "test_rotation", "test_scaling", "test_seals", "test_settings", "test_token_policy",
                  "test_warm", "test_wide", "test_wide_faults"}
IN_SPITE = "web_server"

# Targets that a server refuses with its own 400: bytes that no URL can hold, and escapes that are none.
_NO_ESCAPE = "%(?![0-9A-Fa-f]{2})"
_REFUSED = {"nginx": f"{_NO_ESCAPE}|%00", "fcgid": f"{_NO_ESCAPE}|%00", "proxy-unix": f"{_NO_ESCAPE}|%00",
            "proxy-tcp": f"{_NO_ESCAPE}|%00"}

# A body above the server's own limit; mod_fcgid has one word for every body that it cannot read.
TOO_LARGE = {"fcgid": 400}
# More than 64 KiB of headers in lines of which none is too long. Apache has no limit for all of them together: behind
# mod_proxy_fcgi graphgate answers, mod_fcgid can pass no more than 64 KiB on.
MANY_HEADERS = {"lighttpd": 431, "nginx": 400, "fcgid": 500, "proxy-unix": 404, "proxy-tcp": 404}


# The longest files; begun first, they do not keep all others waiting at the end.
LONG = ("test_load", "test_faults_database", "test_faults_client", "test_faults_worker")


def mark(items):
    """Marks those of pytest's items that no web server is a part of, and puts the long ones first."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))
    for item in items:
        if item.path.stem in WITHOUT_SERVER and IN_SPITE not in item.name:
            item.add_marker(pytest.mark.no_server)


def is_refused(stack, method, path, headers=None):
    """Whether this target is one that the server refuses itself; if so, that it does, and that graphgate never saw it."""
    found = re.search(_REFUSED.get(stack.server, "(?!)"), path.partition("?")[0])
    if not found:
        return False
    link = http.client.HTTPConnection("127.0.0.1", stack.web.port, timeout=30)
    try:
        link.request(method, path, None, headers or {})
        reply = link.getresponse()
        assert reply.status in (400, 404) and reply.headers["X-Request-ID"] is None, (reply.status, path)
    finally:
        link.close()
    return True
