/* SPDX-License-Identifier: MIT */
#include "gg/web/route.h"

#include "gg/base/log.h"
#include "gg/base/metric.h"
#include "gg/flow/audit.h"
#include "gg/proto/event.h"
#include "gg/proto/returnto.h"
#include "gg/web/on_auth.h"
#include "gg/web/on_calendar.h"
#include "gg/web/on_health.h"
#include "gg/web/on_metrics.h"

#include <string.h>

#define CALENDARS "integration/microsoft/calendar"
#define EVENTS    CALENDARS "/events"
#define EVENT     EVENTS "/{id}"

/* What the web server may take its time to read; a socket holds what is smaller. */
#define AT_ONCE_BYTES ((size_t)64 * 1024)

/* A route of a caller's own data, counted against the limit of the calendar. */
#define OWN(p, m, f) \
    .path = (p), .method = (m), .on = (f), .auth = GG_AUTH_CALLER, .is_limited = true, \
    .limit = GG_LIMIT_CALENDAR, .by = GG_BY_CALLER_OR_ADDRESS

/* One that asks Graph: what it needs of the token's row comes with the limit. */
#define CALENDAR(p, m, f) OWN(p, m, f), .wants_row = true

static const struct gg_route routes[] = {
    {.path = "auth/microsoft",
     .method = GG_GET,
     .on = gg_on_auth_start,
     .auth = GG_AUTH_MAYBE,
     .is_limited = true,
     .limit = GG_LIMIT_OAUTH_START,
     .by = GG_BY_CALLER_OR_ADDRESS,
     .query = {"return_to"}},
    {.path = "auth/microsoft/callback",
     .method = GG_GET,
     .on = gg_on_auth_callback,
     .is_limited = true,
     .limit = GG_LIMIT_OAUTH_CALLBACK,
     .by = GG_BY_ADDRESS,
     .query_fault = GG_ESTATE,
     .query = {"state", "code", "error", "error_description", "iss"}},
    {.path = "auth/microsoft/exchange",
     .method = GG_POST,
     .on = gg_on_auth_exchange,
     .is_limited = true,
     .limit = GG_LIMIT_OAUTH_CALLBACK,
     .by = GG_BY_ADDRESS},
    /* Its limit counts by the user, who is known only by the body. */
    {.path = "auth/refresh", .method = GG_POST, .on = gg_on_auth_refresh},
    /* It tells more of its row than what comes with the limit. */
    {OWN("auth/microsoft/user", GG_GET, gg_on_auth_user)},
    {.path = "auth/microsoft/token",
     .method = GG_DELETE,
     .on = gg_on_auth_disconnect,
     .auth = GG_AUTH_CALLER,
     .is_limited = true,
     .limit = GG_LIMIT_OAUTH_START,
     .by = GG_BY_CALLER_OR_ADDRESS},
    {CALENDAR(CALENDARS, GG_GET, gg_on_calendar_find_all)},
    {CALENDAR(EVENTS, GG_GET, gg_on_calendar_list),
     .query = {"start_time", "end_time", "calendar_id", "timezone", "limit", "cursor"},
     .repeats = "calendar_id"},
    {CALENDAR(EVENTS, GG_POST, gg_on_calendar_create), .query = {"calendar_id"}},
    {CALENDAR(EVENT, GG_GET, gg_on_calendar_get)},
    {CALENDAR(EVENT, GG_PUT, gg_on_calendar_update)},
    {CALENDAR(EVENT, GG_PATCH, gg_on_calendar_update)},
    {CALENDAR(EVENT, GG_DELETE, gg_on_calendar_delete)},
    {.path = "health/live",
     .method = GG_GET,
     .on = gg_on_health_live,
     .is_main_only = true,
     .works_unconfigured = true},
    {.path = "health/ready",
     .method = GG_GET,
     .on = gg_on_health_ready,
     .is_main_only = true,
     .works_unconfigured = true},
    {.path = "health/microsoft",
     .method = GG_GET,
     .on = gg_on_health,
     .auth = GG_AUTH_ADMIN_OR,
     .is_main_only = true,
     .works_unconfigured = true,
     .query = {"deep"}},
    {.path = "health/microsoft/tokens",
     .method = GG_GET,
     .on = gg_on_health_tokens,
     .auth = GG_AUTH_ADMIN,
     .is_main_only = true},
    {.path = "metrics",
     .method = GG_GET,
     .on = gg_on_metrics,
     .auth = GG_AUTH_METRICS,
     .is_root = true,
     .is_main_only = true,
     .works_unconfigured = true},
};

#define ROUTES (sizeof routes / sizeof routes[0])

const struct gg_route *gg_route_table(size_t *count)
{
    *count = ROUTES;
    return routes;
}

/* The number of the i-th row's path; rows of one path stand together. */
static unsigned number_of(size_t row)
{
    unsigned number = 1;

    for (size_t i = 1; i <= row; i++)
        number += strcmp(routes[i].path, routes[i - 1].path) != 0;
    return number;
}

const char *const *gg_route_names(struct gg_arena *a, unsigned *count)
{
    const char **names = gg_arena_alloc(a, ROUTES * sizeof *names);

    *count = number_of(ROUTES - 1);
    for (size_t i = 0; i < ROUTES; i++)
        names[number_of(i) - 1] = routes[i].path;
    return names;
}

/* "a/b/{id}" against the path below a prefix; *id is the segment, still encoded. */
static bool is_path(const char *pattern, struct gg_str path, struct gg_str *id)
{
    size_t n = 0;

    while (n < path.n && pattern[n] == path.p[n] && pattern[n] != '{')
        n++;
    *id = (struct gg_str){NULL, 0};
    if (pattern[n] != '{')
        return pattern[n] == '\0' && n == path.n;
    *id = gg_str_skip(path, n);
    return id->n > 0 && memchr(id->p, '/', id->n) == NULL;
}

/* The path below a realm's prefix, or the root; absent when it is not below it. */
static struct gg_str below(const char *prefix, struct gg_str path)
{
    size_t n = strlen(prefix);

    if (!gg_str_has_prefix(path, prefix) || path.n <= n || path.p[n] != '/')
        return (struct gg_str){NULL, 0};
    return gg_str_skip(path, n + 1);
}

/* The request's path as the table has paths. */
struct places {
    struct gg_str root;
    struct gg_str realms[GG_REALMS];
};

/* Whether the row has this path, whatever the method; then *id and *realm are the request's. */
static bool has_path(const struct gg_route *route, const struct places *places,
                     const struct gg_realm **realm, struct gg_str *id)
{
    for (int i = 0; i < GG_REALMS; i++) {
        struct gg_str path = route->is_root ? places->root : places->realms[i];
        *realm = gg_realm((enum gg_realm_id)i);
        if (path.p != NULL && (!route->is_main_only || (*realm)->id == GG_REALM_MAIN) &&
            is_path(route->path, path, id))
            return true;
    }
    return false;
}

/* The methods of the path whose first row this is; rows of one path stand together. */
static void allow(struct gg_exchange *x, size_t row)
{
    const char *path = routes[row].path;
    struct gg_buf list;

    gg_buf_init(&list, x->call.arena, 256);
    for (; row < ROUTES && strcmp(routes[row].path, path) == 0; row++)
        gg_buf_add_fmt(&list, "%s%s%s", list.n > 0 ? ", " : "", gg_method_name(routes[row].method),
                       routes[row].method == GG_GET ? ", HEAD" : "");
    gg_response_header(&x->response, "Allow", gg_buf_str(&list));
}

static bool find_route(struct gg_exchange *x, const struct gg_route **out, struct gg_err *err)
{
    struct places places = {.root = below("", x->request.path)};
    const struct gg_realm *realm;
    struct gg_str id;
    size_t first = ROUTES;

    for (int i = 0; i < GG_REALMS; i++)
        places.realms[i] = below(gg_realm((enum gg_realm_id)i)->prefix, x->request.path);
    for (size_t row = 0; row < ROUTES; row++) {
        if (!has_path(&routes[row], &places, &realm, &id))
            continue;
        first = first == ROUTES ? row : first;
        if (routes[row].method != x->request.method)
            continue;
        *out = &routes[row];
        x->realm = realm;
        x->id = id;
        break;
    }
    if (first == ROUTES)
        return gg_fail(err, GG_ENOTFOUND, "no such path");
    x->path_number = number_of(first);
    if (*out != NULL)
        return true;
    allow(x, first);
    return gg_fail(err, GG_EMETHOD, "no such method");
}

static bool check_id(struct gg_exchange *x, struct gg_err *err)
{
    if (x->id.p == NULL)
        return true;
    if (!gg_urlenc_parse(x->call.arena, GG_URLENC_PATH, x->id, &x->id) || !gg_event_is_id(x->id))
        return gg_fail(err, GG_ENOTFOUND, "no id can be like this");
    return true;
}

static bool check_query(struct gg_exchange *x, const struct gg_route *route, struct gg_err *err)
{
    struct gg_faults faults;

    gg_faults_init(&faults, x->call.arena);
    if (route->query[0] != NULL && x->request.query_is_bad)
        gg_faults_add(&faults, "", "the query cannot be decoded");
    for (size_t i = 0; i < GG_ROUTE_QUERY_MAX && route->query[i] != NULL; i++)
        if (gg_request_is_repeated(&x->request, route->query[i]) &&
            (route->repeats == NULL || strcmp(route->query[i], route->repeats) != 0))
            gg_faults_add(&faults, route->query[i], "must not be repeated");
    if (gg_faults_check(&faults, err))
        return true;
    if (route->query_fault != GG_OK)
        err->code = route->query_fault;
    return false;
}

static bool mark_headers(struct gg_exchange *x)
{
    x->header_mark = x->response.headers.n;
    return true;
}

static bool run(struct gg_exchange *x, const struct gg_route **route, struct gg_err *err)
{
    if (!find_route(x, route, err))
        return false;
    const struct gg_route *r = *route;
    if (!x->call.ctx->is_configured && !r->works_unconfigured)
        return gg_fail(err, GG_ENOTCONFIGURED, "the log of the start names the setting");
    x->wants_row = r->wants_row;
    return gg_guard_check(x, r->auth, err) &&
           (!r->is_limited || gg_guard_limit(x, r->limit, r->by, err)) && check_id(x, err) &&
           check_query(x, r, err) && mark_headers(x) && r->on(x, err);
}

/* What happened is on record before anybody is told of it. */
static bool write_audit(struct gg_exchange *x, struct gg_err *err)
{
    const struct gg_caller *caller = &x->caller;

    if (x->call.notes == NULL)
        return true;
    x->call.who.address = gg_request_whole_address(&x->request, x->call.ctx->conf->trusted_proxies);
    x->call.who.actor =
        x->has_caller ? gg_str_of(gg_arena_printf(x->call.arena, "%s:%.*s", caller->realm->name,
                                                  GG_STR_ARG(caller->subject)))
                      : GG_STR("browser");
    if (gg_audit_flush(&x->call, err))
        return true;
    /* Where it should have gone to may hold what must not be given now. */
    gg_response_rewind(&x->response, x->header_mark);
    return false;
}

static void answer_error(struct gg_exchange *x, const struct gg_err *err)
{
    const struct gg_err_row *row = gg_err_row(err->code);
    struct gg_str auth_url = {NULL, 0};

    if (x->error_return_to.p != NULL) {
        gg_response_redirect(
            &x->response, 303,
            gg_returnto_add(x->call.arena, x->error_return_to, "error", gg_str_of(row->code)));
        return;
    }
    if (x->realm != NULL)
        auth_url =
            gg_str_of(gg_arena_printf(x->call.arena, "%s/auth/microsoft/", x->realm->prefix));
    gg_response_problem(&x->response, err, x->request.request_id, auth_url);
}

/* One line a request. Never its query: it may hold a code. */
static void log_request(const struct gg_exchange *x, const struct gg_route *route,
                        const struct gg_err *err, int64_t took_ms, int64_t db_us)
{
    const struct gg_err_row *row = gg_err_row(err->code);
    bool is_faulty = err->code == GG_OK && x->fault != NULL;

    gg_log(is_faulty ? GG_WARNING : (enum gg_level)row->level, "request",
           "method=%s route=%s realm=%s subject=%.*s status=%d ms=%lld "
           "graph_ms=%lld db_ms=%lld code=%s microsoft_code=%s why=\"%s\" reason=\"%s\"",
           x->request.is_head ? "HEAD" : gg_method_name(x->request.method),
           route == NULL ? "-" : route->path, x->realm == NULL ? "-" : x->realm->name,
           GG_STR_ARG(x->has_caller ? x->caller.subject : GG_STR("-")), x->response.status,
           (long long)took_ms, (long long)(x->call.graph_us / 1000), (long long)(db_us / 1000),
           is_faulty ? x->fault : row->code, err->microsoft_code, err->why == NULL ? "" : err->why,
           err->log);
}

/* Before the answer is sent: who has it finds it counted. */
static void count_request(const struct gg_exchange *x, const struct gg_err *err, int64_t start_us)
{
    static const enum gg_metric_word_METHOD words[] = {
        [GG_GET] = GG_M_GET,
        [GG_POST] = GG_M_POST,
        [GG_PUT] = GG_M_PUT,
        [GG_PATCH] = GG_M_PATCH,
        [GG_DELETE] = GG_M_DELETE,
        [GG_METHODS] = GG_M_METHOD_OTHER,
        [GG_METHOD_OTHER] = GG_M_METHOD_OTHER,
    };
    unsigned method = x->request.is_head ? GG_M_HEAD : words[x->request.method];

    gg_metric_count(GG_METRIC_HTTP_REQUESTS, x->path_number, method,
                    gg_metric_status(x->response.status));
    gg_metric_observe(GG_METRIC_HTTP_DURATION, x->path_number, method,
                      gg_clock_mono_us() - start_us);
    if (err->code == GG_ESTATE)
        gg_metric_count(GG_METRIC_STATE_MISMATCHES, 0, 0, 0);
}

void gg_route_serve(struct gg_ctx *ctx, struct gg_arena *a, struct gg_fcgi *f)
{
    struct gg_exchange *x = gg_arena_alloc(a, sizeof *x);
    const struct gg_route *route = NULL;
    struct gg_err err = {.code = GG_OK};
    int64_t start_us = gg_clock_mono_us();
    int64_t start_db_us = gg_db_spent_us(ctx->db);

    x->call = (struct gg_call){
        .ctx = ctx, .arena = a, .deadline = gg_deadline_in(ctx->conf->request_deadline_s * 1000)};
    gg_request_read(&x->request, a, f);
    gg_log_set_request(x->request.request_id.p);
    gg_response_init(&x->response, a);
    x->call.who.request_id = x->request.request_id;
    bool ok = run(x, &route, &err);
    if (ok)
        err = (struct gg_err){.code = GG_OK};
    if (!write_audit(x, &err) || !ok)
        answer_error(x, &err);
    gg_response_header(&x->response, "X-Request-ID", x->request.request_id);
    count_request(x, &err, start_us);
    struct gg_str body = x->request.is_head ? GG_STR("") : gg_buf_str(&x->response.body);
    if (body.n > AT_ONCE_BYTES)
        gg_db_rest(ctx->db);
    gg_fcgi_finish(f, gg_response_format(&x->response), body);
    log_request(x, route, &err, (gg_clock_mono_us() - start_us) / 1000,
                gg_db_spent_us(ctx->db) - start_db_us);
    gg_log_set_request("");
}
