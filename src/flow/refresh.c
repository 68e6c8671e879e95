/* SPDX-License-Identifier: MIT */
#include "gg/flow/refresh.h"

#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/flow/admit.h"
#include "gg/flow/audit.h"
#include "gg/flow/redeem.h"

/* A call must be over, and its answer stored, before its lease ends. */
#define CALL_S (GG_TOKEN_LEASE_S - 4)
/* How long Microsoft is left alone after a failure, when it does not ask for less. */
#define PAUSE_S 5
#define POLL_MS 60

/* One caller's wish, through all its turns. */
struct wish {
    struct gg_token_key key;
    struct gg_secret refused; /* the token that will not do; not set: any valid one will */
    const char *claims;
    bool is_upkeep;  /* nobody uses the token: last_used_at stays */
    bool *was_asked; /* set when Microsoft is; NULL: nobody wants to know */
};

/* The failure that another caller met a moment ago, as one's own. */
static bool fail_as_before(const struct gg_token *row, struct gg_err *err)
{
    enum gg_code code =
        gg_str_is(row->failure, gg_err_row(GG_ECLIENT)->code) ? GG_ECLIENT : GG_ELOGIN;

    (void)gg_fail(err, code, "a refresh failed a moment ago: %.*s", GG_STR_ARG(row->failure));
    err->retry_after_s = (int)row->failure_left_s;
    return false;
}

static void note(struct gg_call *c, const struct wish *w, struct gg_audit_event e)
{
    e.realm = w->key.realm;
    e.subject = w->key.subject;
    gg_audit_note(c, e);
}

static void tell_failure(struct gg_call *c, const struct wish *w,
                         const struct gg_oauth_refusal *refusal, const struct gg_err *why)
{
    enum gg_level level = refusal->class == GG_OAUTH_OPERATOR ? GG_ERROR : GG_WARNING;
    const char *class = refusal->class == GG_OAUTH_PERMANENT  ? "permanent"
                        : refusal->class == GG_OAUTH_OPERATOR ? "operator"
                                                              : "passing";

    gg_log(level, "token.refresh",
           "realm=%s subject=%.*s result=failed class=%s why=\"%s\" reason=\"%s\"",
           w->key.realm->name, GG_STR_ARG(w->key.subject), class, why->why == NULL ? "" : why->why,
           why->log);
    note(c, w,
         (struct gg_audit_event){.event = "token.refresh_failed",
                                 .result = gg_audit_result(false, why),
                                 .detail = class});
}

static void count_failure(enum gg_oauth_class class)
{
    static const enum gg_metric_word_REFRESH words[] = {
        [GG_OAUTH_PASSING] = GG_M_REFRESH_PASSING,
        [GG_OAUTH_PERMANENT] = GG_M_REFRESH_PERMANENT,
        [GG_OAUTH_OPERATOR] = GG_M_REFRESH_OPERATOR,
    };

    gg_metric_count(GG_METRIC_TOKEN_REFRESHES, words[class], 0, 0);
}

/* Notes the failure in the row, and says it to the caller. Always false. */
static bool end_badly(struct gg_call *c, const struct wish *w, struct gg_token_end *end,
                      const struct gg_oauth_refusal *refusal, struct gg_err *err)
{
    struct gg_err why = *err;
    enum gg_code code = refusal->class == GG_OAUTH_PERMANENT  ? GG_EAUTHREQUIRED
                        : refusal->class == GG_OAUTH_OPERATOR ? GG_ECLIENT
                                                              : GG_ELOGIN;

    count_failure(refusal->class);
    tell_failure(c, w, refusal, &why);
    end->is_permanent = code == GG_EAUTHREQUIRED;
    /* *end is looked at when the refusal is gone. */
    end->failure =
        end->is_permanent ? gg_arena_strdup(c->arena, refusal->error) : gg_err_row(code)->code;
    bool is_shorter = refusal->retry_after_s >= 0 && refusal->retry_after_s < PAUSE_S;
    end->pause_s = is_shorter ? refusal->retry_after_s : PAUSE_S;
    if (!gg_token_end_lease(gg_ctx_tokens(c->ctx), c->arena, w->key, end, err))
        return false;
    if (end->is_permanent && end->was_ours)
        note(c, w,
             (struct gg_audit_event){.event = "token.reconnect_forced", .detail = refusal->error});
    *err = why;
    err->code = code;
    err->retry_after_s = end->is_permanent ? 0 : end->pause_s > 0 ? (int)end->pause_s : 1;
    return false;
}

/* Asks Microsoft, under the lease; end->was_ours is false when the row has changed meanwhile. */
static bool refresh_under(struct gg_call *c, const struct wish *w,
                          const struct gg_token_lease *lease, struct gg_token_end *end,
                          struct gg_err *err)
{
    int64_t login_s = c->ctx->conf->login_timeout_s;
    int64_t left_ms = gg_deadline_left_ms(c->deadline);
    struct gg_grant grant = {
        .refresh_token = lease->refresh_token,
        .claims = w->claims,
        .timeout_s = (int)(login_s < CALL_S ? login_s : CALL_S),
        .deadline = gg_deadline_in(left_ms < CALL_S * 1000 ? left_ms : CALL_S * 1000),
    };
    struct gg_oauth_refusal refusal;
    struct gg_tokens *set = gg_arena_alloc(c->arena, sizeof *set);

    end->lease = lease;
    if (w->was_asked != NULL)
        *w->was_asked = true;
    if (!gg_redeem(c, &grant, set, &refusal, err))
        return end_badly(c, w, end, &refusal, err);
    end->set = set;
    /* A token that never has more left is not refreshed by each caller in turn. */
    end->rest_s = set->expires_in_s <= GG_REFRESH_BEFORE_S ? set->expires_in_s / 2 : 0;
    bool ok = gg_token_end_lease(gg_ctx_tokens(c->ctx), c->arena, w->key, end, err);
    gg_metric_count(GG_METRIC_TOKEN_REFRESHES, ok ? GG_M_REFRESH_OK : GG_M_REFRESH_STORAGE, 0, 0);
    note(c, w,
         (struct gg_audit_event){
             .event = "token.refresh",
             .result = gg_audit_result(ok, err),
             .detail = ok && !end->was_ours ? "not stored: a connect or disconnect came in" : NULL,
         });
    if (!ok)
        return false;
    gg_log(GG_INFO, "token.refresh", "realm=%s subject=%.*s result=ok stored=%s expires_in=%lld",
           w->key.realm->name, GG_STR_ARG(w->key.subject), end->was_ours ? "yes" : "no",
           (long long)set->expires_in_s);
    return true;
}

/* What one look at the row leads to. */
enum turn { TURN_AGAIN, TURN_SERVED, TURN_FAILED };

static enum turn serve(struct gg_call *c, const struct gg_token *row, struct gg_access *access,
                       struct gg_err *err)
{
    return gg_token_open(gg_ctx_tokens(c->ctx), c->arena, row, &access->token, err) ? TURN_SERVED
                                                                                    : TURN_FAILED;
}

static enum turn refresh_or_wait(struct gg_call *c, const struct wish *w,
                                 const struct gg_token *row, struct gg_access *access,
                                 struct gg_err *err)
{
    struct gg_token_lease lease;
    struct gg_token_end end = {0};

    if (!gg_token_take_lease(gg_ctx_tokens(c->ctx), c->arena, row, &lease, err))
        return TURN_FAILED;
    if (!lease.taken)
        return TURN_AGAIN;
    bool ok = refresh_under(c, w, &lease, &end, err);
    /* A connect or a disconnect came in meanwhile: what the row says now counts, not the answer. */
    if (!end.was_ours && (ok || (end.failure != NULL && err->code != GG_EDATABASE)))
        return TURN_AGAIN;
    if (!ok)
        return TURN_FAILED;
    access->token = end.set->access_token;
    return TURN_SERVED;
}

/* Told by the token itself: a rotation of keys gives it another ciphertext, and it is no better. */
static bool look_whether_refused(struct gg_call *c, const struct wish *w,
                                 const struct gg_token *row, bool *is_refused, struct gg_err *err)
{
    struct gg_secret token;

    *is_refused = false;
    if (!gg_secret_is_set(w->refused))
        return true;
    if (!gg_token_open(gg_ctx_tokens(c->ctx), c->arena, row, &token, err))
        return false;
    *is_refused = gg_secret_is_equal(w->refused, token);
    return true;
}

/* Nothing to serve. Who has connected too long ago is told so once; no row keeps anybody from it.
 */
static enum turn refuse(struct gg_call *c, const struct gg_token *row, struct gg_err *err)
{
    if (row->is_too_old) {
        bool is_noted = gg_token_retire(gg_ctx_tokens(c->ctx), c->arena, row->key, err);
        gg_log(GG_WARNING, "token.reconnect_forced",
               "realm=%s subject=%.*s days=%lld stored=%s reason=\"TOKEN_MAX_AGE_DAYS\"",
               row->key.realm->name, GG_STR_ARG(row->key.subject),
               (long long)c->ctx->conf->token_max_age_days, is_noted ? "yes" : "no");
        gg_audit_note(c, (struct gg_audit_event){.event = "token.reconnect_forced",
                                                 .realm = row->key.realm,
                                                 .subject = row->key.subject,
                                                 .detail = "max_age"});
    }
    (void)gg_fail(err, GG_EAUTHREQUIRED, "%s",
                  row->is_too_old ? "the connection is older than TOKEN_MAX_AGE_DAYS"
                  : row->found    ? "the tokens are inactive"
                                  : "no tokens");
    return TURN_FAILED;
}

/* A full disk, or a database that only reads, does not keep anybody from the calendar. */
static void touch(struct gg_call *c, struct gg_token_key key)
{
    struct gg_err why;

    if (!gg_token_touch(gg_ctx_tokens(c->ctx), c->arena, key, &why))
        gg_log(GG_WARNING, "token.touch", "reason=\"%s\"", why.log);
}

static enum turn take_turn(struct gg_call *c, const struct wish *w, struct gg_access *access,
                           struct gg_err *err)
{
    struct gg_token row;
    bool is_refused;

    if (!gg_token_find(gg_ctx_tokens(c->ctx), c->arena, w->key, &row, err))
        return TURN_FAILED;
    if (!row.found || !row.is_active)
        return refuse(c, &row, err);
    if (row.wants_touch && !w->is_upkeep)
        touch(c, w->key);
    if (!look_whether_refused(c, w, &row, &is_refused, err))
        return TURN_FAILED;
    bool is_valid = row.left_s > 0 && !is_refused;
    bool wants_refresh = is_refused || row.left_s <= GG_REFRESH_BEFORE_S;
    if (!wants_refresh || (is_valid && (row.is_leased || row.is_rested || row.failure.p != NULL ||
                                        row.ciphers.refresh_token.p == NULL)))
        return serve(c, &row, access, err);
    if (row.failure.p != NULL) {
        (void)fail_as_before(&row, err);
        return TURN_FAILED;
    }
    if (row.is_leased)
        return TURN_AGAIN;
    enum turn turn = refresh_or_wait(c, w, &row, access, err);
    bool is_passing = err->code == GG_ELOGIN || err->code == GG_ECLIENT;
    return turn == TURN_FAILED && is_valid && is_passing ? serve(c, &row, access, err) : turn;
}

static bool fulfil(struct gg_call *c, const struct wish *w, struct gg_access *access,
                   struct gg_err *err)
{
    for (;;) {
        *err = (struct gg_err){.code = GG_OK};
        enum turn turn = take_turn(c, w, access, err);
        if (turn != TURN_AGAIN)
            return turn == TURN_SERVED;
        if (gg_deadline_left_ms(c->deadline) < 2 * POLL_MS) {
            (void)gg_fail(err, GG_ELOGIN, "another's refresh did not end in time");
            err->retry_after_s = 1;
            return false;
        }
        gg_clock_sleep_ms(POLL_MS + gg_clock_mono_ms() % 17);
    }
}

bool gg_refresh_get(struct gg_call *c, struct gg_token_key key, struct gg_access *access,
                    struct gg_err *err)
{
    struct wish w = {.key = key};
    bool wants_touch;

    if (!gg_admit_open(c, key, &access->token, &wants_touch))
        return fulfil(c, &w, access, err);
    if (wants_touch)
        touch(c, key);
    return true;
}

bool gg_refresh_replace(struct gg_call *c, struct gg_token_key key, const char *claims,
                        struct gg_access *access, struct gg_err *err)
{
    struct wish w = {.key = key, .refused = access->token, .claims = claims};

    return fulfil(c, &w, access, err);
}

bool gg_refresh_row(struct gg_call *c, const struct gg_token *row, bool *was_asked,
                    struct gg_err *err)
{
    struct wish w = {.key = row->key, .is_upkeep = true, .was_asked = was_asked};
    struct gg_access access;

    *was_asked = false;
    if (row->is_active && !gg_token_open(gg_ctx_tokens(c->ctx), c->arena, row, &w.refused, err))
        return false;
    return fulfil(c, &w, &access, err);
}
