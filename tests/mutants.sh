#!/bin/sh
# SPDX-License-Identifier: MIT
# Takes one defence after the other out of a copy of the program and shows that the test that names it fails then.
# The notes stand above the tests; mutants.py says how they look.
#     tests/mutants.sh            all of them
#     tests/mutants.sh PATTERN    those whose test or file matches
set -eu
cd "$(dirname "$0")/.."
root=$PWD
python=/usr/bin/python3
work=$root/build/mutants
pattern=${1-.}

rm -rf "$work"
mkdir -p "$work/tree" "$work/logs"
git ls-files -z 2>/dev/null | xargs -0 cp --parents -t "$work/tree" 2>/dev/null \
    || { echo "run it in a checkout" >&2; exit 1; }
cd "$work/tree"
autoreconf -fi >"$work/logs/autoreconf" 2>&1
mkdir build && cd build
../configure --quiet CFLAGS='-O0 -g'
make -s -j"$(nproc)" all >"$work/logs/make" 2>&1
cd "$root"

# is_caught KIND TEST: whether that very test runs and fails.
is_caught() {
    case $1 in
    e2e)
        cd "$work/tree"
        GRAPHGATE_BUILD="$work/tree/build" PYTHONPATH=tests \
            timeout 300 "$python" -B -m pytest -q -x -p no:cacheprovider "$2" >"$work/out" 2>&1 || true
        cat "$work/out"
        grep -q '^1 failed' "$work/out" ;;
    unit)
        cd "$work/tree/build"
        program=${2%%|*}
        make -s "$program" || return 1
        "$python" -B ../tests/unit/with_mariadb.py "$program" >"$work/out" 2>&1 || true
        cat "$work/out"
        grep -q -E ":[FE]:[^:]*:${2##*|}:" "$work/out" ;;
    esac
}

# build: what a test of that kind needs. A mutant that does not compile proves nothing.
build() { make -s -C "$work/tree/build" -j"$(nproc)" all >>"$1" 2>&1; }

caught=0 survived=0
"$python" -B tests/mutants.py list >"$work/list"
while read -r number kind test file <&3; do
    printf '%s %s\n' "$test" "$file" | grep -q -e "$pattern" || continue
    log=$work/logs/$number
    kept=$work/kept
    cp "$work/tree/$file" "$kept"
    result=survived
    if ! "$python" -B tests/mutants.py apply "$number" "$work/tree" 2>>"$log"; then
        result='is not there'
    elif ! build "$log"; then
        result='does not compile'
    elif (is_caught "$kind" "$test") >>"$log" 2>&1; then
        result=caught
    fi
    cp "$kept" "$work/tree/$file"
    printf '%-10s %s (%s)\n' "$result" "$test" "$file"
    if [ "$result" = caught ]; then caught=$((caught + 1)); else survived=$((survived + 1)); fi
done 3<"$work/list"

printf 'mutants: %d passed, %d failed\n' "$caught" "$survived"
[ "$survived" = 0 ] && [ "$caught" != 0 ]
