/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/diagnose.h"

#include <string.h>

#define GUID "3c9e6f0a-51b7-4a3e-8d22-7b1f5a9c0e44"

static struct stand_in s;
static struct gg_diagnose_discovery found;

static bool discover(const char *tenant, const struct loopback_answer *answer)
{
    s.conf.tenant = tenant;
    loopback_serve(s.microsoft, answer, 1);
    s.err = (struct gg_err){.code = GG_OK};
    return gg_diagnose_discovery(&s.call, &found, &s.err);
}

static struct loopback_answer document(const char *issuer)
{
    return (struct loopback_answer){
        .body = gg_arena_printf(s.arena,
                                "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\","
                                "\"msgraph_host\":\"graph.example\"}",
                                issuer, loopback_url(s.microsoft))};
}

START_TEST(issuers)
{
    static const struct {
        const char *tenant;
        const char *issuer;
        bool is_of_tenant;
    } cases[] = {
        {GUID, "https://x.example/" GUID "/v2.0", true},
        {GUID, "https://x.example/3C9E6F0A-51b7-4a3e-8d22-7b1f5a9c0e44/v2.0", true},
        {GUID, "https://x.example/b7d41c52-9a0e-4f6d-8c31-2e5f60a7d913/v2.0", false},
        {GUID, "https://x.example/{tenantid}/v2.0", false},
        {"example.com", "https://x.example/" GUID "/v2.0", true},
        {"example.com", "https://x.example/{tenantid}/v2.0", false},
        {"common", "https://x.example/{tenantid}/v2.0", true},
        {"organizations", "https://x.example/{tenantid}/v2.0", true},
        {"common", "https://x.example/" GUID "/v2.0", false},
        {"consumers", "https://x.example/" GG_OAUTH_CONSUMERS "/v2.0", true},
        {"consumers", "https://x.example/" GUID "/v2.0", false},
    };

    stand_in_open(&s);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct loopback_answer answer = document(cases[i].issuer);
        ck_assert_msg(discover(cases[i].tenant, &answer), "%s", s.err.log);
        ck_assert_msg(found.is_of_tenant == cases[i].is_of_tenant, "%zu", i);
        ck_assert_gg_str(found.graph_host, "graph.example");
    }
    stand_in_close(&s);
}
END_TEST

START_TEST(no_document)
{
    static const struct loopback_answer none = {.status = 404};
    static const struct loopback_answer unknown = {
        .status = 400,
        .body = "{\"error\":\"invalid_tenant\",\"error_codes\":[90002],\"x\":\"TELLTALE\"}"};
    static const struct loopback_answer other = {.body = "{\"hello\":1}"};
    static const struct loopback_answer broken = {.status = 503, .body = "TELLTALE"};

    stand_in_open(&s);
    ck_assert(discover(GUID, &none) && found.status == 404);
    ck_assert_gg_str(found.document.jwks_uri, gg_ctx_login_url(&s.call, "discovery/v2.0/keys"));
    ck_assert(!discover(GUID, &unknown) && found.status == 400);
    ck_assert_str_eq(found.why, "tenant unknown");
    ck_assert_str_eq(s.err.log, "it answered 400 error=invalid_tenant aadsts=90002");
    ck_assert(!discover(GUID, &broken) && found.why == NULL);
    ck_assert_ptr_null(strstr(s.err.log, "TELLTALE"));
    ck_assert(!discover(GUID, &other) && found.status == 200);
    loopback_stop(s.microsoft);
    ck_assert(!gg_diagnose_discovery(&s.call, &found, &s.err));
    ck_assert(found.status == 0 && found.end == GG_HTTP_UNSENT && s.err.code == GG_ELOGIN);
    stand_in_close(&s);
}
END_TEST

START_TEST(keys)
{
    static const struct loopback_answer bad[] = {
        {.status = 500}, {.body = "{\"keys\":"}, {.body = "[]"}};
    size_t count = 0;

    stand_in_open(&s);
    found = (struct gg_diagnose_discovery){.document.jwks_uri = gg_str_of(gg_arena_printf(
                                               s.arena, "%s/keys", loopback_url(s.microsoft)))};
    for (size_t i = 0; i < COUNT(bad); i++) {
        loopback_serve(s.microsoft, &bad[i], 1);
        ck_assert_msg(!gg_diagnose_keys(&s.call, &found, &count, &s.err), "%zu", i);
        ck_assert_int_eq(s.err.code, GG_ELOGIN);
    }
    found.document.jwks_uri = GG_STR("http://keys.example/keys");
    ck_assert(!gg_diagnose_keys(&s.call, &found, &count, &s.err));
    ck_assert_str_eq(s.err.log, "the document's jwks_uri is not usable");
    stand_in_close(&s);
}
END_TEST

static bool ask(const char *tenant, struct gg_diagnose_client *client, int status, const char *body)
{
    const struct loopback_answer answer = {.status = status, .body = body};

    s.conf.tenant = tenant;
    loopback_serve(s.microsoft, &answer, 1);
    s.err = (struct gg_err){.code = GG_OK};
    return gg_diagnose_client(&s.call, (struct gg_secret){"s&t", 3}, client, &s.err);
}

START_TEST(one_tenant)
{
    struct gg_diagnose_client client;

    stand_in_open(&s);
    s.conf.graph_url = "https://graph.microsoft.us/v1.0";
    ck_assert(ask(GUID, &client, 200, "{\"access_token\":\"TELLTALE\",\"expires_in\":60}"));
    ck_assert(client.is_taken && client.is_sure);
    const char *sent = loopback_request(s.microsoft, 0);
    ck_assert_ptr_nonnull(strstr(sent, "grant_type=client_credentials&"));
    ck_assert_ptr_nonnull(strstr(sent, "scope=https%3A%2F%2Fgraph.microsoft.us%2F.default&"));
    ck_assert_ptr_nonnull(strstr(sent, "&client_secret=s%26t"));
    ck_assert_ptr_null(strstr(sent, "code="));
    ck_assert(ask(GUID, &client, 401, "{\"error\":\"invalid_client\",\"error_codes\":[7000215]}"));
    ck_assert(!client.is_taken);
    ck_assert_str_eq(client.refusal.codes, "7000215");
    /* A policy that stops the application says nothing of its secret, nor does an outage. */
    ck_assert(!ask(GUID, &client, 400, "{\"error\":\"invalid_grant\",\"error_codes\":[53003]}"));
    ck_assert(!ask(GUID, &client, 503, "TELLTALE"));
    ck_assert_ptr_null(strstr(s.err.log, "TELLTALE"));
    stand_in_close(&s);
}
END_TEST

START_TEST(classes_of_tenants)
{
    static const char *const tenants[] = {"common", "Organizations", "consumers",
                                          GG_OAUTH_CONSUMERS};
    struct gg_diagnose_client client;

    stand_in_open(&s);
    for (size_t i = 0; i < COUNT(tenants); i++) {
        ck_assert(ask(tenants[i], &client, 400, "{\"error\":\"invalid_grant\"}"));
        ck_assert(client.is_taken && !client.is_sure);
        ck_assert_ptr_nonnull(
            strstr(loopback_request(s.microsoft, 0), "grant_type=authorization_code&"));
        ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 0), "&code=graphgate-check"));
        ck_assert(ask(tenants[i], &client, 401, "{\"error\":\"invalid_client\"}"));
        ck_assert(!client.is_taken);
    }
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/diagnose", issuers, no_document, keys, one_tenant, classes_of_tenants)
