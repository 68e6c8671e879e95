/* SPDX-License-Identifier: MIT */
/* No answer of Microsoft's is half believed: tokens are whole, a refusal has a class, errors are
 * words. */
#include "fuzz.h"

#include "gg/proto/oauth.h"

#include <string.h>

static void check_tokens(struct gg_arena *a, struct gg_str in, int status)
{
    struct gg_tokens t;
    struct gg_oauth_refusal refusal;

    if (gg_oauth_parse_tokens(a, status, in, &t, &refusal)) {
        REQUIRE(status == 200 && gg_secret_is_set(t.access_token));
        REQUIRE(t.access_token.n <= GG_OAUTH_TOKEN_BYTES_MAX && t.expires_in_s >= 0);
        REQUIRE(gg_str_is_printable(gg_secret_reveal(t.access_token)));
    } else {
        REQUIRE(status < 500 || refusal.class == GG_OAUTH_PASSING);
    }
    struct gg_str word = gg_str_of(refusal.error);
    REQUIRE(word.n == 0 || gg_str_is_word(word, 63, "_.-"));
    REQUIRE(strspn(refusal.codes, "0123456789,") == strlen(refusal.codes));
}

static void check_id(struct gg_arena *a, struct gg_str in)
{
    const struct gg_oauth_expect expect = {.issuer = GG_STR("https://l/{tenantid}/v2.0"),
                                           .client_id = "client",
                                           .tenant = "common",
                                           .nonce = {"n", 1}};
    struct gg_json *claims;
    struct gg_oauth_id id;
    struct gg_err err;

    if (!gg_json_parse(a, in, &claims, &err))
        return;
    if (gg_oauth_check_id(a, claims, &expect, &id, &err))
        REQUIRE(gg_str_is_uuid(id.tenant_id) && id.microsoft_id.n > 0 &&
                (id.email.p == NULL || gg_str_is_printable(id.email)));
    else
        REQUIRE(err.code == GG_EIDTOKEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 429, 500};
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_oauth_discovery d;
    struct gg_json *v;
    struct gg_err err;

    for (size_t i = 0; i < 4; i++)
        check_tokens(a, in, statuses[i]);
    check_id(a, in);
    if (gg_oauth_parse_discovery(a, in, &d, &err))
        REQUIRE(d.issuer.n > 0 && d.jwks_uri.n > 0);
    struct gg_str claims = gg_oauth_parse_challenge(a, in);
    if (claims.p != NULL)
        REQUIRE(gg_json_parse(a, claims, &v, &err) && gg_json_type(v) == GG_JSON_OBJECT);
    int64_t seconds = gg_oauth_parse_retry_after(in, 784111777);
    REQUIRE(seconds >= -1 && seconds <= 30LL * 86400);
    REQUIRE(!gg_oauth_fail_response(in, in, &err) && err.code != GG_OK);
    gg_arena_close(a);
    return 0;
}
