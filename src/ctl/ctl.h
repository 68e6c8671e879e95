/* SPDX-License-Identifier: MIT */
/* graphgatectl: what each command's file has, and what is there for all of them. */
#ifndef GG_CTL_CTL_H
#define GG_CTL_CTL_H

#include "gg/app/load.h"
#include "gg/flow/ctx.h"

/* Exit statuses. */
enum gg_ctl_status { GG_CTL_DONE = 0, GG_CTL_FAILED = 1, GG_CTL_USAGE = 2 };

/* What a command is run with. */
struct gg_ctl {
    struct gg_arena *arena;
    int argc; /* its own arguments; argv[0] is its name */
    char **argv;
    struct gg_loaded loaded;
    struct gg_ctx ctx;
    struct gg_call call;
};

/* What of the configuration a command cannot do without; bad values stop any of them. */
enum gg_ctl_need {
    GG_CTL_NEEDS_NOTHING, /* and the configuration is not even read */
    GG_CTL_NEEDS_CONFIG,  /* read and free of bad values */
    GG_CTL_NEEDS_KEYS,
    GG_CTL_NEEDS_JWT,
    GG_CTL_NEEDS_DB,
    GG_CTL_REPORTS, /* says itself what is wrong with it */
};

struct gg_ctl_command {
    const char *name;
    const char *usage; /* behind the name */
    const char *help;
    enum gg_ctl_need need;
    int (*run)(struct gg_ctl *c);
};

extern const struct gg_ctl_command gg_ctl_check, gg_ctl_decrypt, gg_ctl_encrypt, gg_ctl_genkey,
    gg_ctl_jwt, gg_ctl_maintain, gg_ctl_migrate, gg_ctl_options;

/* Prints "graphgatectl: …" to stderr. */
int gg_ctl_fail(const char *fmt, ...) GG_PRINTF(1, 2);

/* The same with the command's usage behind it. */
int gg_ctl_misuse(const struct gg_ctl_command *command, const char *what);

/* All of standard input, at most cap bytes. */
GG_MUST bool gg_ctl_read(struct gg_ctl *c, size_t cap, struct gg_str *text);

/* Writes to standard output; GG_CTL_FAILED when it is full or closed. */
int gg_ctl_write(struct gg_str text);

#endif
