/* SPDX-License-Identifier: MIT */
#include "gg/web/request.h"

#include "gg/ext/crypto.h"
#include "gg/proto/address.h"

#define BODY_MARKS_MAX 20000

static const char *const methods[GG_METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

const char *gg_method_name(enum gg_method m)
{
    return m < GG_METHODS ? methods[m] : "other";
}

static void read_method(struct gg_request *r)
{
    struct gg_str name = gg_fcgi_param(r->fcgi, "REQUEST_METHOD");
    int m = 0;

    r->is_head = gg_str_is(name, "HEAD");
    while (m < GG_METHODS && !gg_str_is(name, methods[m]))
        m++;
    r->method = r->is_head ? GG_GET : m < GG_METHODS ? (enum gg_method)m : GG_METHOD_OTHER;
}

/* PATH_INFO would be decoded, and an id may hold an encoded '/'. */
static void read_uri(struct gg_request *r)
{
    struct gg_str uri = gg_fcgi_param(r->fcgi, "REQUEST_URI");
    struct gg_url absolute;

    /* The absolute form, as a proxy is asked (RFC 9112 section 3.2.2). */
    if (gg_urlenc_parse_url(uri, &absolute))
        uri = absolute.rest;
    struct gg_str query = uri;
    if (!gg_str_take(&query, '?', &r->path))
        r->path = GG_STR("");
    if (r->path.n > 1 && r->path.p[r->path.n - 1] == '/')
        r->path.n--;
    r->query_is_bad = !gg_urlenc_parse_query(r->arena, query, &r->query);
}

static void read_request_id(struct gg_request *r)
{
    struct gg_err err;

    r->request_id = gg_request_header(r, "HTTP_X_REQUEST_ID");
    if (!gg_str_is_word(r->request_id, 64, "._-") &&
        !gg_crypto_random_uuid(r->arena, &r->request_id, &err))
        r->request_id = GG_STR("none");
}

void gg_request_read(struct gg_request *r, struct gg_arena *a, struct gg_fcgi *f)
{
    *r = (struct gg_request){.fcgi = f, .arena = a};
    read_method(r);
    read_uri(r);
    read_request_id(r);
}

struct gg_str gg_request_header(const struct gg_request *r, const char *cgi_name)
{
    struct gg_str s = gg_fcgi_param(r->fcgi, cgi_name);

    return s.n == 0 ? (struct gg_str){NULL, 0} : s;
}

struct gg_str gg_request_query(const struct gg_request *r, const char *name)
{
    bool repeated;

    return gg_urlenc_find(&r->query, name, &repeated);
}

size_t gg_request_query_all(const struct gg_request *r, const char *name, struct gg_str **out)
{
    size_t n = 0;

    *out = gg_arena_alloc(r->arena, r->query.count * sizeof **out);
    for (size_t i = 0; i < r->query.count; i++)
        if (gg_str_is(r->query.pairs[i].name, name) && r->query.pairs[i].value.n > 0)
            (*out)[n++] = r->query.pairs[i].value;
    return n;
}

bool gg_request_is_repeated(const struct gg_request *r, const char *name)
{
    bool repeated = false;

    (void)gg_urlenc_find(&r->query, name, &repeated);
    return repeated;
}

struct gg_str gg_request_cookie(const struct gg_request *r, const char *name)
{
    struct gg_str rest = gg_request_header(r, "HTTP_COOKIE");
    struct gg_str value;
    struct gg_str key;

    while (gg_str_take(&rest, ';', &value))
        if (gg_str_take(&value, '=', &key) && value.p != NULL && gg_str_is(gg_str_trim(key), name))
            return gg_str_trim(value);
    return (struct gg_str){NULL, 0};
}

bool gg_request_accepts(const struct gg_request *r, const char *type)
{
    struct gg_str rest = gg_request_header(r, "HTTP_ACCEPT");
    struct gg_str range;

    while (gg_str_take(&rest, ',', &range))
        if (gg_str_is_media_type(range, type))
            return true;
    return false;
}

struct gg_str gg_request_bearer(const struct gg_request *r)
{
    struct gg_str header = gg_request_header(r, "HTTP_AUTHORIZATION");
    struct gg_str scheme;

    if (header.p == NULL)
        return header;
    if (!gg_str_take(&header, ' ', &scheme) || header.p == NULL ||
        !gg_str_is_equal_nocase(scheme, GG_STR("Bearer")))
        return GG_STR("");
    return gg_str_trim(header);
}

/* Each value costs a hundred times its bytes: as many as this many marks part no event has. */
static bool is_too_much(struct gg_str text)
{
    size_t marks = 0;

    for (size_t i = 0; i < text.n; i++)
        marks += text.p[i] == ',' || text.p[i] == '{' || text.p[i] == '[';
    return marks > BODY_MARKS_MAX;
}

bool gg_request_body(struct gg_request *r, struct gg_json **body, struct gg_err *err)
{
    struct gg_str length_text = gg_request_header(r, "CONTENT_LENGTH");
    struct gg_str text;
    int64_t length = 0;

    if (length_text.p != NULL && !gg_str_parse_int(length_text, 0, INT64_MAX, &length))
        return gg_fail(err, GG_EINVALIDJSON, "the length of the body is no number");
    if (length > (int64_t)GG_REQUEST_BODY_MAX)
        return gg_fail(err, GG_ETOOLARGE, "a body of %lld bytes", (long long)length);
    if (!gg_str_is_media_type(gg_request_header(r, "CONTENT_TYPE"), "application/json"))
        return gg_fail(err, GG_EMEDIATYPE, "the body's type is another");
    if (!gg_fcgi_read(r->fcgi, r->arena, (size_t)length, &text, err))
        return false;
    if (is_too_much(text))
        return gg_fail(err, GG_EINVALIDJSON, "a body of more than %d values", BODY_MARKS_MAX);
    return gg_json_parse(r->arena, text, body, err);
}

static bool find_address(const struct gg_request *r, const char *trusted_proxies,
                         struct gg_address *out)
{
    struct gg_str forwarded = gg_request_header(r, "HTTP_X_FORWARDED_FOR");
    struct gg_address address;
    struct gg_address next;

    if (!gg_address_parse(gg_fcgi_param(r->fcgi, "REMOTE_ADDR"), &address))
        return false;
    /* From right to left: each proxy adds whom it was asked by; the first stranger is the caller.
     */
    while (trusted_proxies != NULL && forwarded.n > 0 &&
           gg_address_is_in(&address, trusted_proxies)) {
        size_t at = forwarded.n;
        while (at > 0 && forwarded.p[at - 1] != ',')
            at--;
        struct gg_str last = gg_str_trim(gg_str_skip(forwarded, at));
        forwarded.n = at > 0 ? at - 1 : 0;
        if (!gg_address_parse(last, &next))
            break;
        address = next;
    }
    *out = address;
    return true;
}

struct gg_str gg_request_address(const struct gg_request *r, const char *trusted_proxies)
{
    struct gg_address address;

    return find_address(r, trusted_proxies, &address) ? gg_address_format(r->arena, &address)
                                                      : GG_STR("unknown");
}

struct gg_str gg_request_whole_address(const struct gg_request *r, const char *trusted_proxies)
{
    struct gg_address address;

    return find_address(r, trusted_proxies, &address) ? gg_address_format_whole(r->arena, &address)
                                                      : (struct gg_str){NULL, 0};
}
