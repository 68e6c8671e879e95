# SPDX-License-Identifier: MIT
"""Every way of serving graphgate, by the name that GRAPHGATE_SERVER may have."""

import os

from .apache import ApacheFcgid, ApacheProxyTcp, ApacheProxyUnix
from .lighttpd import Lighttpd
from .nginx import Nginx

SERVERS = {"lighttpd": Lighttpd, "fcgid": ApacheFcgid, "proxy-unix": ApacheProxyUnix, "proxy-tcp": ApacheProxyTcp,
           "nginx": Nginx}


def chosen():
    """The name of the server that the tests run behind."""
    return os.environ.get("GRAPHGATE_SERVER") or "lighttpd"
