# SPDX-License-Identifier: MIT
"""A Galera cluster of three private MariaDB servers on loopback, each client port behind a relay that can be cut."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from stack.mariadb import MariaDB
from stack.process import StartError, wait_until
from trouble import Relay

PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so", "/usr/lib/libgalera_smm.so")
NODES = 3


def provider():
    """The library that makes a cluster of servers."""
    found = next((path for path in PROVIDERS if Path(path).exists()), None)
    if not found:
        raise StartError("Galera's library is not installed (Debian: apt-get install galera-4)")
    return found


def _free_ports(count):
    """Ports that nobody listens on, all different. Below the range that outgoing connections take theirs from."""
    found, port = [], 20000 + os.getpid() % 5000
    while len(found) < count:
        port += 1
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


class Node(MariaDB):
    """One server of the cluster. Its state is copied from the first one's, so that no transfer of all of it is needed."""

    def __init__(self, directory, name, group, transfer, others):
        self._wsrep = [
            f"--wsrep-provider={provider()}", "--wsrep-on=ON", "--wsrep-cluster-name=graphgate",
            f"--wsrep-cluster-address=gcomm://{','.join(f'127.0.0.1:{port}' for port in others)}",
            f"--wsrep-node-name={name}", "--wsrep-node-address=127.0.0.1", "--wsrep-sst-method=local",
            "--wsrep-provider-options=" + ";".join((
                f"gmcast.listen_addr=tcp://127.0.0.1:{group}", f"base_port={group}", f"ist.recv_addr=127.0.0.1:{transfer}",
                "gcache.size=64M")),
            "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-slave-threads=2"]
        super().__init__(directory)
        self.name = name
        self.relay = Relay(self.port)

    def _arguments(self):
        return [*super()._arguments(), *self._wsrep]

    def install(self):
        """Only the system tables."""
        self._install()

    def position(self):
        """UUID:SEQNO up to where this server's data goes, from InnoDB itself: after a kill no file has it."""
        done = subprocess.run([*map(str, self._arguments()), "--wsrep-recover"], capture_output=True, text=True, check=False)
        found = re.findall(r"Recovered position:? ?([0-9a-f-]{36}:-?\d+)", done.stdout + done.stderr)
        if not found:
            raise StartError(f"{self.name}: no position to recover: {(done.stdout + done.stderr)[-2000:]}")
        return found[-1]

    def come_back(self):
        """Starts after a kill, and gets what it missed from the others."""
        return self.start(f"--wsrep-start-position={self.position()}")

    def status(self, name):
        """One of Galera's status words."""
        try:
            return dict(self.rows("SHOW STATUS LIKE 'wsrep%'")).get(f"wsrep_{name}", "")
        except RuntimeError:
            return ""

    def is_member(self, size=NODES):
        """Whether it serves in a cluster of that size."""
        return (self.status("ready"), self.status("cluster_size"), self.status("local_state_comment")) == ("ON", str(size), "Synced")

    def isolate(self, alone):
        """Cuts it off from the other servers, or lets it back; its clients still reach it."""
        self.sql(f"SET GLOBAL wsrep_provider_options='gmcast.isolate={int(alone)}'")

    def _answers(self):
        try:
            return self.sql("SELECT 1") == "1\n" and self.status("ready") == "ON"
        except RuntimeError:
            return False


class Cluster:
    """Three nodes. What a Stack asks of its database goes to the first living one."""

    def __init__(self, directory):
        self.directory = Path(directory).resolve()
        meet = self.directory / "sst"
        meet.mkdir(parents=True, exist_ok=True)
        os.environ["PATH"] = f"{Path(__file__).resolve().parent}:{os.environ['PATH']}"
        os.environ["GRAPHGATE_SST"] = str(meet)
        ports = _free_ports(2 * NODES)
        self.nodes = [Node(self.directory / f"n{i}", f"n{i}", ports[2 * i], ports[2 * i + 1], ports[::2]) for i in range(NODES)]

    def start(self):
        """The first alone, to have a state; the others with a copy of that."""
        first = self.nodes[0]
        first.install()
        first.start("--wsrep-new-cluster")
        first.stop()
        for node in self.nodes[1:]:
            node.directory.mkdir(parents=True, exist_ok=True)
            shutil.copytree(first.data, node.data)
        first.start("--wsrep-new-cluster")
        for node in self.nodes[1:]:
            node.start()
        self.wait(NODES)
        return self

    def stop(self):
        """All of them, the first last."""
        for node in reversed(self.nodes):
            node.relay.down()
            if node.pid:
                node.isolate(False)
            node.stop()

    def wait(self, size, timeout_s=60):
        """Until all are one cluster."""
        if not wait_until(lambda: all(node.is_member(size) for node in self.nodes), timeout_s):
            raise StartError("no cluster: " + "; ".join(
                f"{node.name} {node.status('cluster_status')} {node.status('local_state_comment')}" for node in self.nodes))

    def living(self):
        """A node that serves."""
        return next(node for node in self.nodes if node.status("ready") == "ON")

    def conflicts(self):
        """How often a node took back what another had written as well."""
        return sum(int(node.status(name)) for node in self.nodes for name in ("local_cert_failures", "local_bf_aborts"))

    def url(self, user, first=0):
        """DATABASE_URL by way of the relays, beginning with one of the nodes."""
        head, _, rest = self.nodes[0].tcp_url(user).rpartition("@")
        order = [self.nodes[(first + i) % NODES] for i in range(NODES)]
        return f"{head}@{','.join(f'127.0.0.1:{node.relay.port}' for node in order)}/{rest.partition('/')[2]}"

    def create(self, name):
        """An empty database with its two accounts, on all nodes."""
        return self.nodes[0].create(name)

    def grant(self, database, grants_file):
        """As MariaDB.grant."""
        self.nodes[0].grant(database, grants_file)

    def rows(self, text, db=None):
        """Rows from a node that serves, and has all that was written before."""
        return self.living().rows("SET SESSION wsrep_sync_wait=7; " + text, db)
