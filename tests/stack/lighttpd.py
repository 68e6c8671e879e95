# SPDX-License-Identifier: MIT
"""lighttpd with the sample configuration: that very file, with only its lines marked "SET:" filled in."""

import re

from . import web
from .web import PASSED_ON, SAMPLES, Web

SAMPLE = SAMPLES / "lighttpd.conf"

_MARKED = re.compile(r'^(?P<head>[^#"=\n]*=\s*|\s*"[^"\n]*"\s*=>\s*)(?P<value>"[^"\n]*"|\d+|\([^)\n]*\))'
                     r'(?P<rest>,?\s*# SET: (?P<name>\w+).*)$', re.M)


def _written(value):
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(_written(str(item)) for item in value) + " )"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def fill_in(text, values):
    """lighttpd's configuration text with the marked values replaced."""
    return web.fill_in(text, values, _MARKED, _written)


class Lighttpd(Web):
    """One lighttpd, spawning the supervisor and its workers."""

    name, sample = "lighttpd", SAMPLE.name

    def command(self):
        return [web.program("lighttpd", "lighttpd"), "-D", "-f", self.config]

    def check_command(self):
        return [web.program("lighttpd", "lighttpd"), "-tt", "-f", self.config]

    def filled(self, text, values):
        return fill_in(text, values)

    def values(self):
        uploads = self.directory / "uploads"
        uploads.mkdir(parents=True, exist_ok=True)
        return {
            **self.site, "workers": str(self.site["workers"]),
            "bind": "127.0.0.1", "port": self.port, "tls_address": f"127.0.0.1:{self.tls_port}",
            "certificate": self.certificate, "key": self.certificate.with_suffix(".key"),
            "username": "", "groupname": "", "pid_file": self.run / "lighttpd.pid",
            "socket": self.run / "graphgate.socket", "upload_dirs": [uploads],
            "error_log": self.error_log, "access_log": self.access_log, "copy_environment": PASSED_ON,
        }
