/* SPDX-License-Identifier: MIT */
#include "scripts.h"

#include <stdio.h>
#include <string.h>

#define LOCK_WAIT_S     120
#define QUERY_TIMEOUT_S 3600

static const char *state_of(const struct gg_migrations *applied, const struct gg_migration *script)
{
    const struct gg_migration *row = gg_ctl_scripts_find(applied, script->version);

    return row == NULL                                    ? "pending"
           : gg_str_is_equal(row->sha256, script->sha256) ? "applied"
                                                          : "CHANGED since it was applied";
}

static int print_status(const struct gg_migrations *scripts, const struct gg_migrations *applied)
{
    bool ok = true;

    for (size_t i = 0; i < scripts->count; i++) {
        const char *state = state_of(applied, &scripts->rows[i]);
        (void)printf("%-28s %s\n", scripts->rows[i].name, state);
        ok = ok && strcmp(state, "applied") == 0;
    }
    return ok ? GG_CTL_DONE : GG_CTL_FAILED;
}

static int apply_pending(struct gg_ctl *c, struct gg_db *db, const struct gg_migrations *scripts)
{
    struct gg_migrations *applied = gg_arena_alloc(c->arena, sizeof *applied);
    struct gg_err err;

    for (size_t i = 0; i < scripts->count; i++) {
        const struct gg_migration *script = &scripts->rows[i];
        /* Each time: another node of a cluster may be a script ahead, and its lock is not ours. */
        if (!gg_schema_find(db, c->arena, applied, &err))
            return gg_ctl_fail("%s", err.log);
        const struct gg_migration *row = gg_ctl_scripts_find(applied, script->version);
        if (row != NULL && !gg_str_is_equal(row->sha256, script->sha256))
            return gg_ctl_fail("%s has changed since it was applied: restore it, and put the "
                               "change into a new script",
                               script->name);
        if (row != NULL)
            continue;
        if (!gg_schema_apply(db, c->arena, script, &err))
            return gg_ctl_fail("%s: %s", script->name, err.log);
        (void)printf("%s applied\n", script->name);
    }
    (void)printf("the schema is at %s\n", scripts->rows[scripts->count - 1].name);
    return GG_CTL_DONE;
}

/* Under the lock of another connection, which ends with this process however that comes. */
static int migrate(struct gg_ctl *c, const struct gg_migrations *scripts)
{
    struct gg_db_address address = *gg_db_address(c->ctx.db);
    struct gg_err err;
    int status;

    /* A large table takes its time. */
    address.query_timeout_s = QUERY_TIMEOUT_S;
    struct gg_db *lock = gg_db_open(&address);
    struct gg_db *db = gg_db_open(&address);
    if (!gg_schema_lock(lock, LOCK_WAIT_S, &err))
        status = gg_ctl_fail("%s", err.log);
    else
        status = apply_pending(c, db, scripts);
    gg_db_close(db);
    gg_db_close(lock);
    return status;
}

static int run(struct gg_ctl *c)
{
    struct gg_migrations *scripts = gg_arena_alloc(c->arena, sizeof *scripts);
    struct gg_migrations *applied = gg_arena_alloc(c->arena, sizeof *applied);
    bool is_status = c->argc == 2 && strcmp(c->argv[1], "--status") == 0;
    struct gg_err err;

    if (c->argc > 1 && !is_status)
        return gg_ctl_misuse(c, "takes --status alone");
    if (!gg_ctl_scripts_read(c, scripts, &err))
        return gg_ctl_fail("%s", err.log);
    if (!is_status)
        return migrate(c, scripts);
    if (!gg_schema_find(c->ctx.db, c->arena, applied, &err))
        return gg_ctl_fail("%s", err.log);
    return print_status(scripts, applied);
}

const struct gg_ctl_command gg_ctl_migrate = {
    .name = "migrate",
    .usage = "[--status]",
    .help = "brings the database to the newest schema; --status says what it has had",
    .need = GG_CTL_NEEDS_DB,
    .run = run,
};
