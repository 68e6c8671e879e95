# SPDX-License-Identifier: MIT
# Instructions of the hot rooms against tests/bench/micro.tsv; MICRO=--write renews this machine's rows.
EXTRA_PROGRAMS = tests/bench/micro
tests_bench_micro_SOURCES = tests/bench/micro.c
tests_bench_micro_CPPFLAGS = $(AM_CPPFLAGS) -DMICRO_COMPILER='"$(CC) $(CFLAGS)"'
tests_bench_micro_LDADD = $(FLOW)
MICRO =
check-micro: tests/bench/micro
	MICRO='$(MICRO)' MICRO_PROGRAM=$(abs_builddir)/tests/bench/micro \
	    $(PYTHON) -B $(srcdir)/tests/unit/with_mariadb.py $(abs_top_srcdir)/tests/bench/micro.py
.PHONY: check-micro
