/* SPDX-License-Identifier: MIT */
#include "gg/flow/skew.h"

#include "gg/proto/time.h"
#include "gg/store/schema.h"

#define ANSWER_BYTES_MAX ((size_t)1024 * 1024)

bool gg_skew_of_microsoft(struct gg_call *c, int64_t *ahead_s, struct gg_err *err)
{
    struct gg_http_request request = {
        .method = "GET",
        .url = gg_ctx_login_url(c, "v2.0/.well-known/openid-configuration"),
        .headers = {"Accept: application/json"},
        .timeout_s = (int)c->ctx->conf->login_timeout_s,
        .deadline = c->deadline,
        .cap_bytes = ANSWER_BYTES_MAX,
    };
    struct gg_http_response response;
    int64_t date_s;

    if (!gg_ctx_fetch(c, &request, &response, err)) {
        err->code = GG_ELOGIN;
        return false;
    }
    if (!gg_time_parse_http(response.date, &date_s))
        return gg_fail(err, GG_ELOGIN, "the answer has no Date");
    *ahead_s = gg_clock_now_s() - date_s;
    return true;
}

bool gg_skew_of_database(struct gg_call *c, int64_t *ahead_s, struct gg_err *err)
{
    int64_t now_s;

    if (!gg_schema_find_now(c->ctx->db, c->arena, &now_s, err))
        return false;
    *ahead_s = gg_clock_now_s() - now_s;
    return true;
}
