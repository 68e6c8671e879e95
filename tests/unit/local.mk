# SPDX-License-Identifier: MIT
# One program a room; each links its own folder and those below it.
if HAVE_CHECK
PLAIN_TESTS = \
	tests/unit/base_arena \
	tests/unit/base_buf \
	tests/unit/base_clock \
	tests/unit/base_conf \
	tests/unit/base_err \
	tests/unit/base_exposition \
	tests/unit/base_hostfile \
	tests/unit/base_journal \
	tests/unit/base_jsontext \
	tests/unit/base_jsonw \
	tests/unit/base_log \
	tests/unit/base_metric \
	tests/unit/base_logline \
	tests/unit/base_realm \
	tests/unit/base_secret \
	tests/unit/base_str \
	tests/unit/base_surrogate \
	tests/unit/ext_crypto \
	tests/unit/ext_crypto_hmac \
	tests/unit/ext_fcgi \
	tests/unit/ext_http \
	tests/unit/ext_http_many \
	tests/unit/ext_json \
	tests/unit/proto_aadsts \
	tests/unit/proto_address \
	tests/unit/proto_audit \
	tests/unit/proto_b64 \
	tests/unit/proto_event \
	tests/unit/proto_fernet \
	tests/unit/proto_jwk \
	tests/unit/proto_jwt \
	tests/unit/proto_listing \
	tests/unit/proto_oauth \
	tests/unit/proto_returnto \
	tests/unit/proto_seal \
	tests/unit/proto_time \
	tests/unit/proto_urlenc \
	tests/unit/flow_ctx \
	tests/unit/flow_retry \
	tests/unit/web_on_metrics \
	tests/unit/web_request \
	tests/unit/web_response \
	tests/unit/web_route \
	tests/unit/app_dburl \
	tests/unit/app_drop \
	tests/unit/app_heap \
	tests/unit/app_load \
	tests/unit/app_logging \
	tests/unit/app_options \
	tests/unit/app_prefork \
	tests/unit/app_setup
# These need a database: with_mariadb.py starts one for all of them.
DB_TESTS = \
	tests/unit/ext_db \
	tests/unit/ext_db_hosts \
	tests/unit/ext_dbstmt \
	tests/unit/store_account \
	tests/unit/store_audit \
	tests/unit/store_chain \
	tests/unit/store_family \
	tests/unit/store_census \
	tests/unit/store_grants \
	tests/unit/store_keys \
	tests/unit/store_login \
	tests/unit/store_rate \
	tests/unit/store_roster \
	tests/unit/store_schema \
	tests/unit/store_session \
	tests/unit/store_token \
	tests/unit/flow_admit \
	tests/unit/flow_audit \
	tests/unit/flow_auditor \
	tests/unit/store_token_seals \
	tests/unit/store_tokenrow \
	tests/unit/store_tokenuse \
	tests/unit/flow_calendar \
	tests/unit/flow_connect \
	tests/unit/flow_cursor \
	tests/unit/flow_diagnose \
	tests/unit/flow_fanout \
	tests/unit/flow_graph \
	tests/unit/flow_health \
	tests/unit/flow_idle \
	tests/unit/flow_keyset \
	tests/unit/flow_pair \
	tests/unit/flow_people \
	tests/unit/flow_redeem \
	tests/unit/flow_refresh \
	tests/unit/flow_sealer \
	tests/unit/flow_rekey \
	tests/unit/flow_settler \
	tests/unit/flow_signin \
	tests/unit/flow_skew \
	tests/unit/flow_wide \
	tests/unit/web_guard \
	tests/unit/web_on_auth \
	tests/unit/web_on_calendar \
	tests/unit/web_on_health
check_PROGRAMS += $(PLAIN_TESTS) $(DB_TESTS)
check_LIBRARIES = libunit.a
libunit_a_SOURCES = \
	tests/unit/database.c \
	tests/unit/loopback.c \
	tests/unit/records.c \
	tests/unit/relay.c \
	tests/unit/stand_in.c \
	tests/unit/bytes.h \
	tests/unit/database.h \
	tests/unit/id_token.h \
	tests/unit/loopback.h \
	tests/unit/records.h \
	tests/unit/relay.h \
	tests/unit/serving.h \
	tests/unit/stand_in.h \
	tests/unit/unit.h
TESTS += $(PLAIN_TESTS) tests/unit/secret_format.sh tests/unit/with_mariadb.sh
AM_TESTS_ENVIRONMENT = DB_TESTS="$(DB_TESTS)"; export DB_TESTS;
endif
EXTRA_DIST += tests/unit/secret_format.sh tests/unit/with_mariadb.py tests/unit/with_mariadb.sh tests/unit/valgrind.sh

tests_unit_base_arena_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_buf_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_clock_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_conf_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_err_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_exposition_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_hostfile_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_journal_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_jsontext_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_jsonw_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_log_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_metric_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_logline_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_realm_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_secret_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_str_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_base_surrogate_LDADD = libunit.a $(BASE) $(CHECK_LIBS)
tests_unit_ext_crypto_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_crypto_hmac_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_db_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_db_hosts_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_dbstmt_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_fcgi_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_http_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_http_many_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_ext_json_LDADD = libunit.a $(EXT) $(CHECK_LIBS)
tests_unit_proto_aadsts_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_address_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_b64_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_event_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_fernet_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_jwk_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_jwt_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_listing_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_oauth_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_returnto_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_seal_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_time_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_proto_urlenc_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_store_account_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_family_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_census_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_grants_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_keys_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_login_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_rate_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_roster_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_schema_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_session_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_token_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_token_seals_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_tokenrow_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_store_tokenuse_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_flow_admit_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_calendar_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_connect_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_ctx_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_cursor_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_diagnose_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_fanout_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_graph_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_health_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_idle_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_keyset_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_pair_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_people_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_redeem_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_refresh_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_rekey_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_retry_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_settler_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_signin_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_skew_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_wide_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_web_guard_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_web_on_auth_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_web_on_calendar_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_web_on_health_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_web_on_metrics_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_web_request_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_web_response_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_web_route_LDADD = libunit.a $(WEB) $(CHECK_LIBS)
tests_unit_app_dburl_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_app_drop_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_app_heap_SOURCES = tests/unit/app_heap.c src/app/heap.c
tests_unit_app_heap_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_app_load_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_app_logging_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_app_options_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_app_prefork_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_app_setup_LDADD = libunit.a $(APP) $(CHECK_LIBS)
tests_unit_proto_audit_LDADD = libunit.a $(PROTO) $(CHECK_LIBS)
tests_unit_store_audit_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_flow_audit_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_store_chain_LDADD = libunit.a $(STORE) $(CHECK_LIBS)
tests_unit_flow_auditor_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
tests_unit_flow_sealer_LDADD = libunit.a $(FLOW) $(CHECK_LIBS)
