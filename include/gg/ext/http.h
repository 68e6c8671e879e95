/* SPDX-License-Identifier: MIT */
/*
 * libcurl: one HTTP call, or a few at once, over connections that are kept, with HTTP/2 where it is
 * offered over TLS. TLS sessions are resumed, and names remembered for a minute. Only a GET is ever
 * sent again by libcurl itself, on a kept connection that turns out to be broken.
 */
#ifndef GG_EXT_HTTP_H
#define GG_EXT_HTTP_H

#include "gg/base/arena.h"
#include "gg/base/clock.h"
#include "gg/base/str.h"

struct gg_http;

struct gg_http_options {
    const char *ca_file; /* NULL: the system's trust anchors */
    int connect_timeout_s;
};

/* Opens nothing yet. Certificates and host names are always verified. */
struct gg_http *gg_http_open(struct gg_http_options options);
void gg_http_close(struct gg_http *h);

#define GG_HTTP_HEADERS_MAX 8

struct gg_http_request {
    const char *method;
    const char *url;
    const char *headers[GG_HTTP_HEADERS_MAX]; /* "Name: value"; ends at the first NULL */
    struct gg_str body;                       /* absent: none */
    int timeout_s;                            /* of the call, slow bodies included */
    struct gg_deadline deadline;              /* of the request that it serves */
    size_t cap_bytes;                         /* of the answer's body */
    bool wants_own_connection;                /* a new one: what is sent works but once */
};

/* How a call ended: what decides whether it may be made again. */
enum gg_http_end {
    GG_HTTP_WHOLE,     /* an answer arrived, whatever its status */
    GG_HTTP_UNSENT,    /* no connection came about: the request never left */
    GG_HTTP_LOST,      /* the connection broke: it may have been carried out, or not */
    GG_HTTP_LATE,      /* our time ran out */
    GG_HTTP_UNTRUSTED, /* the certificate: not of this name, not in its time, of no known authority
                        */
    GG_HTTP_BAD,       /* what would be the same again: a too large answer, … */
};

/* All of it is the arena's. Absent headers are absent strings. */
struct gg_http_response {
    enum gg_http_end end;
    int status; /* 0 unless the answer is whole */
    struct gg_str content_type;
    struct gg_str date;
    struct gg_str location; /* as it was sent; may be relative */
    struct gg_str retry_after;
    struct gg_str www_authenticate; /* several are joined by ", " (RFC 9110 section 5.3) */
    struct gg_str body;
};

/* A link as seen from the absolute URL base (RFC 3986 section 5); NULL when it is none. */
const char *gg_http_resolve(struct gg_arena *a, const char *base, struct gg_str link);

/*
 * True when an answer arrived whole, whatever its status. Redirects are answers: they are never
 * followed. Fails with GG_ETIMEOUT when time ran out, connecting included, else with GG_EGRAPH
 * (no connection, TLS, a broken or too large answer); response->end says which.
 */
GG_MUST bool gg_http_fetch(struct gg_http *h, struct gg_arena *a,
                           const struct gg_http_request *request, struct gg_http_response *response,
                           struct gg_err *err);

/*
 * Several calls beside one another: begin some, then ask for the next that has ended until none is
 * under way. What a flight points to, and what its request points to, must live until then.
 */
#define GG_HTTP_AT_ONCE 4

struct gg_http_flight {
    struct gg_http_response response;
    struct gg_err err; /* GG_OK: an answer arrived whole; else as gg_http_fetch fails */
};

/* Fails as gg_http_fetch, flight's too; GG_EINTERNAL when GG_HTTP_AT_ONCE are under way. */
GG_MUST bool gg_http_begin(struct gg_http *h, struct gg_arena *a,
                           const struct gg_http_request *request, struct gg_http_flight *flight,
                           struct gg_err *err);

/* The next flight that has ended; NULL when none has in that time, or none is under way. */
struct gg_http_flight *gg_http_next(struct gg_http *h, int64_t wait_ms);

/* Breaks off what is under way; the arena's end does so too. */
void gg_http_drop(struct gg_http *h);

#endif
