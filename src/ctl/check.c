/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "whose.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#define TEXT_BYTES_MAX 4096

void gg_check_say(struct gg_checks *k, enum gg_check_level level, const char *fmt, ...)
{
    static const char *const words[] = {
        [GG_CHECK_OK] = "ok",
        [GG_CHECK_WARNING] = "warning: ",
        [GG_CHECK_SKIPPED] = "not checked: ",
        [GG_CHECK_FAILED] = "failed: ",
    };
    char text[TEXT_BYTES_MAX];
    va_list ap;

    (void)printf("%-14s %s", k->name, words[level]);
    if (level == GG_CHECK_OK && fmt != NULL)
        (void)fputs(": ", stdout);
    va_start(ap, fmt);
    if (fmt != NULL)
        (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    /* What stands in the database, anybody may have written. */
    if (fmt != NULL)
        (void)fputs(gg_ctl_clean(k->call->arena, gg_str_of(text)), stdout);
    (void)putchar('\n');
    (void)fflush(stdout);
    k->has_spoken = true;
    if (level > k->worst)
        k->worst = level;
}

static void say_faults(struct gg_checks *k, enum gg_check_level level, const struct gg_fault *fault)
{
    for (; fault != NULL; fault = fault->next)
        gg_check_say(k, level, "%s: %s", fault->field, fault->detail);
}

/* A file that is named and not there is fine as long as the environment has all: else it is why. */
static void check_file(struct gg_checks *k)
{
    const struct gg_loaded *l = &k->ctl->loaded;
    bool is_why = l->missing != NULL;

    if (l->file_is_absent && l->file_is_named)
        gg_check_say(k, is_why ? GG_CHECK_FAILED : GG_CHECK_WARNING,
                     "GRAPHGATE_CONFIG: %s does not exist: %s", l->file,
                     is_why ? "name the file that there is, or make it"
                            : "take GRAPHGATE_CONFIG away, if the environment is to have it all");
}

void gg_check_skip(struct gg_checks *k, const char *name)
{
    gg_check_say(k, GG_CHECK_SKIPPED, "%s must be right first", name);
}

static void check_configuration(struct gg_checks *k)
{
    const struct gg_loaded *l = &k->ctl->loaded;
    struct stat about;

    (void)printf("%-14s %s%s\n", "file", l->file, l->file_is_absent ? " (absent)" : "");
    check_file(k);
    say_faults(k, GG_CHECK_FAILED, l->faults);
    say_faults(k, GG_CHECK_FAILED, l->missing);
    say_faults(k, GG_CHECK_WARNING, l->lax);
    if (!l->file_is_absent && stat(l->file, &about) == 0 && (about.st_mode & S_IROTH) != 0)
        gg_check_say(k, GG_CHECK_WARNING,
                     "everybody on this machine can read the file: chmod o-r %s", l->file);
}

enum id {
    CONFIGURATION,
    DATABASE,
    SCHEMA,
    GRANTS,
    LIMITS,
    JWT_SECRET,
    ENCRYPTION,
    STORED,
    SEALS,
    INACTIVE,
    DATABASE_CLOCK,
    DISCOVERY,
    SIGNING_KEYS,
    CLOCK,
    CLIENT,
    EXPIRY,
    REDIRECT,
    CALLBACK,
    CHECKS,
};

#define BIT(id) (1U << (id))

/* In the order of their lines; what a check needs stands before it. */
static const struct {
    const char *name; /* at most 14 characters */
    void (*run)(struct gg_checks *k);
    unsigned needs; /* that these did not fail */
} checks[CHECKS] = {
    [CONFIGURATION] = {"configuration", check_configuration, 0},
    [DATABASE] = {"database", gg_check_database, 0},
    [SCHEMA] = {"schema", gg_check_schema, BIT(DATABASE)},
    [GRANTS] = {"grants", gg_check_grants, BIT(DATABASE)},
    [LIMITS] = {"limits", gg_check_limits, BIT(SCHEMA) | BIT(GRANTS)},
    [JWT_SECRET] = {"JWT secret", gg_check_jwt_secret, 0},
    [ENCRYPTION] = {"encryption", gg_check_encryption, 0},
    [STORED] = {"stored tokens", gg_check_stored, BIT(SCHEMA) | BIT(GRANTS) | BIT(ENCRYPTION)},
    [SEALS] = {"seals", gg_check_seals, BIT(SCHEMA) | BIT(GRANTS)},
    [INACTIVE] = {"inactive", gg_check_inactive, BIT(SCHEMA) | BIT(GRANTS)},
    [DATABASE_CLOCK] = {"database clock", gg_check_database_clock, BIT(DATABASE)},
    [DISCOVERY] = {"discovery", gg_check_discovery, BIT(CONFIGURATION)},
    [SIGNING_KEYS] = {"signing keys", gg_check_signing_keys, BIT(DISCOVERY)},
    [CLOCK] = {"clock", gg_check_clock, BIT(DISCOVERY)},
    [CLIENT] = {"client secret", gg_check_client, BIT(DISCOVERY)},
    [EXPIRY] = {"secret expiry", gg_check_expiry, BIT(CONFIGURATION)},
    [REDIRECT] = {"redirect URI", gg_check_redirect, BIT(CONFIGURATION)},
    [CALLBACK] = {"callback", gg_check_callback, BIT(REDIRECT)},
};

/* Runs one, or says what must be right before; true unless it failed. */
static bool run_one(struct gg_checks *k, enum id id, unsigned *bad)
{
    k->name = checks[id].name;
    k->worst = GG_CHECK_OK;
    k->has_spoken = false;
    for (unsigned i = 0; i < (unsigned)id && !k->has_spoken; i++)
        if ((checks[id].needs & *bad & BIT(i)) != 0)
            gg_check_skip(k, checks[i].name);
    if (!k->has_spoken)
        checks[id].run(k);
    if (!k->has_spoken)
        gg_check_say(k, GG_CHECK_OK, NULL);
    if (k->worst >= GG_CHECK_SKIPPED)
        *bad |= BIT(id);
    return k->worst != GG_CHECK_FAILED;
}

static int run(struct gg_ctl *c)
{
    struct gg_checks k = {.ctl = c, .call = &c->call, .conf = &c->loaded.conf};
    unsigned bad = 0;
    bool ok = true;

    if (c->argc > 1)
        return gg_ctl_misuse(c, "takes no arguments");
    for (unsigned id = 0; id < CHECKS; id++)
        ok = run_one(&k, (enum id)id, &bad) && ok;
    return ok ? GG_CTL_DONE : GG_CTL_FAILED;
}

const struct gg_ctl_command gg_ctl_check = {
    .name = "check",
    .alias = "doctor",
    .usage = "",
    .help = "finds what is wrong: configuration, database, schema, grants, keys, clocks, "
            "Microsoft, client secret, callback; a line for each says ok, warning or failed, and "
            "what to do",
    .need = GG_CTL_REPORTS,
    .run = run,
};
