# SPDX-License-Identifier: MIT
# Slower looks at the program: threads, memory, analysers, fuzzers. Each builds in a folder of its own below the build.

# The unit tests of what libcurl's resolver thread runs beside.
TSAN_TESTS = tests/unit/ext_crypto tests/unit/ext_fcgi tests/unit/ext_http tests/unit/ext_json tests/unit/flow_ctx
TSAN_DB_TESTS = tests/unit/ext_db tests/unit/flow_graph tests/unit/flow_keyset tests/unit/flow_redeem tests/unit/flow_refresh
check-tsan:
	mkdir -p tsan
	test -e tsan/Makefile || (cd tsan && $(abs_top_srcdir)/configure --quiet --enable-sanitizers=thread CFLAGS='-O1 -g')
	$(MAKE) -C tsan $(TSAN_TESTS) $(TSAN_DB_TESTS)
	TSAN_OPTIONS=halt_on_error=1:exitcode=66 CK_TIMEOUT_MULTIPLIER=5 \
	    $(MAKE) -C tsan check TESTS='$(TSAN_TESTS) tests/unit/with_mariadb.sh' DB_TESTS='$(TSAN_DB_TESTS)'

# All of them, or those that are named.
VALGRIND_TESTS = $(PLAIN_TESTS)
VALGRIND_DB_TESTS = $(DB_TESTS)
check-valgrind:
	$(MAKE) $(VALGRIND_TESTS) $(VALGRIND_DB_TESTS)
	VALGRIND_TESTS='$(VALGRIND_TESTS)' $(abs_top_srcdir)/tests/unit/valgrind.sh
	test -z '$(VALGRIND_DB_TESTS)' || VALGRIND_TESTS='$(VALGRIND_DB_TESTS)' $(PYTHON) -B \
	    $(srcdir)/tests/unit/with_mariadb.py $(abs_top_srcdir)/tests/unit/valgrind.sh
# What takes seconds each, and reads what strangers send.
check-valgrind-short:
	$(MAKE) check-valgrind VALGRIND_DB_TESTS= VALGRIND_TESTS='$(VALGRIND_SHORT)'
VALGRIND_SHORT = tests/unit/ext_fcgi tests/unit/proto_address tests/unit/proto_b64 tests/unit/proto_fernet \
	tests/unit/proto_jwk tests/unit/proto_jwt tests/unit/proto_oauth tests/unit/proto_urlenc \
	tests/unit/web_request tests/unit/web_response

# gcc's analyser and clang's, over every source. Neither has a suppression.
analyze: config.h
	@for file in $(C_FILES); do case $$file in *.c) echo $$file;; esac; done | xargs -P 2 -I{} \
	    gcc -O1 -fanalyzer -Werror -c -o /dev/null $(LINT_FLAGS) $(srcdir)/{}
	@for file in $(C_FILES); do case $$file in *.c) echo $$file;; esac; done | xargs -P 2 -I{} \
	    clang --analyze -Xclang -analyzer-werror --analyzer-output text $(LINT_FLAGS) $(srcdir)/{}

# make fuzz FUZZ_RUNS=20000 FUZZ_ONLY=jwt,json; the corpus stays in the build.
FUZZ_RUNS = 10000000
FUZZ_ONLY =
fuzz-configure:
	mkdir -p fuzz
	test -e fuzz/Makefile || (cd fuzz && $(abs_top_srcdir)/configure --quiet CC=clang --enable-fuzzers)
fuzz: fuzz-replay
	$(MAKE) -C fuzz all
	$(PYTHON) -B $(srcdir)/tests/fuzz/run.py --build fuzz --runs $(FUZZ_RUNS) --only '$(FUZZ_ONLY)'
# The goal of 10,000,000 each is reached without sanitizers; what is new in it is run again with them.
fuzz-long: fuzz-configure
	$(MAKE) -C fuzz all
	mkdir -p fuzz-fast
	test -e fuzz-fast/Makefile || (cd fuzz-fast && $(abs_top_srcdir)/configure --quiet CC=clang CFLAGS='-O2 -g' --enable-fuzzers=fast)
	$(MAKE) -C fuzz-fast all
	$(PYTHON) -B $(srcdir)/tests/fuzz/run.py --build fuzz-fast --again fuzz --runs $(FUZZ_RUNS) --only '$(FUZZ_ONLY)'
fuzz-replay: fuzz-configure
	$(MAKE) -C fuzz $(REPLAYS)
	cd fuzz && srcdir=$(abs_top_srcdir) $(abs_top_srcdir)/tests/fuzz/replay.sh

.PHONY: check-tsan check-valgrind check-valgrind-short analyze fuzz fuzz-long fuzz-configure fuzz-replay
