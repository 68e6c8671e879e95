#!/bin/sh
# SPDX-License-Identifier: MIT
# Every test. ./check.sh STAGE... runs only those; ./check.sh --list names them.
set -eu
cd "$(dirname "$0")"
. tests/stack/setup.sh

# One line a stage: name, what it shows, command.
stages='
unit      | unit tests                                 | make -s -C build check
lint      | layers, sizes, house rules, static checks  | make -s -C build lint
gcc       | gcc builds it without a warning            | warning_free gcc
clang     | clang builds it without a warning          | warning_free clang
harness   | simulated Microsoft, test stack, bench     | run_pytest tests/sim tests/stack tests/bench
e2e       | end to end: lighttpd, MariaDB, simulator   | proven tests/e2e
fcgid     | the same behind Apache with mod_fcgid      | behind fcgid tests/e2e
proxy-tcp | behind Apache with mod_proxy_fcgi, TCP     | behind proxy-tcp tests/e2e
pages     | the page behind nginx and mod_proxy_fcgi   | pages
asan      | ASan and UBSan; end to end behind nginx    | make -s -C build check-asan
cluster   | three Galera nodes and hosts, the short run | tests/cluster/run --short
coverage  | coverage; end to end, Apache, unix socket  | make -s -C build coverage
analyze   | gcc -fanalyzer, clang static analyzer      | make -s -C build analyze
micro     | instructions of the hot rooms, by callgrind  | make -s -C build check-micro
valgrind  | the shorter unit tests under valgrind      | make -s -C build check-valgrind-short
tsan      | what runs beside the resolver thread, TSan | make -s -C build check-tsan
fuzz      | each fuzzer: its seeds, then a short run   | make -s -C build fuzz FUZZ_RUNS=20000
package   | the package on a bare Debian; a home       | make -s -C build check-package
distcheck | the tarball builds, checks and installs    | make -s -C build distcheck
'

field() { printf '%s' "$1" | cut -d'|' -f"$2" | sed 's/^ *//; s/ *$//'; }
row() { printf '%s\n' "$stages" | grep "^$1 " || true; }
names() { printf '%s\n' "$stages" | sed -n 's/ *|.*//p'; }

run_pytest() { PYTHONPATH=tests "$python" -B tests/stack/steady.py "$PWD/build/check/failed" "$@"; }

# proven TEST...: notes what they prove, for docs/fill-proof.py.
proven() {
    GRAPHGATE_PROOF=$PWD/build/check/proof.jsonl
    export GRAPHGATE_PROOF
    rm -f "$GRAPHGATE_PROOF"
    run_pytest -n 3 --dist loadfile "$@"
}

# behind SERVER TEST...: what goes through a web server, but for the page's look, which is the same everywhere.
behind() {
    GRAPHGATE_SERVER=$1
    GRAPHGATE_LOAD_S=15
    export GRAPHGATE_SERVER GRAPHGATE_LOAD_S
    shift
    run_pytest -n 3 --dist loadfile -m 'not no_server' --ignore-glob='*/test_page_*.py' "$@"
}

pages() {
    behind nginx tests/e2e/test_page.py
    status=$?
    behind proxy-unix tests/e2e/test_page.py && return "$status"
}

warning_free() {
    configure_in "build/$1" CC="$1" --enable-werror \
        && make -s -C "build/$1" all \
        && make -s -C "build/$1" check TESTS=
}

# run_stage NAME: runs it, counts its tests, adds to the totals.
run_stage() {
    line=$(row "$1")
    log=build/check/$1.log
    printf '%-10s %-44s' "$1" "$(field "$line" 2)"
    : >"build/check/$1.start"
    began=$(date +%s)
    status=0
    # shellcheck disable=SC2091  # the command is the table's
    ($(field "$line" 3)) >"$log" 2>&1 </dev/null || status=$?
    # shellcheck disable=SC2046  # three numbers
    set -- "$1" $("$python" -B tests/stack/tally.py "$status" "$log" "build/check/$1.start" build)
    printf '%5d passed %3d failed %3d skipped %5d s\n' "$2" "$3" "$4" $(($(date +%s) - began))
    grep -a '^UNSTEADY ' "$log" | cut -c1-150 | sed 's/^/    /' || true
    passed=$((passed + $2))
    failed=$((failed + $3))
    if [ "$3" != 0 ]; then
        bad="$bad $1"
        tail -n 60 "$log" | sed 's/^/    /'
        grep -a -E '^(FAILED|ERROR|FAIL:) ' "$log" | cut -c1-150 | sed 's/^/    /' || true
        say "    (all of it: $log)"
    fi
}

case "${1-}" in
--list) names; exit 0 ;;
-*) say "usage: $0 [--list | STAGE...]" >&2; exit 2 ;;
esac
for name in "$@"; do
    [ -n "$(row "$name")" ] || die "no stage $name; there are: $(names | tr '\n' ' ')"
done

need build demo check cluster
build
mkdir -p build/check
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS GRAPHGATE_BUILD="$PWD/build"
passed=0 failed=0 bad=
[ $# != 0 ] || eval "set -- $(names | tr '\n' ' ')"
for name in "$@"; do
    run_stage "$name"
done

[ -z "$bad" ] || say "Failed stages:$bad"
say "$passed passed, $failed failed"
[ -z "$bad" ]
