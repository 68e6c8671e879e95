/* SPDX-License-Identifier: MIT */
#include "gg/flow/fanout.h"

#include "gg/flow/retry.h"

/* However late a call is, what else there is to do is looked at so often. */
#define LOOK_MS 1000

enum state { WAITING, FLYING, REFUSED, ENDED, TAKEN };

struct work {
    struct gg_fanout_job *job;
    enum state state;
    bool is_retry;
    int64_t not_before_ms; /* on the monotonic clock */
    struct gg_graph_try made;
    struct gg_http_flight flight;
};

struct run {
    struct gg_call *c;
    const struct gg_fanout *fanout;
    struct work *works;
    size_t count;
    size_t flying;
    struct gg_access *access;
    int64_t held_until_ms; /* nothing begins before */
    struct gg_err held;    /* GG_OK; or the throttling that no request waits for */
    bool is_renewed;       /* the token, after a refusal */
    size_t refused;
    const char *claims; /* that came with it */
};

static int64_t later_ms(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t held_ms(const struct run *r)
{
    return later_ms(r->held_until_ms - gg_clock_mono_ms(), 0);
}

static void hold(struct run *r, int64_t ms)
{
    r->held_until_ms = later_ms(r->held_until_ms, gg_clock_mono_ms() + ms);
}

static void fail_job(struct work *w, const struct gg_err *err)
{
    w->state = ENDED;
    w->job->err = *err;
}

/* False for what is not this call's own fault. */
static bool begin(struct run *r, struct work *w, struct gg_err *err)
{
    struct gg_call *c = r->c;

    if (!w->is_retry) {
        gg_retry_earn(c);
        c->token_uses++;
    }
    if (!gg_graph_format(c, &w->job->request, r->access->token, &w->made, err))
        return false;
    if (gg_http_begin(c->ctx->http, c->arena, &w->made.http, &w->flight, err)) {
        w->state = FLYING;
        r->flying++;
        return true;
    }
    if (err->code != GG_ETIMEOUT)
        return false;
    gg_graph_note(&w->job->request, &w->made, &w->flight.response);
    fail_job(w, err);
    return true;
}

/* Begins what may begin now; nothing with a token that has been refused. */
static bool begin_some(struct run *r, struct gg_err *err)
{
    int64_t now_ms = gg_clock_mono_ms();

    for (size_t i = 0; i < r->count; i++) {
        struct work *w = &r->works[i];
        if (w->state != WAITING)
            continue;
        if (r->held.code != GG_OK)
            fail_job(w, &r->held);
        else if (r->flying < GG_HTTP_AT_ONCE && r->refused == 0 &&
                 later_ms(r->held_until_ms, w->not_before_ms) <= now_ms && !begin(r, w, err))
            return false;
    }
    return true;
}

/* Milliseconds until one that waits may begin; LOOK_MS where an answer must come first. */
static int64_t wait_ms(const struct run *r)
{
    int64_t now_ms = gg_clock_mono_ms();
    int64_t least_ms = LOOK_MS;

    for (size_t i = 0; r->flying < GG_HTTP_AT_ONCE && r->refused == 0 && i < r->count; i++) {
        int64_t ms = later_ms(r->held_until_ms, r->works[i].not_before_ms) - now_ms;
        if (r->works[i].state == WAITING && ms < least_ms)
            least_ms = later_ms(ms, 0);
    }
    return least_ms;
}

/* Graph's limits are the mailbox's: what one call is told holds for all. */
static bool is_throttled(const struct gg_http_response *response)
{
    return response->status == 429 || (response->status == 503 && gg_retry_asked_s(response) > 0);
}

static void hold_others(struct run *r, const struct work *w)
{
    int64_t asked_s = gg_retry_asked_s(&w->flight.response);
    int64_t ms = asked_s > 0 ? asked_s * 1000 : 0;

    if (gg_retry_bear(r->c, ms, held_ms(r)))
        hold(r, ms);
    else
        r->held = w->job->err;
}

static bool take_answer(struct run *r, struct work *w, struct gg_err *err)
{
    const struct gg_http_response *response = &w->flight.response;
    struct gg_fanout_job *job = w->job;
    int64_t pause_ms;

    if (gg_retry_plan(r->c, GG_RETRY_READ, response, held_ms(r), &pause_ms)) {
        w->is_retry = true;
        w->state = WAITING;
        w->not_before_ms = gg_clock_mono_ms() + pause_ms;
        if (is_throttled(response))
            hold(r, pause_ms);
        return true;
    }
    w->state = ENDED;
    job->err = w->flight.err;
    if (job->err.code != GG_OK ||
        gg_graph_read(r->c, &job->request, response, &job->body, &job->err))
        return true;
    if (is_throttled(response))
        hold_others(r, w);
    if (job->err.code != GG_EAUTHREQUIRED)
        return true;
    *err = job->err;
    w->state = REFUSED;
    if (r->refused == 0)
        r->claims = err->claims;
    r->refused++;
    return !r->is_renewed;
}

/* Gives one that has ended to whoever takes it; false when there is none. */
static bool give_one(struct run *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct work *w = &r->works[i];
        if (w->state != ENDED)
            continue;
        w->state = TAKEN;
        if (r->fanout->take != NULL)
            r->fanout->take(r->fanout->arg, w->job);
        return true;
    }
    return false;
}

static bool has_ended(const struct run *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->works[i].state == ENDED)
            return true;
    return false;
}

/*
 * Waits for an answer, or until it is another's turn to begin. What came before is taken meanwhile:
 * first all that may is sent, so that Graph and we work side by side.
 */
static bool land(struct run *r, struct gg_err *err)
{
    int64_t start_us = gg_clock_mono_us();

    gg_db_rest(r->c->ctx->db);
    struct gg_http_flight *flight = gg_http_next(r->c->ctx->http, has_ended(r) ? 0 : wait_ms(r));

    r->c->graph_us += gg_clock_mono_us() - start_us;
    if (flight == NULL)
        (void)give_one(r);
    for (size_t i = 0; flight != NULL && i < r->count; i++) {
        struct work *w = &r->works[i];
        if (flight != &w->flight)
            continue;
        r->flying--;
        gg_graph_note(&w->job->request, &w->made, &flight->response);
        return take_answer(r, w, err);
    }
    return true;
}

/* When nothing is under way any more: one new token for all that were refused. */
static bool renew(struct run *r, struct gg_err *err)
{
    bool ok = gg_refresh_replace(r->c, r->works[0].job->request.key, r->claims, r->access, err);

    if (err->code == GG_EAUTHREQUIRED)
        err->claims = r->claims;
    if (!ok)
        return false;
    for (size_t i = 0; i < r->count; i++) {
        if (r->works[i].state != REFUSED)
            continue;
        r->works[i].state = WAITING;
        r->works[i].is_retry = false;
    }
    r->refused = 0;
    r->is_renewed = true;
    return true;
}

static bool is_done(const struct run *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->works[i].state != TAKEN)
            return false;
    return true;
}

static bool run(struct run *r, struct gg_err *err)
{
    while (!is_done(r)) {
        *err = (struct gg_err){.code = GG_OK};
        if (!begin_some(r, err))
            return false;
        bool ok = true;
        if (r->flying > 0)
            ok = land(r, err);
        else if (r->refused > 0)
            ok = renew(r, err);
        else if (!give_one(r) && !is_done(r))
            gg_clock_sleep_ms(wait_ms(r));
        if (!ok)
            return false;
    }
    return true;
}

bool gg_fanout_run(struct gg_call *c, const struct gg_fanout *fanout, struct gg_access *access,
                   struct gg_err *err)
{
    struct gg_fanout_job *jobs = fanout->jobs;
    struct run r = {.c = c, .fanout = fanout, .count = fanout->count, .access = access};

    if (r.count > 0 && !gg_secret_is_set(access->token) &&
        !gg_refresh_get(c, jobs[0].request.key, access, err))
        return false;
    r.works = gg_arena_alloc(c->arena, r.count * sizeof *r.works);
    for (size_t i = 0; i < r.count; i++) {
        jobs[i].err = (struct gg_err){.code = GG_OK};
        jobs[i].body = (struct gg_str){NULL, 0};
        r.works[i] = (struct work){.job = &jobs[i]};
    }
    bool ok = run(&r, err);
    gg_http_drop(c->ctx->http);
    if (ok)
        *err = (struct gg_err){.code = GG_OK};
    return ok;
}
