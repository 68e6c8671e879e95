/* SPDX-License-Identifier: MIT */
#include "gg/base/jsonw.h"

void gg_jsonw_init(struct gg_jsonw *w, struct gg_buf *buf)
{
    *w = (struct gg_jsonw){.buf = buf};
}

static void next(struct gg_jsonw *w)
{
    if (w->comma)
        gg_buf_add_char(w->buf, ',');
    w->comma = true;
}

void gg_jsonw_open(struct gg_jsonw *w, char bracket)
{
    next(w);
    gg_buf_add_char(w->buf, bracket);
    w->comma = false;
}

void gg_jsonw_close(struct gg_jsonw *w, char bracket)
{
    gg_buf_add_char(w->buf, bracket);
    w->comma = true;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c < 0x80;
}

/* Bytes of the UTF-8 character at s, or 0 where there is none. */
static size_t character(struct gg_str s)
{
    for (size_t n = 1; n <= 4 && n <= s.n; n++)
        if (gg_str_count_utf8((struct gg_str){s.p, n}) == 1)
            return n;
    return 0;
}

static void add_quoted(struct gg_buf *b, struct gg_str s)
{
    gg_buf_add_char(b, '"');
    while (s.n > 0) {
        size_t n = 0;
        while (n < s.n && is_plain((unsigned char)s.p[n]))
            n++;
        gg_buf_add(b, (struct gg_str){s.p, n});
        s = gg_str_skip(s, n);
        if (s.n == 0)
            break;
        unsigned char c = (unsigned char)s.p[0];
        n = character(s);
        if (n == 0)
            gg_buf_add_text(b, "\xef\xbf\xbd");
        else if (n > 1)
            gg_buf_add(b, (struct gg_str){s.p, n});
        else if (c == '"' || c == '\\')
            gg_buf_add_fmt(b, "\\%c", c);
        else
            gg_buf_add_fmt(b, "\\u%04x", c);
        s = gg_str_skip(s, n == 0 ? 1 : n);
    }
    gg_buf_add_char(b, '"');
}

void gg_jsonw_key(struct gg_jsonw *w, const char *key)
{
    next(w);
    add_quoted(w->buf, gg_str_of(key));
    gg_buf_add_char(w->buf, ':');
    w->comma = false;
}

void gg_jsonw_str(struct gg_jsonw *w, struct gg_str s)
{
    if (s.p == NULL) {
        gg_jsonw_null(w);
        return;
    }
    next(w);
    add_quoted(w->buf, s);
}

void gg_jsonw_int(struct gg_jsonw *w, int64_t v)
{
    next(w);
    gg_buf_add_int(w->buf, v);
}

void gg_jsonw_bool(struct gg_jsonw *w, bool v)
{
    gg_jsonw_raw(w, gg_str_of(v ? "true" : "false"));
}

void gg_jsonw_null(struct gg_jsonw *w)
{
    gg_jsonw_raw(w, GG_STR("null"));
}

void gg_jsonw_raw(struct gg_jsonw *w, struct gg_str json)
{
    next(w);
    gg_buf_add(w->buf, json);
}

void gg_jsonw_put(struct gg_jsonw *w, const char *key, struct gg_str value)
{
    gg_jsonw_key(w, key);
    gg_jsonw_str(w, value);
}

void gg_jsonw_put_text(struct gg_jsonw *w, const char *key, const char *value)
{
    gg_jsonw_put(w, key, gg_str_of(value));
}

void gg_jsonw_put_int(struct gg_jsonw *w, const char *key, int64_t value)
{
    gg_jsonw_key(w, key);
    gg_jsonw_int(w, value);
}

void gg_jsonw_put_bool(struct gg_jsonw *w, const char *key, bool value)
{
    gg_jsonw_key(w, key);
    gg_jsonw_bool(w, value);
}
