/* SPDX-License-Identifier: MIT */
#include "gg/flow/admit.h"

#include "gg/base/metric.h"
#include "gg/flow/refresh.h"
#include "gg/store/tokenuse.h"

struct gg_admitted {
    struct gg_tokenuse row;
    int64_t read_ms;
};

static bool take(struct gg_call *c, struct gg_rate_key limit, const struct gg_token_key *whose,
                 struct gg_rate *rate, struct gg_err *err)
{
    struct gg_db_result rows;

    if (whose == NULL)
        return gg_rate_take(c->ctx->db, c->arena, limit, rate, err);
    struct gg_subject who = {whose->realm, whose->subject};
    const struct gg_db_pair pair = {gg_rate_call(c->arena, limit), gg_tokenuse_call(c->arena, who)};
    struct gg_admitted *kept = gg_arena_alloc(c->arena, sizeof *kept);
    /* The time is of before the database was asked: what it says is no older. */
    *kept = (struct gg_admitted){{.whose = who}, gg_clock_mono_ms()};
    if (!gg_db_run_pair(c->ctx->db, c->arena, &pair, &rows, err)) {
        gg_metric_count(GG_METRIC_TOKEN_STORAGE_ERRORS, GG_M_STORAGE_READ, 0, 0);
        return false;
    }
    if (!gg_rate_read(limit, &rows, rate, err))
        return false;
    struct gg_tokenuse_need need = {rate->now_us, GG_REFRESH_BEFORE_S,
                                    c->ctx->conf->token_max_age_days};
    if (gg_tokenuse_read(rows.rows[0][GG_RATE_COLUMNS], need, &kept->row))
        c->admitted = kept;
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

bool gg_admit_open(struct gg_call *c, struct gg_token_key key, struct gg_secret *token,
                   bool *wants_touch)
{
    const struct gg_admitted *kept = c->admitted;

    c->admitted = NULL;
    if (kept == NULL || gg_clock_mono_ms() - kept->read_ms > GG_ADMIT_ROW_MS ||
        kept->row.whose.realm != key.realm || !gg_str_is_equal(kept->row.whose.id, key.subject))
        return false;
    *wants_touch = kept->row.wants_touch;
    return gg_tokenuse_open(&c->ctx->fernet, c->arena, &kept->row, token);
}
