/* SPDX-License-Identifier: MIT */
/*
 * The two realms: one code, two sets of data. This table is all that knows how they differ.
 */
#ifndef GG_BASE_REALM_H
#define GG_BASE_REALM_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

enum gg_realm_id { GG_REALM_MAIN, GG_REALM_BETA, GG_REALMS };

struct gg_realm {
    enum gg_realm_id id;
    const char *name;        /* in logs, states and rate-limit keys */
    const char *prefix;      /* of its paths */
    const char *jwt_type;    /* the claim `type` */
    const char *token_table; /* of its Microsoft tokens */
    const char *key_column;  /* whose tokens they are */
    const char *subject_sql; /* a parameter that is compared with that column, or with users.id */
    const char *new_id_sql;  /* the id of a new account */
    const char *user_table;  /* of its local accounts */
    const char *user_field;  /* the member of the `user` answer */
    bool has_teacher_id;     /* user_info names the account once more */
    /* True for a subject of this realm; writes its one canonical form. */
    bool (*parse_subject)(struct gg_arena *a, struct gg_str in, struct gg_str *out);
};

/* A user of a realm, in the one form that its parse_subject writes. */
struct gg_subject {
    const struct gg_realm *realm;
    struct gg_str id;
};

const struct gg_realm *gg_realm(enum gg_realm_id id);
const struct gg_realm *gg_realm_find_type(struct gg_str jwt_type); /* NULL: none */
const struct gg_realm *gg_realm_find_name(struct gg_str name);

/*
 * SQL with {table}, {key}, {subject}, {users} and {new_id} filled in; by nothing for NULL. The text
 * is the arena's.
 */
struct gg_str gg_realm_fill(struct gg_arena *a, const struct gg_realm *realm, const char *sql);

#endif
