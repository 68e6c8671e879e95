/* SPDX-License-Identifier: MIT */
#include "rekey.h"
#include "whose.h"

#include "gg/flow/audit.h"

#include <stdio.h>
#include <unistd.h>

#define QUERY_TIMEOUT_S 600
#define SHOW_EVERY_MS   1000

/* How far a realm is, for the line that says so. */
struct progress {
    int64_t started_ms;
    int64_t shown_ms;
    int64_t total;
    bool is_terminal;
    bool is_shown;
};

void gg_ctl_rekey_open_db(struct gg_ctl *c)
{
    struct gg_db_address *address = gg_arena_alloc(c->arena, sizeof *address);

    *address = *gg_db_address(c->ctx.db);
    address->query_timeout_s = QUERY_TIMEOUT_S;
    gg_db_close(c->ctx.db);
    c->ctx.db = gg_db_open(address);
}

const char *gg_ctl_rekey_rows(struct gg_ctl *c, int64_t count)
{
    return gg_arena_printf(c->arena, "%lld row%s", (long long)count, count == 1 ? "" : "s");
}

static void show(const struct gg_rekey *r, struct progress *p)
{
    int64_t ms = gg_clock_mono_ms() - p->started_ms;
    int64_t seen = r->counts.seen;
    int64_t rate = ms > 0 ? seen * 1000 / ms : 0;
    int64_t left_s = rate > 0 && p->total > seen ? (p->total - seen) / rate + 1 : 0;

    p->is_shown = true;
    (void)fprintf(stderr, "%s%s: %lld of %lld rows, %lld a second, %lld s left%s",
                  p->is_terminal ? "\r" : "", r->realm->name, (long long)seen,
                  (long long)(p->total > seen ? p->total : seen), (long long)rate,
                  (long long)left_s, p->is_terminal ? "\033[K" : "\n");
}

static void tick(const struct gg_rekey *r)
{
    struct progress *p = r->arg;
    int64_t now_ms = gg_clock_mono_ms();

    if (now_ms - p->shown_ms < SHOW_EVERY_MS)
        return;
    p->shown_ms = now_ms;
    show(r, p);
}

void gg_ctl_rekey_print_left(struct gg_ctl *c, const struct gg_rekey *r)
{
    int64_t more = r->counts.unreadable + r->counts.forged - GG_REKEY_LEFT_MAX;

    for (const struct gg_rekey_left *left = r->left; left != NULL; left = left->next)
        (void)printf("%s: left %s: %s\n", r->realm->name, gg_ctl_clean(c->arena, left->subject),
                     gg_ctl_clean(c->arena, gg_str_of(left->why)));
    if (more > 0)
        (void)printf("%s: left %lld more\n", r->realm->name, (long long)more);
}

static void print_counts(struct gg_ctl *c, const struct gg_ctl_rekey *k, const struct gg_rekey *r)
{
    const struct gg_rekey_counts *n = &r->counts;
    const char *name = r->realm->name;

    (void)printf("%s: %s %s%s\n", name, gg_ctl_rekey_rows(c, n->done), k->is_dry ? "would be " : "",
                 k->done);
    gg_ctl_rekey_print_left(c, r);
    if (n->busy > 0 && !k->is_dry)
        (void)printf("%s: %s busy all the time: run it again\n", name,
                     gg_ctl_rekey_rows(c, n->busy));
    if (n->unsealed > 0 && k->job == GG_REKEY_ROTATE)
        (void)printf("%s: %s without a seal, as before: graphgatectl seal\n", name,
                     gg_ctl_rekey_rows(c, n->unsealed));
}

/* Writes a row; true at once when nothing is changed that there could be one of. */
static bool note(struct gg_ctl *c, const struct gg_ctl_rekey *k, const struct gg_rekey *r,
                 const char *result, struct gg_err *err)
{
    const struct gg_rekey_counts *n = &r->counts;
    int64_t left = n->unreadable + n->forged + n->busy;
    char first[GG_FERNET_FINGERPRINT_CHARS + 1] = "";

    if (k->is_dry)
        return true;
    if (!gg_fernet_fingerprint(&c->ctx.fernet, 0, first, err))
        return false;
    gg_audit_note(&c->call, (struct gg_audit_event){
                                .event = k->event,
                                .realm = r->realm,
                                .result = result,
                                .detail = gg_arena_printf(c->arena, "%lld %s, key %s; left %lld",
                                                          (long long)n->done, k->done, first,
                                                          (long long)left),
                            });
    return gg_audit_flush(&c->call, err);
}

/* How many rows there are to go through. */
static bool count_total(struct gg_ctl *c, const struct gg_rekey *r, int64_t *total,
                        struct gg_err *err)
{
    char first[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_tokenrow_tally tally;

    if (!gg_fernet_fingerprint(&c->ctx.fernet, 0, first, err) ||
        !gg_tokenrow_count(c->ctx.db, c->arena, r->realm, &tally, err))
        return false;
    *total = tally.rows;
    for (size_t i = 0; r->which == GG_TOKENROW_OTHER_KEY && i < tally.count; i++)
        if (gg_str_is(tally.keys[i].fingerprint, first))
            *total -= tally.keys[i].rows;
    return true;
}

static bool run_realm(struct gg_ctl *c, struct gg_ctl_rekey *k, enum gg_realm_id realm)
{
    struct progress progress = {.started_ms = gg_clock_mono_ms(),
                                .shown_ms = gg_clock_mono_ms(),
                                .is_terminal = isatty(STDERR_FILENO) == 1};
    struct gg_err err = {.code = GG_OK};
    struct gg_rekey r = {
        .job = k->job,
        .realm = gg_realm(realm),
        .which = k->is_all ? GG_TOKENROW_ALL : GG_TOKENROW_OTHER_KEY,
        .is_dry = k->is_dry,
        .tick = k->is_progress || progress.is_terminal ? tick : NULL,
        .arg = &progress,
    };
    struct gg_err unwritten = {.code = GG_OK};

    /* Before anything is done: a run that is killed has a row too. */
    if (!note(c, k, &r, "begun", &unwritten))
        return gg_ctl_fail("%s: not begun: %s", r.realm->name, unwritten.log) == GG_CTL_DONE;
    bool ok = count_total(c, &r, &progress.total, &err) && gg_rekey_run(&c->call, &r, &err);
    if (progress.is_shown) {
        show(&r, &progress);
        (void)fputs(progress.is_terminal ? "\n" : "", stderr);
    }
    print_counts(c, k, &r);
    k->counts[realm] = r.counts;
    bool is_noted = note(c, k, &r, gg_audit_result(ok, &err), &unwritten);
    if (!is_noted)
        (void)gg_ctl_fail("%s: %s", r.realm->name, unwritten.log);
    if (!ok)
        (void)gg_ctl_fail("%s: %s; run it again: it goes on where it was", r.realm->name, err.log);
    return ok && is_noted &&
           r.counts.unreadable + r.counts.forged + (k->is_dry ? 0 : r.counts.busy) == 0;
}

int gg_ctl_rekey(struct gg_ctl *c, struct gg_ctl_rekey *k)
{
    bool ok = true;

    gg_ctl_rekey_open_db(c);
    for (int realm = 0; realm < GG_REALMS; realm++)
        ok = run_realm(c, k, (enum gg_realm_id)realm) && ok;
    return ok ? GG_CTL_DONE : GG_CTL_FAILED;
}
