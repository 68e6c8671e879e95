/* SPDX-License-Identifier: MIT */
/* The identity platform, and the clocks. */
#include "check.h"

#include "gg/flow/skew.h"
#include "gg/proto/aadsts.h"
#include "gg/proto/urlenc.h"

#include <string.h>

#define DAY_S       86400
#define EXPIRY_DAYS 30

/* Why no answer came, for one who has to mend it. */
static const char *remedy_of(enum gg_http_end end)
{
    switch (end) {
    case GG_HTTP_UNSENT:
        return "let this machine out to it (name server, firewall, proxy)";
    case GG_HTTP_LATE:
        return "look for what swallows the packets between here and there (firewall, proxy)";
    case GG_HTTP_UNTRUSTED:
        return "where a proxy of your own opens TLS, name its authority in MICROSOFT_CA_FILE; else "
               "somebody is in between, or this machine's clock or its trust anchors are old";
    default:
        return "look at MICROSOFT_LOGIN_URL, and at what stands in between";
    }
}

static void say_no_document(struct gg_checks *k, const struct gg_err *err)
{
    const struct gg_diagnose_discovery *d = &k->discovery;

    if (d->status == 0)
        gg_check_say(k, GG_CHECK_FAILED, "%s: %s: %s", d->url, err->log, remedy_of(d->end));
    else if (d->why != NULL && d->status == 400)
        gg_check_say(k, GG_CHECK_FAILED,
                     "%s: %s (%s): set MSTENANTID to the Directory (tenant) ID of the app "
                     "registration's overview",
                     d->url, d->why, err->log);
    else
        gg_check_say(k, GG_CHECK_FAILED,
                     "%s: %s: MICROSOFT_LOGIN_URL must be the identity platform's address, without "
                     "the tenant",
                     d->url, err->log);
}

/* The host and port of a URL, as they stand; absent when it is none. */
static struct gg_str authority_of(struct gg_str text)
{
    struct gg_url url;

    if (!gg_urlenc_parse_url(text, &url))
        return (struct gg_str){NULL, 0};
    return gg_str_skip(url.origin, url.is_https ? strlen("https://") : strlen("http://"));
}

static void compare_hosts(struct gg_checks *k)
{
    const struct gg_diagnose_discovery *d = &k->discovery;
    struct gg_str login = authority_of(gg_str_of(k->conf->login_url));
    struct gg_str keys = authority_of(d->document.jwks_uri);
    struct gg_str graph = authority_of(gg_str_of(k->conf->graph_url));

    if (!gg_str_is_equal_nocase(login, keys))
        gg_check_say(k, GG_CHECK_WARNING,
                     "the signing keys are at %.*s: name that cloud's own address in "
                     "MICROSOFT_LOGIN_URL",
                     GG_STR_ARG(keys));
    if (d->graph_host.n > 0 && !gg_str_is_equal_nocase(graph, d->graph_host) &&
        gg_str_is_printable(d->graph_host))
        gg_check_say(k, GG_CHECK_WARNING,
                     "this tenant's Graph is at %.*s: MICROSOFT_GRAPH_URL names another cloud's",
                     GG_STR_ARG(d->graph_host));
}

void gg_check_discovery(struct gg_checks *k)
{
    struct gg_err err;

    if (!gg_diagnose_discovery(k->call, &k->discovery, &err))
        say_no_document(k, &err);
    else if (k->discovery.status == 404)
        gg_check_say(k, GG_CHECK_WARNING,
                     "%s: there is no document; Microsoft's usual addresses are taken. Is "
                     "MICROSOFT_LOGIN_URL right?",
                     k->discovery.url);
    else if (!k->discovery.is_of_tenant)
        gg_check_say(k, GG_CHECK_FAILED,
                     "the issuer is %.*s, which is not that of %s: MSTENANTID and "
                     "MICROSOFT_LOGIN_URL do not belong together",
                     GG_STR_ARG(k->discovery.document.issuer), k->conf->tenant);
    else
        compare_hosts(k);
}

void gg_check_signing_keys(struct gg_checks *k)
{
    struct gg_err err;
    size_t count = 0;

    if (!gg_diagnose_keys(k->call, &k->discovery, &count, &err))
        gg_check_say(k, GG_CHECK_FAILED,
                     "%.*s: %s: no sign-in can be verified without them; let this machine out to "
                     "that address",
                     GG_STR_ARG(k->discovery.document.jwks_uri), err.log);
    else if (count == 0)
        gg_check_say(k, GG_CHECK_FAILED,
                     "%.*s has no key that can verify an ID token: MICROSOFT_LOGIN_URL is not the "
                     "identity platform",
                     GG_STR_ARG(k->discovery.document.jwks_uri));
}

/* What Microsoft says of a secret, in the words of graphgatectl explain. */
static const char *format_refusal(struct gg_checks *k, const struct gg_oauth_refusal *refusal)
{
    const struct gg_aadsts *row = gg_aadsts_of(refusal->codes, refusal->error);
    const char *code = refusal->codes[0] == '\0'
                           ? refusal->error
                           : gg_arena_printf(k->call->arena, "AADSTS%s", refusal->codes);

    if (row == NULL)
        return gg_arena_printf(k->call->arena,
                               "%s error=%s: https://login.microsoftonline.com/error says more",
                               code, refusal->error);
    return gg_arena_printf(k->call->arena, "%s: %s %s%s%s", code, row->cause, row->remedy,
                           row->wants_consent ? " The link: " : "",
                           row->wants_consent ? gg_ctl_consent_url(k->ctl) : "");
}

/* True when the secret is taken. */
static bool check_secret(struct gg_checks *k, const char *name, struct gg_secret secret,
                         enum gg_check_level level)
{
    struct gg_diagnose_client client;
    struct gg_err err;

    if (!gg_diagnose_client(k->call, secret, &client, &err))
        gg_check_say(k, GG_CHECK_WARNING, "%s: Microsoft did not say whether it is right: %s", name,
                     client.refusal.error[0] != '\0' ? format_refusal(k, &client.refusal)
                                                     : err.log);
    else if (!client.is_taken)
        gg_check_say(k, level, "%s: %s", name, format_refusal(k, &client.refusal));
    else if (!client.is_sure)
        gg_check_say(k, GG_CHECK_OK, "%s is not refused, as far as %s can be asked without a user",
                     name, k->conf->tenant);
    return client.is_taken;
}

void gg_check_client(struct gg_checks *k)
{
    const struct gg_conf *conf = k->conf;
    bool has_next = gg_secret_is_set(conf->client_secret_next);
    bool is_taken = has_next && check_secret(k, "MSCLIENTSECRET_NEXT", conf->client_secret_next,
                                             GG_CHECK_WARNING);

    /* The next one stands in for a first that is refused: then nothing has failed yet. */
    if (!check_secret(k, "MSCLIENTSECRET", conf->client_secret,
                      is_taken ? GG_CHECK_WARNING : GG_CHECK_FAILED) &&
        is_taken)
        gg_check_say(k, GG_CHECK_WARNING,
                     "MSCLIENTSECRET_NEXT is taken in its place: make it MSCLIENTSECRET");
}

void gg_check_expiry(struct gg_checks *k)
{
    int64_t left_s = k->conf->client_secret_expires_s - gg_clock_now_s();

    if (k->conf->client_secret_expires_s == 0)
        gg_check_say(k, GG_CHECK_OK,
                     "not known; MSCLIENTSECRET_EXPIRES would let this say it in time");
    else if (left_s < 0)
        gg_check_say(k, GG_CHECK_FAILED,
                     "MSCLIENTSECRET_EXPIRES passed %lld days ago: make a new secret in the app "
                     "registration, or write the new date",
                     (long long)(-left_s / DAY_S));
    else if (left_s < (int64_t)EXPIRY_DAYS * DAY_S)
        gg_check_say(k, GG_CHECK_WARNING,
                     "the client secret ends in %lld days: make a new one in the app registration, "
                     "and put it into MSCLIENTSECRET_NEXT",
                     (long long)(left_s / DAY_S));
}

static void say_skew(struct gg_checks *k, int64_t ahead_s, const char *whose, const char *effect)
{
    if (ahead_s > GG_SKEW_S_MAX || ahead_s < -GG_SKEW_S_MAX)
        gg_check_say(k, GG_CHECK_FAILED, "the clock is %lld s %s %s: %s",
                     (long long)(ahead_s < 0 ? -ahead_s : ahead_s),
                     ahead_s < 0 ? "behind" : "ahead of", whose, effect);
}

/* Of whom one cannot ask the time, nothing is known: that alone is no fault of the clock. */
void gg_check_clock(struct gg_checks *k)
{
    struct gg_err err;
    int64_t ahead_s = 0;

    if (!gg_skew_of_microsoft(k->call, &ahead_s, &err))
        gg_check_say(k, GG_CHECK_SKIPPED, "Microsoft's is not to be had: %s", err.log);
    else
        say_skew(k, ahead_s, "Microsoft's",
                 "sign-ins are refused when it is behind; let it be set by NTP (timedatectl)");
}

void gg_check_database_clock(struct gg_checks *k)
{
    struct gg_err err;
    int64_t ahead_s = 0;

    if (!gg_skew_of_database(k->call, &ahead_s, &err))
        gg_check_say(k, GG_CHECK_SKIPPED, "%s", err.log);
    else
        say_skew(k, ahead_s, "the database's", "let both machines' be set by NTP (timedatectl)");
}
