/* SPDX-License-Identifier: MIT */
#include "gg/app/options.h"

#include "gg/app/dburl.h"
#include "gg/base/log.h"
#include "gg/proto/address.h"
#include "gg/proto/fernet.h"
#include "gg/proto/jwt.h"
#include "gg/proto/returnto.h"
#include "gg/proto/time.h"
#include "gg/proto/urlenc.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define METRICS_TOKEN_MIN 20

static bool fail(struct gg_option_read *r, const char *fault)
{
    r->fault = fault;
    return false;
}

static bool set_text(struct gg_option_read *r)
{
    *(const char **)r->field = gg_arena_copy(r->arena, r->value.p, r->value.n);
    return true;
}

static bool parse_text(struct gg_option_read *r)
{
    return gg_str_is_printable(r->value) ? set_text(r)
                                         : fail(r, "must not have control characters");
}

static bool parse_secret(struct gg_option_read *r)
{
    *(struct gg_secret *)r->field =
        gg_secret_of(gg_str_of(gg_arena_copy(r->arena, r->value.p, r->value.n)));
    return r->value.n > 0 || fail(r, "must not be empty");
}

/* By the rights in effect: those of a capability count, which access() leaves out. */
static bool is_allowed(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

static bool parse_file(struct gg_option_read *r)
{
    return set_text(r) && (is_allowed(*(const char **)r->field, R_OK) ||
                           fail(r, "names a file that cannot be read"));
}

static bool parse_tenant(struct gg_option_read *r)
{
    return gg_str_is_word(r->value, 255, ".-")
               ? set_text(r)
               : fail(r, "must be a tenant's id or domain, or common, organizations, consumers");
}

static bool parse_redirect(struct gg_option_read *r)
{
    struct gg_url url;

    return gg_str_is_printable(r->value) && gg_urlenc_parse_url(r->value, &url)
               ? set_text(r)
               : fail(r, "must be the https address of the callback");
}

/* Tokens go there: only this machine may be spoken to in plain text. */
static bool parse_microsoft_url(struct gg_option_read *r)
{
    struct gg_url url;

    while (r->value.n > 0 && r->value.p[r->value.n - 1] == '/')
        r->value.n--;
    if (!gg_str_is_printable(r->value) || !gg_urlenc_parse_url(r->value, &url))
        return fail(r, "must be an https address");
    if (!url.is_https && !gg_url_is_loopback(&url))
        return fail(r, "must be https: plain http is for loopback hosts alone");
    return set_text(r);
}

static bool parse_token_keys(struct gg_option_read *r)
{
    struct gg_fernet keys;
    struct gg_err err;

    if (!gg_fernet_parse_keys(r->arena, gg_secret_of(r->value), &keys, &err))
        return fail(r, "must be Fernet keys, each 44 characters, separated by commas");
    gg_wipe(&keys, sizeof keys);
    return parse_secret(r);
}

static bool parse_algorithm(struct gg_option_read *r)
{
    enum gg_hash hash;

    if (!gg_jwt_parse_alg(r->value, &hash))
        return fail(r, "must be HS256, HS384 or HS512");
    *(int *)r->field = (int)hash;
    return true;
}

static bool parse_database_url(struct gg_option_read *r)
{
    struct gg_db_address address;

    return gg_dburl_parse(r->arena, gg_secret_of(r->value), &address, &r->fault) && parse_secret(r);
}

/* The place of the value among words, which end with NULL; or -1. */
static int find_word(const struct gg_option_read *r, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (gg_str_is(r->value, words[i]))
            return i;
    return -1;
}

static bool parse_sign_in(struct gg_option_read *r)
{
    static const char *const words[] = {"off", "existing", "provision", NULL};
    int word = find_word(r, words);

    if (word >= 0)
        *(enum gg_sign_in *)r->field = (enum gg_sign_in)(GG_SIGN_IN_OFF + word);
    return word >= 0 || fail(r, "must be off, existing or provision");
}

/* One word for no, one for yes. */
static bool take_either(struct gg_option_read *r, const char *no, const char *yes,
                        const char *fault)
{
    *(bool *)r->field = gg_str_is(r->value, yes);
    return *(bool *)r->field || gg_str_is(r->value, no) || fail(r, fault);
}

static bool parse_audit_failure(struct gg_option_read *r)
{
    return take_either(r, "open", "closed", "must be open or closed");
}

static bool parse_unsealed(struct gg_option_read *r)
{
    return take_either(r, "accept", "refuse", "must be accept or refuse");
}

static bool parse_connection(struct gg_option_read *r)
{
    return take_either(r, "kept", "shared", "must be kept or shared");
}

static bool parse_return_urls(struct gg_option_read *r)
{
    (void)set_text(r);
    return gg_returnto_is_list(*(const char **)r->field) ||
           fail(r, "must be origins or URL prefixes, separated by commas");
}

static bool parse_proxies(struct gg_option_read *r)
{
    (void)set_text(r);
    return gg_address_is_list(*(const char **)r->field) ||
           fail(r, "must be networks such as 10.0.0.0/8, separated by commas");
}

static bool parse_limit(struct gg_option_read *r)
{
    static const char text[] = "must be off or REQUESTS/SECONDS";
    struct gg_limit limit = {0};
    struct gg_str requests;

    if (!gg_str_is(r->value, "off") &&
        (!gg_str_take(&r->value, '/', &requests) ||
         !gg_str_parse_int(requests, r->option->min, r->option->max, &limit.requests) ||
         !gg_str_parse_int(r->value, 1, 366LL * 86400, &limit.per_s)))
        return fail(r, text);
    *(struct gg_limit *)r->field = limit;
    return true;
}

static bool parse_number(struct gg_option_read *r, const char *unit)
{
    return gg_str_parse_int(r->value, r->option->min, r->option->max, r->field) ||
           fail(r, gg_arena_printf(r->arena, "must be whole %s from %lld to %lld", unit,
                                   (long long)r->option->min, (long long)r->option->max));
}

static bool parse_seconds(struct gg_option_read *r)
{
    return parse_number(r, "seconds");
}

static bool parse_days(struct gg_option_read *r)
{
    return parse_number(r, "days");
}

/* The last second of that day, UTC: Entra's lists show the day alone. */
static bool parse_date(struct gg_option_read *r)
{
    struct gg_time day;

    if (!gg_time_parse(r->value, &day) || day.kind != GG_TIME_DATE)
        return fail(r, "must be a date, YYYY-MM-DD");
    *(int64_t *)r->field = day.seconds + 86399;
    return true;
}

static bool parse_level(struct gg_option_read *r)
{
    static const char *const words[] = {"debug", "info", "warning", "error", NULL};
    int word = find_word(r, words);

    if (word >= 0)
        *(int64_t *)r->field = word;
    return word >= 0 || fail(r, "must be debug, info, warning or error");
}

static bool parse_form(struct gg_option_read *r)
{
    static const char *const words[] = {
        [GG_LOGLINE_LOGFMT] = "logfmt", [GG_LOGLINE_JSON] = "json", NULL};
    int word = find_word(r, words);

    if (word >= 0)
        *(int *)r->field = word;
    return word >= 0 || fail(r, "must be logfmt or json");
}

static bool parse_subjects(struct gg_option_read *r)
{
    return take_either(r, "hash", "plain", "must be hash or plain");
}

/* Not opened here: whoever checks the configuration may be another user than the worker. */
static bool is_writable(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[4096];

    if (is_allowed(path, W_OK))
        return true;
    (void)snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
                   slash == NULL ? "." : path);
    return errno == ENOENT && is_allowed(folder, W_OK);
}

static bool parse_target(struct gg_option_read *r)
{
    static const char prefix[] = "file:";
    const size_t n = sizeof prefix - 1;

    if (gg_str_is(r->value, "stderr") || gg_str_is(r->value, "syslog"))
        return set_text(r);
    if (!gg_str_has_prefix(r->value, prefix) || r->value.n == n || !gg_str_is_printable(r->value))
        return fail(r, "must be stderr, syslog or file:PATH");
    if (r->value.p[n] != '/')
        return fail(r, "must be file: and the whole path of a file, from / on");
    return set_text(r) && (is_writable(*(const char **)r->field + n) ||
                           fail(r, "names a file that cannot be written"));
}

/* It is asked for without a limit: what could be guessed is none. */
static bool parse_metrics_token(struct gg_option_read *r)
{
    if (r->value.n < METRICS_TOKEN_MIN || !gg_str_is_word(r->value, 512, "-._~+/="))
        return fail(r, "must be 20 to 512 letters, digits and -._~+/=");
    return parse_secret(r);
}

static bool parse_metrics_file(struct gg_option_read *r)
{
    bool ok = gg_str_is(r->value, "off") ||
              (gg_str_has_prefix(r->value, "/") && gg_str_is_printable(r->value));

    return ok ? set_text(r) : fail(r, "must be off or the whole path of a file");
}

#define AT(member) .offset = offsetof(struct gg_conf, member)
#define LIMIT(id)  .parse = parse_limit, AT(limits[id]), .min = 1, .max = 1000000000
#define SECONDS    .parse = parse_seconds, .min = 1, .max = 3600
#define DAYS(most) .parse = parse_days, .min = 0, .max = (most)

static const struct gg_option table[] = {
    {"MSCLIENTID", parse_text, AT(client_id), .is_required = true,
     .meaning = "the application (client) id of the app registration"},
    {"MSCLIENTSECRET", parse_secret, AT(client_secret), .is_required = true, .is_secret = true,
     .meaning = "the value (not the id) of a client secret of it"},
    {"MSCLIENTSECRET_NEXT", parse_secret, AT(client_secret_next), .is_secret = true,
     .meaning = "a second one, tried when Microsoft refuses the first: renew without a gap, then "
                "swap them"},
    {"MSCLIENTSECRET_EXPIRES", parse_date, AT(client_secret_expires_s),
     .meaning = "the day, `YYYY-MM-DD`, on which `MSCLIENTSECRET` ends"},
    {"MSTENANTID", parse_tenant, AT(tenant), .is_required = true,
     .meaning = "the tenant's id or domain, or `common`, `organizations`, `consumers`"},
    {"REDIRECT_URI", parse_redirect, AT(redirect_uri), .is_required = true,
     .meaning = "the callback, as registered: `https://HOST/api/v1/auth/microsoft/callback`"},
    {"TOKEN_ENCRYPTION_KEY", parse_token_keys, AT(token_keys), .shown = "derived",
     .is_secret = true,
     .meaning = "a Fernet key (`graphgatectl genkey`), or several separated by commas: the first "
                "encrypts, all decrypt"},
    {"JWT_SECRET_KEY", parse_secret, AT(jwt_secret_key), .shown = "`SECRET_KEY`", .is_secret = true,
     .meaning = "checks and signs the callers' JWTs; without `TOKEN_ENCRYPTION_KEY` the Fernet key "
                "is derived from it"},
    {"SECRET_KEY", parse_secret, AT(secret_key), .is_secret = true,
     .meaning = "stands in for `JWT_SECRET_KEY`; one of the two is required"},
    {"TOKEN_KEY_SALT", parse_text, AT(token_key_salt), .fallback = "faraday_token_encryption_salt",
     .meaning = "the salt of the derived key"},
    {"TOKEN_MAX_AGE_DAYS", DAYS(3650), AT(token_max_age_days), .fallback = "0",
     .meaning = "a connection older than that must be made anew by its user; `0`: never"},
    {"REFRESH_IDLE_DAYS", DAYS(89), AT(refresh_idle_days), .fallback = "30",
     .meaning = "`graphgatectl maintain` refreshes connections that nobody used for so long: "
                "Microsoft ends them after 90 days; `0`: never"},
    {"UNSEALED_ROWS", parse_unsealed, AT(refuses_unsealed), .fallback = "accept",
     .meaning =
         "imported rows, which `graphgatectl seal` has not sealed yet: `accept`, or `refuse`: "
         "their users connect anew"},
    {"JWT_ALGORITHM", parse_algorithm, AT(jwt_hash), .fallback = "HS256",
     .meaning = "`HS256`, `HS384` or `HS512`: the one algorithm accepted"},
    {"JWT_ISSUER", parse_text, AT(jwt_issuer), .meaning = "when set, the claim `iss` must match"},
    {"JWT_AUDIENCE", parse_text, AT(jwt_audience),
     .meaning = "when set, the claim `aud` must match"},
    {"DATABASE_URL", parse_database_url, AT(database_url), .is_required = true, .is_secret = true,
     .meaning = "`mariadb://USER:PASSWORD@HOST[,HOST2…]:PORT/DB?unix_socket=PATH&ssl_ca=PATH`, "
                "parts percent-encoded; several hosts fail over in order"},
    {"DATABASE_CONNECTION", parse_connection, AT(shares_connection), .fallback = "kept",
     .meaning = "each worker has its own, `kept`; or `shared`: given back while it waits for "
                "Microsoft and between requests, for more workers than `max_connections`"},
    {"MICROSOFT_LOGIN_URL", parse_microsoft_url, AT(login_url),
     .fallback = "https://login.microsoftonline.com", .meaning = "the identity platform"},
    {"MICROSOFT_GRAPH_URL", parse_microsoft_url, AT(graph_url),
     .fallback = "https://graph.microsoft.com/v1.0", .meaning = "Graph"},
    {"MICROSOFT_CA_FILE", parse_file, AT(ca_file), .shown = "the system's",
     .meaning = "trust anchors for both"},
    {"MICROSOFT_SCOPES", parse_text, AT(scopes),
     .fallback = "openid profile email offline_access User.Read Calendars.ReadWrite",
     .meaning = "what is asked for"},
    {"SIGN_IN", parse_sign_in, AT(sign_in), .shown = "`provision` for one tenant, else `existing`",
     .meaning = "what starting without a JWT may do: `off`, `existing` (known Microsoft "
                "identities), `provision` (create the account)"},
    {"ALLOWED_RETURN_URLS", parse_return_urls, AT(allowed_return_urls),
     .meaning = "origins or URL prefixes that `return_to` may name, separated by commas"},
    {"TRUSTED_PROXIES", parse_proxies, AT(trusted_proxies),
     .meaning = "CIDRs whose `X-Forwarded-For` is believed, from right to left"},
    {"RATE_LIMIT_OAUTH_START", LIMIT(GG_LIMIT_OAUTH_START), .fallback = "10/60",
     .meaning = "requests/seconds, or `off`: starts, refreshes, disconnects of a user"},
    {"RATE_LIMIT_OAUTH_CALLBACK", LIMIT(GG_LIMIT_OAUTH_CALLBACK), .fallback = "20/3600",
     .meaning = "the same: callbacks and exchanges of an address"},
    {"RATE_LIMIT_CALENDAR", LIMIT(GG_LIMIT_CALENDAR), .fallback = "100/60",
     .meaning = "the same: calendar requests of a user"},
    {"CONNECT_TIMEOUT_S", SECONDS, AT(connect_timeout_s), .fallback = "3",
     .meaning = "to connect anywhere"},
    {"LOGIN_TIMEOUT_S", SECONDS, AT(login_timeout_s), .fallback = "10",
     .meaning = "one call to the identity platform"},
    {"GRAPH_TIMEOUT_S", SECONDS, AT(graph_timeout_s), .fallback = "15",
     .meaning = "one call to Graph, slow bodies included"},
    {"REQUEST_DEADLINE_S", SECONDS, AT(request_deadline_s), .fallback = "25",
     .meaning = "a whole request with its retries"},
    {"AUDIT_KEY", parse_token_keys, AT(audit_key), .shown = "derived", .is_secret = true,
     .meaning =
         "Fernet keys for the audit's MACs, separated by commas: the first signs, all verify; "
         "without it they are derived from the token keys (see docs/audit.md)"},
    {"AUDIT_FAILURE", parse_audit_failure, AT(audit_fails_closed), .fallback = "open",
     .meaning =
         "when a row of the audit cannot be written: `open` (the answer goes out, the log has "
         "an error; uses of tokens wait for each other, see docs/audit.md) or `closed` (503 "
         "`database_unavailable`)"},
    {"AUDIT_KEEP_DAYS", parse_days, AT(audit_keep_days), .min = 1, .max = 36500, .fallback = "400",
     .meaning = "what `graphgatectl audit prune` leaves"},
    {"LOG_LEVEL", parse_level, AT(log_level), .fallback = "info",
     .meaning = "`debug`, `info`, `warning` or `error`"},
    {"LOG_TARGET", parse_target, AT(log_target), .fallback = "stderr",
     .meaning = "`stderr`, `syslog` or `file:` and the whole path of a file"},
    {"LOG_FORMAT", parse_form, AT(log_form), .fallback = "logfmt",
     .meaning = "`logfmt` or `json`: one object a line"},
    {"LOG_SUBJECTS", parse_subjects, AT(log_subjects_plain), .fallback = "hash",
     .meaning = "how the log names users: `hash` (`graphgatectl log-subject` tells whose it is) or "
                "`plain`"},
    {"METRICS_TOKEN", parse_metrics_token, AT(metrics_token), .is_secret = true,
     .meaning =
         "what may read `/metrics` beside an administrator's JWT: a bearer token of at least "
         "20 characters"},
    {"METRICS_FILE", parse_metrics_file, AT(metrics_file), .shown = "`/dev/shm/graphgate-UID-SITE`",
     .meaning = "where the workers of this host count together, its name continued by the layout's "
                "mark, and beside it the audit's journal; `off`: neither"},
};

const struct gg_option *gg_options_table(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}
