/* SPDX-License-Identifier: MIT */
#include "rekey.h"
#include "whose.h"

#include <stdio.h>

/* Of rows whose key is not noted, as many are looked into without --scan. */
#define SAMPLE_ROWS 100

struct state {
    struct gg_tokenrow_tally tallies[GG_REALMS];
};

static int64_t count_of(const struct gg_tokenrow_tally *t, const char *fingerprint)
{
    for (size_t i = 0; i < t->count; i++)
        if (fingerprint == NULL ? t->keys[i].fingerprint.p == NULL
                                : gg_str_is(t->keys[i].fingerprint, fingerprint))
            return t->keys[i].rows;
    return 0;
}

static void print_row(const char *key, const char *use, const int64_t counts[GG_REALMS])
{
    (void)printf("%-10s %-10s", key, use);
    for (int realm = 0; realm < GG_REALMS; realm++)
        (void)printf(" %10lld", (long long)counts[realm]);
    (void)putchar('\n');
}

static void print_noted(struct gg_ctl *c, const struct state *s, const char *key, const char *use)
{
    int64_t counts[GG_REALMS];

    for (int realm = 0; realm < GG_REALMS; realm++)
        counts[realm] = count_of(&s->tallies[realm], key);
    print_row(gg_ctl_clean(c->arena, gg_str_of(key)), use, counts);
}

static bool is_configured(struct gg_ctl *c, struct gg_str fingerprint)
{
    char own[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_err ignored;

    for (size_t i = 0; i < c->ctx.fernet.count; i++)
        if (gg_fernet_fingerprint(&c->ctx.fernet, i, own, &ignored) && gg_str_is(fingerprint, own))
            return true;
    return false;
}

/* Keys that rows are noted under, and nobody has any more; whether there are none. */
static bool print_unknown(struct gg_ctl *c, const struct state *s)
{
    bool is_good = true;

    for (int realm = 0; realm < GG_REALMS; realm++)
        for (size_t i = 0; i < s->tallies[realm].count; i++) {
            struct gg_str name = s->tallies[realm].keys[i].fingerprint;
            const char *text = name.p == NULL ? "" : gg_arena_copy(c->arena, name.p, name.n);
            bool is_printed = realm > 0 && count_of(&s->tallies[0], text) > 0;
            if (name.p == NULL || is_printed || is_configured(c, name))
                continue;
            print_noted(c, s, text, "unknown");
            is_good = false;
        }
    return is_good;
}

/* *is_good: no row is under an unknown key or without a seal. */
static bool print_table(struct gg_ctl *c, struct state *s, bool *is_good, struct gg_err *err)
{
    char own[GG_FERNET_FINGERPRINT_CHARS + 1];
    int64_t rows[GG_REALMS];
    int64_t unsealed[GG_REALMS];

    for (int realm = 0; realm < GG_REALMS; realm++) {
        struct gg_tokenrow_tally *t = &s->tallies[realm];
        if (!gg_tokenrow_count(c->ctx.db, c->arena, gg_realm((enum gg_realm_id)realm), t, err))
            return false;
        rows[realm] = t->rows;
        unsealed[realm] = t->unsealed;
    }
    (void)printf("%-10s %-10s %10s %10s\n", "key", "use", gg_realm(GG_REALM_MAIN)->name,
                 gg_realm(GG_REALM_BETA)->name);
    for (size_t i = 0; i < c->ctx.fernet.count; i++) {
        if (!gg_fernet_fingerprint(&c->ctx.fernet, i, own, err))
            return false;
        print_noted(c, s, own, i == 0 ? "first" : "also");
    }
    *is_good = print_unknown(c, s);
    print_noted(c, s, NULL, "not noted");
    print_row("", "rows", rows);
    print_row("", "unsealed", unsealed);
    for (int realm = 0; realm < GG_REALMS; realm++)
        *is_good = *is_good && unsealed[realm] == 0;
    return true;
}

/* What was found by decrypting. */
static bool print_found(struct gg_ctl *c, const struct gg_rekey *r)
{
    const struct gg_rekey_counts *n = &r->counts;
    const char *name = r->realm->name;
    char own[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_err ignored;

    for (size_t i = 0; i < c->ctx.fernet.count; i++)
        if (n->by_key[i] > 0 && gg_fernet_fingerprint(&c->ctx.fernet, i, own, &ignored))
            (void)printf("%s: %s under %s\n", name, gg_ctl_rekey_rows(c, n->by_key[i]), own);
    if (n->mixed > 0)
        (void)printf("%s: %s under several keys: graphgatectl rotate-keys\n", name,
                     gg_ctl_rekey_rows(c, n->mixed));
    if (n->misnoted > 0)
        (void)printf("%s: %s noted under a key that is not theirs: graphgatectl rotate-keys "
                     "--all\n",
                     name, gg_ctl_rekey_rows(c, n->misnoted));
    gg_ctl_rekey_print_left(c, r);
    return n->misnoted + n->unreadable + n->forged == 0;
}

static bool look(struct gg_ctl *c, struct gg_rekey r, bool *is_good, struct gg_err *err)
{
    if (!gg_rekey_run(&c->call, &r, err))
        return false;
    if (r.counts.seen > 0)
        (void)printf("%s: %s decrypted%s\n", r.realm->name,
                     gg_ctl_rekey_rows(c, r.counts.seen - r.counts.unreadable - r.counts.forged),
                     r.which == GG_TOKENROW_ALL ? "" : " of those whose key is not noted");
    *is_good = print_found(c, &r) && *is_good;
    return true;
}

static int status(struct gg_ctl *c)
{
    struct state state;
    bool is_scan = false;
    bool is_good = true;
    const struct gg_ctl_flag flags[] = {{"scan", .given = &is_scan}};
    struct gg_err err;

    if (!gg_ctl_read_flags(c, flags, 1) || c->argc > 1)
        return gg_ctl_misuse(c, "takes --scan alone");
    gg_ctl_rekey_open_db(c);
    if (!print_table(c, &state, &is_good, &err))
        return gg_ctl_fail("%s", err.log);
    for (int realm = 0; realm < GG_REALMS; realm++) {
        struct gg_rekey r = {
            .job = GG_REKEY_LOOK,
            .realm = gg_realm((enum gg_realm_id)realm),
            .which = is_scan ? GG_TOKENROW_ALL : GG_TOKENROW_UNNOTED,
            .most = is_scan ? 0 : SAMPLE_ROWS,
        };
        if (!look(c, r, &is_good, &err))
            return gg_ctl_fail("%s", err.log);
    }
    return is_good ? GG_CTL_DONE : GG_CTL_FAILED;
}

static const struct gg_ctl_verb verbs[] = {
    {"status", "[--scan]",
     "counts the stored tokens' rows by key, and those without a seal; --scan decrypts every row",
     GG_CTL_NEEDS_KEYS | GG_CTL_NEEDS_DB, status},
    {0},
};

const struct gg_ctl_command gg_ctl_keys = {
    .name = "keys",
    .help = "which key encrypts how many of the stored tokens' rows",
    .verbs = verbs,
};
