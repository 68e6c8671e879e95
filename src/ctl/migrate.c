/* SPDX-License-Identifier: MIT */
#include "scripts.h"

#include "gg/store/rate.h"

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

static int move_limits(struct gg_ctl *c, struct gg_db *db, enum gg_rate_engine to)
{
    const char *name = gg_rate_engine_name(to);
    struct gg_rate_place place;
    struct gg_err err;

    if (!gg_rate_find_place(db, c->arena, &place, &err))
        return gg_ctl_fail("%s", err.log);
    if (gg_rate_is_in(&place, to)) {
        (void)printf("rate_limits is in %s\n", name);
        return GG_CTL_DONE;
    }
    if (!gg_rate_move(db, to, &err))
        return gg_ctl_fail("rate_limits: %s", err.log);
    (void)printf("rate_limits is in %s now (was %s)\n", name, place.engine);
    return GG_CTL_DONE;
}

/* Before anything is done. */
static int refuse_engine(struct gg_ctl *c, enum gg_rate_engine to)
{
    struct gg_rate_place place;
    struct gg_err err;

    if (to == GG_RATE_INNODB || to == GG_RATE_ENGINES)
        return GG_CTL_DONE;
    if (!gg_rate_find_place(c->ctx.db, c->arena, &place, &err))
        return gg_ctl_fail("%s", err.log);
    return place.is_galera
               ? gg_ctl_fail("this server is a node of a Galera cluster, which replicates InnoDB "
                             "alone: in %s each node would count on its own; nothing is changed",
                             gg_rate_engine_name(to))
               : GG_CTL_DONE;
}

/* Under the lock of another connection, which ends with this process however that comes. */
static int migrate(struct gg_ctl *c, const struct gg_migrations *scripts, enum gg_rate_engine to)
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
    if (status == GG_CTL_DONE && to != GG_RATE_ENGINES)
        status = move_limits(c, db, to);
    gg_db_close(db);
    gg_db_close(lock);
    return status;
}

static int show_status(struct gg_ctl *c, const struct gg_migrations *scripts)
{
    struct gg_migrations *applied = gg_arena_alloc(c->arena, sizeof *applied);
    struct gg_rate_place place;
    struct gg_err err;

    if (!gg_schema_find(c->ctx.db, c->arena, applied, &err) ||
        !gg_rate_find_place(c->ctx.db, c->arena, &place, &err))
        return gg_ctl_fail("%s", err.log);
    int status = print_status(scripts, applied);
    if (place.engine != NULL)
        (void)printf("%-28s in %s\n", "rate_limits", place.engine);
    return status;
}

/* GG_RATE_ENGINES for none. */
static enum gg_rate_engine engine_of(struct gg_str word)
{
    int i = 0;

    while (i < GG_RATE_ENGINES && !gg_str_is(word, gg_rate_engine_word((enum gg_rate_engine)i)))
        i++;
    return (enum gg_rate_engine)i;
}

static int run(struct gg_ctl *c)
{
    struct gg_migrations *scripts = gg_arena_alloc(c->arena, sizeof *scripts);
    struct gg_str word = {NULL, 0};
    bool is_status = false;
    const struct gg_ctl_flag flags[] = {
        {"status", .given = &is_status},
        {"limits-engine", .text = &word},
    };
    struct gg_err err;

    if (!gg_ctl_read_flags(c, flags, 2) || c->argc > 1 || (is_status && word.p != NULL))
        return gg_ctl_misuse(c, "takes --status alone, or --limits-engine");
    if (!gg_ctl_scripts_read(c, scripts, &err))
        return gg_ctl_fail("%s", err.log);
    if (is_status)
        return show_status(c, scripts);
    enum gg_rate_engine to = engine_of(word);
    int status = refuse_engine(c, to);
    return status == GG_CTL_DONE ? migrate(c, scripts, to) : status;
}

const struct gg_ctl_command gg_ctl_migrate = {
    .name = "migrate",
    .usage = "[--status | --limits-engine innodb|aria|memory]",
    .help = "brings the database to the newest schema; --limits-engine also gives rate_limits "
            "another storage engine (docs/performance.md), --status says what there is",
    .need = GG_CTL_NEEDS_DB,
    .run = run,
};
