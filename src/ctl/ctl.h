/* SPDX-License-Identifier: MIT */
/* graphgatectl: what each command's file has, and what is there for all of them. */
#ifndef GG_CTL_CTL_H
#define GG_CTL_CTL_H

#include "gg/app/load.h"
#include "gg/flow/ctx.h"

/* Exit statuses. */
enum gg_ctl_status { GG_CTL_DONE = 0, GG_CTL_FAILED = 1, GG_CTL_USAGE = 2 };

struct gg_ctl_command;
struct gg_ctl_verb;

/* What a command is run with. */
struct gg_ctl {
    struct gg_arena *arena;
    const struct gg_ctl_command *command;
    const struct gg_ctl_verb *verb; /* NULL where the command has none */
    int argc;                       /* its own arguments; argv[0] is the name of command or verb */
    char **argv;
    const char *fault; /* what gg_ctl_read_flags did not like; NULL: nothing */
    struct gg_loaded loaded;
    struct gg_ctx ctx;
    struct gg_call call;
};

/* What of the configuration a command cannot do without; bad values stop any of them. */
enum gg_ctl_need {
    GG_CTL_NEEDS_NOTHING = 0, /* and the configuration is not even read */
    GG_CTL_NEEDS_CONFIG = 1,  /* read and free of bad values; each of the next ones has it too */
    GG_CTL_NEEDS_KEYS = 2,
    GG_CTL_NEEDS_JWT = 4,
    GG_CTL_NEEDS_DB = 8,
    GG_CTL_NEEDS_ALL = 16,   /* the configuration is complete, as for the worker */
    GG_CTL_NEEDS_AUDIT = 64, /* the audit's keys */
    GG_CTL_REPORTS = 32,     /* says itself what is wrong with it */
};

/* One of the things that a command does: `graphgatectl COMMAND VERB`. */
struct gg_ctl_verb {
    const char *name;
    const char *usage; /* behind the name */
    const char *help;
    unsigned need; /* of enum gg_ctl_need */
    int (*run)(struct gg_ctl *c);
};

/* Either runs, or has verbs that do; then their usage and needs count. */
struct gg_ctl_command {
    const char *name;
    const char *alias; /* another name, or NULL */
    const char *usage;
    const char *help;
    unsigned need;
    int (*run)(struct gg_ctl *c);
    const struct gg_ctl_verb *verbs; /* the last has no name */
};

extern const struct gg_ctl_command gg_ctl_audit, gg_ctl_check, gg_ctl_commands, gg_ctl_decrypt,
    gg_ctl_encrypt, gg_ctl_explain, gg_ctl_genkey, gg_ctl_jwt, gg_ctl_keys, gg_ctl_log_subject,
    gg_ctl_maintain, gg_ctl_migrate, gg_ctl_options, gg_ctl_rotate_keys, gg_ctl_seal, gg_ctl_stats,
    gg_ctl_tokens, gg_ctl_users;

/* Every command, in the order of --help. */
const struct gg_ctl_command *const *gg_ctl_table(size_t *count);

/* Prints "graphgatectl: …" to stderr. */
int gg_ctl_fail(const char *fmt, ...) GG_PRINTF(1, 2);

/* The same with the usage of what was called behind it; c->fault, if there is one, is the reason.
 */
int gg_ctl_misuse(const struct gg_ctl *c, const char *what);

/* An option of a command, "--name VALUE"; without text and number it is a switch. */
struct gg_ctl_flag {
    const char *name;
    bool *given;         /* may be NULL */
    struct gg_str *text; /* left alone when the option is not given, like number */
    int64_t *number;     /* min…max, of that unit */
    int64_t min;
    int64_t max;
    const char *unit; /* NULL: none */
};

/* The words "a|b" that a usage line allows behind "--name"; absent where it allows any text. */
struct gg_str gg_ctl_find_words(const char *usage, const char *name);

#define GG_CTL_FLAGS_MAX 16

/*
 * Takes the options out of the arguments: what is left in c->argv behind its name are the others.
 * False when one is unknown, lacks its value, or has one that is not of the usage's words or not in
 * its bounds; c->fault says so.
 */
GG_MUST bool gg_ctl_read_flags(struct gg_ctl *c, const struct gg_ctl_flag *flags, size_t count);

/* All of standard input, at most cap bytes. */
GG_MUST bool gg_ctl_read(struct gg_ctl *c, size_t cap, struct gg_str *text);

/* Where an administrator consents for a whole organisation; what is not configured stands there by
 * its name. */
const char *gg_ctl_consent_url(struct gg_ctl *c);

/* Refreshes idle connections, at most limit of each realm, and says how it went. */
int gg_ctl_refresh_idle(struct gg_ctl *c, int64_t limit);

/* Seals the audit's finished spans and says its head; part of `maintain`. */
int gg_ctl_seal_audit(struct gg_ctl *c);

/* Writes to standard output; GG_CTL_FAILED when it is full or closed. */
int gg_ctl_write(struct gg_str text);

/* A line of man(7) text; what stands between two backquotes is bold. */
void gg_ctl_print_troff(const char *text);

#endif
