/* SPDX-License-Identifier: MIT */
#include "gg/flow/audit.h"

#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/store/audit.h"

/* The widths of the table's columns. */
#define EVENT_MAX      32
#define SUBJECT_MAX    64
#define ACTOR_MAX      128
#define ADDRESS_MAX    45
#define REQUEST_ID_MAX 64
#define RESULT_MAX     64
#define DETAIL_MAX     255

struct gg_audit_notes {
    int64_t at_us; /* of the last one */
    size_t count;
    struct note {
        int64_t at_us;
        struct gg_audit_row row; /* without what it is signed with */
        struct note *next;
    } * first, **last;
};

void gg_audit_note(struct gg_call *c, struct gg_audit_event e)
{
    if (c->notes == NULL)
        c->notes = gg_arena_alloc(c->arena, sizeof *c->notes);
    struct gg_audit_notes *all = c->notes;
    struct note *note = gg_arena_alloc(c->arena, sizeof *note);

    /* Ids are in the order of events, also where the clock does not move on. */
    int64_t now_us = gg_clock_now_us();
    all->at_us = now_us > all->at_us ? now_us : all->at_us + 1;
    *note = (struct note){
        .at_us = all->at_us,
        .row =
            {
                .event = gg_audit_clean(c->arena, gg_str_of(e.event), EVENT_MAX),
                .realm = gg_str_of(e.realm == NULL ? NULL : e.realm->name),
                .subject = gg_audit_clean(c->arena, e.subject, SUBJECT_MAX),
                .result = gg_audit_clean(c->arena, gg_str_of(e.result == NULL ? "ok" : e.result),
                                         RESULT_MAX),
                .detail = gg_audit_clean(c->arena, gg_str_of(e.detail), DETAIL_MAX),
            },
    };
    if (all->first == NULL)
        all->last = &all->first;
    *all->last = note;
    all->last = &note->next;
    all->count++;
}

const char *gg_audit_result(bool ok, const struct gg_err *err)
{
    if (ok)
        return "ok";
    return err->microsoft_code[0] != '\0' ? err->microsoft_code : gg_err_row(err->code)->code;
}

static bool sign(struct gg_call *c, const struct note *note, struct gg_audit_row *row,
                 struct gg_err *err)
{
    *row = note->row;
    row->actor = gg_audit_clean(c->arena, c->who.actor, ACTOR_MAX);
    row->address = gg_audit_clean(c->arena, c->who.address, ADDRESS_MAX);
    row->request_id = gg_audit_clean(c->arena, c->who.request_id, REQUEST_ID_MAX);
    return gg_audit_stamp(c->arena, note->at_us, row, err) &&
           gg_audit_sign_row(&c->ctx->audit_keys, c->arena, row, err);
}

static bool write_all(struct gg_call *c, const struct gg_audit_notes *all, struct gg_err *err)
{
    struct gg_audit_row *rows = gg_arena_alloc(c->arena, all->count * sizeof *rows);
    size_t n = 0;

    if (c->ctx->db == NULL)
        return gg_fail(err, GG_EDATABASE, "DATABASE_URL is missing or bad");
    for (const struct note *note = all->first; note != NULL; note = note->next)
        if (!sign(c, note, &rows[n++], err))
            return false;
    return gg_audit_put(c->ctx->db, c->arena, rows, n, err);
}

/* What changes a state goes into the table at once; uses are many. */
static bool may_wait(const struct gg_call *c, const struct gg_audit_notes *all)
{
    return c->ctx->journal != NULL && !c->ctx->conf->audit_fails_closed && all->count == 1 &&
           gg_str_is(all->first->row.event, GG_AUDIT_USE);
}

static bool put_by(struct gg_call *c, const struct gg_audit_notes *all)
{
    struct gg_audit_row row;
    struct gg_str bytes;
    struct gg_err ignored; /* what does not go by this way goes by the other, or fails there */

    return sign(c, all->first, &row, &ignored) && gg_audit_pack(c->arena, &row, &bytes, &ignored) &&
           gg_journal_add(c->ctx->journal, bytes);
}

bool gg_audit_flush(struct gg_call *c, struct gg_err *err)
{
    struct gg_audit_notes *all = c->notes;
    struct gg_err why = {.code = GG_OK};

    c->notes = NULL;
    if (all == NULL || (may_wait(c, all) && put_by(c, all)) || write_all(c, all, &why))
        return true;
    bool is_closed = c->ctx->conf->audit_fails_closed;
    gg_metric_count(GG_METRIC_AUDIT_FAILURES, 0, 0, 0);
    gg_log(GG_ERROR, "audit.write", "first=%.*s failure=%s reason=\"%s\"",
           GG_STR_ARG(all->first->row.event), is_closed ? "closed" : "open", why.log);
    if (!is_closed)
        return true;
    (void)gg_fail(err, GG_EDATABASE, "a row of the audit could not be written");
    err->retry_after_s = why.retry_after_s > 0 ? why.retry_after_s : 5;
    return false;
}
