/* SPDX-License-Identifier: MIT */
#include "gg/flow/settler.h"

#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/store/audit.h"

static void lose(struct gg_str id, const char *why)
{
    gg_metric_count(GG_METRIC_AUDIT_FAILURES, 0, 0, 0);
    gg_log(GG_ERROR, "audit.journal", "result=lost id=%.*s reason=\"%s\"", GG_STR_ARG(id), why);
}

/* A record that a killed process had not finished is no row of ours, whatever it looks like. */
static bool is_whole(struct gg_ctx *ctx, struct gg_arena *a, struct gg_str record,
                     struct gg_audit_row *row)
{
    enum gg_audit_verdict verdict;
    struct gg_err err;

    if (!gg_audit_unpack(record, row) ||
        !gg_audit_check_row(&ctx->audit_keys, a, row, &verdict, &err))
        return false;
    return verdict == GG_AUDIT_GOOD ||
           (verdict == GG_AUDIT_NO_KEY && row->mac.n == GG_AUDIT_MAC_CHARS &&
            gg_str_is_printable(row->mac));
}

static bool read_rows(struct gg_ctx *ctx, struct gg_arena *a, struct gg_audit_row **rows,
                      size_t *count, struct gg_err *err)
{
    struct gg_str rest;
    struct gg_str record;
    size_t all = 0;

    if (!gg_journal_read(ctx->journal, a, &rest, err))
        return false;
    for (struct gg_str left = rest; gg_journal_take(&left, &record);)
        all++;
    *rows = gg_arena_alloc(a, all * sizeof **rows);
    *count = 0;
    while (gg_journal_take(&rest, &record)) {
        if (is_whole(ctx, a, record, &(*rows)[*count]))
            ++*count;
        else
            lose(GG_STR("-"), "what is in the journal is no row of ours");
    }
    return true;
}

/* One whose id is taken must not keep the others waiting for ever. */
static bool put_rows(struct gg_ctx *ctx, struct gg_arena *a, const struct gg_audit_row *rows,
                     size_t count, struct gg_err *err)
{
    if (ctx->db == NULL)
        return gg_fail(err, GG_EDATABASE, "DATABASE_URL is missing or bad");
    if (gg_audit_put(ctx->db, a, rows, count, err))
        return true;
    if (err->code != GG_EINTERNAL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (gg_audit_put(ctx->db, a, &rows[i], 1, err))
            continue;
        if (err->code != GG_EINTERNAL)
            return false;
        lose(gg_audit_clean(a, rows[i].id, GG_AUDIT_ID_CHARS), err->log);
    }
    return true;
}

bool gg_settler_run(struct gg_ctx *ctx, struct gg_arena *a)
{
    struct gg_audit_row *rows = NULL;
    size_t count = 0;
    struct gg_err err;

    if (ctx->journal == NULL || gg_journal_is_empty(ctx->journal))
        return true;
    if (read_rows(ctx, a, &rows, &count, &err) && put_rows(ctx, a, rows, count, &err)) {
        gg_journal_clear(ctx->journal);
        return true;
    }
    gg_journal_put_off(ctx->journal);
    gg_metric_count(GG_METRIC_AUDIT_FAILURES, 0, 0, 0);
    gg_log(GG_ERROR, "audit.journal", "result=waits rows=%zu reason=\"%s\"", count, err.log);
    return false;
}

void gg_settler_run_due(struct gg_ctx *ctx, struct gg_arena *a)
{
    if (ctx->journal != NULL && gg_journal_is_due(ctx->journal))
        (void)gg_settler_run(ctx, a);
}

bool gg_settler_run_left(struct gg_ctx *ctx, struct gg_arena *a)
{
    do {
        if (!gg_settler_run(ctx, a))
            return false;
    } while (ctx->journal != NULL && gg_journal_move(ctx->journal));
    return true;
}
