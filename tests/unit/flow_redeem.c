/* SPDX-License-Identifier: MIT */
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/redeem.h"

#include <string.h>

static struct stand_in s;
static struct gg_tokens tokens;
static struct gg_oauth_refusal refusal;

static bool redeem(void)
{
    const struct gg_grant grant = {.refresh_token = {"r&t", 3}, .timeout_s = 1};

    s.err = (struct gg_err){.code = GG_OK};
    return gg_redeem(&s.call, &grant, &tokens, &refusal, &s.err);
}

START_TEST(answers)
{
    static const struct loopback_answer well[] = {
        {.body = "{\"access_token\":\"AT\",\"expires_in\":60}"}};
    static const struct loopback_answer refused[] = {
        {.status = 400,
         .headers = "Retry-After: 4\r\n",
         .body = "{\"error\":\"invalid_grant\",\"error_codes\":[70008],"
                 "\"error_description\":\"TELLTALE\"}"}};
    static const struct loopback_answer slow[] = {{.body = "{}", .wait_ms = 2500}};

    stand_in_open(&s);
    LOOPBACK_SERVE(s.microsoft, well);
    ck_assert(redeem());
    ck_assert_gg_str(gg_secret_reveal(tokens.access_token), "AT");
    ck_assert_ptr_nonnull(strstr(loopback_request(s.microsoft, 0), "&refresh_token=r%26t&"));
    LOOPBACK_SERVE(s.microsoft, refused);
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PERMANENT);
    ck_assert_str_eq(s.err.microsoft_code, "invalid_grant");
    ck_assert_int_eq(refusal.retry_after_s, 4);
    ck_assert_ptr_nonnull(strstr(s.err.log, "70008"));
    ck_assert_str_eq(s.err.why, "code or refresh token too old or not used for too long");
    ck_assert_ptr_null(strstr(s.err.log, "TELLTALE"));
    LOOPBACK_SERVE(s.microsoft, slow);
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PASSING);
    loopback_stop(s.microsoft);
    ck_assert(!redeem());
    ck_assert_int_eq(refusal.class, GG_OAUTH_PASSING);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/redeem", answers)
