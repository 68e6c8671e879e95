/* SPDX-License-Identifier: MIT */
#include "gg/web/guard.h"

#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/flow/admit.h"

/* Some workers sweep now and then, so that old rows go even where nobody runs `maintain`. */
#define SWEEP_ONE_IN 512

_Static_assert((int)GG_LIMITS == (int)GG_M_LIMIT_N, "each limit has its word");

static bool read_caller(struct gg_exchange *x, struct gg_str token, struct gg_err *err)
{
    x->has_caller = gg_pair_check(&x->call, gg_secret_of(token), &x->caller, err);
    return x->has_caller;
}

/* Also where nothing else is configured, so that it can be seen that it is not. */
static bool is_scraper(const struct gg_exchange *x, struct gg_str token)
{
    struct gg_secret expected = x->call.ctx->conf->metrics_token;

    return gg_secret_is_set(expected) && gg_secret_is_equal(gg_secret_of(token), expected);
}

bool gg_guard_check(struct gg_exchange *x, enum gg_auth auth, struct gg_err *err)
{
    struct gg_str token = gg_request_bearer(&x->request);

    if (auth == GG_AUTH_NONE || (auth == GG_AUTH_MAYBE && token.p == NULL))
        return true;
    if (auth == GG_AUTH_ADMIN_OR) {
        struct gg_err ignored;
        if (token.p != NULL)
            (void)read_caller(x, token, &ignored);
        return true;
    }
    if (auth == GG_AUTH_METRICS && is_scraper(x, token))
        return true;
    if (!x->call.ctx->is_configured)
        return gg_fail(err, GG_ENOTCONFIGURED, "the log of the start names the setting");
    if (token.p == NULL)
        return gg_fail(err, GG_EINVALIDTOKEN, "there is no bearer token");
    if (!read_caller(x, token, err))
        return false;
    if (x->caller.realm != x->realm)
        return gg_fail(err, GG_EWRONGREALM, "a token of %s", x->caller.realm->name);
    if ((auth == GG_AUTH_ADMIN || auth == GG_AUTH_METRICS) && !x->caller.is_admin)
        return gg_fail(err, GG_EADMIN, "subject=%s", gg_log_subject(x->caller.subject).text);
    return true;
}

static void add_headers(struct gg_response *r, const struct gg_rate *rate)
{
    gg_response_header_int(r, "RateLimit-Limit", rate->limit);
    gg_response_header_int(r, "RateLimit-Remaining", rate->remaining);
    gg_response_header_int(r, "RateLimit-Reset", rate->reset_s);
}

static void sweep_sometimes(struct gg_exchange *x)
{
    uint64_t count;
    struct gg_err ignored;

    /* The clock is die enough: nobody gains by the number. */
    if (gg_clock_mono_us() % SWEEP_ONE_IN == 0 &&
        !gg_rate_sweep(x->call.ctx->db, x->call.arena, &count, &ignored))
        gg_log(GG_WARNING, "rate.sweep", "result=failed");
}

bool gg_guard_limit(struct gg_exchange *x, enum gg_limit_id limit, enum gg_limit_by by,
                    struct gg_err *err)
{
    const struct gg_conf *conf = x->call.ctx->conf;
    struct gg_arena *a = x->call.arena;
    struct gg_rate rate;

    if (conf->limits[limit].requests == 0)
        return true;
    bool is_user = by == GG_BY_CALLER_OR_ADDRESS && x->has_caller;
    const char *address =
        is_user
            ? ""
            : gg_arena_printf(a, "address:%.*s",
                              GG_STR_ARG(gg_request_address(&x->request, conf->trusted_proxies)));
    struct gg_rate_key key = {
        is_user ? gg_rate_name(a, limit, (struct gg_subject){x->caller.realm, x->caller.subject})
                : gg_str_of(gg_arena_printf(a, "%s:%s", gg_rate_word(limit), address)),
        conf->limits[limit],
    };
    struct gg_token_key whose = {x->realm, x->caller.subject};
    bool wants_row = is_user && x->wants_row && x->caller.realm == x->realm;
    if (!gg_admit_take(&x->call, key, wants_row ? &whose : NULL, &rate, err))
        return false;
    add_headers(&x->response, &rate);
    sweep_sometimes(x);
    if (rate.admitted)
        return true;
    gg_metric_count(GG_METRIC_RATE_LIMITED, limit, 0, 0);
    if (is_user)
        (void)gg_fail(err, GG_ERATELIMITED, "limit=%s key=%s:%s", gg_rate_word(limit),
                      x->caller.realm->name, gg_log_subject(x->caller.subject).text);
    else
        (void)gg_fail(err, GG_ERATELIMITED, "limit=%s key=%s", gg_rate_word(limit), address);
    err->retry_after_s = (int)rate.reset_s;
    return false;
}
