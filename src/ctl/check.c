/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include "gg/flow/health.h"
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

static int run(struct gg_ctl *c)
{
    struct gg_health parts[GG_HEALTH_PARTS];
    struct gg_migrations *applied = gg_arena_alloc(c->arena, sizeof *applied);

    if (c->argc > 1)
        return gg_ctl_misuse(&gg_ctl_check, "takes no arguments");
    bool ok = check_configuration(c);
    ok = check_database(c, applied) ? check_schema(c, applied) && ok : false;
    (void)gg_health_check(&c->call, parts);
    ok = say("encryption", parts[GG_HEALTH_ENCRYPTION].fault) && ok;
    return ok ? GG_CTL_DONE : GG_CTL_FAILED;
}

const struct gg_ctl_command gg_ctl_check = {
    .name = "check",
    .usage = "",
    .help = "reads the configuration, connects to the database, checks the schema and the keys; "
            "a line for each",
    .need = GG_CTL_REPORTS,
    .run = run,
};
