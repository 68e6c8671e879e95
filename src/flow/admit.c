/* SPDX-License-Identifier: MIT */
#include "gg/flow/admit.h"

#include "gg/base/metric.h"
#include "gg/flow/refresh.h"
#include "gg/store/tokenuse.h"

struct gg_admitted {
    struct gg_token token;
    int64_t read_ms;
};

/* Keeps a row that will do. Else whoever wants it reads the whole of it. */
static void keep_row(struct gg_call *c, struct gg_token_key whose, struct gg_str cell,
                     int64_t now_us, struct gg_admitted *kept)
{
    struct gg_tokenuse_need need = {now_us, GG_REFRESH_BEFORE_S, c->ctx->conf->token_max_age_days};
    struct gg_tokenuse row;

    if (!gg_tokenuse_read(cell, need, &row))
        return;
    kept->token = (struct gg_token){
        .key = whose,
        .found = row.found,
        .is_active = row.is_active,
        .ciphers = row.ciphers,
        .seal = row.seal,
        .fingerprint = row.fingerprint,
        .left_s = row.left_s,
        .wants_touch = row.wants_touch,
    };
    c->admitted = kept;
}

static bool take(struct gg_call *c, struct gg_rate_key limit, const struct gg_token_key *whose,
                 struct gg_rate *rate, struct gg_err *err)
{
    struct gg_db_result rows;

    if (whose == NULL)
        return gg_rate_take(c->ctx->db, c->arena, limit, rate, err);
    const struct gg_db_pair pair = {
        gg_rate_call(c->arena, limit),
        gg_tokenuse_call(c->arena, (struct gg_subject){whose->realm, whose->subject})};
    struct gg_admitted *kept = gg_arena_alloc(c->arena, sizeof *kept);
    /* Of before the database was asked: what it says is no older. */
    kept->read_ms = gg_clock_mono_ms();
    if (!gg_db_run_pair(c->ctx->db, c->arena, &pair, &rows, err)) {
        gg_metric_count(GG_METRIC_TOKEN_STORAGE_ERRORS, GG_M_STORAGE_READ, 0, 0);
        return false;
    }
    if (!gg_rate_read(limit, &rows, rate, err))
        return false;
    keep_row(c, *whose, rows.rows[0][GG_RATE_COLUMNS], rate->now_us, kept);
    return true;
}

/* A table in memory that is full may be so with rows of the past. */
static bool has_made_room(struct gg_call *c)
{
    struct gg_err ignored;
    uint64_t count;

    return gg_db_fault(c->ctx->db) == GG_DB_FULL &&
           gg_rate_sweep(c->ctx->db, c->arena, &count, &ignored) && count > 0;
}

bool gg_admit_take(struct gg_call *c, struct gg_rate_key limit, const struct gg_token_key *whose,
                   struct gg_rate *rate, struct gg_err *err)
{
    return take(c, limit, whose, rate, err) ||
           (has_made_room(c) && take(c, limit, whose, rate, err));
}

bool gg_admit_find(struct gg_call *c, struct gg_token_key key, struct gg_token *token,
                   struct gg_err *err)
{
    struct gg_admitted *kept = c->admitted;

    c->admitted = NULL;
    if (kept == NULL || gg_clock_mono_ms() - kept->read_ms > GG_ADMIT_ROW_MS ||
        kept->token.key.realm != key.realm ||
        !gg_str_is_equal(kept->token.key.subject, key.subject))
        return gg_token_find(gg_ctx_tokens(c->ctx), c->arena, key, token, err);
    *token = kept->token;
    return true;
}
