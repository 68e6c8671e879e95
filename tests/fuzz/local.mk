# SPDX-License-Identifier: MIT
# Each fuzzer twice: as a program that replays the seeds, and with libFuzzer (--enable-fuzzers, clang).
REPLAYS = \
	tests/fuzz/replay_aadsts \
	tests/fuzz/replay_address \
	tests/fuzz/replay_audit \
	tests/fuzz/replay_b64 \
	tests/fuzz/replay_conf \
	tests/fuzz/replay_cursor \
	tests/fuzz/replay_dburl \
	tests/fuzz/replay_event \
	tests/fuzz/replay_fcgi \
	tests/fuzz/replay_fernet \
	tests/fuzz/replay_http \
	tests/fuzz/replay_json \
	tests/fuzz/replay_jwk \
	tests/fuzz/replay_jwt \
	tests/fuzz/replay_listing \
	tests/fuzz/replay_logline \
	tests/fuzz/replay_oauth \
	tests/fuzz/replay_request \
	tests/fuzz/replay_returnto \
	tests/fuzz/replay_seal \
	tests/fuzz/replay_time \
	tests/fuzz/replay_urlenc
check_PROGRAMS += $(REPLAYS)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/run.py tests/fuzz/RESULTS.md tests/fuzz/fuzz.h tests/fuzz/request.h
if FUZZERS
noinst_PROGRAMS = \
	tests/fuzz/fuzz_aadsts \
	tests/fuzz/fuzz_address \
	tests/fuzz/fuzz_audit \
	tests/fuzz/fuzz_b64 \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_cursor \
	tests/fuzz/fuzz_dburl \
	tests/fuzz/fuzz_event \
	tests/fuzz/fuzz_fcgi \
	tests/fuzz/fuzz_fernet \
	tests/fuzz/fuzz_http \
	tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_jwk \
	tests/fuzz/fuzz_jwt \
	tests/fuzz/fuzz_listing \
	tests/fuzz/fuzz_logline \
	tests/fuzz/fuzz_oauth \
	tests/fuzz/fuzz_request \
	tests/fuzz/fuzz_returnto \
	tests/fuzz/fuzz_seal \
	tests/fuzz/fuzz_time \
	tests/fuzz/fuzz_urlenc
endif

tests_fuzz_replay_aadsts_SOURCES = tests/fuzz/fuzz_aadsts.c tests/fuzz/replay.c
tests_fuzz_replay_aadsts_LDADD = $(PROTO)
tests_fuzz_fuzz_aadsts_LDADD = $(PROTO)
tests_fuzz_fuzz_aadsts_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_address_SOURCES = tests/fuzz/fuzz_address.c tests/fuzz/replay.c
tests_fuzz_replay_address_LDADD = $(PROTO)
tests_fuzz_fuzz_address_LDADD = $(PROTO)
tests_fuzz_fuzz_address_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_audit_SOURCES = tests/fuzz/fuzz_audit.c tests/fuzz/replay.c
tests_fuzz_replay_audit_LDADD = $(PROTO)
tests_fuzz_fuzz_audit_LDADD = $(PROTO)
tests_fuzz_fuzz_audit_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_b64_SOURCES = tests/fuzz/fuzz_b64.c tests/fuzz/replay.c
tests_fuzz_replay_b64_LDADD = $(PROTO)
tests_fuzz_fuzz_b64_LDADD = $(PROTO)
tests_fuzz_fuzz_b64_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_conf_SOURCES = tests/fuzz/fuzz_conf.c tests/fuzz/replay.c
tests_fuzz_replay_conf_LDADD = $(APP)
tests_fuzz_fuzz_conf_LDADD = $(APP)
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_cursor_SOURCES = tests/fuzz/fuzz_cursor.c tests/fuzz/replay.c
tests_fuzz_replay_cursor_LDADD = $(FLOW)
tests_fuzz_fuzz_cursor_LDADD = $(FLOW)
tests_fuzz_fuzz_cursor_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_dburl_SOURCES = tests/fuzz/fuzz_dburl.c tests/fuzz/replay.c
tests_fuzz_replay_dburl_LDADD = $(APP)
tests_fuzz_fuzz_dburl_LDADD = $(APP)
tests_fuzz_fuzz_dburl_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_event_SOURCES = tests/fuzz/fuzz_event.c tests/fuzz/replay.c
tests_fuzz_replay_event_LDADD = $(PROTO)
tests_fuzz_fuzz_event_LDADD = $(PROTO)
tests_fuzz_fuzz_event_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_fcgi_SOURCES = tests/fuzz/fuzz_fcgi.c tests/fuzz/replay.c
tests_fuzz_replay_fcgi_LDADD = $(WEB)
tests_fuzz_fuzz_fcgi_LDADD = $(WEB)
tests_fuzz_fuzz_fcgi_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_fernet_SOURCES = tests/fuzz/fuzz_fernet.c tests/fuzz/replay.c
tests_fuzz_replay_fernet_LDADD = $(PROTO)
tests_fuzz_fuzz_fernet_LDADD = $(PROTO)
tests_fuzz_fuzz_fernet_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_http_SOURCES = tests/fuzz/fuzz_http.c tests/fuzz/replay.c
tests_fuzz_replay_http_LDADD = $(PROTO)
tests_fuzz_fuzz_http_LDADD = $(PROTO)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/replay.c
tests_fuzz_replay_json_LDADD = $(PROTO)
tests_fuzz_fuzz_json_LDADD = $(PROTO)
tests_fuzz_fuzz_json_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_jwk_SOURCES = tests/fuzz/fuzz_jwk.c tests/fuzz/replay.c
tests_fuzz_replay_jwk_LDADD = $(PROTO)
tests_fuzz_fuzz_jwk_LDADD = $(PROTO)
tests_fuzz_fuzz_jwk_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_jwt_SOURCES = tests/fuzz/fuzz_jwt.c tests/fuzz/replay.c
tests_fuzz_replay_jwt_LDADD = $(PROTO)
tests_fuzz_fuzz_jwt_LDADD = $(PROTO)
tests_fuzz_fuzz_jwt_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_listing_SOURCES = tests/fuzz/fuzz_listing.c tests/fuzz/replay.c
tests_fuzz_replay_listing_LDADD = $(PROTO)
tests_fuzz_fuzz_listing_LDADD = $(PROTO)
tests_fuzz_fuzz_listing_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_logline_SOURCES = tests/fuzz/fuzz_logline.c tests/fuzz/replay.c
tests_fuzz_replay_logline_LDADD = $(PROTO)
tests_fuzz_fuzz_logline_LDADD = $(PROTO)
tests_fuzz_fuzz_logline_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_oauth_SOURCES = tests/fuzz/fuzz_oauth.c tests/fuzz/replay.c
tests_fuzz_replay_oauth_LDADD = $(PROTO)
tests_fuzz_fuzz_oauth_LDADD = $(PROTO)
tests_fuzz_fuzz_oauth_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_request_SOURCES = tests/fuzz/fuzz_request.c tests/fuzz/replay.c
tests_fuzz_replay_request_LDADD = $(WEB)
tests_fuzz_fuzz_request_LDADD = $(WEB)
tests_fuzz_fuzz_request_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_returnto_SOURCES = tests/fuzz/fuzz_returnto.c tests/fuzz/replay.c
tests_fuzz_replay_returnto_LDADD = $(PROTO)
tests_fuzz_fuzz_returnto_LDADD = $(PROTO)
tests_fuzz_fuzz_returnto_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_seal_SOURCES = tests/fuzz/fuzz_seal.c tests/fuzz/replay.c
tests_fuzz_replay_seal_LDADD = $(PROTO)
tests_fuzz_fuzz_seal_LDADD = $(PROTO)
tests_fuzz_fuzz_seal_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_time_SOURCES = tests/fuzz/fuzz_time.c tests/fuzz/replay.c
tests_fuzz_replay_time_LDADD = $(PROTO)
tests_fuzz_fuzz_time_LDADD = $(PROTO)
tests_fuzz_fuzz_time_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_replay_urlenc_SOURCES = tests/fuzz/fuzz_urlenc.c tests/fuzz/replay.c
tests_fuzz_replay_urlenc_LDADD = $(PROTO)
tests_fuzz_fuzz_urlenc_LDADD = $(PROTO)
tests_fuzz_fuzz_urlenc_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
