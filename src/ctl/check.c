/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include "gg/flow/health.h"
#include "gg/flow/skew.h"
#include "gg/store/schema.h"

#include <stdio.h>

static bool say(const char *what, const char *fault)
{
    (void)printf("%-14s %s%s\n", what,
                 fault == NULL ? "ok" : "failed: ", fault == NULL ? "" : fault);
    return fault == NULL;
}

static bool say_faults(const struct gg_fault *fault)
{
    for (; fault != NULL; fault = fault->next)
        (void)printf("%-14s failed: %s: %s\n", "configuration", fault->field, fault->detail);
    return false;
}

static bool check_configuration(struct gg_ctl *c)
{
    const struct gg_loaded *l = &c->loaded;

    (void)printf("%-14s %s%s\n", "file", l->file, l->file_is_absent ? " (absent)" : "");
    if (l->faults == NULL && l->missing == NULL)
        return say("configuration", NULL);
    (void)say_faults(l->faults);
    return say_faults(l->missing);
}

static bool check_database(struct gg_ctl *c, struct gg_migrations *applied)
{
    struct gg_err err;

    if (c->ctx.db == NULL)
        return say("database", "DATABASE_URL is missing or bad");
    return say("database", gg_schema_find(c->ctx.db, c->arena, applied, &err) ? NULL : err.log);
}

static bool check_schema(struct gg_ctl *c, const struct gg_migrations *applied)
{
    struct gg_err err;

    if (applied->count == 0)
        return say("schema", "it is not there, or this user may not see it: graphgatectl migrate, "
                             "then sql/grants.sql");
    return say("schema", gg_schema_probe(c->ctx.db, c->arena, &err) ? NULL : err.log);
}

/* Of whom one cannot ask the time, nothing is known: that alone is no fault of the clock. */
static bool say_skew(struct gg_ctl *c, const char *what, bool is_known, int64_t ahead_s,
                     const char *whose)
{
    bool is_behind = ahead_s < 0;

    if (!is_known) {
        (void)printf("%-14s not compared with %s\n", what, whose);
        return true;
    }
    if (ahead_s <= GG_SKEW_S_MAX && ahead_s >= -GG_SKEW_S_MAX)
        return say(what, NULL);
    return say(what, gg_arena_printf(c->arena, "the clock is %lld s %s %s",
                                     (long long)(is_behind ? -ahead_s : ahead_s),
                                     is_behind ? "behind" : "ahead of", whose));
}

static bool check_clock(struct gg_ctl *c)
{
    bool is_complete = c->loaded.faults == NULL && c->loaded.missing == NULL;
    struct gg_err err = {.log = "the configuration is not complete"};
    int64_t ahead_s = 0;
    bool is_known = is_complete && gg_skew_of_microsoft(&c->call, &ahead_s, &err);
    const char *whose =
        is_known ? "Microsoft's" : gg_arena_printf(c->arena, "Microsoft's: %s", err.log);

    bool ok = say_skew(c, "clock", is_known, ahead_s, whose);
    is_known = c->ctx.db != NULL && gg_skew_of_database(&c->call, &ahead_s, &err);
    return say_skew(c, "database clock", is_known, ahead_s, "the database's") && ok;
}

static int run(struct gg_ctl *c)
{
    struct gg_health parts[GG_HEALTH_PARTS];
    struct gg_migrations *applied = gg_arena_alloc(c->arena, sizeof *applied);

    if (c->argc > 1)
        return gg_ctl_misuse(c, "takes no arguments");
    bool ok = check_configuration(c);
    ok = check_database(c, applied) ? check_schema(c, applied) && ok : false;
    (void)gg_health_check(&c->call, parts);
    ok = say("encryption", parts[GG_HEALTH_ENCRYPTION].fault) && ok;
    ok = check_clock(c) && ok;
    return ok ? GG_CTL_DONE : GG_CTL_FAILED;
}

const struct gg_ctl_command gg_ctl_check = {
    .name = "check",
    .alias = "doctor",
    .usage = "",
    .help = "reads the configuration, connects to the database, checks the schema, the keys and "
            "the clock; a line for each",
    .need = GG_CTL_REPORTS,
    .run = run,
};
