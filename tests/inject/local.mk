# SPDX-License-Identifier: MIT
# Failing allocations and calls to the system, under the operations of ext/; not in a sanitizer's build, whose own
# malloc stands there.
if HAVE_CHECK
check_PROGRAMS += tests/inject/inject
TESTS += tests/inject/inject.sh
endif
EXTRA_DIST += tests/inject/inject.sh
tests_inject_inject_SOURCES = tests/inject/run.c tests/inject/ops.c tests/inject/asserts.c tests/inject/inject.c tests/inject/inject.h tests/inject/ops.h
tests_inject_inject_LDADD = libunit.a $(PROTO)
