/* SPDX-License-Identifier: MIT */
/* An answer: CGI header lines (RFC 3875 section 6), and a body of JSON or a small page. */
#ifndef GG_WEB_RESPONSE_H
#define GG_WEB_RESPONSE_H

#include "gg/base/jsonw.h"

#define GG_RESPONSE_BODY_MAX ((size_t)64 * 1024 * 1024)

struct gg_response {
    struct gg_arena *arena;
    int status;
    const char *content_type; /* NULL: there is no body */
    struct gg_buf headers;    /* lines */
    struct gg_buf body;
    struct gg_jsonw json; /* writes into body */
};

void gg_response_init(struct gg_response *r, struct gg_arena *a);

/* "Name: value". A value with a control byte is left out: it would make a line of its own. */
void gg_response_header(struct gg_response *r, const char *name, struct gg_str value);
void gg_response_header_int(struct gg_response *r, const char *name, int64_t value);

/* Drops the headers that were added when the answer was at `mark`, the length of headers, or later.
 */
void gg_response_rewind(struct gg_response *r, size_t mark);

/* Begins a JSON object; what is written by r->json goes into it; gg_response_end closes it. */
void gg_response_begin(struct gg_response *r, int status);
void gg_response_end(struct gg_response *r);

/* Begins another kind of text, which is added to body. */
void gg_response_begin_text(struct gg_response *r, int status, const char *content_type);

/* Begins `{"success": true, "message": message`. */
void gg_response_begin_success(struct gg_response *r, int status, const char *message);

/* 302 or 303 to url. */
void gg_response_redirect(struct gg_response *r, int status, struct gg_str url);

/* A page with a heading and a sentence, both escaped. */
struct gg_response_page {
    const char *title;
    const char *text;
};
void gg_response_page(struct gg_response *r, int status, struct gg_response_page page);

/* RFC 9457. auth_url is absent but for GG_EAUTHREQUIRED. What was begun before is dropped. */
void gg_response_problem(struct gg_response *r, const struct gg_err *err, struct gg_str request_id,
                         struct gg_str auth_url);

/* What stands before the body, as the web server wants it: lines, and an empty one. */
struct gg_str gg_response_format(struct gg_response *r);

#endif
