/* SPDX-License-Identifier: MIT */
#include "gg/flow/sealer.h"

#include "gg/base/buf.h"
#include "gg/base/log.h"
#include "gg/flow/skew.h"
#include "gg/store/audit.h"
#include "gg/store/chain.h"

/* A statement of the database's, at most, and a little more. */
#define WRITING_S 15
#define MAKER_MAX 128

int64_t gg_sealer_age_s(const struct gg_conf *conf)
{
    return conf->request_deadline_s + WRITING_S + GG_SKEW_S_MAX;
}

/* What no worker can have made is in no listing: it must not keep the others from being sealed. */
static bool make_seal(struct gg_call *c, struct gg_arena *a, const struct gg_audit_page *page,
                      struct gg_audit_seal *seal, struct gg_err *err)
{
    struct gg_buf listing;

    gg_buf_init(&listing, a, (size_t)GG_AUDIT_PAGE_MAX * GG_AUDIT_ENTRY_CHARS);
    for (size_t i = 0; i < page->count; i++) {
        const struct gg_audit_row *row = &page->rows[i];
        if (row->id.n != GG_AUDIT_ID_CHARS || row->mac.n != GG_AUDIT_MAC_CHARS)
            continue;
        gg_buf_add(&listing, row->id);
        gg_buf_add(&listing, row->mac);
        seal->row_count++;
    }
    seal->first_id = page->rows[0].id;
    seal->last_id = page->rows[page->count - 1].id;
    seal->listing = gg_buf_str(&listing);
    return gg_audit_sign_seal(&c->ctx->audit_keys, a, seal, err);
}

struct sealing {
    struct gg_call *c;
    int64_t age_s;
    struct gg_sealed *out;
    bool is_done; /* nothing is left */
};

static void tell(struct sealing *s, const struct gg_audit_seal *head, bool added)
{
    s->out->head_number = head->number;
    s->out->head_mac = gg_str_of(gg_arena_copy(s->c->arena, head->mac.p, head->mac.n));
    if (!added)
        return;
    s->out->spans++;
    s->out->rows += (uint64_t)head->row_count;
    gg_log(GG_INFO, "audit.seal", "head=%lld:%.*s rows=%lld", (long long)head->number,
           GG_STR_ARG(head->mac), (long long)head->row_count);
}

/* The worker's database user may put seals in: behind one of nobody's nothing would be sealed any
 * more, and nobody told. */
static bool check_last(struct sealing *s, struct gg_arena *a, const struct gg_audit_seal *last,
                       struct gg_err *err)
{
    enum gg_audit_verdict verdict;
    long long number = (long long)last->number;

    if (number == 0)
        return true;
    if (!gg_audit_check_seal(&s->c->ctx->audit_keys, a, last, &verdict, err))
        return false;
    if (verdict == GG_AUDIT_GOOD && number < INT64_MAX)
        return true;
    if (verdict == GG_AUDIT_NO_KEY)
        (void)gg_fail(err, GG_ENOTCONFIGURED,
                      "seal %lld cannot be verified: the key %.*s is not among the audit's: put "
                      "that key behind AUDIT_KEY, or see audit verify",
                      number, GG_STR_ARG(gg_audit_clean(a, last->key_fingerprint, 8)));
    else
        (void)gg_fail(err, GG_ECONFLICT,
                      "seal %lld was changed or not made by graphgate: see audit verify", number);
    gg_log(GG_ERROR, "audit.seal", "result=failed reason=\"%s\"", err->log);
    return false;
}

/* One seal; where another was first, the next turn goes on behind it. */
static bool seal_once(struct sealing *s, struct gg_arena *a, struct gg_err *err)
{
    struct gg_db *db = s->c->ctx->db;
    struct gg_str actor = s->c->who.actor;
    struct gg_audit_seal last;
    struct gg_audit_page page = {.limit = GG_AUDIT_PAGE_MAX};
    int64_t now_us;
    bool added = false;

    if (!gg_chain_find_last(db, a, &last, err) || !check_last(s, a, &last, err) ||
        !gg_audit_find_now(db, a, &now_us, err))
        return false;
    struct gg_audit_filter filter = {
        .after = last.last_id,
        .before = gg_audit_least_id(a, now_us - s->age_s * 1000000),
    };
    if (!gg_audit_find(db, a, &filter, &page, err))
        return false;
    struct gg_audit_seal seal = {
        .number = last.number + 1,
        .previous = last.mac,
        .made_at = gg_audit_format_time(a, now_us),
        .made_by = gg_audit_clean(a, actor.p == NULL ? GG_STR("-") : actor, MAKER_MAX),
    };
    s->is_done = page.count == 0;
    if (!s->is_done &&
        (!make_seal(s->c, a, &page, &seal, err) || !gg_chain_put(db, a, &seal, &added, err)))
        return false;
    tell(s, added ? &seal : &last, added);
    return true;
}

bool gg_sealer_run(struct gg_call *c, int64_t age_s, struct gg_sealed *out, struct gg_err *err)
{
    struct sealing s = {.c = c, .age_s = age_s, .out = out};
    bool ok = true;

    *out = (struct gg_sealed){0};
    while (ok && !s.is_done) {
        struct gg_arena *a = gg_arena_open();
        ok = seal_once(&s, a, err);
        gg_arena_close(a);
    }
    return ok;
}
