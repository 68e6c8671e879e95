#!/bin/sh
# SPDX-License-Identifier: MIT
# The unit tests that need a database, as `make check` runs them: $DB_TESTS names them.
exec /usr/bin/python3 -B "${srcdir:-.}/tests/unit/with_mariadb.py" $DB_TESTS
