/* SPDX-License-Identifier: MIT */
/*
 * All rows of a realm gone through while traffic runs: put under the first key, sealed, or only
 * looked at. What has been done stands in the rows themselves: a run that is killed is begun again,
 * and two at once do each other no harm.
 */
#ifndef GG_FLOW_REKEY_H
#define GG_FLOW_REKEY_H

#include "gg/flow/ctx.h"
#include "gg/store/tokenrow.h"

enum gg_rekey_job {
    GG_REKEY_ROTATE, /* every row under the first key; sealed ones are sealed anew */
    GG_REKEY_SEAL,   /* what has no seal gets one */
    GG_REKEY_LOOK,
};

/* Of the rows gone through. */
struct gg_rekey_counts {
    int64_t seen;
    int64_t done;       /* changed; or to be changed, where nothing is written */
    int64_t unsealed;   /* have no seal: before the job, or for GG_REKEY_SEAL after it */
    int64_t unreadable; /* left: no key decrypts all of their tokens */
    int64_t forged;     /* left: their seal is wrong */
    int64_t misnoted;   /* noted under a key that they are not encrypted with */
    int64_t mixed;      /* under several keys */
    int64_t busy;       /* left: being refreshed, or changed meanwhile, at every look */
    int64_t by_key[GG_FERNET_KEYS_MAX];
};

/* A row that was left, and why. */
struct gg_rekey_left {
    struct gg_str subject;
    const char *why;
    struct gg_rekey_left *next;
};
#define GG_REKEY_LEFT_MAX 1000

struct gg_rekey {
    enum gg_rekey_job job;
    const struct gg_realm *realm;
    enum gg_tokenrow_which which;
    bool is_dry;                            /* nothing is written */
    int64_t most;                           /* rows to go through; 0: all */
    void (*tick)(const struct gg_rekey *r); /* after each row; may be NULL */
    void *arg;                              /* tick's own */
    /* Out. `left` names at most GG_REKEY_LEFT_MAX, and is the call's arena's. */
    struct gg_rekey_counts counts;
    struct gg_rekey_left *left;
};

/*
 * Rows that are being refreshed are waited for, for a minute. GG_EDATABASE: what is done by then is
 * done.
 */
GG_MUST bool gg_rekey_run(struct gg_call *c, struct gg_rekey *r, struct gg_err *err);

#endif
