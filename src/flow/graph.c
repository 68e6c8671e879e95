/* SPDX-License-Identifier: MIT */
#include "gg/flow/graph.h"

#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/ext/crypto.h"
#include "gg/ext/json.h"
#include "gg/flow/retry.h"
#include "gg/proto/oauth.h"
#include "gg/proto/urlenc.h"

#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define ITEMS_MAX        20000

const char *gg_graph_url(const struct gg_call *c, const char *path)
{
    return gg_arena_printf(c->arena, "%s%s", c->ctx->conf->graph_url, path);
}

bool gg_graph_is_own(const struct gg_call *c, struct gg_str url)
{
    struct gg_url own;
    struct gg_url other;

    return gg_urlenc_parse_url(gg_str_of(c->ctx->conf->graph_url), &own) &&
           gg_urlenc_parse_url(url, &other) && gg_url_is_same_origin(&own, &other) &&
           gg_str_is_printable(url);
}

static void count_try(const struct gg_graph_request *r, const struct gg_http_response *response,
                      int64_t us)
{
    static const enum gg_metric_status ends[] = {
        [GG_HTTP_UNSENT] = GG_M_STATUS_UNREACHABLE,
        [GG_HTTP_LOST] = GG_M_STATUS_BROKEN,
        [GG_HTTP_LATE] = GG_M_STATUS_TIMEOUT,
        [GG_HTTP_BAD] = GG_M_STATUS_BROKEN,
    };

    gg_metric_count(GG_METRIC_GRAPH_REQUESTS, r->operation,
                    response->end == GG_HTTP_WHOLE ? gg_metric_status(response->status)
                                                   : ends[response->end],
                    0);
    gg_metric_observe(GG_METRIC_GRAPH_DURATION, r->operation, 0, us);
}

bool gg_graph_format(struct gg_call *c, const struct gg_graph_request *r, struct gg_secret token,
                     struct gg_graph_try *out, struct gg_err *err)
{
    struct gg_arena *a = c->arena;
    size_t n = 0;

    *out = (struct gg_graph_try){
        .http = {.method = r->method,
                 .url = r->url,
                 .body = r->body,
                 .timeout_s = (int)c->ctx->conf->graph_timeout_s,
                 .deadline = c->deadline,
                 .cap_bytes = ANSWER_BYTES_MAX},
        .start_us = gg_clock_mono_us(),
    };
    const char **headers = out->http.headers;
    if (!gg_crypto_random_uuid(a, &out->id, err))
        return false;
    headers[n++] =
        gg_arena_printf(a, "Authorization: Bearer %.*s", GG_STR_ARG(gg_secret_reveal(token)));
    headers[n++] = "Accept: application/json";
    headers[n++] = gg_arena_printf(a, "client-request-id: %.*s", GG_STR_ARG(out->id));
    if (r->body.p != NULL)
        headers[n++] = "Content-Type: application/json";
    if (r->timezone.p != NULL)
        headers[n++] =
            gg_arena_printf(a, "Prefer: outlook.timezone=\"%.*s\"", GG_STR_ARG(r->timezone));
    if (r->if_match.p != NULL)
        headers[n++] = gg_arena_printf(a, "If-Match: %.*s", GG_STR_ARG(r->if_match));
    return true;
}

void gg_graph_note(const struct gg_graph_request *r, const struct gg_graph_try *made,
                   const struct gg_http_response *response)
{
    int64_t took_us = gg_clock_mono_us() - made->start_us;

    count_try(r, response, took_us);
    gg_log(GG_DEBUG, "graph.call", "method=%s status=%d ms=%lld client_request_id=%.*s", r->method,
           response->status, (long long)(took_us / 1000), GG_STR_ARG(made->id));
}

static bool fetch_once(struct gg_call *c, const struct gg_graph_request *r, struct gg_secret token,
                       struct gg_http_response *response, struct gg_err *err)
{
    struct gg_graph_try made;

    *response = (struct gg_http_response){.end = GG_HTTP_BAD};
    if (!gg_graph_format(c, r, token, &made, err))
        return false;
    bool ok = gg_ctx_fetch(c, &made.http, response, err);
    gg_graph_note(r, &made, response);
    return ok;
}

/* A create has a transactionId, so Graph makes one event of several such calls; an update done
 * twice is as done once, but one that has an If-Match would fail against itself. */
static enum gg_retry_kind kind_of(const struct gg_graph_request *r)
{
    if (strcmp(r->method, "GET") == 0)
        return GG_RETRY_READ;
    return r->if_match.p == NULL ? GG_RETRY_REPEATABLE : GG_RETRY_ONCE;
}

/* One call, with its further tries. */
static bool fetch(struct gg_call *c, const struct gg_graph_request *r, struct gg_secret token,
                  struct gg_http_response *response, struct gg_err *err)
{
    bool may_be_done = false;
    bool ok;

    gg_retry_earn(c);
    c->token_uses++;
    for (;;) {
        *err = (struct gg_err){.code = GG_OK};
        ok = fetch_once(c, r, token, response, err);
        if (!gg_retry_wait(c, kind_of(r), response))
            break;
        may_be_done = may_be_done || response->end == GG_HTTP_LOST || response->status == 502 ||
                      response->status == 504;
    }
    /* What an earlier try, whose answer was lost, has deleted is not there any more. */
    if (may_be_done && response->status == 404 && strcmp(r->method, "DELETE") == 0)
        response->status = 204;
    return ok;
}

/* Graph's error code (microsoft.graph.publicError): a word, never its message. */
static void take_code(struct gg_call *c, const struct gg_http_response *response,
                      struct gg_err *err)
{
    struct gg_json *v;
    struct gg_err ignored;
    char code[sizeof err->microsoft_code] = "";

    if (gg_json_parse(c->arena, response->body, &v, &ignored))
        gg_oauth_copy_word(code, sizeof code, gg_json_text(gg_json_get(v, "error"), "code"));
    memcpy(err->microsoft_code, code, sizeof code);
}

static bool map_status(struct gg_call *c, const struct gg_http_response *response,
                       struct gg_err *err)
{
    static const struct {
        int status;
        enum gg_code code;
    } known[] = {
        {401, GG_EAUTHREQUIRED}, {403, GG_EFORBIDDEN},    {404, GG_ENOTFOUND},
        {409, GG_ECONFLICT},     {412, GG_EPRECONDITION}, {429, GG_ETHROTTLED},
    };
    bool is_ours = response->status >= 400 && response->status < 500;
    enum gg_code code = is_ours ? GG_EREJECTED : GG_EGRAPH;

    if (response->status >= 200 && response->status < 300)
        return true;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (response->status == known[i].status)
            code = known[i].code;
    (void)gg_fail(err, code, "Graph answered %d", response->status);
    take_code(c, response, err);
    if (code == GG_EAUTHREQUIRED)
        err->claims = gg_oauth_parse_challenge(c->arena, response->www_authenticate).p;
    int64_t wait_s = gg_retry_asked_s(response);
    if ((code == GG_ETHROTTLED || response->status == 503) && wait_s > 0)
        err->retry_after_s = (int)wait_s;
    return false;
}

bool gg_graph_read(struct gg_call *c, const struct gg_graph_request *request,
                   const struct gg_http_response *response, struct gg_str *body, struct gg_err *err)
{
    if (!map_status(c, response, err))
        return false;
    *body = response->body;
    if (body->n == 0)
        *body = (struct gg_str){NULL, 0};
    else if (strcmp(request->method, "DELETE") != 0 &&
             !gg_str_is_media_type(response->content_type, "application/json"))
        return gg_fail(err, GG_EGRAPH, "Graph's answer is not JSON");
    return true;
}

bool gg_graph_call(struct gg_call *c, const struct gg_graph_request *request,
                   struct gg_access *access, struct gg_str *body, struct gg_err *err)
{
    struct gg_http_response response;

    if (!gg_secret_is_set(access->token) && !gg_refresh_get(c, request->key, access, err))
        return false;
    if (!fetch(c, request, access->token, &response, err))
        return false;
    if (response.status == 401) {
        (void)map_status(c, &response, err);
        const char *claims = err->claims;
        bool ok = gg_refresh_replace(c, request->key, claims, access, err);
        if (err->code == GG_EAUTHREQUIRED)
            err->claims = claims;
        if (!ok || !fetch(c, request, access->token, &response, err))
            return false;
    }
    return gg_graph_read(c, request, &response, body, err);
}

bool gg_graph_take_page(struct gg_call *c, struct gg_str body, struct gg_graph_page *page)
{
    struct gg_jsontext_part all;
    struct gg_err ignored;

    if (body.p == NULL || !gg_json_split(c->arena, body, 2, &all, &ignored))
        return false;
    const struct gg_jsontext_part *value = gg_json_part(c->arena, &all, "value");
    if (value == NULL || value->text.p[0] != '[')
        return false;
    struct gg_str link = gg_json_part_text(c->arena, &all, "@odata.nextLink");
    *page = (struct gg_graph_page){
        .items = value->parts,
        .count = value->count,
        .next_link = gg_str_of(gg_arena_copy(c->arena, link.p, link.n)),
    };
    return true;
}

/* Where a nextLink leads: verbatim when it is absolute, never to another host. NULL: nowhere. */
static const char *resolve(struct gg_call *c, const char *from, struct gg_str link)
{
    struct gg_url url;
    const char *to =
        gg_urlenc_parse_url(link, &url) ? link.p : gg_http_resolve(c->arena, from, link);

    return gg_graph_is_own(c, gg_str_of(to)) ? to : NULL;
}

const char *gg_graph_follow(struct gg_call *c, const struct gg_graph_seen *seen, struct gg_str link,
                            struct gg_err *err)
{
    const char *to = resolve(c, seen->urls[seen->count - 1], link);

    if (to == NULL)
        (void)gg_fail(err, GG_EGRAPH, "a nextLink leads to another host");
    for (size_t i = 0; to != NULL && i < seen->count; i++)
        if (gg_str_is(gg_str_of(seen->urls[i]), to)) {
            (void)gg_fail(err, GG_EGRAPH, "Graph's pages go in a circle");
            return NULL;
        }
    return to;
}

/* Adds one page's elements; where `want` is reached inside it, notes how far it was taken. */
static void add_items(struct gg_graph_list *list, const struct gg_graph_page *page, size_t skip)
{
    size_t i = skip;

    for (; i < page->count && list->count < list->want; i++)
        list->items[list->count++] = page->items[i].text;
    if (i < page->count) {
        list->next_url = list->request.url;
        list->next_skip = i;
    }
}

bool gg_graph_list(struct gg_call *c, struct gg_graph_list *list, struct gg_err *err)
{
    struct gg_graph_seen seen = {.count = 0};
    struct gg_graph_page page;
    struct gg_str body;
    size_t bytes = 0;
    bool has_end = list->want > 0;

    list->want = list->want == 0 ? ITEMS_MAX : list->want;
    list->items = gg_arena_alloc(c->arena, list->want * sizeof *list->items);
    while (seen.count < GG_GRAPH_PAGES_MAX) {
        seen.urls[seen.count++] = list->request.url;
        if (!gg_graph_call(c, &list->request, &list->access, &body, err))
            return false;
        if (!gg_graph_take_page(c, body, &page))
            return gg_fail(err, GG_EGRAPH, "a page of Graph's is broken");
        bytes += body.n;
        if (bytes > GG_GRAPH_LIST_BYTES_MAX)
            return gg_fail(err, GG_EGRAPH, "Graph's pages are too large together");
        add_items(list, &page, seen.count == 1 ? list->skip : 0);
        if (list->next_url != NULL || page.next_link.n == 0)
            return true;
        const char *to = gg_graph_follow(c, &seen, page.next_link, err);
        if (to == NULL)
            return false;
        list->request.url = to;
        /* Of very small pages a part is given, and a way to go on. */
        if (list->count == list->want ||
            (seen.count == GG_GRAPH_PAGES_MAX && has_end && list->count > 0)) {
            list->next_url = to;
            return true;
        }
    }
    return gg_fail(err, GG_EGRAPH, "Graph's pages do not end");
}
