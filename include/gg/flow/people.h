/* SPDX-License-Identifier: MIT */
/*
 * All that graphgate has of one user, in every table: to be counted, deleted, or given to another.
 *
 * What there is no transaction for is done in an order that bears to be repeated: a run that was
 * killed is finished by the next.
 */
#ifndef GG_FLOW_PEOPLE_H
#define GG_FLOW_PEOPLE_H

#include "gg/flow/ctx.h"
#include "gg/store/account.h"

enum gg_people_part {
    GG_PEOPLE_ACCOUNT,
    GG_PEOPLE_CONNECTION,
    GG_PEOPLE_SESSIONS,
    GG_PEOPLE_CODES,
    GG_PEOPLE_SIGN_INS,
    GG_PEOPLE_RATES,
    GG_PEOPLE_PARTS,
};

/* Rows of each part: found, or deleted. */
struct gg_people {
    struct gg_account account; /* as it was found */
    bool is_ours;              /* the table of accounts is graphgate's, not the site's */
    int64_t rows[GG_PEOPLE_PARTS];
};

/* "connections", "session codes", … */
const char *gg_people_name(enum gg_people_part part);

/* An account that signs in with Microsoft. */
bool gg_people_has_identity(const struct gg_account *account);

GG_MUST bool gg_people_count(struct gg_call *c, struct gg_token_key who, struct gg_people *people,
                             struct gg_err *err);

/*
 * Deletes all of it. Of a site's own table of users only the Microsoft identity is taken away from
 * the row, unless takes_account. The audit keeps its rows, and gets two: one before anything is
 * done, one of how it ended.
 */
struct gg_people_delete {
    struct gg_token_key who;
    bool takes_account;
};
GG_MUST bool gg_people_drop(struct gg_call *c, struct gg_people_delete wish,
                            struct gg_people *people, struct gg_err *err);

/* Whose Microsoft identity signs in to `into` afterwards. */
enum gg_people_identity { GG_PEOPLE_UNDECIDED, GG_PEOPLE_FROM, GG_PEOPLE_INTO };

/*
 * Two accounts of one person become one, which keeps into's id: from's tokens are sealed anew for
 * it where it has no active ones (or from's identity was chosen), from's identity goes there where
 * it has none (or it was chosen), and whatever else from has is deleted. An account has one
 * identity: where both have one, GG_ECONFLICT unless it is decided which stays. The other one
 * signs in to nothing then.
 */
struct gg_people_merge {
    struct gg_token_key from;
    struct gg_token_key into; /* of the same realm */
    enum gg_people_identity identity;
    bool is_dry_run;
    bool moves_identity; /* out, as the next one */
    bool moves_tokens;
};
GG_MUST bool gg_people_join(struct gg_call *c, struct gg_people_merge *merge,
                            struct gg_people *people, struct gg_err *err);

#endif
