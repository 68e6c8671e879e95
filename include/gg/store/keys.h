/* SPDX-License-Identifier: MIT */
/*
 * Table signing_keys: the identity platform's key set, shared by all workers and hosts. One of them
 * at a time asks for it, under a turn that ends by itself; a key id that turned out to be in no set
 * closes the table to such questions for a while, whoever asks.
 */
#ifndef GG_STORE_KEYS_H
#define GG_STORE_KEYS_H

#include "gg/ext/db.h"
#include "gg/proto/fernet.h"

/* No turn lasts longer, also when its worker was killed. */
#define GG_KEYS_TURN_S 20
/* For so long nobody asks again because of an unknown key id. */
#define GG_KEYS_PAUSE_S 30

/* What the address of the keys makes of it: sets of different platforms or tenants never mix. */
struct gg_keys_store {
    struct gg_db *db;
    const struct gg_fernet *fernet;
    struct gg_str source;
};

struct gg_keys {
    struct gg_str text;    /* as it was put; absent: none, or sealed with another key */
    int64_t age_ms;        /* since it was put */
    struct gg_str version; /* when it was put, to the microsecond; absent: never */
    bool is_closed;        /* an unknown id was asked for a moment ago */
};

/* GG_EDATABASE. All of it is the arena's. */
GG_MUST bool gg_keys_find(struct gg_keys_store s, struct gg_arena *a, struct gg_keys *keys,
                          struct gg_err *err);

/*
 * *taken: it is the caller's turn to ask; it ends with put or drop. Not while it is another's, nor
 * when the set has changed since `keys` was found.
 */
GG_MUST bool gg_keys_take_turn(struct gg_keys_store s, struct gg_arena *a,
                               const struct gg_keys *keys, bool *taken, struct gg_err *err);

/* The set that was fetched; a text too long to be shared counts as asked for, and is not kept. */
struct gg_keys_answer {
    struct gg_str text;
    bool is_fruitless; /* it lacks the id for which it was fetched */
};
GG_MUST bool gg_keys_put(struct gg_keys_store s, struct gg_arena *a,
                         const struct gg_keys_answer *answer, struct gg_err *err);

/* Gives the turn back without a set. */
GG_MUST bool gg_keys_drop_turn(struct gg_keys_store s, struct gg_arena *a, struct gg_err *err);

#endif
