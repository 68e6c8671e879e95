/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/aadsts.h"
#include "gg/proto/oauth.h"

#include <stdio.h>
#include <string.h>

/* Every number that graphgate may meet, by who can mend it. */
static const int64_t users[] = {
    70008, 700082, 50173, 70043, 70000, 50089, 50132, 50133,  54005, 501481, 9002313,
    50076, 50079,  50072, 50074, 50078, 50097, 50158, 700020, 50058, 65001,  65004,
};
static const int64_t admins[] = {
    50057, 90094, 90095, 53003, 53000, 53001, 530032, 50105, 500212, 500213, 50020, 7000112, 650052,
};
static const int64_t operators[] = {
    700084, 700005,  500112, 7000215, 7000222, 7000218, 700025, 700027, 50012,  700016,
    700011, 70001,   50194,  90130,   9002332, 9002346, 900144, 50011,  90002,  70011,
    28002,  9002326, 700022, 50001,   500011,  650057,  700054, 90038,  900439,
};
static const int64_t passing[] = {
    50033, 50087, 70012, 90006, 90012, 90024, 90033, 90055, 90090, 50196,
};
/* An administrator's consent helps. */
static const int64_t consents[] = {
    65001, 90094, 90095, 700016, 700011, 70001, 500011, 650052, 650057,
};

static bool is_among(const int64_t *list, size_t count, int64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == number)
            return true;
    return false;
}

static void check_rows(const int64_t *list, size_t count, enum gg_aadsts_who who)
{
    char name[32];

    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "aadSTS%lld", (long long)list[i]);
        const struct gg_aadsts *row = gg_aadsts_find(gg_str_of(name));
        ck_assert_msg(row != NULL && row->number == list[i], "%s", name);
        ck_assert_ptr_eq(gg_aadsts_find(gg_str_of(name + 6)), row);
        ck_assert_msg(row->who == who, "%s", name);
        ck_assert_msg(row->wants_consent == is_among(consents, COUNT(consents), list[i]), "%s",
                      name);
    }
}

START_TEST(every_number)
{
    size_t count;
    const struct gg_aadsts *table = gg_aadsts_table(&count);
    size_t words = 0;

    check_rows(users, COUNT(users), GG_AADSTS_USER);
    check_rows(admins, COUNT(admins), GG_AADSTS_ADMIN);
    check_rows(operators, COUNT(operators), GG_AADSTS_OPERATOR);
    check_rows(passing, COUNT(passing), GG_AADSTS_NOBODY);
    for (size_t i = 0; i < count; i++)
        words += table[i].word != NULL ? 1 : 0;
    ck_assert_uint_eq(count - words,
                      COUNT(users) + COUNT(admins) + COUNT(operators) + COUNT(passing));
}
END_TEST

static void check_sentence(const char *text)
{
    size_t n = strlen(text);

    ck_assert_msg(n > 10 && text[n - 1] == '.' && text[0] >= 'A', "%s", text);
    ck_assert_ptr_null(strpbrk(text, "\r\n"));
}

START_TEST(every_row)
{
    size_t count;
    const struct gg_aadsts *table = gg_aadsts_table(&count);

    for (size_t i = 0; i < count; i++) {
        ck_assert_msg((table[i].number == 0) == (table[i].word != NULL), "%zu", i);
        ck_assert_msg(strlen(table[i].why) < 80 && strpbrk(table[i].why, "\"=") == NULL, "%s",
                      table[i].why);
        check_sentence(table[i].cause);
        check_sentence(table[i].remedy);
        ck_assert_uint_gt(strlen(gg_aadsts_who(table[i].who)), 0);
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(table[i].number == 0
                              ? table[j].word == NULL || strcmp(table[i].word, table[j].word) != 0
                              : table[i].number != table[j].number,
                          "%zu is %zu", i, j);
    }
}
END_TEST

START_TEST(names)
{
    static const char *const none[] = {
        "",
        "AADSTS",
        "AADSTS0",
        "0",
        "1",
        "AADSTS 65001",
        "065001",
        "65001x",
        "-65001",
        "99999999999999999999",
        "INVALID_GRANT",
        "nonsense",
        "AADSTSinvalid_grant",
    };

    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_msg(gg_aadsts_find(gg_str_of(none[i])) == NULL, "%s", none[i]);
    ck_assert_ptr_null(gg_aadsts_find(gg_str_of(NULL)));
    ck_assert_str_eq(gg_aadsts_find(GG_STR("invalid_client"))->word, "invalid_client");
}
END_TEST

/* The first number that is known, then the word, then nothing. */
START_TEST(refusals)
{
    ck_assert_int_eq(gg_aadsts_of("1,700082,50173", "invalid_grant")->number, 700082);
    ck_assert_str_eq(gg_aadsts_of("1,2", "invalid_grant")->word, "invalid_grant");
    ck_assert_str_eq(gg_aadsts_of("", "consent_required")->word, "consent_required");
    ck_assert_ptr_null(gg_aadsts_of("", ""));
    ck_assert_ptr_null(gg_aadsts_of("1", "nonsense"));
    ck_assert_str_eq(gg_aadsts_why("7000222", "invalid_client"), "client secret expired");
    ck_assert_ptr_null(gg_aadsts_why("", "nonsense"));
}
END_TEST

/* Of a description, the log has the number and what it means, and nothing else. */
START_TEST(descriptions)
{
    struct gg_err err;

    ck_assert(!gg_oauth_fail_response(GG_STR("access_denied"),
                                      GG_STR("AADSTS65004: TELLTALE\r\nTrace ID: AADSTS9x"), &err));
    ck_assert_str_eq(err.log, "the authorization response says access_denied aadsts=65004");
    ck_assert_str_eq(err.why, "user declined the permissions");
    ck_assert(!gg_oauth_fail_response(GG_STR("x"), GG_STR("AADSTS1234567890123456"), &err));
    ck_assert_str_eq(err.log, "the authorization response says x aadsts=");
    ck_assert_ptr_null(err.why);
}
END_TEST

GG_UNIT_MAIN("proto/aadsts", every_number, every_row, names, refusals, descriptions)
