/* SPDX-License-Identifier: MIT */
#include "gg/base/str.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

void gg_str_lower(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = lower(p[i]);
}

struct gg_str gg_str_of(const char *s)
{
    return (struct gg_str){s, s == NULL ? 0 : strlen(s)};
}

bool gg_str_is_equal(struct gg_str a, struct gg_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool gg_str_is_equal_nocase(struct gg_str a, struct gg_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool gg_str_is(struct gg_str a, const char *s)
{
    return gg_str_is_equal(a, gg_str_of(s));
}

bool gg_str_has_prefix(struct gg_str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

struct gg_str gg_str_skip(struct gg_str s, size_t n)
{
    return n >= s.n ? (struct gg_str){s.p, 0} : (struct gg_str){s.p + n, s.n - n};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct gg_str gg_str_trim(struct gg_str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool gg_str_take(struct gg_str *rest, char sep, struct gg_str *part)
{
    if (rest->p == NULL)
        return false;
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, sep, rest->n);
    if (end == NULL) {
        *part = *rest;
        *rest = (struct gg_str){NULL, 0};
        return true;
    }
    size_t n = (size_t)(end - rest->p);
    *part = (struct gg_str){rest->p, n};
    *rest = (struct gg_str){end + 1, rest->n - n - 1};
    return true;
}

struct gg_str gg_str_format_digits(char room[GG_STR_NUMBER_BYTES], uint64_t n, unsigned base)
{
    size_t at = GG_STR_NUMBER_BYTES;

    do
        room[--at] = "0123456789abcdef"[n % base];
    while ((n /= base) > 0);
    return (struct gg_str){room + at, GG_STR_NUMBER_BYTES - at};
}

struct gg_str gg_str_format_int(char room[GG_STR_NUMBER_BYTES], int64_t n)
{
    struct gg_str s = gg_str_format_digits(room, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 10);

    if (n >= 0)
        return s;
    room[GG_STR_NUMBER_BYTES - s.n - 1] = '-';
    return (struct gg_str){s.p - 1, s.n + 1};
}

bool gg_str_parse_int(struct gg_str s, int64_t min, int64_t max, int64_t *out)
{
    int64_t v = 0;

    if (s.n == 0 || s.n > 19 || (s.n > 1 && s.p[0] == '0'))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        int d = s.p[i] - '0';
        if (v > (INT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    if (v < min || v > max)
        return false;
    *out = v;
    return true;
}

bool gg_str_is_word(struct gg_str s, size_t max, const char *more)
{
    if (s.n == 0 || s.n > max)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = lower(s.p[i]);
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && (c == '\0' || strchr(more, c) == NULL))
            return false;
    }
    return true;
}

bool gg_str_is_printable(struct gg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

size_t gg_str_utf8_step(struct gg_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t len = p[0] < 0x80             ? 1
                 : (p[0] & 0xe0) == 0xc0 ? 2
                 : (p[0] & 0xf0) == 0xe0 ? 3
                 : (p[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    if (len == 0 || len > s.n)
        return 0;
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool bad = c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff);
    return bad ? 0 : len;
}

long gg_str_count_utf8(struct gg_str s)
{
    long count = 0;

    for (size_t i = 0; i < s.n; count++) {
        size_t step = gg_str_utf8_step(gg_str_skip(s, i));
        if (step == 0)
            return -1;
        i += step;
    }
    return count;
}

bool gg_str_is_media_type(struct gg_str header, const char *type)
{
    struct gg_str name;

    return gg_str_take(&header, ';', &name) &&
           gg_str_is_equal_nocase(gg_str_trim(name), gg_str_of(type));
}

bool gg_str_is_uuid(struct gg_str s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = lower(s.p[i]);
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return true;
}
