/* SPDX-License-Identifier: MIT */
#include "gg/app/load.h"

#include "config.h"
#include "gg/app/options.h"
#include "gg/proto/event.h"
#include "gg/proto/oauth.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_DEFAULT GG_SYSCONFDIR "/graphgate/graphgate.conf"

/* Where a value came from; the later ones win. */
enum source { FROM_FILE_FILE, FROM_FILE, FROM_ENV_FILE, FROM_ENV, SOURCES };

struct loading {
    struct gg_arena *arena;
    struct gg_loaded *out;
    struct gg_faults faults;
    struct gg_faults lax;
    /* By option and source; absent where there is none. */
    struct gg_str (*values)[SOURCES];
};

static void add_fault(struct loading *l, const char *name, const char *where, const char *what)
{
    gg_faults_add(&l->faults, name, gg_arena_printf(l->arena, "%s%s", where, what));
}

/* "line 3 of /etc/…: ", or nothing for the environment. */
static const char *place(struct loading *l, int line)
{
    return line == 0 ? "" : gg_arena_printf(l->arena, "line %d of %s: ", line, l->out->file);
}

/* The option by this name; *is_file when it is NAME_FILE of a secret. */
static const struct gg_option *find_option(struct gg_str name, bool *is_file, size_t *index)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    for (*index = 0; *index < count; ++*index) {
        const struct gg_option *o = &table[*index];
        size_t n = strlen(o->name);
        *is_file = o->is_secret && name.n == n + 5 && gg_str_has_prefix(name, o->name) &&
                   memcmp(name.p + n, "_FILE", 5) == 0;
        if (*is_file || gg_str_is(name, o->name))
            return o;
    }
    return NULL;
}

static void look_at_mode(struct loading *l, const char *name, const char *path)
{
    struct stat about;

    if (stat(path, &about) == 0 && (about.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        gg_faults_add(&l->lax, name,
                      gg_arena_printf(
                          l->arena, "others may read or change the secret: chmod g-w,o= %s", path));
}

/* The content of the file that NAME_FILE names, without the line's end. */
static bool read_secret(struct loading *l, const char *name, struct gg_str *value,
                        const char **fault)
{
    const char *path = gg_arena_copy(l->arena, value->p, value->n);
    bool absent;
    struct gg_err err;

    /* Workers, cron and people at a shell are not in the same directory. */
    if (*path != '/') {
        *fault = "must be the whole path of a file, from / on";
        return false;
    }
    look_at_mode(l, name, path);
    if (!gg_conf_read(l->arena, path, value, &absent, &err)) {
        *fault = gg_arena_printf(l->arena, "the file that it names cannot be read: %s", err.log);
        return false;
    }
    while (value->n > 0 && (value->p[value->n - 1] == '\n' || value->p[value->n - 1] == '\r'))
        value->n--;
    return true;
}

/* Takes one NAME or NAME_FILE, and judges it whether or not another source wins. */
static void take_value(struct loading *l, struct gg_str name, struct gg_str value, int line)
{
    bool is_file = false;
    size_t index = 0;
    struct gg_conf scratch;
    const char *fault = NULL;
    const struct gg_option *o = find_option(name, &is_file, &index);
    enum source source =
        line == 0 ? (is_file ? FROM_ENV_FILE : FROM_ENV) : (is_file ? FROM_FILE_FILE : FROM_FILE);
    const char *shown = gg_arena_copy(l->arena, name.p, name.n);

    if (o == NULL) {
        add_fault(l, shown, place(l, line), "is not the name of a setting");
        return;
    }
    /* Set to nothing is not set. */
    if (value.n == 0)
        return;
    if (l->values[index][source].p != NULL)
        add_fault(l, shown, place(l, line), "is set twice");
    if (is_file && !read_secret(l, shown, &value, &fault)) {
        add_fault(l, shown, place(l, line), fault);
        return;
    }
    struct gg_option_read read = {l->arena, o, value, (char *)&scratch + o->offset, NULL};
    if (!o->parse(&read))
        add_fault(l, shown, place(l, line), read.fault);
    else
        l->values[index][source] = value;
}

static void read_file(struct loading *l)
{
    struct gg_str text;
    struct gg_err err;
    struct gg_conf_line line;
    int number = 0;

    if (!gg_conf_read(l->arena, l->out->file, &text, &l->out->file_is_absent, &err)) {
        if (!l->out->file_is_absent)
            add_fault(l, "GRAPHGATE_CONFIG", "",
                      gg_arena_printf(l->arena, "%s cannot be read: %s", l->out->file, err.log));
        return;
    }
    while (gg_conf_take_line(&text, &number, &line)) {
        if (line.is_broken)
            add_fault(l, "GRAPHGATE_CONFIG", place(l, line.number), "is not NAME=value");
        else
            take_value(l, line.name, line.value, line.number);
    }
}

static void read_environment(struct loading *l)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    for (size_t i = 0; i < count; i++) {
        const char *file_name = gg_arena_printf(l->arena, "%s_FILE", table[i].name);
        const char *value = getenv(table[i].name);
        const char *file = table[i].is_secret ? getenv(file_name) : NULL;
        if (value != NULL)
            take_value(l, gg_str_of(table[i].name), gg_str_of(value), 0);
        if (file != NULL)
            take_value(l, gg_str_of(file_name), gg_str_of(file), 0);
    }
}

/* Both in one place: which of them is meant, nobody can tell. */
static bool is_set_beside_its_file(const struct loading *l, size_t index, enum source direct)
{
    enum source file = direct == FROM_ENV ? FROM_ENV_FILE : FROM_FILE_FILE;

    return l->values[index][direct].p != NULL && l->values[index][file].p != NULL;
}

static void settle(struct loading *l, struct gg_faults *missing)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    for (size_t i = 0; i < count; i++) {
        const struct gg_option *o = &table[i];
        struct gg_str value = gg_str_of(o->fallback);
        bool is_double = is_set_beside_its_file(l, i, FROM_FILE);
        if (is_double || is_set_beside_its_file(l, i, FROM_ENV))
            add_fault(l, o->name, "",
                      gg_arena_printf(l->arena,
                                      "is set, and %s_FILE beside it in %s: keep one of the two",
                                      o->name, is_double ? l->out->file : "the environment"));
        for (int s = 0; s < SOURCES; s++)
            value = l->values[i][s].p != NULL ? l->values[i][s] : value;
        if (value.p == NULL && o->is_required)
            gg_faults_add(missing, o->name, "is required");
        struct gg_option_read read = {l->arena, o, value, (char *)&l->out->conf + o->offset, NULL};
        if (value.p != NULL && !o->parse(&read))
            add_fault(l, o->name, "", read.fault);
    }
}

/* What one option means for another. */
static void settle_together(struct loading *l, struct gg_faults *missing)
{
    static const char *const many[] = {"common", "organizations", "consumers", GG_OAUTH_CONSUMERS};
    struct gg_conf *conf = &l->out->conf;
    bool is_many = false;

    if (!gg_secret_is_set(conf->jwt_secret_key))
        conf->jwt_secret_key = conf->secret_key;
    if (!gg_secret_is_set(conf->jwt_secret_key))
        gg_faults_add(missing, "JWT_SECRET_KEY", "is required, or SECRET_KEY");
    if (!gg_secret_is_set(conf->jwt_secret_key) && !gg_secret_is_set(conf->token_keys))
        gg_faults_add(missing, "TOKEN_ENCRYPTION_KEY",
                      "is required (graphgatectl genkey makes one), or a secret to derive it from");
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
        is_many = is_many || gg_str_is_equal_nocase(gg_str_of(conf->tenant), gg_str_of(many[i]));
    if (conf->sign_in == GG_SIGN_IN_UNSET)
        conf->sign_in = is_many ? GG_SIGN_IN_EXISTING : GG_SIGN_IN_PROVISION;
}

void gg_load(struct gg_arena *a, struct gg_loaded *loaded)
{
    const char *file = getenv("GRAPHGATE_CONFIG");
    struct loading l = {.arena = a, .out = loaded};
    struct gg_faults missing;
    size_t count;

    (void)gg_options_table(&count);
    bool is_named = file != NULL && *file != '\0';
    *loaded = (struct gg_loaded){.file = is_named ? file : FILE_DEFAULT, .file_is_named = is_named};
    l.values = gg_arena_alloc(a, count * sizeof *l.values);
    gg_faults_init(&l.faults, a);
    gg_faults_init(&l.lax, a);
    gg_faults_init(&missing, a);
    read_file(&l);
    read_environment(&l);
    settle(&l, &missing);
    settle_together(&l, &missing);
    loaded->faults = l.faults.first;
    loaded->missing = missing.first;
    loaded->lax = l.lax.first;
}
