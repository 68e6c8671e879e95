# SPDX-License-Identifier: MIT
"""One site on three hosts: three web servers with their workers, each with its own order of the cluster's nodes."""

import secrets
import sys
from pathlib import Path

from conftest import BUILD, Person
from galera import NODES, Cluster
from sim.client import Sim
from stack.stack import ROOT, Stack, fernet_key

NAME = "graphgate"


class Host(Stack):
    """A web server with workers. The database is the site's."""

    def __init__(self, site, number, config):
        super().__init__(site.directory / f"h{number}", BUILD, {**config, "DATABASE_URL": site.url(number)},
                         mariadb=site.cluster, sim=site.sim, workers=site.workers, database=NAME, server="lighttpd")
        self._site, self._number = site, number

    def _start_database(self):
        self.database = self._site.database

    def _migrate(self):
        """The site has done it."""

    def migrate(self, *arguments):
        """As an administrator of this host does; it may fail."""
        self._start_database()
        self._start_sim()
        self._configure()
        return self.ctl("migrate", *arguments, env={"DATABASE_URL": self._site.url(self._number, admin=True)}, check=False)


class Site:
    """Cluster, simulator and hosts, in one `with`."""

    def __init__(self, directory, config, workers=4):
        self.directory = Path(directory)
        self.workers = workers
        self.cluster = Cluster(self.directory / "db")
        self.sim = Sim(self.directory / "sim")
        self._config = {"TOKEN_ENCRYPTION_KEY": fernet_key(), "JWT_SECRET_KEY": secrets.token_urlsafe(36), **config}
        self.hosts = []
        self.database = None

    def __enter__(self):
        try:
            self.cluster.start()
            self.sim.start()
            self.database = self.cluster.create(NAME)
            self.hosts = [Host(self, i, self._config) for i in range(NODES)]
            for host in self.hosts:
                host.directory.mkdir(parents=True, exist_ok=True)
                # One name for all hosts, as a site has.
                host.redirect_uri = self.hosts[0].redirect_uri
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def serve(self):
        """Starts the hosts, once the database has its tables."""
        self.cluster.grant(NAME, ROOT / "sql" / "grants.sql")
        for host in self.hosts:
            host.start()

    def __exit__(self, *fault):
        for host in self.hosts:
            host.stop()
        self.sim.stop()
        self.cluster.stop()

    def url(self, host, admin=False):
        """DATABASE_URL of a host: it begins with the node of its own number."""
        return self.cluster.url(self.database.admin if admin else self.database.worker, host)

    def sql(self, text):
        """Rows of the site's database."""
        return self.cluster.rows(text, NAME)


def at(host, person):
    """The same person, at another host."""
    twin = Person.__new__(Person)
    twin.__dict__.update(person.__dict__)
    twin.stack, twin.site = host, host.url
    return twin
