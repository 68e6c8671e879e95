# SPDX-License-Identifier: MIT
"""The documents for operators, command by command, on a site of their own."""

import subprocess

import pytest

from conftest import BUILD, NO_LIMITS, Person
from kit import wait_for
from stack.smoke import REALMS
from stack.stack import Stack
from walk import Shell, blocks


@pytest.fixture(scope="module")
def site(tmp_path_factory, mariadb, sim):
    with Stack(tmp_path_factory.mktemp("operated"), BUILD, NO_LIMITS, mariadb=mariadb, sim=sim) as stack:
        yield stack


@pytest.fixture
def shell(site, tmp_path):
    """The documents' commands on that site: DATABASE_URL is what its configuration says."""
    return Shell(tmp_path / "sh", site.mariadb, {"graphgatectl": BUILD / "graphgatectl"},
                 {**site.env, "DB": site.database.name, "SITE": site.url})


def connected(site):
    """A person of each realm, connected to Microsoft."""
    return [Person(site, realm).connect() for realm in REALMS]


def test_backup_and_restore(site, shell, tmp_path):
    """After a dump, a loss of everything and the restore, tokens decrypt and calendars are shown; what came later is gone."""
    steps, people = blocks("backup.md"), connected(site)
    certificate, private = tmp_path / "backup.pem", tmp_path / "backup.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "2", "-subj", "/CN=backup", "-keyout", private,
                    "-out", certificate], check=True, capture_output=True)
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "graphgate.conf").write_bytes(site.conf_file.read_bytes())
    shell.env |= {"BACKUP": str(tmp_path / "backup"), "SECRETS": str(tmp_path / "secrets"), "ETC": str(etc), "RECIPIENT": str(certificate),
                  "PRIVATE": str(private)}
    before = [person.row("*") for person in people]
    shell.run(steps["dump"])
    shell.run(steps["secrets"])
    dump, = (tmp_path / "backup").iterdir()
    secrets, = (tmp_path / "secrets").iterdir()
    for path in (dump, secrets):
        assert path.stat().st_mode & 0o77 == 0
    assert people[0].row("access_token")[0].encode() not in dump.read_bytes()
    late = Person(site, REALMS[0]).connect()
    site.mariadb.sql(f"DROP DATABASE {site.database.name}")
    (etc / "graphgate.conf").unlink()
    assert people[0].cal("GET").status == 503
    shell.run(steps["read"], FROM=dump, SECRETS_FROM=secrets)
    assert (etc / "graphgate.conf").read_bytes() == site.conf_file.read_bytes()
    shell.run(steps["load"])
    told = shell.run(steps["check"], GRAPHGATE_CONFIG=etc / "graphgate.conf")
    assert "pending" not in told and "failed" not in told
    assert shell.run(steps["try"]) == "the key fits\n"
    assert [person.row("*") for person in people] == before
    for person in people:
        assert wait_for(lambda one=person: one.cal("GET", "/events").status == 200)
    assert late.cal("GET").status == 401
    assert [path for path in (tmp_path / "backup").iterdir()] == [dump], "nothing in clear is left"
