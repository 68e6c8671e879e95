/* SPDX-License-Identifier: MIT */
#include "gg/base/logline.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What always fits behind a value: its quote, the brace, the end of the line, NUL. */
#define RESERVE     4
#define KEY_MAX     64
#define SUBJECT_MAX 64

void gg_logline_begin(struct gg_logline *l, enum gg_logline_form form)
{
    l->form = form;
    l->name_subject = NULL;
    l->is_full = false;
    l->n = 0;
    if (form == GG_LOGLINE_JSON)
        l->p[l->n++] = '{';
}

/* All of it or, from now on, nothing. */
static bool put(struct gg_logline *l, const char *p, size_t n)
{
    if (l->is_full || l->n + n > sizeof l->p - RESERVE) {
        l->is_full = true;
        return false;
    }
    memcpy(l->p + l->n, p, n);
    l->n += n;
    return true;
}

/* The way to a value: its key, and what stands before and between. */
static bool put_key(struct gg_logline *l, const char *key, const char *quote)
{
    bool is_json = l->form == GG_LOGLINE_JSON;
    size_t length = strnlen(key, KEY_MAX);
    char text[KEY_MAX + 8];
    size_t n = 0;

    if (l->n > (is_json ? 1 : 0))
        text[n++] = is_json ? ',' : ' ';
    if (is_json)
        text[n++] = '"';
    memcpy(text + n, key, length);
    n += length;
    if (is_json)
        text[n++] = '"';
    text[n++] = is_json ? ':' : '=';
    if (quote[0] != '\0')
        text[n++] = quote[0];
    return put(l, text, n);
}

/* Bytes of the UTF-8 character at s and its number; 1 and U+FFFD where there is none. */
static size_t take_character(struct gg_str s, uint32_t *c)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = 1;

    while (n <= 4 && n <= s.n && gg_str_count_utf8((struct gg_str){s.p, n}) != 1)
        n++;
    *c = 0xfffd;
    if (n > 4 || n > s.n)
        return 1;
    *c = (unsigned char)s.p[0] & masks[n];
    for (size_t i = 1; i < n; i++)
        *c = *c << 6 | ((unsigned char)s.p[i] & 0x3f);
    return n;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character, or as logfmt one byte, of a value; *s goes on behind it. */
static bool put_escaped(struct gg_logline *l, struct gg_str *s)
{
    unsigned char byte = (unsigned char)s->p[0];
    char text[16] = {(char)byte, '\0'};
    uint32_t c = 0;
    size_t took = 1;

    /* Among what is not ASCII are other ends of lines (U+0085, U+2028), and marks that turn a line
     * round. */
    if (!is_plain(byte) && l->form == GG_LOGLINE_LOGFMT) {
        (void)snprintf(text, sizeof text, "\\x%02x", byte);
    } else if (byte == '"' || byte == '\\') {
        (void)snprintf(text, sizeof text, "\\%c", byte);
    } else if (!is_plain(byte)) {
        took = take_character(*s, &c);
        if (c < 0x10000)
            (void)snprintf(text, sizeof text, "\\u%04x", c);
        else
            (void)snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                           0xdc00 + (c & 0x3ff));
    }
    *s = gg_str_skip(*s, took);
    return put(l, text, strlen(text));
}

/* The bytes up to the next that is not plain, as many as there is room for. */
static bool put_plain(struct gg_logline *l, struct gg_str *s)
{
    size_t room = sizeof l->p - RESERVE - l->n;
    size_t n = 0;

    while (n < s->n && n < room && is_plain((unsigned char)s->p[n]))
        n++;
    bool is_cut = n == room && n < s->n;
    bool ok = put(l, s->p, n);
    l->is_full = l->is_full || is_cut;
    *s = gg_str_skip(*s, n);
    return ok && !is_cut;
}

static bool needs_quotes(struct gg_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ' ' || s.p[i] == '=' || s.p[i] == '"')
            return true;
    return false;
}

static void add_value(struct gg_logline *l, const char *key, struct gg_str value, bool is_quoted)
{
    char name[SUBJECT_MAX];

    if (l->name_subject != NULL && strcmp(key, "subject") == 0) {
        l->name_subject(value, name, sizeof name);
        value = gg_str_of(name);
    }
    const char *quote = is_quoted || l->form == GG_LOGLINE_JSON || needs_quotes(value) ? "\"" : "";
    if (!put_key(l, key, quote))
        return;
    bool goes_on = true;
    while (value.n > 0 && goes_on)
        goes_on =
            is_plain((unsigned char)value.p[0]) ? put_plain(l, &value) : put_escaped(l, &value);
    if (quote[0] != '\0')
        l->p[l->n++] = '"';
}

void gg_logline_add(struct gg_logline *l, const char *key, struct gg_str value)
{
    add_value(l, key, value, false);
}

static void add_number(struct gg_logline *l, const char *key, struct gg_str digits)
{
    /* A number that is cut would be another one. */
    if (sizeof l->p - RESERVE - l->n < KEY_MAX + 8 + digits.n)
        l->is_full = true;
    if (put_key(l, key, ""))
        (void)put(l, digits.p, digits.n);
}

void gg_logline_add_int(struct gg_logline *l, const char *key, long long value)
{
    char room[GG_STR_NUMBER_BYTES];

    add_number(l, key, gg_str_format_int(room, value));
}

#define NO_PRECISION    (-1)
#define GIVEN_PRECISION (-2) /* by an argument */

/* One conversion of a format, as printf has it. */
struct conversion {
    const char *end; /* behind it; NULL: not one that is known */
    int precision;   /* bytes, or one of the two above */
    char size;       /* 'l', 'L' for ll and j, 'z', 0 */
    char type;
};

static struct conversion read_conversion(const char *p)
{
    struct conversion c = {.precision = NO_PRECISION};
    int precision = 0;

    if (*++p == '.') {
        if (*++p == '*') {
            precision = GIVEN_PRECISION;
            p++;
        } else {
            while (*p >= '0' && *p <= '9' && precision < GG_LOGLINE_BYTES)
                precision = precision * 10 + (*p++ - '0');
        }
        c.precision = precision;
    }
    while (*p == 'h')
        p++;
    if (*p == 'l' || *p == 'j' || *p == 'z') {
        c.size = *p == 'j' || (*p == 'l' && p[1] == 'l') ? 'L' : *p;
        p += *p == 'l' && p[1] == 'l' ? 2 : 1;
    }
    c.type = *p;
    bool is_number =
        (*p == 'd' || *p == 'i' || *p == 'u' || *p == 'x') && c.precision == NO_PRECISION;
    bool is_text = *p == 's' && c.size == 0;
    bool is_byte = (*p == 'c' || *p == '%') && c.precision == NO_PRECISION && c.size == 0;
    if (is_number || is_text || is_byte)
        c.end = p + 1;
    return c;
}

/* One pair of a format: `key=value`. Borrows of it. */
struct pair {
    char key[KEY_MAX];
    struct gg_str value; /* without the quotes; conversions as they stand */
    bool is_quoted;
    bool is_number;
    const char *end; /* behind it; NULL: not to be understood */
};

/* Where the value at p ends: at `stop`, or NULL when a conversion in it is not known. */
static const char *skip_value(const char *p, char stop)
{
    while (p != NULL && *p != '\0' && *p != stop)
        p = *p == '%' ? read_conversion(p).end : p + 1;
    return p;
}

static bool is_of_key(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static struct pair read_pair(const char *p)
{
    struct pair pair = {.end = NULL};
    size_t n = 0;

    while (is_of_key(p[n]))
        n++;

    if (n == 0 || n >= sizeof pair.key || p[n] != '=')
        return pair;
    memcpy(pair.key, p, n);
    p += n + 1;
    pair.is_quoted = *p == '"';
    p += pair.is_quoted ? 1 : 0;
    const char *end = skip_value(p, pair.is_quoted ? '"' : ' ');
    if (end == NULL || (pair.is_quoted && *end != '"'))
        return pair;
    pair.value = (struct gg_str){p, (size_t)(end - p)};
    if (!pair.is_quoted && *p == '%') {
        struct conversion only = read_conversion(p);
        pair.is_number =
            only.end == end && (only.type == 'd' || only.type == 'i' || only.type == 'u');
    }
    pair.end = end + (pair.is_quoted ? 1 : 0);
    return pair;
}

/* So that functions can take arguments in turn. */
struct arguments {
    va_list ap;
};

static long long take_signed(struct arguments *a, char size)
{
    return size == 'L'   ? va_arg(a->ap, long long)
           : size == 'l' ? va_arg(a->ap, long)
           : size == 'z' ? (long long)va_arg(a->ap, size_t)
                         : va_arg(a->ap, int);
}

static unsigned long long take_unsigned(struct arguments *a, char size)
{
    return size == 'L'   ? va_arg(a->ap, unsigned long long)
           : size == 'l' ? va_arg(a->ap, unsigned long)
           : size == 'z' ? va_arg(a->ap, size_t)
                         : va_arg(a->ap, unsigned);
}

/* What one conversion stands for: borrowed, or written into room. */
static struct gg_str convert(struct arguments *a, const struct conversion *c,
                             char room[GG_STR_NUMBER_BYTES])
{
    if (c->type == 's') {
        int given = c->precision == GIVEN_PRECISION ? va_arg(a->ap, int) : c->precision;
        const char *s = va_arg(a->ap, const char *);
        size_t most = given < 0 ? GG_LOGLINE_BYTES : (size_t)given;
        return s == NULL ? GG_STR("(null)") : (struct gg_str){s, strnlen(s, most)};
    }
    if (c->type == 'x' || c->type == 'u')
        return gg_str_format_digits(room, take_unsigned(a, c->size), c->type == 'x' ? 16 : 10);
    if (c->type != 'c' && c->type != '%')
        return gg_str_format_int(room, take_signed(a, c->size));
    room[0] = '%';
    if (c->type == 'c')
        room[0] = (char)va_arg(a->ap, int);
    return (struct gg_str){room, 1};
}

/* The value with its conversions made, as far as there is room; all arguments are taken. */
static size_t fill_value(struct arguments *a, struct gg_str value, char *out, size_t size)
{
    char room[GG_STR_NUMBER_BYTES];
    size_t n = 0;
    const char *p = value.p;
    const char *end = value.p + value.n;

    while (p < end) {
        size_t plain = 0;
        while (p + plain < end && p[plain] != '%')
            plain++;
        struct gg_str part = {p, plain};
        struct conversion c = {.end = p + plain};
        if (plain == 0) {
            c = read_conversion(p);
            part = convert(a, &c, room);
        }
        size_t fits = part.n < size - n ? part.n : size - n;
        memcpy(out + n, part.p, fits);
        n += fits;
        p = c.end;
    }
    return n;
}

void gg_logline_add_fmt(struct gg_logline *l, const char *fmt, va_list ap)
{
    char value[GG_LOGLINE_BYTES];
    struct arguments a;

    va_copy(a.ap, ap);
    while (*fmt != '\0') {
        struct pair pair = read_pair(fmt);
        if (pair.end == NULL || (*pair.end != ' ' && *pair.end != '\0')) {
            add_value(l, "text", gg_str_of(fmt), true);
            break;
        }
        size_t n = fill_value(&a, pair.value, value, sizeof value - 1);
        if (pair.is_number)
            add_number(l, pair.key, (struct gg_str){value, n});
        else
            add_value(l, pair.key, (struct gg_str){value, n}, pair.is_quoted);
        fmt = pair.end + (*pair.end == ' ' ? 1 : 0);
    }
    va_end(a.ap);
}

struct gg_str gg_logline_end(struct gg_logline *l)
{
    if (l->form == GG_LOGLINE_JSON)
        l->p[l->n++] = '}';
    l->p[l->n++] = '\n';
    l->p[l->n] = '\0';
    return (struct gg_str){l->p, l->n};
}
