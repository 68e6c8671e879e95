/* SPDX-License-Identifier: MIT */
/* The database: whether it is there, what it has, what its user may do. */
#include "check.h"
#include "scripts.h"

#include "gg/base/buf.h"
#include "gg/store/grants.h"
#include "gg/store/rate.h"

#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX 256

/* What MariaDB's numbers ask of the operator. */
static const struct {
    unsigned number;
    const char *remedy;
} remedies[] = {
    {1040, "raise max_connections, or lower --workers"},
    {1044, "grant the user this database: sql/grants.sql"},
    {1045, "compare user and password in DATABASE_URL with the account (percent-encode @ : / in "
           "them)"},
    {1049, "make the database, or name the right one in DATABASE_URL"},
    {1130, "make an account for this machine's address ('user'@'host')"},
    {1698, "the account is for a local user of that name alone: give it a password"},
    {2002, "start MariaDB, or name its socket or host and port in DATABASE_URL"},
    {2003, "start MariaDB, or name its host and port in DATABASE_URL"},
    {2005, "name a host in DATABASE_URL that this machine can resolve"},
    {2026, "ssl_ca in DATABASE_URL must name the authority of the server's certificate"},
};

/* Behind the colon of ext/db's errors stands MariaDB's number. */
static const char *remedy_of(const struct gg_err *err)
{
    const char *number = strchr(err->log, ':');

    for (size_t i = 0; number != NULL && i < sizeof remedies / sizeof remedies[0]; i++)
        if (strtoul(number + 1, NULL, 10) == remedies[i].number)
            return remedies[i].remedy;
    return "the worker answers 503 database_unavailable until it works";
}

void gg_check_database(struct gg_checks *k)
{
    struct gg_err err;
    int64_t now_s;

    if (k->call->ctx->db == NULL)
        gg_check_skip(k, "configuration");
    else if (!gg_schema_find_now(k->call->ctx->db, k->call->arena, &now_s, &err))
        gg_check_say(k, GG_CHECK_FAILED, "%s: %s", err.log, remedy_of(&err));
}

/* What the database has had against what there is; false when that failed. */
static void compare(struct gg_checks *k, const struct gg_migrations *scripts,
                    const struct gg_migrations *applied)
{
    for (size_t i = 0; i < scripts->count; i++) {
        const struct gg_migration *script = &scripts->rows[i];
        const struct gg_migration *row = gg_ctl_scripts_find(applied, script->version);
        if (row == NULL)
            gg_check_say(k, GG_CHECK_FAILED, "%s is missing: graphgatectl migrate", script->name);
        else if (!gg_str_is_equal(row->sha256, script->sha256))
            gg_check_say(k, GG_CHECK_FAILED,
                         "%s was changed since it was applied: restore it from the package, and "
                         "put your change into a script of its own",
                         script->name);
    }
    for (size_t i = 0; i < applied->count; i++)
        if (gg_ctl_scripts_find(scripts, applied->rows[i].version) == NULL)
            gg_check_say(k, GG_CHECK_WARNING,
                         "the database has had %s, which this program does not know: a newer "
                         "version migrated it; install that one here too",
                         applied->rows[i].name);
}

static void check_schema(struct gg_checks *k)
{
    struct gg_arena *a = k->call->arena;
    struct gg_db *db = k->call->ctx->db;
    struct gg_migrations *scripts = gg_arena_alloc(a, sizeof *scripts);
    struct gg_migrations *applied = gg_arena_alloc(a, sizeof *applied);
    struct gg_err err;

    if (!gg_schema_find(db, a, applied, &err)) {
        gg_check_say(k, GG_CHECK_FAILED, "%s: graphgatectl migrate, then sql/grants.sql", err.log);
        return;
    }
    if (applied->count == 0) {
        gg_check_say(k, GG_CHECK_FAILED,
                     "it is not there, or this user may not see it: graphgatectl migrate, then "
                     "sql/grants.sql");
        return;
    }
    if (gg_ctl_scripts_read(k->ctl, scripts, &err))
        compare(k, scripts, applied);
    else
        gg_check_say(k, GG_CHECK_WARNING, "cannot be compared with the scripts: %s", err.log);
    if (k->worst == GG_CHECK_FAILED || gg_schema_probe(db, a, &err))
        return;
    /* What this user may not see is the grants' to say. */
    if (gg_grants_is_denied(&err))
        gg_check_skip(k, "grants");
    else
        gg_check_say(k, GG_CHECK_FAILED, "%s: a table or column was dropped; restore a backup",
                     err.log);
}

void gg_check_schema(struct gg_checks *k)
{
    check_schema(k);
    k->is_schema_bad = k->worst == GG_CHECK_FAILED;
}

/* "GRANT SELECT, INSERT ON `@DB@`.table TO …": the table, and a bit for each privilege. */
static const char *take_grant(struct gg_arena *a, struct gg_str line, unsigned *needed)
{
    static const char on[] = " ON `@DB@`.";
    struct gg_str name;

    *needed = 0;
    for (size_t i = 0; gg_str_has_prefix(line, "GRANT ") && i < line.n; i++) {
        struct gg_str at = gg_str_skip(line, i);
        for (int g = 0; g < GG_GRANTS; g++)
            if (gg_str_has_prefix(at, gg_grants_word((enum gg_grant)g)))
                *needed |= 1U << g;
        if (!gg_str_has_prefix(at, on))
            continue;
        at = gg_str_skip(at, sizeof on - 1);
        return gg_str_take(&at, ' ', &name) ? gg_arena_copy(a, name.p, name.n) : NULL;
    }
    return NULL;
}

/* The privileges of one table, as words, that are in `list` alone. */
static void add_word(struct gg_buf *list, int grant)
{
    gg_buf_add_fmt(list, "%s%s", list->n > 0 ? ", " : "", gg_grants_word((enum gg_grant)grant));
}

static void check_table(struct gg_checks *k, const char *table, unsigned needed)
{
    struct gg_buf lacks;
    struct gg_buf exceeds;
    struct gg_err err;
    bool may;

    gg_buf_init(&lacks, k->call->arena, LIST_BYTES_MAX);
    gg_buf_init(&exceeds, k->call->arena, LIST_BYTES_MAX);
    for (int g = 0; g < GG_GRANTS; g++) {
        const struct gg_grants_try what = {table, (enum gg_grant)g};
        if (!gg_grants_try(k->call->ctx->db, k->call->arena, what, &may, &err)) {
            gg_check_say(k, GG_CHECK_FAILED, "%s: %s", table, err.log);
            return;
        }
        bool is_needed = (needed & (1U << g)) != 0;
        if (is_needed && !may)
            add_word(&lacks, g);
        else if (!is_needed && may)
            add_word(&exceeds, g);
    }
    if (lacks.n > 0)
        gg_check_say(k, GG_CHECK_FAILED,
                     "%s: the user lacks %s: sql/grants.sql, as an administrator", table, lacks.p);
    if (exceeds.n > 0)
        gg_check_say(k, GG_CHECK_WARNING, "%s: the user may %s and need not: REVOKE it", table,
                     exceeds.p);
}

void gg_check_grants(struct gg_checks *k)
{
    struct gg_arena *a = k->call->arena;
    const char *path = gg_arena_printf(a, "%s/grants.sql", gg_ctl_scripts_directory(k->ctl));
    struct gg_str text;
    struct gg_str line;
    struct gg_str wide;
    struct gg_err err;
    bool absent;
    unsigned needed;

    if (k->is_schema_bad) {
        gg_check_skip(k, "schema");
        return;
    }
    if (!gg_conf_read(a, path, &text, &absent, &err)) {
        gg_check_say(k, GG_CHECK_WARNING, "cannot be compared with %s: %s", path, err.log);
        return;
    }
    while (gg_str_take(&text, '\n', &line)) {
        const char *table = take_grant(a, line, &needed);
        if (table != NULL)
            check_table(k, table, needed);
    }
    if (!gg_grants_find_wide(k->call->ctx->db, a, &wide, &err))
        gg_check_say(k, GG_CHECK_WARNING, "%s", err.log);
    else if (wide.n > 0)
        gg_check_say(k, GG_CHECK_WARNING,
                     "the user has privileges beyond single tables' rows and needs none (%.*s): "
                     "REVOKE them, and run sql/grants.sql",
                     GG_STR_ARG(wide));
}

void gg_check_limits(struct gg_checks *k)
{
    struct gg_rate_place place;
    struct gg_err err;

    if (!gg_rate_find_place(k->call->ctx->db, k->call->arena, &place, &err))
        gg_check_say(k, GG_CHECK_FAILED, "%s", err.log);
    else if (place.is_galera && !gg_rate_is_in(&place, GG_RATE_INNODB))
        gg_check_say(k, GG_CHECK_FAILED,
                     "rate_limits is in %s, and Galera replicates InnoDB alone: each node counts "
                     "on its own; graphgatectl migrate --limits-engine innodb",
                     place.engine);
    else if (gg_rate_is_in(&place, GG_RATE_MEMORY) &&
             place.memory_bytes <= GG_RATE_MEMORY_BYTES_DEFAULT)
        gg_check_say(k, GG_CHECK_WARNING,
                     "rate_limits is in MEMORY, which once the server is restarted has room for "
                     "%lld users and addresses at a time; when it is full, everybody is refused: "
                     "raise max_heap_table_size (%lld) in MariaDB's configuration",
                     (long long)(place.memory_bytes / GG_RATE_MEMORY_ROW_BYTES),
                     (long long)place.memory_bytes);
    else
        gg_check_say(k, GG_CHECK_OK, "in %s", place.engine);
}
