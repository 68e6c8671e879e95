/* SPDX-License-Identifier: MIT */
#include "gg/web/response.h"

#define HEADERS_BYTES_MAX ((size_t)32 * 1024)

void gg_response_init(struct gg_response *r, struct gg_arena *a)
{
    *r = (struct gg_response){.arena = a, .status = 200};
    gg_buf_init(&r->headers, a, HEADERS_BYTES_MAX);
    gg_buf_init(&r->body, a, GG_RESPONSE_BODY_MAX);
}

void gg_response_header(struct gg_response *r, const char *name, struct gg_str value)
{
    if (value.p == NULL || !gg_str_is_printable(value))
        return;
    gg_buf_add_text(&r->headers, name);
    gg_buf_add_text(&r->headers, ": ");
    gg_buf_add(&r->headers, value);
    gg_buf_add_text(&r->headers, "\r\n");
}

void gg_response_header_int(struct gg_response *r, const char *name, int64_t value)
{
    char room[GG_STR_NUMBER_BYTES];

    gg_response_header(r, name, gg_str_format_int(room, value));
}

void gg_response_rewind(struct gg_response *r, size_t mark)
{
    r->headers.n = mark;
    r->headers.p[mark] = '\0';
}

static void begin(struct gg_response *r, int status, const char *content_type)
{
    r->status = status;
    gg_buf_init(&r->body, r->arena, GG_RESPONSE_BODY_MAX);
    r->content_type = content_type;
}

static void begin_object(struct gg_response *r)
{
    gg_jsonw_init(&r->json, &r->body);
    gg_jsonw_open(&r->json, '{');
}

void gg_response_begin(struct gg_response *r, int status)
{
    begin(r, status, "application/json");
    begin_object(r);
}

void gg_response_begin_text(struct gg_response *r, int status, const char *content_type)
{
    begin(r, status, content_type);
}

void gg_response_end(struct gg_response *r)
{
    gg_jsonw_close(&r->json, '}');
}

void gg_response_begin_success(struct gg_response *r, int status, const char *message)
{
    gg_response_begin(r, status);
    gg_jsonw_put_bool(&r->json, "success", true);
    gg_jsonw_put_text(&r->json, "message", message);
}

void gg_response_redirect(struct gg_response *r, int status, struct gg_str url)
{
    begin(r, status, NULL);
    gg_response_header(r, "Location", url);
}

static void add_html(struct gg_buf *b, const char *text)
{
    static const struct {
        char c;
        const char *entity;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (i < 5 && escapes[i].c != *text)
            i++;
        if (i < 5)
            gg_buf_add_text(b, escapes[i].entity);
        else
            gg_buf_add_char(b, *text);
    }
}

void gg_response_page(struct gg_response *r, int status, struct gg_response_page page)
{
    begin(r, status, "text/html; charset=utf-8");
    gg_response_header(
        r, "Content-Security-Policy",
        GG_STR("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"));
    gg_response_header(r, "Referrer-Policy", GG_STR("no-referrer"));
    gg_buf_add_text(&r->body,
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>");
    add_html(&r->body, page.title);
    gg_buf_add_text(&r->body, "</title>\n<h1>");
    add_html(&r->body, page.title);
    gg_buf_add_text(&r->body, "</h1>\n<p>");
    add_html(&r->body, page.text);
    gg_buf_add_text(&r->body, "</p>\n</html>\n");
}

static void add_faults(struct gg_jsonw *w, const struct gg_fault *fault)
{
    gg_jsonw_key(w, "errors");
    gg_jsonw_open(w, '[');
    for (; fault != NULL; fault = fault->next) {
        gg_jsonw_open(w, '{');
        gg_jsonw_put_text(w, "field", fault->field);
        gg_jsonw_put_text(w, "detail", fault->detail);
        gg_jsonw_close(w, '}');
    }
    gg_jsonw_close(w, ']');
}

void gg_response_problem(struct gg_response *r, const struct gg_err *err, struct gg_str request_id,
                         struct gg_str auth_url)
{
    const struct gg_err_row *row = gg_err_row(err->code);
    struct gg_jsonw *w = &r->json;

    begin(r, row->status, "application/problem+json");
    if (row->status == 401)
        gg_response_header(r, "WWW-Authenticate", GG_STR("Bearer"));
    if (err->retry_after_s > 0)
        gg_response_header_int(r, "Retry-After", err->retry_after_s);
    begin_object(r);
    gg_jsonw_put(w, "type",
                 gg_str_of(gg_arena_printf(r->arena, "urn:graphgate:problem:%s", row->code)));
    gg_jsonw_put_text(w, "title", row->title);
    gg_jsonw_put_int(w, "status", row->status);
    gg_jsonw_put_text(w, "detail", row->detail);
    gg_jsonw_put_text(w, "code", row->code);
    gg_jsonw_put(w, "request_id", request_id);
    if (err->microsoft_code[0] != '\0')
        gg_jsonw_put_text(w, "microsoft_code", err->microsoft_code);
    if (err->code == GG_EINVALID)
        add_faults(w, err->faults);
    if (err->code == GG_EAUTHREQUIRED)
        gg_jsonw_put(w, "auth_url", auth_url);
    if (err->claims != NULL) {
        gg_jsonw_key(w, "claims");
        gg_jsonw_raw(w, gg_str_of(err->claims));
    }
    gg_response_end(r);
}

struct gg_str gg_response_format(struct gg_response *r)
{
    struct gg_buf head;

    gg_buf_init(&head, r->arena, 2 * HEADERS_BYTES_MAX);
    gg_buf_add_text(&head, "Status: ");
    gg_buf_add_int(&head, r->status);
    gg_buf_add_text(&head, "\r\n");
    if (r->content_type != NULL) {
        gg_buf_add_text(&head, "Content-Type: ");
        gg_buf_add_text(&head, r->content_type);
        gg_buf_add_text(&head, "\r\n");
    }
    gg_buf_add(&head, gg_buf_str(&r->headers));
    gg_buf_add_text(&head, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                           "Content-Length: ");
    gg_buf_add_int(&head, (int64_t)r->body.n);
    gg_buf_add_text(&head, "\r\n\r\n");
    return gg_buf_str(&head);
}
