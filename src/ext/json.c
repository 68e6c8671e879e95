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

#define SPACE " \t\n\r"
#define MARKS "{}[],:\""
/* An empty object costs json-c as much as so many numbers. */
#define OBJECT_WEIGHT 8

static bool is_any(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Takes the next byte if it is one of `set`. */
static bool take_byte(struct gg_str *s, const char *set)
{
    if (s->n == 0 || !is_any(s->p[0], set))
        return false;
    *s = gg_str_skip(*s, 1);
    return true;
}

static bool take_digits(struct gg_str *s)
{
    bool some = false;

    while (take_byte(s, "0123456789"))
        some = true;
    return some;
}

/* RFC 8259 sections 3 and 6, which json-c takes loosely. */
static bool is_word(struct gg_str s)
{
    if (gg_str_is(s, "true") || gg_str_is(s, "false") || gg_str_is(s, "null"))
        return true;
    (void)take_byte(&s, "-");
    if (!take_byte(&s, "0") && !take_digits(&s))
        return false;
    if (take_byte(&s, ".") && !take_digits(&s))
        return false;
    if (take_byte(&s, "eE")) {
        (void)take_byte(&s, "+-");
        if (!take_digits(&s))
            return false;
    }
    return s.n == 0;
}

/* Bytes of the word or number at s. */
static size_t word_length(struct gg_str s)
{
    size_t n = 0;

    while (n < s.n && !is_any(s.p[n], MARKS SPACE))
        n++;
    return n;
}

/*
 * Bytes of the string at s, both quotes included; 0 when it never ends or has a bare control byte.
 * *has_nul: an escape in it stands for NUL.
 */
static size_t string_length(struct gg_str s, bool *has_nul)
{
    *has_nul = false;
    for (size_t i = 1; i < s.n && (unsigned char)s.p[i] >= 0x20; i++) {
        if (s.p[i] == '"')
            return i + 1;
        if (s.p[i] == '\\' && gg_str_has_prefix(gg_str_skip(s, i++), "\\u0000"))
            *has_nul = true;
    }
    return 0;
}

/* What json-c does not see, or sees too late: refused before json-c has a look. */
struct scan {
    size_t weight;
    size_t colons; /* as many as the tree must have members */
    int depth;
    bool has_nul; /* in the last string; json-c would cut a name there */
};

static bool check_mark(struct scan *scan, char c)
{
    scan->weight += c == '{' ? OBJECT_WEIGHT : 1;
    scan->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    scan->colons += c == ':';
    return scan->weight <= GG_JSON_WEIGHT && scan->depth >= 0 && scan->depth <= GG_JSON_DEPTH &&
           !(c == ':' && scan->has_nul);
}

static bool scan_text(struct scan *scan, struct gg_str s)
{
    while (s.n > 0) {
        char c = s.p[0];
        size_t n = 1;
        if (c == '"') {
            n = string_length(s, &scan->has_nul);
            if (n == 0)
                return false;
        } else if (is_any(c, MARKS)) {
            if (!check_mark(scan, c))
                return false;
        } else if (!is_any(c, SPACE)) {
            n = word_length(s);
            if (!is_word((struct gg_str){s.p, n}))
                return false;
        }
        s = gg_str_skip(s, n);
    }
    return true;
}

/* Members of all objects in the tree, which is GG_JSON_DEPTH deep at most. */
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
    struct json_tokener *tok = json_tokener_new_ex(GG_JSON_DEPTH + 2);

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
    struct scan scan = {0};
    struct json_object *tree = NULL;

    /* json-c's own check of UTF-8 passes overlong forms and surrogates. */
    if (text.n > INT_MAX || gg_str_count_utf8(text) < 1 || !scan_text(&scan, text))
        return gg_fail(err, GG_EINVALIDJSON, "JSON is not well-formed, not UTF-8 or too much");
    /* json-c 0.16 takes some escaped pairs for halves, U+2D800's for one. */
    bool good = parse_tree(gg_surrogate_join(a, text), &tree);
    gg_arena_defer(a, put_object, tree);
    if (!good)
        return gg_fail(err, GG_EINVALIDJSON, "JSON is not well-formed");
    /* json-c keeps the last of equal names, so the tree is short of one member for each. */
    if (count_members(tree) != scan.colons)
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

/* From here on the text is known to be well-formed: what is below only finds where things end. */
static struct gg_str skip_space(struct gg_str s)
{
    while (take_byte(&s, SPACE))
        continue;
    return s;
}

/* Bytes of the value at s, brackets and all. */
static size_t value_length(struct gg_str s)
{
    size_t i = 0;
    int depth = 0;
    bool has_nul;

    do {
        struct gg_str rest = gg_str_skip(s, i);
        char c = s.p[i];
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        size_t n = c == '"' ? string_length(rest, &has_nul) : word_length(rest);
        i += n == 0 ? 1 : n;
    } while (depth > 0 && i < s.n);
    return i;
}

/* Takes a value and the comma or colon behind it; false at a closing bracket. */
static bool take_value(struct gg_str *rest, struct gg_str *value)
{
    struct gg_str s = skip_space(*rest);

    if (s.n == 0 || s.p[0] == ']' || s.p[0] == '}')
        return false;
    *value = (struct gg_str){s.p, value_length(s)};
    s = skip_space(gg_str_skip(s, value->n));
    *rest = s.n > 0 && (s.p[0] == ',' || s.p[0] == ':') ? gg_str_skip(s, 1) : s;
    return true;
}

/* Whether a string, as it stands in the text with its quotes and escapes, means `name`. */
static bool is_name(struct gg_arena *a, struct gg_str quoted, const char *name)
{
    struct gg_err ignored;
    struct gg_json *v = NULL;
    struct gg_str s;

    return gg_json_parse(a, quoted, &v, &ignored) && gg_json_str(v, &s) && gg_str_is(s, name);
}

static bool find_array(struct gg_arena *a, struct gg_str text, const char *name,
                       struct gg_str *inside)
{
    struct gg_str rest = skip_space(text);
    struct gg_str key;
    struct gg_str value;

    if (rest.n == 0 || rest.p[0] != '{')
        return false;
    rest = gg_str_skip(rest, 1);
    while (take_value(&rest, &key) && take_value(&rest, &value)) {
        if (is_name(a, key, name)) {
            *inside = gg_str_skip(value, 1);
            return value.p[0] == '[';
        }
    }
    return false;
}

bool gg_json_elements(struct gg_arena *a, struct gg_str text, const char *name, struct gg_str **out,
                      size_t *n)
{
    struct gg_str inside;
    struct gg_str value;
    size_t count = 0;

    if (!find_array(a, text, name, &inside))
        return false;
    for (struct gg_str rest = inside; take_value(&rest, &value);)
        count++;
    *out = gg_arena_alloc(a, count * sizeof **out);
    *n = count;
    for (size_t i = 0; i < count && take_value(&inside, &value); i++)
        (*out)[i] = value;
    return true;
}
