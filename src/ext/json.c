/* SPDX-License-Identifier: MIT */
#include "gg/ext/json.h"

#include "gg/base/surrogate.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A whole double above this may stand for another number than the one that was written. */
#define EXACT_DOUBLE_MAX 9007199254740992.0

/* gg_json is json-c's object under another name; json-c's getters are not const throughout. */
static struct json_object *inner(const struct gg_json *v)
{
    return (struct json_object *)v;
}

static struct gg_json *outer(struct json_object *o)
{
    return (struct gg_json *)o;
}

static void put_object(void *o)
{
    (void)json_object_put(o);
}

/* Members of all objects in the tree, which is GG_JSONTEXT_DEPTH deep at most. */
static size_t count_members(struct json_object *o) /* NOLINT(misc-no-recursion) */
{
    size_t count = 0;

    for (size_t i = 0; i < gg_json_length(outer(o)); i++)
        count += count_members(json_object_array_get_idx(o, i));
    if (json_object_is_type(o, json_type_object))
        for (const struct lh_entry *e = json_object_get_object(o)->head; e != NULL; e = e->next)
            count += 1 + count_members(lh_entry_v(e));
    return count;
}

static bool parse_tree(struct gg_str text, struct json_object **out)
{
    struct json_tokener *tok = json_tokener_new_ex(GG_JSONTEXT_DEPTH + 2);

    if (tok == NULL)
        abort();
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    *out = json_tokener_parse_ex(tok, text.p, (int)text.n);
    /* Only a NUL tells json-c that a number at the top has ended. */
    if (json_tokener_get_error(tok) == json_tokener_continue)
        *out = json_tokener_parse_ex(tok, "", 1);
    bool good = json_tokener_get_error(tok) == json_tokener_success;
    json_tokener_free(tok);
    return good;
}

bool gg_json_parse(struct gg_arena *a, struct gg_str text, struct gg_json **out, struct gg_err *err)
{
    struct gg_jsontext seen;
    struct json_object *tree = NULL;

    /* What json-c does not see, or sees too late, is refused before it has a look; it would cut a
     * name at its NUL. */
    if (text.n > INT_MAX || !gg_jsontext_check(text, &seen) || seen.has_nul_name)
        return gg_fail(err, GG_EINVALIDJSON, "JSON is not well-formed, not UTF-8 or too much");
    /* json-c 0.16 takes some escaped pairs for halves, U+2D800's for one. */
    bool good = parse_tree(gg_surrogate_join(a, text), &tree);
    gg_arena_defer(a, put_object, tree);
    if (!good)
        return gg_fail(err, GG_EINVALIDJSON, "JSON is not well-formed");
    /* json-c keeps the last of equal names, so the tree is short of one member for each. */
    if (count_members(tree) != seen.members)
        return gg_fail(err, GG_EINVALIDJSON, "JSON has an object with a name twice");
    *out = outer(tree);
    return true;
}

enum gg_json_type gg_json_type(const struct gg_json *v)
{
    static const enum gg_json_type types[] = {
        [json_type_null] = GG_JSON_NULL,     [json_type_boolean] = GG_JSON_BOOL,
        [json_type_int] = GG_JSON_INT,       [json_type_double] = GG_JSON_DOUBLE,
        [json_type_string] = GG_JSON_STRING, [json_type_array] = GG_JSON_ARRAY,
        [json_type_object] = GG_JSON_OBJECT,
    };

    return types[json_object_get_type(inner(v))];
}

struct gg_json *gg_json_get(const struct gg_json *v, const char *name)
{
    struct json_object *found = NULL;

    if (gg_json_type(v) == GG_JSON_OBJECT)
        (void)json_object_object_get_ex(inner(v), name, &found);
    return outer(found);
}

bool gg_json_has(const struct gg_json *v, const char *name)
{
    return gg_json_type(v) == GG_JSON_OBJECT && json_object_object_get_ex(inner(v), name, NULL);
}

bool gg_json_str(const struct gg_json *v, struct gg_str *out)
{
    if (gg_json_type(v) != GG_JSON_STRING)
        return false;
    *out = (struct gg_str){json_object_get_string(inner(v)),
                           (size_t)json_object_get_string_len(inner(v))};
    return true;
}

bool gg_json_bool(const struct gg_json *v, bool *out)
{
    if (gg_json_type(v) != GG_JSON_BOOL)
        return false;
    *out = json_object_get_boolean(inner(v));
    return true;
}

bool gg_json_int(const struct gg_json *v, int64_t *out)
{
    if (gg_json_type(v) == GG_JSON_DOUBLE) {
        double d = json_object_get_double(inner(v));
        if (!(d >= -EXACT_DOUBLE_MAX && d <= EXACT_DOUBLE_MAX) || (double)(int64_t)d != d)
            return false;
        *out = (int64_t)d;
        return true;
    }
    if (gg_json_type(v) != GG_JSON_INT)
        return false;
    /* json-c turns what is lower into the lowest, so that one cannot be told from the rest. */
    int64_t i = json_object_get_int64(inner(v));
    if (i == INT64_MIN || json_object_get_uint64(inner(v)) > INT64_MAX)
        return false;
    *out = i;
    return true;
}

bool gg_json_number(const struct gg_json *v, double *out)
{
    int64_t whole = 0;
    bool is_double = gg_json_type(v) == GG_JSON_DOUBLE;
    double d = json_object_get_double(inner(v));

    if (is_double ? !isfinite(d) : !gg_json_int(v, &whole))
        return false;
    *out = is_double ? d : (double)whole;
    return true;
}

size_t gg_json_length(const struct gg_json *v)
{
    return gg_json_type(v) == GG_JSON_ARRAY ? json_object_array_length(inner(v)) : 0;
}

struct gg_json *gg_json_at(const struct gg_json *v, size_t i)
{
    return i < gg_json_length(v) ? outer(json_object_array_get_idx(inner(v), i)) : NULL;
}

/* json-c has its members in a list: an index beside it keeps a walk by number linear. */
static struct gg_str *index_names(struct json_object *o)
{
    struct gg_str *names = calloc((size_t)json_object_object_length(o) + 1, sizeof *names);
    size_t n = 0;

    if (names == NULL)
        abort();
    for (const struct lh_entry *e = json_object_get_object(o)->head; e != NULL; e = e->next)
        names[n++] = gg_str_of(lh_entry_k(e));
    json_object_set_userdata(o, names, json_object_free_userdata);
    return names;
}

struct gg_str gg_json_name(const struct gg_json *v, size_t i)
{
    if (gg_json_type(v) != GG_JSON_OBJECT || i >= (size_t)json_object_object_length(inner(v)))
        return (struct gg_str){NULL, 0};
    struct gg_str *names = json_object_get_userdata(inner(v));
    return (names == NULL ? index_names(inner(v)) : names)[i];
}

struct gg_str gg_json_text(const struct gg_json *v, const char *name)
{
    struct gg_str s;

    return gg_json_str(gg_json_get(v, name), &s) ? s : (struct gg_str){NULL, 0};
}

struct gg_str gg_json_print(struct gg_arena *a, const struct gg_json *v)
{
    struct json_object *o = NULL;
    size_t n = 0;
    const char *s = json_object_to_json_string_length(
        inner(v), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

    if (s == NULL || !parse_tree((struct gg_str){s, n}, &o) || !json_object_equal(o, inner(v)))
        abort(); /* json-c leaves out of the text what it has no memory for */
    put_object(o);
    return v == NULL ? GG_STR("null") : (struct gg_str){gg_arena_copy(a, s, n), n};
}

bool gg_json_split(struct gg_arena *a, struct gg_str text, int levels, struct gg_jsontext_part *out,
                   struct gg_err *err)
{
    return gg_jsontext_split(a, text, levels, out) ||
           gg_fail(err, GG_EINVALIDJSON, "JSON is not well-formed, not UTF-8 or too much");
}

/* What a string means, given with its quotes. */
static struct gg_str read_string(struct gg_arena *a, struct gg_str quoted)
{
    struct gg_str s = {quoted.p + 1, quoted.n - 2};
    struct gg_err ignored;
    struct gg_json *v = NULL;

    if (memchr(s.p, '\\', s.n) == NULL)
        return s;
    return gg_json_parse(a, quoted, &v, &ignored) && gg_json_str(v, &s) ? s
                                                                        : (struct gg_str){NULL, 0};
}

const struct gg_jsontext_part *gg_json_part(struct gg_arena *a, const struct gg_jsontext_part *of,
                                            const char *name)
{
    const struct gg_jsontext_part *found = NULL;

    for (size_t i = 0; i < of->count; i++) {
        struct gg_str s = of->parts[i].name;
        if (s.p == NULL || !gg_str_is(read_string(a, (struct gg_str){s.p - 1, s.n + 2}), name))
            continue;
        if (found != NULL)
            return NULL;
        found = &of->parts[i];
    }
    return found;
}

struct gg_str gg_json_part_text(struct gg_arena *a, const struct gg_jsontext_part *of,
                                const char *name)
{
    const struct gg_jsontext_part *part = gg_json_part(a, of, name);

    return part == NULL || part->text.p[0] != '"' ? (struct gg_str){NULL, 0}
                                                  : read_string(a, part->text);
}
