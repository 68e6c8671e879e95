/* SPDX-License-Identifier: MIT */
#include "gg/base/realm.h"

#include "gg/base/buf.h"

#include <string.h>

static bool parse_integer(struct gg_arena *a, struct gg_str in, struct gg_str *out)
{
    int64_t id;

    if (!gg_str_parse_int(in, 1, INT64_MAX, &id))
        return false;
    *out = gg_str_of(gg_arena_copy(a, in.p, in.n));
    return true;
}

static bool parse_uuid(struct gg_arena *a, struct gg_str in, struct gg_str *out)
{
    if (!gg_str_is_uuid(in))
        return false;
    char *s = gg_arena_copy(a, in.p, in.n);
    gg_str_lower(s, in.n);
    *out = (struct gg_str){s, in.n};
    return true;
}

static const struct gg_realm realms[GG_REALMS] = {
    [GG_REALM_MAIN] =
        {
            .id = GG_REALM_MAIN,
            .name = "main",
            .prefix = "/api/v1",
            .jwt_type = "user",
            .token_table = "microsoft_oauth_tokens",
            .key_column = "user_id",
            /* A bare string would be compared as a double: 2^63-1 and its neighbours are one. */
            .subject_sql = "CAST(? AS SIGNED)",
            .new_id_sql = "DEFAULT",
            .user_table = "users",
            .user_field = "user",
            .parse_subject = parse_integer,
        },
    [GG_REALM_BETA] =
        {
            .id = GG_REALM_BETA,
            .name = "beta",
            .prefix = "/api/v1/beta",
            .jwt_type = "teacher",
            .token_table = "beta_microsoft_oauth_tokens",
            .key_column = "teacher_id",
            .subject_sql = "?",
            .new_id_sql = "UUID()",
            .user_table = "beta_teachers",
            .user_field = "teacher",
            .has_teacher_id = true,
            .parse_subject = parse_uuid,
        },
};

const struct gg_realm *gg_realm(enum gg_realm_id id)
{
    return &realms[id];
}

const struct gg_realm *gg_realm_find_type(struct gg_str jwt_type)
{
    for (int i = 0; i < GG_REALMS; i++)
        if (gg_str_is(jwt_type, realms[i].jwt_type))
            return &realms[i];
    return NULL;
}

const struct gg_realm *gg_realm_find_name(struct gg_str name)
{
    for (int i = 0; i < GG_REALMS; i++)
        if (gg_str_is(name, realms[i].name))
            return &realms[i];
    return NULL;
}

struct gg_str gg_realm_fill(struct gg_arena *a, const struct gg_realm *realm, const char *sql)
{
    const struct {
        const char *mark;
        const char *name;
    } marks[] = {
        {"{table}", realm == NULL ? "" : realm->token_table},
        {"{key}", realm == NULL ? "" : realm->key_column},
        {"{subject}", realm == NULL ? "" : realm->subject_sql},
        {"{users}", realm == NULL ? "" : realm->user_table},
        {"{new_id}", realm == NULL ? "" : realm->new_id_sql},
    };
    const size_t count = sizeof marks / sizeof marks[0];
    struct gg_buf out;

    gg_buf_init(&out, a, 8192);
    while (*sql != '\0') {
        size_t i = 0;
        while (i < count && strncmp(sql, marks[i].mark, strlen(marks[i].mark)) != 0)
            i++;
        /* Up to the next mark, or what looks like one, at once. */
        size_t plain = 1 + strcspn(sql + 1, "{");
        gg_buf_add(&out, i < count ? gg_str_of(marks[i].name) : (struct gg_str){sql, plain});
        sql += i < count ? strlen(marks[i].mark) : plain;
    }
    return gg_buf_str(&out);
}
