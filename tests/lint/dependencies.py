# SPDX-License-Identifier: MIT
"""The libraries that it is built with, their versions on this machine, and the known advisories that those are past.

Prints a line for each advisory and exits 1 when one is open; --markdown prints the table of SECURITY.md. An advisory is
closed by upstream's version, or by the version of Debian 12's package that has the fix in an older upstream version.
"""

import re
import subprocess
import sys
from collections import namedtuple

# name, pkg-config's name (None: it has none there), Debian's package.
Library = namedtuple("Library", "name module package")
# library, number, upstream's version with the fix, Debian 12's package with it, what it is to graphgate.
Advisory = namedtuple("Advisory", "library number upstream debian meaning")

LIBRARIES = (
    Library("libfcgi", None, "libfcgi0ldbl"),
    Library("libcurl", "libcurl", "libcurl4"),
    Library("OpenSSL", "libcrypto", "libssl3"),
    Library("MariaDB Connector/C", "libmariadb", "libmariadb3"),
    Library("json-c", "json-c", "libjson-c5"),
)
ADVISORIES = (
    Advisory("libfcgi", "CVE-2025-23016", "2.4.5", "2.4.2-2+deb12u1",
             "heap overflow by lengths of parameters: whoever reaches the FastCGI socket"),
    Advisory("libcurl", "CVE-2023-38545", "8.4.0", "7.88.1-10+deb12u4", "heap overflow with a SOCKS5 proxy of the environment"),
    Advisory("libcurl", "CVE-2024-2398", "8.7.0", "7.88.1-10+deb12u6", "memory leak by HTTP/2 server push"),
    Advisory("libcurl", "CVE-2024-7264", "8.9.1", "7.88.1-10+deb12u7", "reads past a date in a certificate; not with OpenSSL"),
    Advisory("libcurl", "CVE-2024-11053", "8.11.1", "7.88.1-10+deb12u10",
             "password of a .netrc sent to another host; neither .netrc nor redirects are used"),
    Advisory("OpenSSL", "CVE-2022-3602", "3.0.7", "3.0.7-1", "stack overflow by an address in a certificate"),
    Advisory("OpenSSL", "CVE-2023-0286", "3.0.8", "3.0.8-1", "type confusion in GeneralName, with revocation lists"),
    Advisory("OpenSSL", "CVE-2023-5363", "3.0.12", "3.0.11-1~deb12u2", "key lengths given as parameters; not used"),
    Advisory("OpenSSL", "CVE-2024-6119", "3.0.15", "3.0.14-1~deb12u2", "crash when a certificate's name is compared"),
    Advisory("json-c", "CVE-2020-12762", "0.15", "0.14+dfsg-1", "integer overflow with very large texts; bodies are capped"),
)


def output(*command):
    """What a command prints, or nothing where it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def version_of(library):
    """(upstream's version, Debian's version or nothing) as installed."""
    debian = output("dpkg-query", "-W", "-f", "${Version}", library.package)
    upstream = output("pkg-config", "--modversion", library.module) if library.module else ""
    return upstream or re.sub(r"^\d+:|-[^-]*$", "", debian), debian


def numbers(version):
    """A version as numbers, to be compared."""
    return [int(part) for part in re.findall(r"\d+", version)]


def is_closed(advisory, upstream, debian):
    """Whether these versions have the fix."""
    if upstream and numbers(upstream) >= numbers(advisory.upstream):
        return True
    compare = ["dpkg", "--compare-versions", debian, "ge", advisory.debian]
    return bool(debian) and subprocess.run(compare, check=False).returncode == 0


def table():
    """The table of SECURITY.md."""
    print("| library | built and tested with | advisory | fixed in | Debian 12 | what it would be here |\n"
          "|---|---|---|---|---|---|")
    for library in LIBRARIES:
        upstream, debian = version_of(library)
        rows = [row for row in ADVISORIES if row.library == library.name]
        for row in rows or [Advisory(library.name, "none by name", "", "", "kept at the newest of Debian's security updates")]:
            print(f"| {row.library} | {upstream} ({debian}) | {row.number} | {row.upstream} | {row.debian} | {row.meaning} |")


def self_test():
    """An old version is found out, a new one and a mended one are not."""
    row = ADVISORIES[0]
    wanted = {("2.4.2", ""): False, ("2.4.5", ""): True, ("2.4.10", ""): True, ("", ""): False,
              ("2.4.2", "2.4.2-2"): False, ("2.4.2", "2.4.2-2+deb12u1"): True, ("3.0.0", "2.4.2-2"): True}
    failed = [versions for versions, closed in wanted.items() if is_closed(row, *versions) != closed]
    print(f"dependencies self-test: {len(wanted) - len(failed)} passed, {len(failed)} failed {failed or ''}")
    return 1 if failed else 0


def main():
    """The command line."""
    if "--self-test" in sys.argv:
        return self_test()
    if "--markdown" in sys.argv:
        table()
        return 0
    versions = {library.name: version_of(library) for library in LIBRARIES}
    still_open = [row for row in ADVISORIES if not is_closed(row, *versions[row.library])]
    for row in ADVISORIES:
        upstream, debian = versions[row.library]
        state = "OPEN" if row in still_open else "closed"
        print(f"{row.library} {upstream} ({debian or 'no package'}): {row.number} {state}, fixed in {row.upstream}, {row.debian}")
    print(f"dependencies: {len(ADVISORIES) - len(still_open)} passed, {len(still_open)} failed")
    return 1 if still_open else 0


if __name__ == "__main__":
    sys.exit(main())
