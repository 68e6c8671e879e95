/* SPDX-License-Identifier: MIT */
#include "gg/proto/urlenc.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_unreserved(char c)
{
    return gg_str_is_word((struct gg_str){&c, 1}, 1, "-._~");
}

void gg_urlenc_add(struct gg_buf *b, struct gg_str in)
{
    static const char digits[] = "0123456789ABCDEF";

    while (in.n > 0) {
        size_t n = 0;
        while (n < in.n && is_unreserved(in.p[n]))
            n++;
        gg_buf_add(b, (struct gg_str){in.p, n});
        in = gg_str_skip(in, n);
        if (in.n == 0)
            break;
        unsigned char c = (unsigned char)in.p[0];
        const char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
        gg_buf_add(b, (struct gg_str){escaped, sizeof escaped});
        in = gg_str_skip(in, 1);
    }
}

void gg_urlenc_add_pair(struct gg_buf *b, const char *name, struct gg_str value)
{
    if (b->n > 0 && b->p[b->n - 1] != '?')
        gg_buf_add_char(b, '&');
    gg_urlenc_add(b, gg_str_of(name));
    gg_buf_add_char(b, '=');
    gg_urlenc_add(b, value);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool gg_urlenc_parse(struct gg_arena *a, enum gg_urlenc kind, struct gg_str in, struct gg_str *out)
{
    char *to = gg_arena_alloc(a, in.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '%') {
            int high = in.n - i > 2 ? hex_value(in.p[i + 1]) : -1;
            int low = in.n - i > 2 ? hex_value(in.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && kind == GG_URLENC_FORM) {
            c = ' ';
        }
        if (c == '\0')
            return false;
        to[n++] = c;
    }
    *out = (struct gg_str){to, n};
    return true;
}

bool gg_urlenc_parse_query(struct gg_arena *a, struct gg_str text, struct gg_query *q)
{
    struct gg_str pair;
    struct gg_str name;

    q->count = 0;
    while (gg_str_take(&text, '&', &pair)) {
        if (pair.n == 0)
            continue;
        if (q->count == GG_QUERY_PAIRS_MAX)
            return false;
        (void)gg_str_take(&pair, '=', &name);
        if (!gg_urlenc_parse(a, GG_URLENC_FORM, name, &q->pairs[q->count].name) ||
            !gg_urlenc_parse(a, GG_URLENC_FORM, pair, &q->pairs[q->count].value))
            return false;
        q->count++;
    }
    return true;
}

struct gg_str gg_urlenc_find(const struct gg_query *q, const char *name, bool *repeated)
{
    struct gg_str found = {NULL, 0};
    size_t seen = 0;

    for (size_t i = 0; i < q->count; i++) {
        if (!gg_str_is(q->pairs[i].name, name))
            continue;
        seen++;
        if (found.p == NULL && q->pairs[i].value.n > 0)
            found = q->pairs[i].value;
    }
    if (repeated != NULL)
        *repeated = seen > 1;
    return found;
}

/* Bytes that browsers and servers read in different ways make no URL here. */
static bool is_url_text(struct gg_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\\\"<>^`{|}", c) != NULL)
            return false;
    }
    return true;
}

static bool take_scheme(struct gg_str *text, struct gg_url *url)
{
    struct gg_str scheme;

    if (!gg_str_take(text, ':', &scheme) || !gg_str_has_prefix(*text, "//"))
        return false;
    *text = gg_str_skip(*text, 2);
    url->is_https = gg_str_is_equal_nocase(scheme, GG_STR("https"));
    return url->is_https || gg_str_is_equal_nocase(scheme, GG_STR("http"));
}

/* An address of that family, as inet_pton takes it: no short forms. */
static bool parse_address(struct gg_str s, int family, void *address)
{
    char text[INET6_ADDRSTRLEN];

    if (s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(family, text, address) == 1;
}

static bool take_host(struct gg_str *text, struct gg_url *url)
{
    struct in6_addr address;
    bool bracket = text->n > 0 && text->p[0] == '[';

    if (bracket) {
        *text = gg_str_skip(*text, 1);
        if (!gg_str_take(text, ']', &url->host) || text->p == NULL)
            return false;
        return parse_address(url->host, AF_INET6, &address);
    }
    size_t n = 0;
    while (n < text->n && text->p[n] != ':')
        n++;
    url->host = (struct gg_str){text->p, n};
    *text = gg_str_skip(*text, n);
    return gg_str_is_word(url->host, 253, "-._");
}

bool gg_urlenc_parse_url(struct gg_str text, struct gg_url *url)
{
    struct gg_url u = {0};
    struct gg_str all = text;

    if (!is_url_text(text) || !take_scheme(&text, &u))
        return false;
    size_t n = 0;
    while (n < text.n && strchr("/?#", text.p[n]) == NULL)
        n++;
    u.rest = gg_str_skip(text, n);
    u.origin = (struct gg_str){all.p, all.n - u.rest.n};
    /* What is left of the authority: host[:port]. An '@' is in no host, so userinfo fails. */
    text.n = n;
    if (!take_host(&text, &u))
        return false;
    u.port = u.is_https ? 443 : 80;
    if (text.n > 0 &&
        (text.p[0] != ':' || !gg_str_parse_int(gg_str_skip(text, 1), 1, 65535, &u.port)))
        return false;
    *url = u;
    return true;
}

bool gg_url_is_same_origin(const struct gg_url *a, const struct gg_url *b)
{
    return a->is_https == b->is_https && a->port == b->port &&
           gg_str_is_equal_nocase(a->host, b->host);
}

bool gg_url_is_loopback(const struct gg_url *url)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (parse_address(url->host, AF_INET, &v4))
        return ntohl(v4.s_addr) >> 24 == 127;
    if (parse_address(url->host, AF_INET6, &v6))
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return gg_str_is_equal_nocase(url->host, GG_STR("localhost"));
}
