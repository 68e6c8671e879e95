# SPDX-License-Identifier: MIT
"""Apache with the sample configurations: mod_fcgid, and mod_proxy_fcgi to graphgate's own socket, unix or TCP."""

import os
import re
import signal

from . import web
from .web import BesideWorkers, Web

# A directive holds no comment: the mark stands on the line before it.
_MARKED = re.compile(r'^(?P<head># SET: (?P<name>\w+).*\nDefine \w+ +)(?P<value>"[^"\n]*"|\S+)(?P<rest>)$', re.M)


def _written(value):
    return f'"{value}"'


class Apache(Web):
    """What both samples have in common. As root, Apache insists on another account: it gets one that may read all."""

    end_signal = signal.SIGWINCH

    def command(self):
        words = [web.program("apache2", "apache2"), "-D", "FOREGROUND", "-f", self.config]
        if os.getuid() == 0:
            words = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups", "--inh-caps=-all,+dac_override",
                     "--ambient-caps=-all,+dac_override", *words]
        return words

    def check_command(self):
        return [*self.command()[:-4], "-t", "-f", self.config]

    def filled(self, text, values):
        return web.fill_in(text, values, _MARKED, _written)

    def values(self):
        return {
            "document_root": self.site["document_root"], "server_name": "localhost",
            "http": f"127.0.0.1:{self.port}", "https": f"127.0.0.1:{self.tls_port}",
            "certificate": self.certificate, "key": self.certificate.with_suffix(".key"), "run_dir": self.run,
            "error_log": self.error_log, "access_log": self.access_log,
        }


class ApacheFcgid(Apache):
    """mod_fcgid starts graphgate's processes, each of which serves by itself."""

    name, sample = "apache-fcgid", "apache-mod_fcgid.conf"
    # It has no queue, and starts a process when it needs one.
    spare = 8

    def values(self):
        return {**super().values(), "binary": self.site["binary"], "config_file": self.site["config_file"],
                "workers": self.site["workers"] + self.spare}


class ApacheProxyUnix(BesideWorkers, Apache):
    """mod_proxy_fcgi over a unix socket."""

    name, sample = "apache-proxy", "apache-mod_proxy_fcgi.conf"

    def values(self):
        where = f"fcgi://{self.socket}/" if self.listens_on == "tcp" else f"unix:{self.socket}|fcgi://graphgate/"
        return {**super().values(), "graphgate": where}


class ApacheProxyTcp(ApacheProxyUnix):
    """mod_proxy_fcgi over TCP."""

    listens_on = "tcp"
