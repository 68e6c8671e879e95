/* SPDX-License-Identifier: MIT */
/* graphgatectl check: what its files share. Each check says what it finds, a sentence a line. */
#ifndef GG_CTL_CHECK_H
#define GG_CTL_CHECK_H

#include "ctl.h"

#include "gg/flow/diagnose.h"

enum gg_check_level { GG_CHECK_OK, GG_CHECK_WARNING, GG_CHECK_SKIPPED, GG_CHECK_FAILED };

/* What the checks are run with, and what one leaves for those behind it. */
struct gg_checks {
    struct gg_ctl *ctl;
    struct gg_call *call;
    const struct gg_conf *conf;
    const char *name;          /* of the check that runs */
    enum gg_check_level worst; /* that it has said; GG_CHECK_OK also when it has said nothing */
    bool has_spoken;
    bool is_schema_bad;
    struct gg_diagnose_discovery discovery;
};

/* One line. An OK may be without words: NULL. */
void gg_check_say(struct gg_checks *k, enum gg_check_level level, const char *fmt, ...)
    GG_PRINTF(3, 4);

/* Not looked at, since the line of that name says already what is wrong. */
void gg_check_skip(struct gg_checks *k, const char *name);

void gg_check_database(struct gg_checks *k);
void gg_check_schema(struct gg_checks *k);
void gg_check_grants(struct gg_checks *k);
void gg_check_limits(struct gg_checks *k);

void gg_check_jwt_secret(struct gg_checks *k);
void gg_check_encryption(struct gg_checks *k);
void gg_check_stored(struct gg_checks *k);
void gg_check_seals(struct gg_checks *k);
void gg_check_inactive(struct gg_checks *k);

void gg_check_discovery(struct gg_checks *k);
void gg_check_signing_keys(struct gg_checks *k);
void gg_check_client(struct gg_checks *k);
void gg_check_expiry(struct gg_checks *k);
void gg_check_clock(struct gg_checks *k);
void gg_check_database_clock(struct gg_checks *k);

void gg_check_redirect(struct gg_checks *k);
void gg_check_callback(struct gg_checks *k);

#endif
