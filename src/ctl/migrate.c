/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include "gg/ext/crypto.h"
#include "gg/store/schema.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_WAIT_S     120
#define QUERY_TIMEOUT_S 3600

/* The scripts: where they are installed, also when that place was moved, or beside a build. */
static const char *find_directory(struct gg_ctl *c)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;
    const char *here = slash == NULL ? "." : gg_arena_copy(c->arena, self, (size_t)(slash - self));
    const char *const places[] = {
        gg_arena_printf(c->arena, "%s/../share/graphgate/sql", here),
        GG_SQLDIR,
        gg_arena_printf(c->arena, "%s/sql", here),
    };

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(gg_arena_printf(c->arena, "%s/001_tokens.sql", places[i]), R_OK) == 0)
            return places[i];
    return GG_SQLDIR;
}

/* NNN_name.sql */
static int is_script(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t n = strlen(name);

    return n > 8 && strspn(name, "0123456789") == 3 && name[3] == '_' &&
           strcmp(name + n - 4, ".sql") == 0;
}

static bool read_script(struct gg_ctl *c, const char *directory, const char *name,
                        struct gg_migration *out, struct gg_err *err)
{
    bool absent;

    out->version = strtol(name, NULL, 10);
    out->name = gg_arena_strdup(c->arena, name);
    return gg_conf_read(c->arena, gg_arena_printf(c->arena, "%s/%s", directory, name), &out->sql,
                        &absent, err) &&
           gg_crypto_hash_text(c->arena, out->sql, &out->sha256, err);
}

static bool read_scripts(struct gg_ctl *c, const char *directory, struct gg_migrations *out,
                         struct gg_err *err)
{
    struct dirent **list;
    int n = scandir(directory, &list, is_script, alphasort);
    bool ok = n > 0 && n <= GG_SCHEMA_MIGRATIONS_MAX;

    if (n <= 0)
        return gg_fail(err, GG_EINTERNAL, "no scripts in %s: %s", directory,
                       n < 0 ? strerror(errno) : "it has none");
    for (int i = 0; i < n; i++) {
        ok = ok && read_script(c, directory, list[i]->d_name, &out->rows[out->count++], err);
        free(list[i]);
    }
    free(list);
    return ok;
}

/* What the database has had of this version, or NULL. */
static const struct gg_migration *find(const struct gg_migrations *list, int64_t version)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].version == version)
            return &list->rows[i];
    return NULL;
}

static const char *state_of(const struct gg_migrations *applied, const struct gg_migration *script)
{
    const struct gg_migration *row = find(applied, script->version);

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

    if (!gg_schema_find(db, c->arena, applied, &err))
        return gg_ctl_fail("%s", err.log);
    for (size_t i = 0; i < scripts->count; i++) {
        const struct gg_migration *script = &scripts->rows[i];
        const struct gg_migration *row = find(applied, script->version);
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
    if (!read_scripts(c, find_directory(c), scripts, &err))
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
