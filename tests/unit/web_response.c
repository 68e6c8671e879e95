/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/ext/json.h"
#include "gg/web/response.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_response r;

static void set_up(void)
{
    arena = gg_arena_open();
    gg_response_init(&r, arena);
}

static const char *format(void)
{
    return gg_arena_printf(arena, "%s%s", gg_response_format(&r).p, r.body.p);
}

/* promise: attack/isolation: No value of a request makes a header of an answer, a header or path to
 * Microsoft, or a line of the log */
START_TEST(headers_are_one_line_each)
{
    static const struct gg_str bad[] = {{"a\r\nSet-Cookie: x=y", 18},
                                        {"a\nb", 3},
                                        {"a\0b", 3},
                                        {"a\rb", 3},
                                        {"\x7f", 1},
                                        {NULL, 0}};

    set_up();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        gg_response_header(&r, "X-Bad", bad[i]);
    gg_response_redirect(&r, 302, GG_STR("https://a/\r\nX-Bad: 1"));
    gg_response_header(&r, "X-Good", GG_STR("\xc3\xa4 b"));
    gg_response_header_int(&r, "X-Int", -5);
    ck_assert_ptr_null(strstr(format(), "Bad"));
    ck_assert_ptr_null(strstr(format(), "Set-Cookie"));
    ck_assert_ptr_nonnull(strstr(format(), "\r\nX-Good: \xc3\xa4 b\r\nX-Int: -5\r\n"));
    const char *text = format();
    ck_assert_ptr_eq(strstr(text, "Status: 302\r\n"), text);
    size_t mark = r.headers.n;
    gg_response_redirect(&r, 303, GG_STR("https://a/secret"));
    gg_response_rewind(&r, mark);
    ck_assert_ptr_null(strstr(format(), "secret"));
    ck_assert_ptr_nonnull(strstr(format(), "X-Int: -5\r\n"));
    gg_arena_close(arena);
}
END_TEST

START_TEST(json_answers)
{
    set_up();
    gg_response_begin_success(&r, 201, "Made \"it\"");
    gg_jsonw_put_int(&r.json, "n", 1);
    gg_response_end(&r);
    ck_assert_gg_str(gg_buf_str(&r.body),
                     "{\"success\":true,\"message\":\"Made \\\"it\\\"\",\"n\":1}");
    ck_assert_str_eq(format(), gg_arena_printf(arena,
                                               "Status: 201\r\nContent-Type: application/json\r\n"
                                               "Cache-Control: no-store\r\n"
                                               "X-Content-Type-Options: nosniff\r\n"
                                               "Content-Length: %zu\r\n\r\n%s",
                                               r.body.n, r.body.p));
    gg_arena_close(arena);
}
END_TEST

/* promise: attack/isolation: Nothing that a request or Microsoft says stands as markup in an answer
 * of the callback */
START_TEST(pages_are_escaped)
{
    set_up();
    gg_response_page(&r, 200,
                     (struct gg_response_page){"<b>&\"'", "</p><script>alert(1)</script>"});
    const char *text = format();
    ck_assert_ptr_nonnull(strstr(text, "<title>&lt;b&gt;&amp;&quot;&#39;</title>"));
    ck_assert_ptr_nonnull(strstr(text, "<p>&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p>"));
    ck_assert_ptr_null(strstr(text, "<script"));
    ck_assert_ptr_nonnull(strstr(text, "Content-Type: text/html; charset=utf-8\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Content-Security-Policy: default-src 'none'"));
    gg_arena_close(arena);
}
END_TEST

/* Each error is a whole problem, and says nothing of the log. */
START_TEST(problems)
{
    static const struct gg_fault second = {"end", "must be \"later\"", NULL};
    static const struct gg_fault first = {"start", "is required", (struct gg_fault *)&second};

    for (int code = GG_OK + 1; code < GG_CODES; code++) {
        const struct gg_err_row *row = gg_err_row((enum gg_code)code);
        struct gg_json *v;
        struct gg_err err = {.code = (enum gg_code)code,
                             .log = "TELLTALE",
                             .microsoft_code = "ErrorX",
                             .retry_after_s = 7,
                             .claims = "{\"a\":1}",
                             .faults = &first};
        struct gg_err ignored;
        int64_t status;
        set_up();
        gg_response_begin(&r, 200); /* what was begun is dropped */
        gg_jsonw_put_text(&r.json, "half", "done");
        gg_response_problem(&r, &err, GG_STR("id-1"), GG_STR("/start/"));
        ck_assert(gg_json_parse(arena, gg_buf_str(&r.body), &v, &ignored));
        ck_assert_gg_str(gg_json_text(v, "type"),
                         gg_arena_printf(arena, "urn:graphgate:problem:%s", row->code));
        ck_assert_gg_str(gg_json_text(v, "code"), row->code);
        ck_assert_gg_str(gg_json_text(v, "title"), row->title);
        ck_assert_gg_str(gg_json_text(v, "detail"), row->detail);
        ck_assert_gg_str(gg_json_text(v, "request_id"), "id-1");
        ck_assert_gg_str(gg_json_text(v, "microsoft_code"), "ErrorX");
        ck_assert(gg_json_int(gg_json_get(v, "status"), &status) && status == row->status);
        ck_assert((gg_json_length(gg_json_get(v, "errors")) == 2) == (code == GG_EINVALID));
        ck_assert(gg_json_has(v, "auth_url") == (code == GG_EAUTHREQUIRED));
        ck_assert_int_eq(gg_json_type(gg_json_get(v, "claims")), GG_JSON_OBJECT);
        const char *text = format();
        ck_assert_ptr_null(strstr(text, "TELLTALE"));
        ck_assert_ptr_null(strstr(text, "half"));
        ck_assert((strstr(text, "WWW-Authenticate: Bearer\r\n") != NULL) == (row->status == 401));
        ck_assert_ptr_nonnull(strstr(text, "Retry-After: 7\r\n"));
        ck_assert_ptr_nonnull(strstr(text, "Content-Type: application/problem+json\r\n"));
        gg_arena_close(arena);
    }
}
END_TEST

START_TEST(one_content_type)
{
    struct gg_err err = {.code = GG_EINTERNAL};

    set_up();
    gg_response_begin(&r, 200);
    gg_response_problem(&r, &err, GG_STR("x"), GG_STR(""));
    const char *first = strstr(format(), "Content-Type:");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "Content-Type:"));
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("web/response", headers_are_one_line_each, json_answers, pages_are_escaped, problems,
             one_content_type)
