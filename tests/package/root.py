# SPDX-License-Identifier: MIT
"""A bare Debian 12 in a folder, by debootstrap, entered by chroot. Nothing is mounted, and no service starts in it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

SUITE = "bookworm"
QUIET = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
# What apt is told on this machine of how to reach its sources.
PASSED_ON = re.compile(r'^Acquire::(?:http|https|Retries|Check-Valid-Until|Check-Date|Languages)\b.*', re.M)


class RootError(Exception):
    """A command failed; the message ends with what it said."""


def run(*words, check=True, **rest):
    """A command with its output as text, errors beside it."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False, errors="replace", **rest)
    if check and done.returncode != 0:
        raise RootError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout[-6000:]}")
    return done


def sources():
    """{(address, codename): components} of Debian's own archives that this machine's apt knows for the suite."""
    found = known_sources()
    if not found and os.geteuid() == 0:   # a machine whose lists were never fetched, or were cleared away
        run("apt-get", "-q", "update")
        found = known_sources()
    if not any(codename == SUITE for _, codename in found):
        raise RootError(f"apt knows no archive of Debian {SUITE} here: run apt-get update first.")
    return found


def known_sources():
    """The same by the lists that are there."""
    form = "$(REPO_URI)|$(CODENAME)|$(COMPONENT)"
    found = {}
    for label in ("Debian", "Debian-Security"):
        out = run("apt-get", "indextargets", "--format", form, "Created-By: Packages", f"Label: {label}").stdout
        for line in out.splitlines():
            address, codename, component = line.split("|")
            if codename.split("-")[0] == SUITE:
                found.setdefault((address.rstrip("/"), codename), set()).add(component)
    return found


class Root:
    """The root below a folder: made once, kept as a tarball beside it, unpacked anew for every run."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.path = self.folder / "root"
        self.base = self.folder / f"base-{SUITE}.tar"
        self.debs = self.folder / "debs"

    def lay(self):
        """A fresh one."""
        if os.geteuid() != 0:
            raise RootError("The package's test makes a root of its own, and only root may do that: run it as root.")
        if not shutil.which("debootstrap"):
            raise RootError("debootstrap is not installed (Debian package: debootstrap).")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.remove()
        if not self.base.exists():
            self._bootstrap()
            self.remove()
        self.path.mkdir()
        run("tar", "-C", self.path, "-xf", self.base)
        self._adapt()
        return self

    def remove(self):
        """Takes it away, unless something is mounted in it."""
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
        if f" {self.path}/" in mounts or f" {self.path} " in mounts:
            raise RootError(f"Something is mounted below {self.path}: unmount it first.")
        shutil.rmtree(self.path, ignore_errors=True)

    def _bootstrap(self):
        mirror = next(address for address, codename in sources() if codename == SUITE)
        words = run("apt-config", "shell", "p", "Acquire::http::Proxy").stdout.strip()
        proxy = {"http_proxy": words[3:-1]} if words.startswith("p='") else {}
        run("debootstrap", "--variant=minbase", SUITE, self.path, mirror, env={**os.environ, **QUIET, **proxy})
        part = self.base.with_suffix(".part")
        run("tar", "-C", self.path, "-cf", part, ".")
        part.rename(self.base)

    def _adapt(self):
        lines = [f"deb {address} {codename} {' '.join(sorted(components))}\n"
                 for (address, codename), components in sorted(sources().items())]
        (self.path / "etc/apt/sources.list").write_text("".join(lines), encoding="utf-8")
        told = PASSED_ON.findall(run("apt-config", "dump").stdout)
        (self.path / "etc/apt/apt.conf.d/90machine").write_text(
            "".join(line + "\n" for line in told) + 'APT::Keep-Downloaded-Packages "true";\n', encoding="utf-8")
        # It need not outlive a power cut.
        (self.path / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n", encoding="utf-8")
        policy = self.path / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.path / "etc" / name)
        self.debs.mkdir(exist_ok=True)
        for deb in self.debs.glob("*.deb"):
            shutil.copy(deb, self.path / "var/cache/apt/archives")
        self.run("apt-get", "-q", "update")

    def run(self, *words, user=None, check=True, env=None):
        """A command in it."""
        become = [f"--userspec={user}:{user}"] if user else []
        return run("chroot", *become, self.path, *words, check=check, env={**QUIET, **(env or {})})

    def install(self, *packages):
        """By apt, with what they depend on and nothing else; what is downloaded is kept for the next time."""
        done = self.run("apt-get", "-qy", "install", "--no-install-recommends", *packages)
        for deb in (self.path / "var/cache/apt/archives").glob("*.deb"):
            if not (self.debs / deb.name).exists():
                shutil.copy(deb, self.debs)
        return done.stdout

    def read(self, name):
        """A file's text."""
        return (self.path / name).read_text(encoding="utf-8")

    def change(self, name, *pairs):
        """Replaces texts in a file, each of which must be there."""
        text = self.read(name)
        for old, new in pairs:
            assert old in text, f"{name} has no {old}"
            text = text.replace(old, new)
        (self.path / name).write_text(text, encoding="utf-8")

    def files(self):
        """Every path in it, from its top."""
        found = set()
        for place, folders, names in os.walk(self.path):
            found |= {os.path.relpath(os.path.join(place, name), self.path) for name in folders + names}
        return found

    def owned(self):
        """The paths that belong to an installed package; those below a moved folder under both of its names."""
        names = set()
        for listing in (self.path / "var/lib/dpkg/info").glob("*.list"):
            names |= {line.strip("/") for line in listing.read_text(encoding="utf-8").splitlines()}
        return names | {"usr/" + name for name in names if name.split("/")[0] in ("bin", "sbin", "lib", "lib64")}
