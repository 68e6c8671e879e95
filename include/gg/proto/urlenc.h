/* SPDX-License-Identifier: MIT */
/* Percent-encoding (RFC 3986), forms and queries (WHATWG URL, x-www-form-urlencoded). */
#ifndef GG_PROTO_URLENC_H
#define GG_PROTO_URLENC_H

#include "gg/base/buf.h"

/* Adds `in` with every byte but RFC 3986's unreserved ones percent-encoded. */
void gg_urlenc_add(struct gg_buf *b, struct gg_str in);

/* Adds `name=value`, both encoded, with '&' before it unless it is the first after '?' or "". */
void gg_urlenc_add_pair(struct gg_buf *b, const char *name, struct gg_str value);

/*
 * Decodes %XX once. In a query or form '+' is a space; in a path it is itself. False for a bad or
 * cut escape and for a NUL.
 */
enum gg_urlenc { GG_URLENC_PATH, GG_URLENC_FORM };
GG_MUST bool gg_urlenc_parse(struct gg_arena *a, enum gg_urlenc kind, struct gg_str in,
                             struct gg_str *out);

/* The pairs of a query. Names and values are decoded. At most GG_QUERY_PAIRS_MAX are taken. */
#define GG_QUERY_PAIRS_MAX 64
struct gg_query {
    size_t count;
    struct {
        struct gg_str name;
        struct gg_str value;
    } pairs[GG_QUERY_PAIRS_MAX];
};

/* False when it does not decode or has too many pairs. */
GG_MUST bool gg_urlenc_parse_query(struct gg_arena *a, struct gg_str text, struct gg_query *q);

/*
 * The first value that is not empty; absent when there is none by that name. *repeated: named
 * twice; repeated may be NULL.
 */
struct gg_str gg_urlenc_find(const struct gg_query *q, const char *name, bool *repeated);

/*
 * An absolute http or https URL, split; the host is a DNS name, an IPv4 address, or an IPv6 address
 * in brackets. Userinfo, an empty port, blanks, controls, non-ASCII bytes and \"<>^`{|} are
 * refused: browsers read some of them as something else.
 */
struct gg_url {
    bool is_https;
    struct gg_str origin; /* scheme://host[:port] as it stands */
    struct gg_str host;   /* without brackets */
    int64_t port;         /* the scheme's own when none is written */
    struct gg_str rest;   /* from the '/', '?' or '#' on; may be empty */
};
GG_MUST bool gg_urlenc_parse_url(struct gg_str text, struct gg_url *url);

/* Same scheme, host (ASCII case folded) and port. */
bool gg_url_is_same_origin(const struct gg_url *a, const struct gg_url *b);

/* 127.0.0.0/8, ::1, localhost. */
bool gg_url_is_loopback(const struct gg_url *url);

#endif
