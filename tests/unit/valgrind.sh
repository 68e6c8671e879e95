#!/bin/sh
# SPDX-License-Identifier: MIT
# Unit test programs under valgrind, as `make check-valgrind` runs them: $VALGRIND_TESTS names them. Errors of memory
# and definite leaks fail; what a library keeps to its end does not.
set -u
passed=0 failed=0
CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-10}
export CK_TIMEOUT_MULTIPLIER
for program in $VALGRIND_TESTS; do
    case $program in
    */base_arena) continue ;; # looks at each byte of megabytes: minutes
    */app_heap) continue ;; # is itself what valgrind would stand in for
    esac
    if valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --child-silent-after-fork=no \
        "$program" >"$program.valgrind" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $program"
        tail -n 40 "$program.valgrind"
    fi
done
echo "valgrind: $passed passed, $failed failed"
[ "$failed" = 0 ]
