# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC3013,SC2034  # -nt: dash, bash and busybox have it
# What demo.sh and check.sh share: missing packages, and the build in build/. Read with ".", from the project's root.

python=/usr/bin/python3   # Debian's, which has Debian's modules; another python3 may stand first in PATH
policy=/usr/sbin/policy-rc.d

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# packages SECTION...: the names in those sections of the list.
packages() {
    for section in "$@"; do
        sed -n "/^\[$section\]/,/^\[/{/^[a-z]/p;}" tests/stack/packages
    done
}

# missing SECTION...: those that are not installed.
missing() {
    for package in $(packages "$@"); do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
    done
}

forbid_services() {
    restore_policy   # after a run that was killed
    if [ -e "$policy" ]; then mv "$policy" "$policy.graphgate-saved"; fi
    printf '#!/bin/sh\n# graphgate: no service starts while its packages are installed\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_policy() {
    if grep -qs '^# graphgate: ' "$policy"; then rm -f "$policy"; fi
    if [ -e "$policy.graphgate-saved" ]; then mv "$policy.graphgate-saved" "$policy"; fi
}

# need SECTION...: installs what is missing as root, else prints the line that does.
# No service is started by that: while apt-get runs, policy-rc.d forbids it, and a web server is taken out of the
# boot sequence when it was not installed before. What stood in policy-rc.d's place comes back afterwards.
need() {
    command -v dpkg-query >/dev/null || die "This script installs packages of Debian 12; see README.md for others."
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    mkdir -p build
    if [ "$(id -u)" != 0 ]; then
        say "Packages are missing. Run this line, then $0 again:" >&2
        say "    sudo apt-get update && sudo apt-get install --no-install-recommends $wanted" >&2
        exit 1
    fi
    say "Installing: $wanted"
    trap restore_policy EXIT
    trap 'exit 1' HUP INT TERM
    forbid_services
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of words
    { apt-get -q update && apt-get -qy install --no-install-recommends $wanted; } \
        >build/apt.log 2>&1 || { tail -n 20 build/apt.log >&2; die "apt-get failed: see build/apt.log."; }
    for server in lighttpd apache2 nginx prometheus; do
        case " $wanted" in
        *" $server "*) keep_from_boot "$server" ;;
        esac
    done
    restore_policy
    trap - EXIT HUP INT TERM
}

# unpack PACKAGE VERSION: its files below build/packages/PACKAGE, without installing it; nothing of it runs or starts.
unpack() {
    place=build/packages/$1
    [ "$(cat "$place/version" 2>/dev/null)" != "$2" ] || return 0
    rm -rf "$place"
    mkdir -p "$place"
    (cd "$place" && apt-get -q download "$1=$2" || { apt-get -q update && apt-get -q download "$1=$2"; }) >build/apt.log 2>&1 \
        || { tail -n 20 build/apt.log >&2; die "apt-get download $1=$2 failed."; }
    dpkg -x "$place"/*.deb "$place" && rm -f "$place"/*.deb && printf '%s\n' "$2" >"$place/version"
}

keep_from_boot() {
    if command -v systemctl >/dev/null; then
        systemctl --quiet disable "$1" 2>/dev/null || true
    elif command -v update-rc.d >/dev/null; then
        update-rc.d "$1" disable >/dev/null 2>&1 || true
    fi
}

# bootstrap: makes ./configure when it is missing or older than what it is made from.
bootstrap() {
    if [ ! -e configure ] || [ ! -e Makefile.in ] || [ configure.ac -nt configure ] \
        || [ Makefile.am -nt Makefile.in ]; then
        mkdir -p build build-aux m4
        autoreconf -fi >build/autoreconf.log 2>&1 || { cat build/autoreconf.log >&2; die "autoreconf failed."; }
    fi
}

# configure_in DIRECTORY ARGUMENT...: configures there, unless that has been done since ./configure was made.
configure_in() {
    directory=$1; shift
    mkdir -p "$directory"
    if [ ! -e "$directory/Makefile" ] || [ configure -nt "$directory/config.status" ]; then
        root=$(pwd)
        (cd "$directory" && "$root/configure" --quiet "$@") || die "configure failed in $directory."
    fi
}

# build: everything in build/, without installing.
build() {
    bootstrap
    configure_in build
    make -s -C build -j"$(nproc)" || die "The build failed."
}
