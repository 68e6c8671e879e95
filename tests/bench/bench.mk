# SPDX-License-Identifier: MIT
# What `make bench` measures against; built by `make check` too, so that it does not rot.
MEASURING = tests/bench/floor tests/bench/delay tests/bench/fernet
check_PROGRAMS += $(MEASURING)
tests_bench_floor_SOURCES = tests/bench/floor.c
tests_bench_floor_LDADD = $(CURL_LIBS) $(MARIADB_LIBS) $(FCGI_LIBS)
tests_bench_delay_SOURCES = tests/bench/delay.c
tests_bench_fernet_SOURCES = tests/bench/fernet.c
tests_bench_fernet_LDADD = $(PROTO)
# File by file: with the folder would come what has been built in it.
EXTRA_DIST += tests/bench/__init__.py tests/bench/bars.py tests/bench/large.py tests/bench/load.lua tests/bench/load.py \
	tests/bench/main.py tests/bench/micro.py tests/bench/micro.tsv tests/bench/place.py tests/bench/report.py tests/bench/run \
	tests/bench/spawn.py tests/bench/test_bench.py tests/bench/warm.py

# make bench BENCH='--only list,health --pairs 5'; without BENCH all of it, and docs/performance.md is written anew.
BENCH = --write
bench: $(MEASURING) graphgate.fcgi graphgatectl
	$(PYTHON) -B $(srcdir)/tests/bench/run --bin $(abs_builddir) $(BENCH)
.PHONY: bench
