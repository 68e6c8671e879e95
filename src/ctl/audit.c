/* SPDX-License-Identifier: MIT */
#include "audit.h"

#include "gg/base/log.h"
#include "gg/flow/audit.h"
#include "gg/flow/auditor.h"
#include "gg/flow/sealer.h"
#include "gg/proto/time.h"
#include "gg/store/audit.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400LL

bool gg_ctl_read_time(struct gg_ctl *c, struct gg_str text, enum gg_ctl_end end, struct gg_str *id)
{
    struct gg_time t;

    *id = (struct gg_str){NULL, 0};
    if (text.p == NULL)
        return true;
    if (!gg_time_parse(text, &t) || t.kind == GG_TIME_LOCAL)
        return false;
    if (t.kind == GG_TIME_DATE && end == GG_CTL_UNTIL)
        t.seconds += DAY_S;
    *id = gg_audit_least_id(c->arena, t.seconds * 1000000 + t.ticks / 10);
    return true;
}

/* The head goes to the configured log too, where it is out of the database's reach. A file that
 * root makes would be closed to the workers. */
static bool seal(struct gg_ctl *c, int64_t age_s, struct gg_sealed *sealed, struct gg_err *err)
{
    const char *target = c->loaded.conf.log_target;
    bool is_elsewhere = target != NULL && strcmp(target, "stderr") != 0;
    struct gg_err ignored;

    gg_log_be_guest();
    if (is_elsewhere && !gg_log_open(target, GG_INFO, &ignored))
        (void)gg_ctl_fail("the head is not logged: %s", ignored.log);
    bool ok = gg_sealer_run(&c->call, age_s, sealed, err);
    return gg_log_open("stderr", GG_ERROR, &ignored) && ok;
}

static int seal_and_say(struct gg_ctl *c, int64_t age_s)
{
    struct gg_sealed sealed;
    struct gg_err err;

    if (!seal(c, age_s, &sealed, &err))
        return gg_ctl_fail("audit: %s", err.log);
    (void)printf("audit: %llu rows sealed", (unsigned long long)sealed.rows);
    if (sealed.head_number > 0)
        (void)printf(", head %lld:%.*s", (long long)sealed.head_number,
                     GG_STR_ARG(sealed.head_mac));
    return gg_ctl_write(GG_STR("\n"));
}

int gg_ctl_seal_audit(struct gg_ctl *c)
{
    /* Without a key no row can have been written. */
    return c->ctx.audit_keys.count == 0 ? GG_CTL_DONE
                                        : seal_and_say(c, gg_sealer_age_s(c->ctx.conf));
}

static int run_seal(struct gg_ctl *c)
{
    int64_t age_s = gg_sealer_age_s(c->ctx.conf);
    const struct gg_ctl_flag flags[] = {
        {"age", .number = &age_s, .max = 366 * DAY_S, .unit = "seconds"},
    };

    if (!gg_ctl_read_flags(c, flags, sizeof flags / sizeof flags[0]) || c->argc > 1)
        return gg_ctl_misuse(c, "takes --age alone");
    return seal_and_say(c, age_s);
}

static void print_fault(void *arg, const char *fault)
{
    (void)arg;
    (void)printf("%s\n", fault);
}

/* "NUMBER:MAC" as maintain prints it. */
static bool read_head(struct gg_str text, struct gg_auditor *v)
{
    struct gg_str number;

    if (text.p == NULL)
        return true;
    if (!gg_str_take(&text, ':', &number) || text.n != GG_AUDIT_MAC_CHARS)
        return false;
    v->head_mac = text;
    return gg_str_parse_int(number, 1, INT64_MAX, &v->head_number);
}

static void print_sum(const struct gg_auditor *v)
{
    (void)printf("%s: %llu rows read (%llu not sealed yet, %llu late), %llu seals",
                 v->faults == 0 ? "ok" : "FAULTY", (unsigned long long)v->rows,
                 (unsigned long long)v->unsealed, (unsigned long long)v->late,
                 (unsigned long long)v->seals);
    if (v->removed > 0)
        (void)printf(" (%llu whose rows retention removed)", (unsigned long long)v->removed);
    if (v->last_number > 0)
        (void)printf(", head %lld:%.*s", (long long)v->last_number, GG_STR_ARG(v->last_mac));
    (void)printf("\n");
    if (v->faults > 0)
        (void)printf("faults: %llu\n", (unsigned long long)v->faults);
    if (v->head_number == 0)
        (void)printf("note: whether seals, and what they covered, were cut off at the end can only "
                     "be told with --head, as maintain printed and logged it\n");
    if (v->unsealed > 0)
        (void)printf(
            "note: of what is not sealed yet it cannot be told whether rows are missing\n");
}

static int run_verify(struct gg_ctl *c)
{
    struct gg_auditor v = {.tell = print_fault};
    struct gg_str from = {NULL, 0};
    struct gg_str to = {NULL, 0};
    struct gg_str head = {NULL, 0};
    struct gg_err err;
    const struct gg_ctl_flag flags[] = {
        {"from", .text = &from}, {"to", .text = &to}, {"head", .text = &head}};

    if (!gg_ctl_read_flags(c, flags, sizeof flags / sizeof flags[0]) || c->argc > 1)
        return gg_ctl_misuse(c, "takes these options alone");
    if (!gg_ctl_read_time(c, from, GG_CTL_SINCE, &v.from_id) ||
        !gg_ctl_read_time(c, to, GG_CTL_UNTIL, &v.to_id))
        return gg_ctl_misuse(c, GG_CTL_TIMES);
    if (!read_head(head, &v))
        return gg_ctl_misuse(c, "--head is NUMBER:MAC, as maintain prints it");
    if (!gg_auditor_run(&c->call, &v, &err))
        return gg_ctl_fail("%s", err.log);
    print_sum(&v);
    return fflush(stdout) == 0 && v.faults == 0 ? GG_CTL_DONE : GG_CTL_FAILED;
}

static bool note_prune(struct gg_ctl *c, const struct gg_auditor *v, bool ok, struct gg_err *err)
{
    if (v->is_dry || v->removing_seals == 0)
        return true;
    gg_audit_note(&c->call, (struct gg_audit_event){
                                .event = "audit.prune",
                                .result = ok ? "ok" : "failed",
                                .detail = gg_arena_printf(c->arena, "seals=%llu rows=%llu",
                                                          (unsigned long long)v->removing_seals,
                                                          (unsigned long long)v->removing_rows),
                            });
    return gg_audit_flush(&c->call, err);
}

static int prune(struct gg_ctl *c, struct gg_auditor *v)
{
    struct gg_err why = {.code = GG_OK};
    struct gg_err err;

    bool ok = gg_auditor_run(&c->call, v, &why);
    bool is_denied = !ok && gg_db_fault(c->ctx.db) == GG_DB_DENIED;
    if (is_denied)
        return gg_ctl_fail("this database user may not remove rows of the audit: run it with the "
                           "administrator's DATABASE_URL, as migrate (%s)",
                           why.log);
    if (!note_prune(c, v, ok && v->faults == 0, &err))
        return gg_ctl_fail("%s", err.log);
    if (!ok)
        return gg_ctl_fail("%s", why.log);
    (void)printf("audit: %llu rows of %llu seals %s\n", (unsigned long long)v->removing_rows,
                 (unsigned long long)v->removing_seals,
                 v->is_dry ? "would be removed" : "removed; the seals stay as the proof");
    return v->faults == 0
               ? GG_CTL_DONE
               : gg_ctl_fail("nothing is removed from the first fault on: see audit verify");
}

static int run_prune(struct gg_ctl *c)
{
    struct gg_auditor v = {.tell = print_fault};
    int64_t days = c->ctx.conf->audit_keep_days;
    int64_t now_us;
    struct gg_err err;
    bool is_sure = false;
    const struct gg_ctl_flag flags[] = {
        {"keep-days", .number = &days, .max = 36500},
        {"dry-run", .given = &v.is_dry},
        {"yes", .given = &is_sure},
    };

    if (!gg_ctl_read_flags(c, flags, sizeof flags / sizeof flags[0]) || c->argc > 1)
        return gg_ctl_misuse(c, "takes --keep-days, --dry-run and --yes alone");
    if (days == 0 && !is_sure && !v.is_dry)
        return gg_ctl_misuse(c, "--keep-days 0 removes all that is sealed: --yes with it, or look "
                                "with --dry-run first");
    if (!gg_audit_find_now(c->ctx.db, c->arena, &now_us, &err))
        return gg_ctl_fail("%s", err.log);
    v.remove_before = gg_audit_least_id(c->arena, now_us - days * DAY_S * 1000000);
    return prune(c, &v);
}

#define FILTERS \
    "[--realm main|beta] [--subject S] [--actor A] [--event E] [--result R] [--request-id ID] " \
    "[--since TIME] [--until TIME]"
#define NEEDS (GG_CTL_NEEDS_DB | GG_CTL_NEEDS_AUDIT)

static const struct gg_ctl_verb verbs[] = {
    {"list", FILTERS " [--limit N]", "prints rows, the newest first (100 of them)", GG_CTL_NEEDS_DB,
     gg_ctl_audit_list},
    {"export", FILTERS, "writes all of them as JSON lines, the oldest first", GG_CTL_NEEDS_DB,
     gg_ctl_audit_export},
    {"verify", "[--from TIME] [--to TIME] [--head NUMBER:MAC]",
     "names every row and seal that was changed, removed, put in or moved", NEEDS, run_verify},
    {"seal", "[--age SECONDS]", "seals what is older, as maintain does", NEEDS, run_seal},
    {"prune", "[--keep-days N] [--dry-run] [--yes]",
     "removes old sealed spans and leaves a proof of it; needs the administrator's DATABASE_URL; "
     "`--keep-days 0`, everything, needs `--yes`",
     NEEDS, run_prune},
    {0},
};

const struct gg_ctl_command gg_ctl_audit = {
    .name = "audit",
    .help = "who did what, when, from where: reads, verifies, seals and prunes the audit",
    .verbs = verbs,
};
