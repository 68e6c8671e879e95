/* SPDX-License-Identifier: MIT */
/* An HTTP request as it came through FastCGI: taken apart once, checked, capped. */
#ifndef GG_WEB_REQUEST_H
#define GG_WEB_REQUEST_H

#include "gg/ext/fcgi.h"
#include "gg/ext/json.h"
#include "gg/proto/urlenc.h"

#define GG_REQUEST_BODY_MAX ((size_t)1024 * 1024)

enum gg_method { GG_GET, GG_POST, GG_PUT, GG_PATCH, GG_DELETE, GG_METHODS, GG_METHOD_OTHER };

struct gg_request {
    struct gg_fcgi *fcgi;
    struct gg_arena *arena;
    enum gg_method method; /* HEAD is GET with is_head */
    bool is_head;
    struct gg_str path; /* of REQUEST_URI, still encoded, without its last '/' */
    struct gg_query query;
    bool query_is_bad; /* it does not decode, or is too long */
    struct gg_str request_id;
};

const char *gg_method_name(enum gg_method m);

/* Never fails: what is wrong is found when it is asked for. */
void gg_request_read(struct gg_request *r, struct gg_arena *a, struct gg_fcgi *f);

/* A header by its CGI name ("HTTP_ACCEPT"); absent when it was not sent or is empty. */
struct gg_str gg_request_header(const struct gg_request *r, const char *cgi_name);

/* A parameter of the query; absent when it was not sent or is empty. */
struct gg_str gg_request_query(const struct gg_request *r, const char *name);

/* All of its values that are not empty, in their order; *out is the arena's. How many there are. */
size_t gg_request_query_all(const struct gg_request *r, const char *name, struct gg_str **out);

/* True when the query names it more than once, which OAuth forbids (RFC 6749 section 3.1). */
bool gg_request_is_repeated(const struct gg_request *r, const char *name);

/* A cookie's value (RFC 6265 section 4.2); absent when there is none. */
struct gg_str gg_request_cookie(const struct gg_request *r, const char *name);

/* True when Accept names the media type itself; a wildcard does not count. */
bool gg_request_accepts(const struct gg_request *r, const char *type);

/* Authorization: Bearer …; absent when there is no such header, empty for another scheme. */
struct gg_str gg_request_bearer(const struct gg_request *r);

/* The JSON body: GG_EMEDIATYPE, GG_ETOOLARGE, GG_EINVALIDJSON. */
GG_MUST bool gg_request_body(struct gg_request *r, struct gg_json **body, struct gg_err *err);

/*
 * Who is asking, for limits by address: REMOTE_ADDR, or with trusted proxies ("CIDR,CIDR…") the
 * last address of X-Forwarded-For that is none of theirs. IPv6 as its /64.
 */
struct gg_str gg_request_address(const struct gg_request *r, const char *trusted_proxies);

/* The same, whole: for the audit. Absent when there is none. */
struct gg_str gg_request_whole_address(const struct gg_request *r, const char *trusted_proxies);

#endif
