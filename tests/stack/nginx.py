# SPDX-License-Identifier: MIT
"""nginx with the sample configuration, connecting to graphgate's own socket."""

import re

from . import web
from .web import BesideWorkers

# The first word after a directive's name.
_MARKED = re.compile(r'^(?P<head>\s*[a-z_]+\s+)(?P<value>"[^"\n]*"|[^;\s]+)(?P<rest>[^;\n]*;\s*# SET: (?P<name>\w+).*)$', re.M)


def _written(value):
    return str(value) if re.fullmatch(r"[\w./:-]+", str(value)) else f'"{value}"'


class Nginx(BesideWorkers):
    """One nginx, and graphgate beside it on a unix socket."""

    name, sample = "nginx", "nginx.conf"

    def command(self):
        return [web.program("nginx", "nginx"), "-e", self.error_log, "-c", self.config, "-g", "daemon off;"]

    def check_command(self):
        return [web.program("nginx", "nginx"), "-t", "-e", self.error_log, "-c", self.config]

    def filled(self, text, values):
        return web.fill_in(text, values, _MARKED, _written)

    def values(self):
        temporary = {name: self.directory / name for name in (
            "body_temp", "fastcgi_temp", "proxy_temp", "scgi_temp", "uwsgi_temp")}
        return {
            **temporary, "document_root": self.site["document_root"], "graphgate": f"unix:{self.socket}",
            "username": web.account(), "http": f"127.0.0.1:{self.port}", "https": f"127.0.0.1:{self.tls_port}",
            "certificate": self.certificate, "key": self.certificate.with_suffix(".key"),
            "pid_file": self.run / "nginx.pid", "error_log": self.error_log, "access_log": self.access_log,
        }
