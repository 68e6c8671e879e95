/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/err.h"
#include "gg/base/log.h"

#include <string.h>

START_TEST(failing_sets_code_and_text_and_clears_the_rest)
{
    struct gg_err err = {.microsoft_code = "old", .retry_after_s = 9, .claims = "{}"};

    ck_assert(!gg_fail(&err, GG_EGRAPH, "lacks %s %d", "x", 3));
    ck_assert_int_eq(err.code, GG_EGRAPH);
    ck_assert_str_eq(err.log, "lacks x 3");
    ck_assert_str_eq(err.microsoft_code, "");
    ck_assert_int_eq(err.retry_after_s, 0);
    ck_assert_ptr_null(err.claims);
    ck_assert_ptr_null(err.faults);
}
END_TEST

START_TEST(long_texts_are_cut)
{
    struct gg_err err;

    (void)gg_fail(&err, GG_EINTERNAL, "%01000d", 7);
    ck_assert_uint_eq(strlen(err.log), sizeof err.log - 1);
}
END_TEST

/* The contract's codes and statuses; a row that changes here changes the API. */
START_TEST(rows_are_the_contracts)
{
    static const struct {
        enum gg_code code;
        int status;
        const char *name;
    } cases[] = {
        {GG_EINTERNAL, 500, "internal_error"},
        {GG_ENOTCONFIGURED, 503, "not_configured"},
        {GG_EDATABASE, 503, "database_unavailable"},
        {GG_EINVALIDTOKEN, 401, "invalid_token"},
        {GG_EWRONGREALM, 403, "wrong_realm"},
        {GG_EADMIN, 403, "admin_required"},
        {GG_ENOTFOUND, 404, "not_found"},
        {GG_EMETHOD, 405, NULL},
        {GG_ETOOLARGE, 413, NULL},
        {GG_EMEDIATYPE, 415, NULL},
        {GG_EINVALIDJSON, 400, "invalid_json"},
        {GG_EINVALID, 422, NULL},
        {GG_ERATELIMITED, 429, "rate_limited"},
        {GG_ESTATE, 400, "state_invalid"},
        {GG_EDECLINED, 403, "consent_declined"},
        {GG_EADMINCONSENT, 403, "admin_consent_required"},
        {GG_EAUTHFAILED, 401, "microsoft_auth_failed"},
        {GG_EIDTOKEN, 401, "id_token_invalid"},
        {GG_ECLIENT, 503, "microsoft_client_rejected"},
        {GG_EACCOUNT, 403, "account_unknown"},
        {GG_ESESSIONCODE, 400, "session_code_invalid"},
        {GG_EAUTHREQUIRED, 401, "microsoft_auth_required"},
        {GG_ECURSOR, 400, "cursor_invalid"},
        {GG_EREJECTED, 400, "microsoft_rejected"},
        {GG_EFORBIDDEN, 403, "microsoft_forbidden"},
        {GG_ECONFLICT, 409, "conflict"},
        {GG_EPRECONDITION, 412, "precondition_failed"},
        {GG_ETHROTTLED, 429, "microsoft_throttled"},
        {GG_EGRAPH, 502, "microsoft_unavailable"},
        {GG_ELOGIN, 503, "microsoft_unavailable"},
        {GG_ETIMEOUT, 504, "microsoft_timeout"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct gg_err_row *row = gg_err_row(cases[i].code);
        ck_assert_msg(row->status == cases[i].status, "status of %s", row->code);
        if (cases[i].name != NULL)
            ck_assert_str_eq(row->code, cases[i].name);
    }
}
END_TEST

START_TEST(every_row_is_filled)
{
    for (int code = GG_OK + 1; code < GG_CODES; code++) {
        const struct gg_err_row *row = gg_err_row((enum gg_code)code);
        ck_assert_msg(row->status >= 400 && row->status <= 599, "status of row %d", code);
        ck_assert_msg(gg_str_is_word(gg_str_of(row->code), 40, "_"), "code of row %d", code);
        ck_assert_msg(row->title[0] != '\0' && row->detail[0] != '\0', "texts of row %d", code);
        ck_assert(row->level >= GG_DEBUG && row->level <= GG_ERROR);
    }
}
END_TEST

GG_UNIT_MAIN("base/err", failing_sets_code_and_text_and_clears_the_rest, long_texts_are_cut,
             rows_are_the_contracts, every_row_is_filled)
