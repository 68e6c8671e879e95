/* SPDX-License-Identifier: MIT */
#include "gg/flow/retry.h"

#include "gg/base/log.h"
#include "gg/ext/crypto.h"
#include "gg/proto/oauth.h"
#include "gg/proto/time.h"

#define RETRIES_MAX  2
#define STEP_MS      200
#define PAUSE_MS_MAX 2000
#define REST_MS_MIN  1000
/* In tenths of a retry: what one costs, what a call earns, how far a worker may be behind. */
#define COST     10
#define EARNED   1
#define DEBT_MAX 100

void gg_retry_earn(struct gg_call *c)
{
    if (c->ctx->retry_debt > 0)
        c->ctx->retry_debt -= EARNED;
}

int64_t gg_retry_asked_s(const struct gg_http_response *response)
{
    int64_t now_s;

    if (!gg_time_parse_http(response->date, &now_s))
        now_s = gg_clock_now_s();
    return gg_oauth_parse_retry_after(response->retry_after, now_s);
}

/* 429 and 503 say that it was not carried out; a gateway's 502 and 504 leave it open. */
static bool is_worth(enum gg_retry_kind kind, const struct gg_http_response *response)
{
    static const struct {
        int status;
        enum gg_retry_kind most;
    } passing[] = {
        {429, GG_RETRY_ONCE},       {503, GG_RETRY_ONCE}, {502, GG_RETRY_REPEATABLE},
        {504, GG_RETRY_REPEATABLE}, {500, GG_RETRY_READ},
    };

    if (response->end == GG_HTTP_UNSENT)
        return true;
    if (response->end == GG_HTTP_LOST)
        return kind != GG_RETRY_ONCE;
    if (response->end != GG_HTTP_WHOLE)
        return false;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (passing[i].status == response->status)
            return kind <= passing[i].most;
    return false;
}

bool gg_retry_bear(struct gg_call *c, int64_t pause_ms, int64_t held_ms)
{
    int64_t more_ms = pause_ms > held_ms ? pause_ms - held_ms : 0;

    if (c->paused_ms + more_ms > PAUSE_MS_MAX ||
        gg_deadline_left_ms(c->deadline) < pause_ms + REST_MS_MIN)
        return false;
    c->paused_ms += more_ms;
    return true;
}

bool gg_retry_plan(struct gg_call *c, enum gg_retry_kind kind,
                   const struct gg_http_response *response, int64_t held_ms, int64_t *pause_ms)
{
    struct gg_err ignored;
    uint16_t chance = 0;

    if (!is_worth(kind, response) || c->retries >= RETRIES_MAX ||
        c->ctx->retry_debt + COST > DEBT_MAX || !gg_crypto_random(&chance, sizeof chance, &ignored))
        return false;
    int64_t asked_s = gg_retry_asked_s(response);
    *pause_ms = chance % ((STEP_MS << c->retries) + 1) + (asked_s > 0 ? asked_s * 1000 : 0);
    if (!gg_retry_bear(c, *pause_ms, held_ms))
        return false;
    c->retries++;
    c->ctx->retry_debt += COST;
    gg_log(GG_INFO, "microsoft.retry", "status=%d try=%d pause_ms=%lld", response->status,
           c->retries + 1, (long long)*pause_ms);
    return true;
}

bool gg_retry_wait(struct gg_call *c, enum gg_retry_kind kind,
                   const struct gg_http_response *response)
{
    int64_t pause_ms;

    if (!gg_retry_plan(c, kind, response, 0, &pause_ms))
        return false;
    /* A signal ends a sleep, and must not end the pause. */
    struct gg_deadline until = gg_deadline_in(pause_ms);
    for (int64_t left_ms = pause_ms; left_ms > 0; left_ms = gg_deadline_left_ms(until))
        gg_clock_sleep_ms(left_ms);
    return true;
}
