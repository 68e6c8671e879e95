/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/idle.h"

#define WELL \
    { \
        .body = "{\"access_token\":\"AT\",\"expires_in\":3600}" \
    }

static struct stand_in s;
static struct gg_idle_page page;
static struct gg_token_key *keys;
static size_t count;

/* Rows 1…n in both realms, or the first alone, that are due. */
static void set_up(int n)
{
    stand_in_open(&s);
    page = (struct gg_idle_page){0};
    s.conf.refresh_idle_days = 30;
    (void)stand_in_connect(&s, "old", 100);
    for (int i = 1; i <= n; i++)
        database_run(s.ctx.db,
                     gg_arena_printf(s.arena,
                                     "INSERT INTO microsoft_oauth_tokens (user_id, access_token,"
                                     " refresh_token, expires_at, updated_at) SELECT 100 + %d,"
                                     " access_token, refresh_token, NOW(), NOW() - INTERVAL 30 DAY"
                                     " FROM microsoft_oauth_tokens WHERE user_id = 7",
                                     i));
    ck_assert_msg(gg_idle_find(&s.call, 100, &keys, &count, &s.err), "%s", s.err.log);
}

static void check_counts(int refreshed, int refused, int failed, int skipped)
{
    ck_assert_int_eq(page.refreshed, refreshed);
    ck_assert_int_eq(page.refused, refused);
    ck_assert_int_eq(page.failed, failed);
    ck_assert_int_eq(page.skipped, skipped);
}

START_TEST(each_once)
{
    set_up(3);
    ck_assert_uint_eq(count, 3);
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){WELL}));
    gg_idle_work(&s.call, keys, count, &page);
    check_counts(3, 0, 0, 0);
    ck_assert_int_eq(page.stop, GG_IDLE_GOES_ON);
    /* An old list is no reason to ask again. */
    page.next = 0;
    gg_idle_work(&s.call, keys, count, &page);
    check_counts(3, 0, 0, 3);
    ck_assert_int_eq(loopback_requests(s.microsoft), 3);
    stand_in_close(&s);
}
END_TEST

START_TEST(what_is_busy_is_left_alone)
{
    set_up(3);
    database_run(s.ctx.db,
                 "UPDATE microsoft_oauth_tokens SET updated_at = updated_at,"
                 " refresh_lease = 'x', refresh_lease_until = NOW() + INTERVAL 9 SECOND"
                 " WHERE user_id = 101;"
                 "UPDATE microsoft_oauth_tokens SET updated_at = updated_at,"
                 " refresh_failure = 'x', refresh_failed_until = NOW() + INTERVAL 9 SECOND"
                 " WHERE user_id = 102");
    LOOPBACK_SERVE(s.microsoft, ((struct loopback_answer[]){WELL}));
    gg_idle_work(&s.call, keys, count, &page);
    check_counts(1, 0, 0, 2);
    stand_in_close(&s);
}
END_TEST

/* What ends the run, and what one row alone. */
START_TEST(stops)
{
    static const struct {
        struct loopback_answer answer;
        enum gg_idle_stop stop;
        int refused;
        int failed;
    } cases[] = {
        {{.status = 400, .body = "{\"error\":\"invalid_grant\"}"}, GG_IDLE_GOES_ON, 3, 0},
        {{.status = 500}, GG_IDLE_GOES_ON, 0, 3},
        {{.status = 503}, GG_IDLE_GOES_ON, 0, 3},
        {{.status = 429}, GG_IDLE_THROTTLED, 0, 1},
        {{.status = 503, .headers = "Retry-After: 9\r\n"}, GG_IDLE_THROTTLED, 0, 1},
        {{.status = 401, .body = "{\"error\":\"invalid_client\"}"}, GG_IDLE_REJECTED, 0, 1},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        set_up(3);
        loopback_serve(s.microsoft, &cases[i].answer, 1);
        gg_idle_work(&s.call, keys, count, &page);
        ck_assert_msg(page.stop == (int)cases[i].stop, "%zu: %d", i, page.stop);
        check_counts(0, cases[i].refused, cases[i].failed, 0);
        stand_in_close(&s);
    }
    set_up(3);
    s.call.deadline = gg_deadline_in(0);
    gg_idle_work(&s.call, keys, count, &page);
    ck_assert_int_eq(page.stop, GG_IDLE_LATE);
    check_counts(0, 0, 0, 0);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/idle", each_once, what_is_busy_is_left_alone, stops)
