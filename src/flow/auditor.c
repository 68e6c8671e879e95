/* SPDX-License-Identifier: MIT */
#include "gg/flow/auditor.h"

#include "gg/ext/crypto.h"
#include "gg/store/audit.h"
#include "gg/store/chain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FAULT_BYTES 512
#define REMOVER_MAX 128

/* How far the reading has come. */
struct reading {
    struct gg_call *c;
    struct gg_auditor *v;
    int64_t number; /* of the seal before; 0: none */
    char mac[GG_AUDIT_MAC_CHARS + 1];
    char last_id[GG_AUDIT_ID_CHARS + 1];
    char read_id[GG_AUDIT_ID_CHARS + 1]; /* rows up to this one are read */
};

/* The rows of one span. */
struct span {
    const struct gg_audit_seal *seal; /* NULL: of no seal */
    struct gg_str listing;            /* what of it no row has been found for; empty: none */
    const char *after;
    struct gg_str before; /* this one excluded */
};

static void tell(struct gg_auditor *v, const char *fmt, ...) GG_PRINTF(2, 3);

static void tell(struct gg_auditor *v, const char *fmt, ...)
{
    char text[FAULT_BYTES];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    v->faults++;
    v->tell(v->arg, text);
}

static void keep(char *to, size_t size, struct gg_str s)
{
    (void)snprintf(to, size, "%.*s", GG_STR_ARG(s));
}

static struct gg_str entry_id(struct gg_str listing)
{
    return (struct gg_str){listing.p, GG_AUDIT_ID_CHARS};
}

static struct gg_str entry_mac(struct gg_str listing)
{
    return (struct gg_str){listing.p + GG_AUDIT_ID_CHARS, GG_AUDIT_MAC_CHARS};
}

static int compare(struct gg_str a, struct gg_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* Of a row that is not good: the id under which the whole listing has its MAC; absent: none. */
static struct gg_str find_place(const struct span *s, struct gg_str mac)
{
    struct gg_str rest = s->seal == NULL ? (struct gg_str){NULL, 0} : s->seal->listing;

    for (; rest.n > 0; rest = gg_str_skip(rest, GG_AUDIT_ENTRY_CHARS))
        if (gg_str_is_equal(entry_mac(rest), mac))
            return entry_id(rest);
    return (struct gg_str){NULL, 0};
}

static void tell_bad(struct reading *r, struct gg_arena *a, const struct span *s,
                     const struct gg_audit_row *row, enum gg_audit_verdict verdict)
{
    struct gg_str id = gg_audit_clean(a, row->id, GG_AUDIT_ID_CHARS);
    struct gg_str key = gg_audit_clean(a, row->key_fingerprint, 8);
    struct gg_str place = find_place(s, row->mac);

    if (place.p != NULL && !gg_str_is_equal(place, row->id))
        tell(r->v, "row %.*s: changed places: it has what row %.*s had", GG_STR_ARG(id),
             GG_STR_ARG(place));
    else if (verdict == GG_AUDIT_NO_KEY)
        tell(r->v,
             "row %.*s: cannot be verified: the key %.*s is not among the audit's (or that name "
             "was changed)",
             GG_STR_ARG(id), GG_STR_ARG(key));
    else
        tell(r->v, "row %.*s: changed, or not written by graphgate", GG_STR_ARG(id));
}

/* Entries of the listing before this id have no row. */
static void tell_removed(struct reading *r, struct span *s, struct gg_str id)
{
    while (s->listing.n > 0 && compare(entry_id(s->listing), id) < 0) {
        tell(r->v, "row %.*s: removed (seal %lld has it)", GG_STR_ARG(entry_id(s->listing)),
             (long long)s->seal->number);
        s->listing = gg_str_skip(s->listing, GG_AUDIT_ENTRY_CHARS);
    }
}

static bool read_row(struct reading *r, struct gg_arena *a, struct span *s,
                     const struct gg_audit_row *row, struct gg_err *err)
{
    enum gg_audit_verdict verdict;

    if (!gg_audit_check_row(&r->c->ctx->audit_keys, a, row, &verdict, err))
        return false;
    r->v->rows++;
    tell_removed(r, s, row->id);
    bool is_listed = s->listing.n > 0 && gg_str_is_equal(entry_id(s->listing), row->id);
    bool is_sealed = is_listed && gg_str_is_equal(entry_mac(s->listing), row->mac);
    if (is_listed)
        s->listing = gg_str_skip(s->listing, GG_AUDIT_ENTRY_CHARS);
    if (verdict != GG_AUDIT_GOOD || (is_listed && !is_sealed))
        tell_bad(r, a, s, row, verdict);
    else if (!is_listed)
        r->v->late++;
    return true;
}

/* All rows of a span, in pages. */
static bool read_rows(struct reading *r, struct span *s, struct gg_err *err)
{
    char after[GG_AUDIT_ID_CHARS + 1];
    bool ok = true;
    bool more = true;

    keep(after, sizeof after, gg_str_of(s->after));
    while (ok && more) {
        struct gg_arena *a = gg_arena_open();
        struct gg_audit_filter filter = {.after = gg_str_of(after), .before = s->before};
        struct gg_audit_page page = {.limit = GG_AUDIT_PAGE_MAX};
        ok = gg_audit_find(r->c->ctx->db, a, &filter, &page, err);
        for (size_t i = 0; ok && i < page.count; i++)
            ok = read_row(r, a, s, &page.rows[i], err);
        more = ok && page.count == GG_AUDIT_PAGE_MAX;
        if (more)
            keep(after, sizeof after, page.rows[page.count - 1].id);
        gg_arena_close(a);
    }
    return ok;
}

/* "ID~": behind that id, and before every other one. */
static struct gg_str behind(struct gg_arena *a, struct gg_str id)
{
    return gg_str_of(gg_arena_printf(a, "%.*s~", GG_STR_ARG(id)));
}

/* Rows up to a seal whose own rows are gone: only what came late may be there. */
static bool read_leftovers(struct reading *r, struct gg_arena *a, struct gg_err *err)
{
    struct span s = {.after = r->read_id, .before = behind(a, gg_str_of(r->last_id))};

    if (strcmp(r->read_id, r->last_id) >= 0)
        return true;
    bool ok = read_rows(r, &s, err);
    keep(r->read_id, sizeof r->read_id, gg_str_of(r->last_id));
    return ok;
}

static bool is_wanted(const struct reading *r, const struct gg_audit_seal *seal)
{
    const struct gg_auditor *v = r->v;

    return (v->from_id.p == NULL || compare(seal->last_id, v->from_id) >= 0) &&
           (v->to_id.p == NULL || compare(seal->first_id, v->to_id) < 0);
}

static bool read_span(struct reading *r, struct gg_arena *a, struct gg_audit_seal *seal,
                      struct gg_err *err)
{
    struct gg_str hash;

    if (!gg_chain_find_listing(r->c->ctx->db, a, seal, err) ||
        !gg_crypto_hash_text(a, seal->listing, &hash, err))
        return false;
    if (!gg_str_is_equal(hash, seal->rows_hash) ||
        seal->listing.n != (size_t)seal->row_count * GG_AUDIT_ENTRY_CHARS) {
        tell(r->v, "seal %lld: its listing of %lld rows was changed or removed",
             (long long)seal->number, (long long)seal->row_count);
        seal->listing = (struct gg_str){NULL, 0};
    }
    struct span s = {seal, seal->listing, r->read_id, behind(a, seal->last_id)};
    if (!read_rows(r, &s, err))
        return false;
    tell_removed(r, &s, GG_STR("~"));
    keep(r->read_id, sizeof r->read_id, seal->last_id);
    return true;
}

static void tell_seal(struct reading *r, const struct gg_audit_seal *seal, const char *what,
                      enum gg_audit_verdict verdict)
{
    if (verdict == GG_AUDIT_NO_KEY)
        tell(r->v, "seal %lld: %s cannot be verified: its key is not among the audit's",
             (long long)seal->number, what);
    else if (verdict == GG_AUDIT_CHANGED)
        tell(r->v, "seal %lld: %s was changed, or not made by graphgate", (long long)seal->number,
             what);
}

/* The seal itself, and what it says of the one before. */
static bool check_seal(struct reading *r, struct gg_arena *a, const struct gg_audit_seal *seal,
                       struct gg_err *err)
{
    enum gg_audit_verdict verdict;
    long long number = (long long)seal->number;

    if (!gg_audit_check_seal(&r->c->ctx->audit_keys, a, seal, &verdict, err))
        return false;
    tell_seal(r, seal, "it", verdict);
    /* The greatest number there is has none behind it: no graphgate comes that far. */
    if (seal->number == INT64_MAX || seal->number - 1 != r->number)
        tell(r->v, "seal %lld: removed (and those up to seal %lld)", (long long)r->number + 1,
             number);
    else if (!gg_str_is(seal->previous, r->mac))
        tell(r->v, "seal %lld: does not follow the seal before it: one of them was put in", number);
    if (compare(seal->last_id, gg_str_of(r->last_id)) <= 0)
        tell(r->v, "seal %lld: stands before the seal before it", number);
    if (r->v->head_number == seal->number && !gg_str_is_equal(r->v->head_mac, seal->mac))
        tell(r->v, "seal %lld: is not the head that was given: the chain was made anew", number);
    return true;
}

/* Whether retention has removed its rows, with a proof of that. */
static bool check_removal(struct reading *r, struct gg_arena *a, const struct gg_audit_seal *seal,
                          bool *is_removed, struct gg_err *err)
{
    enum gg_audit_verdict verdict = GG_AUDIT_CHANGED;

    *is_removed = false;
    if (seal->removed_mac.p == NULL)
        return true;
    if (!gg_audit_check_removal(&r->c->ctx->audit_keys, a, seal, &verdict, err))
        return false;
    tell_seal(r, seal, "the proof of its removal", verdict);
    *is_removed = verdict == GG_AUDIT_GOOD;
    return true;
}

/* The proof first: whatever ends this halfway, what is gone has one. */
static bool remove_span(struct reading *r, struct gg_arena *a, struct gg_audit_seal *seal,
                        struct gg_err *err)
{
    struct gg_db *db = r->c->ctx->db;
    struct gg_str actor = r->c->who.actor;
    uint64_t count = 0;
    int64_t now_us;

    r->v->removing_seals++;
    if (r->v->is_dry)
        return true;
    if (!gg_audit_find_now(db, a, &now_us, err))
        return false;
    seal->removed_at = gg_audit_format_time(a, now_us);
    seal->removed_by = gg_audit_clean(a, actor.p == NULL ? GG_STR("-") : actor, REMOVER_MAX);
    if (!gg_audit_sign_removal(&r->c->ctx->audit_keys, a, seal, err) ||
        !gg_chain_note_removal(db, a, seal, err))
        return false;
    do {
        if (!gg_audit_drop(db, a, seal->last_id, &count, err))
            return false;
    } while (count > 0);
    return true;
}

static bool read_and_remove(struct reading *r, struct gg_arena *a, struct gg_audit_seal *seal,
                            struct gg_err *err)
{
    uint64_t before = r->v->rows;

    if (!read_leftovers(r, a, err) || !read_span(r, a, seal, err))
        return false;
    if (r->v->remove_before.p == NULL || r->v->faults > 0)
        return true;
    r->v->removing_rows += r->v->rows - before;
    return remove_span(r, a, seal, err);
}

/* *is_over when retention goes no further. */
static bool read_seal(struct reading *r, struct gg_arena *a, struct gg_audit_seal *seal,
                      bool *is_over, struct gg_err *err)
{
    struct gg_auditor *v = r->v;
    bool is_pruning = v->remove_before.p != NULL;
    bool is_removed;

    *is_over = is_pruning && compare(seal->last_id, v->remove_before) >= 0;
    if (*is_over)
        return true;
    v->seals++;
    if (!check_seal(r, a, seal, err) || !check_removal(r, a, seal, &is_removed, err))
        return false;
    v->removed += is_removed;
    if (!is_removed && !is_wanted(r, seal))
        keep(r->read_id, sizeof r->read_id, seal->last_id);
    else if (!is_removed && !read_and_remove(r, a, seal, err))
        return false;
    *is_over = is_pruning && v->faults > 0;
    r->number = seal->number;
    keep(r->mac, sizeof r->mac, seal->mac);
    keep(r->last_id, sizeof r->last_id, seal->last_id);
    return true;
}

static bool read_chain(struct reading *r, struct gg_err *err)
{
    bool is_over = false;
    bool ok = true;

    while (ok && !is_over) {
        struct gg_arena *a = gg_arena_open();
        struct gg_chain_page page = {.after = r->number};
        ok = gg_chain_find(r->c->ctx->db, a, &page, err);
        for (size_t i = 0; ok && !is_over && i < page.count; i++) {
            struct gg_arena *one = gg_arena_open();
            ok = read_seal(r, one, &page.seals[i], &is_over, err);
            gg_arena_close(one);
        }
        is_over = is_over || page.count == 0;
        gg_arena_close(a);
    }
    return ok;
}

/* What stands behind the last seal. */
static bool read_unsealed(struct reading *r, struct gg_err *err)
{
    struct gg_auditor *v = r->v;
    bool is_later = v->from_id.p != NULL && compare(v->from_id, gg_str_of(r->last_id)) > 0;
    struct span s = {.after = is_later ? v->from_id.p : r->last_id, .before = v->to_id};
    uint64_t late = v->late;

    if (!read_rows(r, &s, err))
        return false;
    v->unsealed = v->late - late;
    v->late = late;
    return true;
}

bool gg_auditor_run(struct gg_call *c, struct gg_auditor *v, struct gg_err *err)
{
    struct reading *r = gg_arena_alloc(c->arena, sizeof *r);

    r->c = c;
    r->v = v;
    if (!read_chain(r, err))
        return false;
    v->last_number = r->number;
    v->last_mac = gg_str_of(gg_arena_strdup(c->arena, r->mac));
    if (v->remove_before.p != NULL)
        return true;
    if (v->head_number > r->number)
        tell(v, "seal %lld: removed (and those up to seal %lld): the chain is cut off",
             (long long)r->number + 1, (long long)v->head_number);
    if (v->from_id.p == NULL && !read_leftovers(r, c->arena, err))
        return false;
    return read_unsealed(r, err);
}
