/* SPDX-License-Identifier: MIT */
/* The redirect URI, and who answers there. */
#include "check.h"

#include "gg/ext/crypto.h"
#include "gg/ext/json.h"
#include "gg/proto/urlenc.h"

#include <stdio.h>
#include <string.h>

#define PATH             "/auth/microsoft/callback"
#define HEALTH           "/health/microsoft"
#define ANSWER_BYTES_MAX ((size_t)256 * 1024)
#define SHOWN_BYTES_MAX  200

/* The callback path of a realm that `path` ends with, byte for byte or but for the case. */
static const char *find_path(struct gg_checks *k, struct gg_str path, bool exact)
{
    if (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    for (int i = GG_REALMS - 1; i >= 0; i--) {
        const char *own =
            gg_arena_printf(k->call->arena, "%s%s", gg_realm((enum gg_realm_id)i)->prefix, PATH);
        size_t n = strlen(own);
        if (path.n < n)
            continue;
        struct gg_str end = gg_str_skip(path, path.n - n);
        if (exact ? gg_str_is(end, own) : gg_str_is_equal_nocase(end, gg_str_of(own)))
            return own;
    }
    return NULL;
}

void gg_check_redirect(struct gg_checks *k)
{
    struct gg_url url;

    if (!gg_urlenc_parse_url(gg_str_of(k->conf->redirect_uri), &url)) {
        gg_check_say(k, GG_CHECK_FAILED, "REDIRECT_URI is no address");
        return;
    }
    const char *path = find_path(k, url.rest, true);
    if (!url.is_https && !gg_url_is_loopback(&url))
        gg_check_say(k, GG_CHECK_FAILED,
                     "plain http: Microsoft takes it for localhost alone, and codes and cookies "
                     "would be read on the way; write https:// in REDIRECT_URI and in the app "
                     "registration, also when a proxy in front does the TLS");
    if (memchr(url.rest.p, '?', url.rest.n) != NULL || memchr(url.rest.p, '#', url.rest.n) != NULL)
        gg_check_say(
            k, GG_CHECK_FAILED,
            "it has a query or a fragment: take it away, here and in the app registration");
    else if (path == NULL && find_path(k, url.rest, false) != NULL)
        gg_check_say(k, GG_CHECK_FAILED,
                     "capitals and small letters are not the same: the path is %s",
                     find_path(k, url.rest, false));
    else if (path == NULL)
        gg_check_say(k, GG_CHECK_FAILED,
                     "the path must be %s" PATH ", here and in the app registration",
                     gg_realm(GG_REALM_MAIN)->prefix);
    else if (!gg_str_has_prefix(url.rest, path))
        gg_check_say(k, GG_CHECK_WARNING,
                     "something stands before %s: the proxy must take it away, or it is not found",
                     path);
}

/* Why nobody answered. */
static void say_unreached(struct gg_checks *k, enum gg_http_end end, const struct gg_err *err)
{
    const char *uri = k->conf->redirect_uri;

    if (end == GG_HTTP_UNTRUSTED)
        gg_check_say(k, GG_CHECK_WARNING,
                     "%s: its certificate is not trusted by this machine (%s): browsers that do "
                     "not know its authority will refuse it; else look at its name and its dates",
                     uri, err->log);
    else if (end == GG_HTTP_LATE)
        gg_check_say(k, GG_CHECK_FAILED,
                     "%s: %s: is the web server overloaded, or a firewall in between? Where this "
                     "machine cannot reach its own public address, ask from another one",
                     uri, err->log);
    else
        gg_check_say(k, GG_CHECK_FAILED,
                     "%s: %s: is the web server running, and does the name lead to it? Where this "
                     "machine cannot reach its own public address, ask from another one",
                     uri, err->log);
}

/* Elsewhere: a proxy that the redirect URI does not know of. */
static void say_redirected(struct gg_checks *k, const struct gg_http_response *response)
{
    const char *to = gg_http_resolve(k->call->arena, k->conf->redirect_uri, response->location);
    struct gg_url there = {0};
    struct gg_url here = {0};

    if (to == NULL || !gg_urlenc_parse_url(gg_str_of(to), &there) ||
        !gg_urlenc_parse_url(gg_str_of(k->conf->redirect_uri), &here))
        gg_check_say(k, GG_CHECK_FAILED,
                     "the web server answers %d and not graphgate: pass the path on to it",
                     response->status);
    else if (gg_url_is_same_origin(&there, &here))
        gg_check_say(k, GG_CHECK_FAILED,
                     "the web server redirects to %.*s%.*s: pass the path on to graphgate as it is",
                     GG_STR_ARG(there.origin),
                     there.rest.n < SHOWN_BYTES_MAX ? (int)there.rest.n : SHOWN_BYTES_MAX,
                     there.rest.p);
    else
        gg_check_say(k, GG_CHECK_FAILED,
                     "it redirects to %.*s: the site is reached there and not at %.*s; write that "
                     "into REDIRECT_URI and the app registration, or stop the redirect for this "
                     "path",
                     GG_STR_ARG(there.origin), GG_STR_ARG(here.origin));
}

/* Who answered, when it was not graphgate. */
static void say_other(struct gg_checks *k, const struct gg_http_response *response)
{
    switch (response->status) {
    case 502:
    case 503:
    case 504:
        gg_check_say(
            k, GG_CHECK_FAILED,
            "the web server answers %d: graphgate does not run behind it, or its socket is "
            "another; start it, and read the web server's log",
            response->status);
        break;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        say_redirected(k, response);
        break;
    case 401:
    case 403:
        gg_check_say(k, GG_CHECK_FAILED,
                     "the web server answers %d: let everybody in at this path; Microsoft sends "
                     "browsers there without a password",
                     response->status);
        break;
    case 404:
    case 405:
        gg_check_say(k, GG_CHECK_FAILED,
                     "the web server answers %d, and not graphgate: pass /api/v1/ on to it (see "
                     "httpd-conf/), with the path as it is",
                     response->status);
        break;
    default:
        gg_check_say(k, GG_CHECK_FAILED,
                     "what answers (%d) is not graphgate: does the name lead to another machine or "
                     "site, or a page of the web server stand in its place?",
                     response->status);
        break;
    }
}

/* One request, that carries the id. */
static bool ask(struct gg_checks *k, struct gg_http_request request, const char *id,
                struct gg_http_response *response, struct gg_err *err)
{
    struct gg_http_options options = {NULL, (int)k->conf->connect_timeout_s};
    struct gg_http *http = gg_http_open(options);

    request.headers[0] = gg_arena_printf(k->call->arena, "X-Request-ID: %s", id);
    request.timeout_s = (int)k->conf->login_timeout_s;
    request.deadline = k->call->deadline;
    request.cap_bytes = ANSWER_BYTES_MAX;
    bool ok = gg_http_fetch(http, k->call->arena, &request, response, err);
    gg_http_close(http);
    return ok;
}

/* Beside the callback: /api/v1/health/microsoft of the same site. */
static const char *health_url(struct gg_checks *k)
{
    struct gg_url url;
    const char *own = gg_urlenc_parse_url(gg_str_of(k->conf->redirect_uri), &url)
                          ? find_path(k, url.rest, true)
                          : NULL;

    if (own == NULL)
        return NULL;
    if (url.rest.p[url.rest.n - 1] == '/')
        url.rest.n--;
    return gg_arena_printf(k->call->arena, "%.*s%.*s%s%s", GG_STR_ARG(url.origin),
                           (int)(url.rest.n - strlen(own)), url.rest.p,
                           gg_realm(GG_REALM_MAIN)->prefix, HEALTH);
}

/* How the worker there does; of what else may answer, nothing is said. */
static void check_worker(struct gg_checks *k, const char *id)
{
    struct gg_http_request request = {.method = "GET", .url = health_url(k)};
    struct gg_http_response response;
    struct gg_json *v = NULL;
    struct gg_err ignored;
    bool is_configured;

    if (request.url == NULL || !ask(k, request, id, &response, &ignored) ||
        !gg_json_parse(k->call->arena, response.body, &v, &ignored) ||
        !gg_str_is(gg_json_text(v, "service"), "microsoft_graph") ||
        !gg_json_bool(gg_json_get(v, "configured"), &is_configured))
        return;
    if (!is_configured)
        gg_check_say(k, GG_CHECK_FAILED,
                     "the worker there is not configured: its log names the setting. Does it read "
                     "the same file as this user (GRAPHGATE_CONFIG), and was it started anew?");
    else if (!gg_str_is(gg_json_text(v, "status"), "healthy"))
        gg_check_say(k, GG_CHECK_FAILED,
                     "the worker there does not reach its database, or that is not migrated: its "
                     "log says which; it reads settings and secrets when it starts");
}

/*
 * Asked with a method that the callback does not take: graphgate says so before it counts limits,
 * and no sign-in fails for it. That the answer is graphgate's, its request id tells.
 */
void gg_check_callback(struct gg_checks *k)
{
    struct gg_arena *a = k->call->arena;
    struct gg_http_request request = {
        .method = "POST", .url = k->conf->redirect_uri, .body = GG_STR("")};
    struct gg_http_response response;
    struct gg_json *v = NULL;
    struct gg_str word;
    struct gg_err err;

    if (!gg_crypto_random_text(a, 9, &word, &err))
        word = GG_STR("check");
    const char *id = gg_arena_printf(a, "check-%.*s", GG_STR_ARG(word));
    if (!ask(k, request, id, &response, &err)) {
        say_unreached(k, response.end, &err);
        return;
    }
    /* Nobody else knows this id, and says it back in such a body. */
    if (!gg_json_parse(a, response.body, &v, &err) ||
        !gg_str_is(gg_json_text(v, "request_id"), id)) {
        say_other(k, &response);
        return;
    }
    struct gg_str code = gg_json_text(v, "code");
    if (gg_str_is(code, "method_not_allowed"))
        check_worker(k, id);
    else
        gg_check_say(k, GG_CHECK_FAILED,
                     "graphgate answers %.*s there: the path does not reach it as it stands in "
                     "REDIRECT_URI; let the web server pass on REQUEST_URI as it is",
                     GG_STR_ARG(gg_str_is_word(code, 64, "_") ? code : GG_STR("something else")));
}
