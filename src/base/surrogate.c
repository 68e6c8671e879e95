/* SPDX-License-Identifier: MIT */
#include "gg/base/surrogate.h"

#include <stdint.h>
#include <string.h>

#define ESCAPE_LENGTH 6 /* \uXXXX */
#define HIGH          0xd800
#define LOW           0xdc00

/* What the escape at s stands for when that is a surrogate of one kind; its lower ten bits. */
static bool read_half(struct gg_str s, uint32_t kind, uint32_t *bits)
{
    uint32_t c = 0;

    if (s.n < ESCAPE_LENGTH || s.p[0] != '\\' || s.p[1] != 'u')
        return false;
    for (size_t i = 2; i < ESCAPE_LENGTH; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = memchr(digits, s.p[i], sizeof digits - 1);
        if (digit == NULL)
            return false;
        c = c << 4 | ((uint32_t)(digit - digits) & 0xf);
    }
    *bits = c & 0x3ff;
    return (c & 0xfc00) == kind;
}

/* The character of the pair at s, or 0. */
static uint32_t read_pair(struct gg_str s)
{
    uint32_t high;
    uint32_t low;

    if (!read_half(s, HIGH, &high) || !read_half(gg_str_skip(s, ESCAPE_LENGTH), LOW, &low))
        return 0;
    return 0x10000 + (high << 10 | low);
}

static void put_utf8(char *p, uint32_t c)
{
    p[0] = (char)(0xf0 | c >> 18);
    p[1] = (char)(0x80 | (c >> 12 & 0x3f));
    p[2] = (char)(0x80 | (c >> 6 & 0x3f));
    p[3] = (char)(0x80 | (c & 0x3f));
}

/* The first backslash from s on that begins a pair; NULL: there is none. */
static const char *find_pair(struct gg_str s)
{
    const char *p;

    while (s.n > 0 && (p = memchr(s.p, '\\', s.n)) != NULL) {
        s = gg_str_skip(s, (size_t)(p - s.p));
        if (read_pair(s) != 0)
            return p;
        s = gg_str_skip(s, s.n < 2 ? s.n : 2);
    }
    return NULL;
}

struct gg_str gg_surrogate_join(struct gg_arena *a, struct gg_str text)
{
    const char *pair = find_pair(text);
    size_t n = 0;

    if (pair == NULL)
        return text;
    char *out = gg_arena_alloc(a, text.n);
    for (struct gg_str rest = text; rest.n > 0; pair = find_pair(rest)) {
        size_t before = pair == NULL ? rest.n : (size_t)(pair - rest.p);
        memcpy(out + n, rest.p, before);
        n += before;
        rest = gg_str_skip(rest, before);
        if (pair == NULL)
            break;
        put_utf8(out + n, read_pair(rest));
        n += 4;
        rest = gg_str_skip(rest, 2 * (size_t)ESCAPE_LENGTH);
    }
    return (struct gg_str){out, n};
}
