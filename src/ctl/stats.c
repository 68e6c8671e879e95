/* SPDX-License-Identifier: MIT */
/* How much of everything there is, on one screen. */
#include "gg/store/account.h"
#include "gg/store/audit.h"
#include "gg/store/family.h"
#include "gg/store/rate.h"
#include "gg/store/roster.h"
#include "gg/store/session.h"
#include "whose.h"

#include <stdio.h>

#define JSON_BYTES_MAX ((size_t)64 * 1024)

static const struct {
    const char *name;
    const char *key;
    bool (*count)(struct gg_db *db, struct gg_arena *a, int64_t *count, struct gg_err *err);
} tables[] = {
    {"sessions", "sessions", gg_family_count},
    {"session codes", "session_codes", gg_session_count},
    {"rate-limit rows", "rate_limit_rows", gg_rate_count},
    {"audit rows", "audit_rows", gg_audit_count},
};

#define TABLES (sizeof tables / sizeof tables[0])

struct stats {
    struct realm_stats {
        struct gg_roster_sums sums;
        struct gg_roster_groups reasons;
        struct gg_roster_groups tenants;
        int64_t accounts;
    } realms[GG_REALMS];
    int64_t rows[TABLES]; /* -1: not to be seen */
};

static bool find_realm(struct gg_ctl *c, const struct gg_realm *realm, struct realm_stats *s,
                       struct gg_err *err)
{
    struct gg_db *db = c->ctx.db;

    s->reasons.by = GG_ROSTER_BY_REASON;
    s->tenants.by = GG_ROSTER_BY_TENANT;
    return gg_roster_sum(db, c->arena, realm, &s->sums, err) &&
           gg_roster_group(db, c->arena, realm, &s->reasons, err) &&
           gg_roster_group(db, c->arena, realm, &s->tenants, err) &&
           gg_account_count((struct gg_account_store){db, realm}, c->arena, &s->accounts, err);
}

static void print_groups(struct gg_arena *a, const char *what, const struct gg_roster_groups *g)
{
    for (size_t i = 0; i < g->count; i++)
        (void)printf("      %-8s %-38s %lld\n", what, gg_ctl_clean(a, g->rows[i].name),
                     (long long)g->rows[i].rows);
}

static void print_realm(struct gg_arena *a, const struct gg_realm *realm,
                        const struct realm_stats *s)
{
    (void)printf("%s: %lld connections, %lld accounts\n", realm->name, (long long)s->sums.total,
                 (long long)s->accounts);
    (void)printf("  active          %lld\n  ending soon     %lld\n  to be refreshed %lld\n"
                 "  inactive        %lld\n",
                 (long long)s->sums.active, (long long)s->sums.expiring, (long long)s->sums.expired,
                 (long long)s->sums.inactive);
    print_groups(a, "reason", &s->reasons);
    (void)printf("  oldest tokens   %s\n", gg_ctl_time(a, s->sums.oldest_s));
    print_groups(a, "tenant", &s->tenants);
}

static void put_groups(struct gg_jsonw *w, const char *key, const struct gg_roster_groups *g)
{
    gg_jsonw_key(w, key);
    gg_jsonw_open(w, '[');
    for (size_t i = 0; i < g->count; i++) {
        gg_jsonw_open(w, '{');
        gg_jsonw_put(w, "name", g->rows[i].name);
        gg_jsonw_put_int(w, "rows", g->rows[i].rows);
        gg_jsonw_close(w, '}');
    }
    gg_jsonw_close(w, ']');
}

static int print_json(struct gg_ctl *c, const struct stats *all)
{
    struct gg_buf text;
    struct gg_jsonw w;

    gg_buf_init(&text, c->arena, JSON_BYTES_MAX);
    gg_jsonw_init(&w, &text);
    gg_jsonw_open(&w, '{');
    for (int i = 0; i < GG_REALMS; i++) {
        const struct realm_stats *s = &all->realms[i];
        gg_jsonw_key(&w, gg_realm((enum gg_realm_id)i)->name);
        gg_jsonw_open(&w, '{');
        gg_jsonw_put_int(&w, "total", s->sums.total);
        gg_jsonw_put_int(&w, "active", s->sums.active);
        gg_jsonw_put_int(&w, "expiring", s->sums.expiring);
        gg_jsonw_put_int(&w, "expired", s->sums.expired);
        gg_jsonw_put_int(&w, "inactive", s->sums.inactive);
        gg_jsonw_put_int(&w, "accounts", s->accounts);
        gg_ctl_put_time(&w, c->arena, "oldest_tokens", s->sums.oldest_s);
        put_groups(&w, "reasons", &s->reasons);
        put_groups(&w, "tenants", &s->tenants);
        gg_jsonw_close(&w, '}');
    }
    for (size_t i = 0; i < TABLES; i++) {
        gg_jsonw_key(&w, tables[i].key);
        if (all->rows[i] < 0)
            gg_jsonw_null(&w);
        else
            gg_jsonw_int(&w, all->rows[i]);
    }
    gg_jsonw_close(&w, '}');
    return gg_ctl_print_json(&text);
}

static int run(struct gg_ctl *c)
{
    struct stats *all = gg_arena_alloc(c->arena, sizeof *all);
    bool is_json = false;
    const struct gg_ctl_flag flags[] = {{"json", .given = &is_json}};
    struct gg_err err;

    if (!gg_ctl_read_flags(c, flags, 1) || c->argc > 1)
        return gg_ctl_misuse(c, "takes --json alone");
    for (int i = 0; i < GG_REALMS; i++)
        if (!find_realm(c, gg_realm((enum gg_realm_id)i), &all->realms[i], &err))
            return gg_ctl_fail_db(&err);
    for (size_t i = 0; i < TABLES; i++)
        if (!tables[i].count(c->ctx.db, c->arena, &all->rows[i], &err))
            all->rows[i] = -1;
    if (is_json)
        return print_json(c, all);
    for (int i = 0; i < GG_REALMS; i++)
        print_realm(c->arena, gg_realm((enum gg_realm_id)i), &all->realms[i]);
    for (size_t i = 0; i < TABLES; i++)
        if (all->rows[i] < 0)
            (void)printf("%s: not to be seen by this user, or not there\n", tables[i].name);
        else
            (void)printf("%s: %lld\n", tables[i].name, (long long)all->rows[i]);
    return gg_ctl_write(GG_STR(""));
}

const struct gg_ctl_command gg_ctl_stats = {
    .name = "stats",
    .usage = "[--json]",
    .help = "counts connections, accounts, sessions and the rest; reads each table from end to end",
    .need = GG_CTL_NEEDS_DB,
    .run = run,
};
