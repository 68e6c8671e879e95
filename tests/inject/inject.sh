#!/bin/sh
# SPDX-License-Identifier: MIT
# promise: faults/worker: Any one allocation or system call that fails in JSON, crypto, HTTP, FastCGI or SQL gives no wrong answer
# The injector with a database, as `make check` runs it: from the build's folder, with $srcdir set. Skipped (77) where
# a sanitizer has the memory.
grep -q '^#define GG_SANITIZE 1' config.h && exit 77
exec /usr/bin/python3 -B "${srcdir:-.}/tests/unit/with_mariadb.py" tests/inject/inject
