/* SPDX-License-Identifier: MIT */
#include "scripts.h"

#include "gg/ext/crypto.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The scripts: where they are installed, also when that place was moved, or beside a build. */
const char *gg_ctl_scripts_directory(struct gg_ctl *c)
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

bool gg_ctl_scripts_read(struct gg_ctl *c, struct gg_migrations *out, struct gg_err *err)
{
    const char *directory = gg_ctl_scripts_directory(c);
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

const struct gg_migration *gg_ctl_scripts_find(const struct gg_migrations *list, int64_t version)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].version == version)
            return &list->rows[i];
    return NULL;
}
