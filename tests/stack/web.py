# SPDX-License-Identifier: MIT
"""What the web servers have in common: the sample with its marked values filled in, a TLS port, the logs, the workers."""

import datetime
import ipaddress
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .process import Child, StartError, drop_socket_dir, free_port, socket_dir

SAMPLES = Path(__file__).resolve().parents[2] / "httpd-conf"
WORKER = "graphgate.fcgi"

# What a test build reads besides: reports and counters of the sanitizers and of the coverage run.
PASSED_ON = ("PATH", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LLVM_PROFILE_FILE",
             "GCOV_PREFIX", "GCOV_PREFIX_STRIP")
_MARK = re.compile(r"# SET: (\w+)")


def program(name, package):
    """A server's path: Debian keeps it in /usr/sbin, which an ordinary user's PATH may lack."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise StartError(f"{name} is not installed (Debian package: {package})")
    return found


def fill_in(text, values, marked, written):
    """The configuration text with the marked values replaced; every name must be marked exactly once.

    marked finds head, value, rest and name of a marked setting; written(value) is the value as the server reads it.
    """
    missing, places = set(values), []

    def fill(found):
        places.append(found["name"])
        if found["name"] not in values:
            return found[0]
        missing.remove(found["name"])
        return found["head"] + written(values[found["name"]]) + found["rest"]

    filled = marked.sub(fill, text)
    bare = set(_MARK.findall(text)) - set(places)
    if bare or len(_MARK.findall(text)) != len(places):
        raise ValueError("marked, but where no value is: " + ", ".join(sorted(bare)))
    if missing:
        raise ValueError("not marked in the configuration: " + ", ".join(sorted(missing)))
    return filled


def make_certificate(directory):
    """A certificate for loopback that vouches for itself, and its key: two PEM files."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.datetime.utcnow(), datetime.timedelta(days=1)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + 30 * day)
            .add_extension(names, False).sign(key, hashes.SHA256()))
    paths = directory / "certificate.pem", directory / "certificate.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].touch(0o600)
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return paths


class Web:
    """One web server in the foreground on two loopback ports, http and https, from its sample, with graphgate behind it.

    site holds binary, config_file, workers and document_root; paths, ports and the account have values of their own
    here. A kind of server names itself, says how its sample is filled in, and which command runs it.
    """

    name = sample = None
    end_signal = signal.SIGTERM

    def __init__(self, directory, site, port=None, tls_port=None):
        self.directory = Path(directory).resolve()
        self.port, self.tls_port = port or free_port(), tls_port or free_port()
        self.url, self.tls_url = f"http://127.0.0.1:{self.port}", f"https://127.0.0.1:{self.tls_port}"
        self.error_log, self.access_log = self.directory / "error.log", self.directory / "access.log"
        self.config = self.directory / f"{self.name}.conf"
        self.certificate = self.directory / "certificate.pem"
        self.site = dict(site)
        self._run = None
        self._child = Child(self.name, self.command(), self.directory)

    def command(self):
        """The words that run it in the foreground."""
        raise NotImplementedError

    def check_command(self):
        """The words that only check its configuration."""
        raise NotImplementedError

    def values(self):
        """{mark of the sample: value}; self.run is there."""
        raise NotImplementedError

    def filled(self, text, values):
        """The sample's text with these values."""
        raise NotImplementedError

    @property
    def run(self):
        """The directory for sockets and process ids."""
        return self._run

    @property
    def pid(self):
        """The server's process id, or None."""
        return self._child.pid

    def worker_pids(self):
        """The ids of graphgate's processes, a supervisor before its workers."""
        return [pid for pid in self._child.children() if _is_worker(pid)]

    def serving_pids(self):
        """The ids of those of them that serve requests."""
        pids = self.worker_pids()
        parents = {_parent(pid) for pid in pids}
        return [pid for pid in pids if pid not in parents]

    def write_config(self):
        """Writes the configuration and all that it names."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._run = socket_dir(self.directory)
        make_certificate(self.directory)
        text = (SAMPLES / self.sample).read_text(encoding="utf-8")
        self.config.write_text(self.filled(text, self.values()), encoding="utf-8")

    def start(self, env=None):
        """Writes the configuration, starts the server and waits until it answers. On failure the log's end is told."""
        self.write_config()
        self.start_workers(env)
        self._child.start(env)
        try:
            self._child.wait_for(lambda: self._answers(self.url) and self._answers(self.tls_url))
        except StartError as fault:
            raise StartError(f"{fault}\n{self.logs()[-4000:]}") from None
        return self

    def start_workers(self, env):
        """What must be there before the server; where the server itself starts graphgate, nothing."""

    def stop(self):
        """Ends the server and graphgate; a worker finishes the request in hand."""
        self._child.stop(self.end_signal)
        if self._run:
            drop_socket_dir(self._run, self.directory)
            self._run = None

    def kill(self):
        """SIGKILL to the server, then graphgate is ended."""
        self._child.kill()

    def log_files(self):
        """Where the server and the workers write."""
        return [self._child.log, self.error_log, self.access_log]

    def logs(self):
        """All that the server and the workers wrote."""
        return "".join(log.read_text(errors="replace") for log in self.log_files() if log.exists())

    def trust(self):
        """What a client needs to believe the server over TLS."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def _answers(self, url):
        context = self.trust() if url.startswith("https:") else None
        try:
            with urllib.request.urlopen(url + "/", timeout=5, context=context):
                return True
        except urllib.error.HTTPError as answer:
            answer.close()
            return True
        except OSError:
            return False


class BesideWorkers(Web):
    """A web server that connects to a graphgate that was started beside it, with --listen."""

    listens_on = "unix"

    def __init__(self, directory, site, port=None, tls_port=None):
        super().__init__(directory, site, port, tls_port)
        self._fcgi_port = free_port() if self.listens_on == "tcp" else None
        self._worker = None

    @property
    def socket(self):
        """Where graphgate listens: a path, or host and port."""
        return f"127.0.0.1:{self._fcgi_port}" if self._fcgi_port else str(self.run / "graphgate.socket")

    def worker_pids(self):
        """The ids of the supervisor and of its workers."""
        return [self._worker.pid, *self._worker.children()] if self._worker and self._worker.alive() else []

    def write_config(self):
        """Also which command runs graphgate."""
        super().write_config()
        where = self.socket if self._fcgi_port else f"unix:{self.socket}"
        self._worker = Child("graphgate", [self.site["binary"], "--listen", where, "--workers", self.site["workers"]],
                             self.directory)

    def start_workers(self, env):
        """graphgate, with little of the environment."""
        kept = {name: value for name, value in (os.environ if env is None else env).items() if name in PASSED_ON}
        self._worker.start({**kept, "GRAPHGATE_CONFIG": str(self.site["config_file"])})
        self._worker.wait_for(self._listens)

    def _listens(self):
        """Whether graphgate takes connections: until then the server would say that there is nobody."""
        family, where = (socket.AF_INET, ("127.0.0.1", self._fcgi_port)) if self._fcgi_port else (socket.AF_UNIX, self.socket)
        with socket.socket(family, socket.SOCK_STREAM) as link:
            return link.connect_ex(where) == 0

    def stop(self):
        """The server, then graphgate."""
        self._child.stop(self.end_signal)
        if self._worker:
            self._worker.stop()
        super().stop()

    def kill(self):
        """SIGKILL to the server, then graphgate is ended."""
        super().kill()
        if self._worker:
            self._worker.stop()

    def log_files(self):
        """graphgate has a log of its own."""
        return [*super().log_files(), self.directory / "graphgate.log"]


def _is_worker(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() == WORKER
    except OSError:
        return False


def _parent(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return None


def account():
    """Who the tests run as."""
    return pwd.getpwuid(os.getuid()).pw_name
