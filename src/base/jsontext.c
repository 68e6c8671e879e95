/* SPDX-License-Identifier: MIT */
#include "gg/base/jsontext.h"

#include <endian.h>
#include <string.h>

#define OBJECT_WEIGHT 8
#define FIRST_PARTS   16

struct reader {
    const char *p;
    const char *end;
    size_t weight;
    size_t parts;
    int depth;
    struct gg_jsontext seen;
    bool has_nul; /* in the last string */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The next byte; NUL, which no JSON has, at the end. */
static char peek(const struct reader *r)
{
    return r->p < r->end ? *r->p : '\0';
}

/* Inline: what is between two values is nothing, mostly, and a call would cost more. */
static inline char peek_mark(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
    return peek(r);
}

/* Steps over one of { } [ ] , : */
static bool take_mark(struct reader *r)
{
    r->weight += *r->p++ == '{' ? OBJECT_WEIGHT : 1;
    return r->weight <= GG_JSONTEXT_WEIGHT;
}

/*
 * How many of the eight bytes at p stand for themselves in a string: neither quote, backslash nor
 * control, and ASCII. Each subtraction lends from the byte above only where the byte itself is one
 * of these, so the lowest that is found is right.
 */
static size_t count_plain(const char *p)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t w;

    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    uint64_t quote = w ^ ones * '"';
    uint64_t slash = w ^ ones * '\\';
    uint64_t odd = (w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & ones * 0x80;
    return odd == 0 ? sizeof w : (size_t)__builtin_ctzll(odd) / 8;
}

static bool take_escape(struct reader *r)
{
    static const char hex[] = "0123456789abcdefABCDEF";

    r->p++;
    char c = peek(r);
    if (c == '\0' || strchr("\"\\/bfnrtu", c) == NULL)
        return false;
    r->p++;
    if (c != 'u')
        return true;
    if (r->end - r->p < 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (memchr(hex, r->p[i], sizeof hex - 1) == NULL)
            return false;
    r->has_nul = r->has_nul || memcmp(r->p, "0000", 4) == 0;
    r->p += 4;
    return true;
}

/* To the first byte that does not stand for itself, or the end. */
static const char *skip_plain(const char *p, const char *end)
{
    size_t plain = 8;

    while (plain == 8 && end - p >= 8) {
        plain = count_plain(p);
        p += plain;
    }
    return p;
}

static bool take_string(struct reader *r)
{
    r->has_nul = false;
    r->p++;
    for (;;) {
        r->p = skip_plain(r->p, r->end);
        if (r->p == r->end)
            return false;
        unsigned char c = (unsigned char)*r->p;
        if (c == '"') {
            r->p++;
            return true;
        } else if (c == '\\') {
            if (!take_escape(r))
                return false;
        } else {
            size_t n = gg_str_utf8_step((struct gg_str){r->p, (size_t)(r->end - r->p)});
            if (c < 0x20 || n == 0)
                return false;
            r->p += n;
        }
    }
}

static bool take_digits(struct reader *r)
{
    const char *start = r->p;

    while (is_digit(peek(r)))
        r->p++;
    return r->p > start;
}

static bool take_number(struct reader *r)
{
    r->p += peek(r) == '-';
    if (peek(r) == '0')
        r->p++;
    else if (!take_digits(r))
        return false;
    if (peek(r) == '.') {
        r->p++;
        if (!take_digits(r))
            return false;
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->p++;
        r->p += peek(r) == '+' || peek(r) == '-';
        return take_digits(r);
    }
    return true;
}

static bool take_word(struct reader *r)
{
    static const struct gg_str words[] = {{"true", 4}, {"false", 5}, {"null", 4}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (peek(r) == words[i].p[0] && (size_t)(r->end - r->p) >= words[i].n &&
            memcmp(r->p, words[i].p, words[i].n) == 0) {
            r->p += words[i].n;
            return true;
        }
    return take_number(r);
}

/* A member's name, and the colon behind it; what is between its quotes. */
static bool take_name(struct reader *r, struct gg_str *name)
{
    if (peek_mark(r) != '"')
        return false;
    const char *start = r->p + 1;
    if (!take_string(r))
        return false;
    *name = (struct gg_str){start, (size_t)(r->p - 1 - start)};
    r->seen.members++;
    r->seen.has_nul_name = r->seen.has_nul_name || r->has_nul;
    return peek_mark(r) == ':' && take_mark(r);
}

/* Behind an opening bracket; true in *more when something stands before the closing one. */
static bool take_opening(struct reader *r, char close, bool *more)
{
    if (++r->depth > GG_JSONTEXT_DEPTH || !take_mark(r))
        return false;
    *more = peek_mark(r) != close;
    r->depth -= !*more;
    return *more || take_mark(r);
}

/* Behind a value: a comma, with *more, or the closing bracket. */
static bool take_next(struct reader *r, char close, bool *more)
{
    char c = peek_mark(r);

    *more = c == ',';
    r->depth -= c == close;
    return (c == ',' || c == close) && take_mark(r);
}

static char closing(char open)
{
    return open == '{' ? '}' : open == '[' ? ']' : '\0';
}

/* Puts a zeroed one behind those that are there. */
static struct gg_jsontext_part *add_part(struct gg_arena *a, struct gg_jsontext_part *of)
{
    bool is_full =
        of->count == 0 || (of->count >= FIRST_PARTS && (of->count & (of->count - 1)) == 0);

    if (is_full) {
        size_t size = of->count == 0 ? FIRST_PARTS : 2 * of->count;
        struct gg_jsontext_part *more = gg_arena_alloc(a, size * sizeof *more);
        if (of->count > 0)
            memcpy(more, of->parts, of->count * sizeof *more);
        of->parts = more;
    }
    return &of->parts[of->count++];
}

/* The value at r; with out, where it is and its parts down to `levels`. At most GG_JSONTEXT_DEPTH
 * deep. */
static bool take_value(struct reader *r, struct gg_arena *a,
                       int levels, /* NOLINT(misc-no-recursion) */
                       struct gg_jsontext_part *out)
{
    char open = peek_mark(r);
    char close = closing(open);
    const char *start = r->p;
    bool more = false;

    if (open == '"') {
        if (!take_string(r))
            return false;
    } else if (close == '\0') {
        if (!take_word(r))
            return false;
    } else if (!take_opening(r, close, &more)) {
        return false;
    }
    while (more) {
        struct gg_str name = {NULL, 0};
        if ((open == '{' && !take_name(r, &name)) || (levels > 0 && ++r->parts > GG_JSONTEXT_PARTS))
            return false;
        struct gg_jsontext_part *part = NULL;
        if (levels > 0) {
            part = add_part(a, out);
            part->name = name;
        }
        if (!take_value(r, a, levels > 0 ? levels - 1 : 0, part) || !take_next(r, close, &more))
            return false;
    }
    if (out != NULL)
        out->text = (struct gg_str){start, (size_t)(r->p - start)};
    return true;
}

static bool read_all(struct gg_arena *a, struct gg_str text, int levels,
                     struct gg_jsontext_part *out, struct gg_jsontext *seen)
{
    struct reader r = {.p = text.p, .end = text.p + text.n};

    if (text.n == 0 || !take_value(&r, a, levels, out))
        return false;
    *seen = r.seen;
    (void)peek_mark(&r);
    return r.p == r.end;
}

bool gg_jsontext_check(struct gg_str text, struct gg_jsontext *seen)
{
    return read_all(NULL, text, 0, NULL, seen);
}

bool gg_jsontext_split(struct gg_arena *a, struct gg_str text, int levels,
                       struct gg_jsontext_part *out)
{
    struct gg_jsontext seen;

    *out = (struct gg_jsontext_part){.count = 0};
    return read_all(a, text, levels, out, &seen);
}
