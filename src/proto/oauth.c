/* SPDX-License-Identifier: MIT */
#include "gg/proto/oauth.h"

#include "gg/ext/crypto.h"
#include "gg/proto/aadsts.h"
#include "gg/proto/b64.h"
#include "gg/proto/time.h"
#include "gg/proto/urlenc.h"

#include <stdio.h>
#include <string.h>

#define URL_BYTES_MAX    8192
#define EXPIRES_IN_MAX_S (10LL * 365 * 86400)

struct gg_str gg_oauth_format_request(struct gg_arena *a, const struct gg_oauth_request *r)
{
    struct gg_buf url;
    const struct {
        const char *name;
        struct gg_str value;
    } pairs[] = {
        {"client_id", gg_str_of(r->client_id)},
        {"response_type", GG_STR("code")},
        {"redirect_uri", gg_str_of(r->redirect_uri)},
        {"response_mode", GG_STR("query")},
        {"scope", gg_str_of(r->scopes)},
        {"state", r->state},
        {"nonce", r->nonce},
        {"code_challenge", r->code_challenge},
        {"code_challenge_method", GG_STR("S256")},
    };

    gg_buf_init(&url, a, URL_BYTES_MAX);
    gg_buf_add_text(&url, r->endpoint);
    gg_buf_add_char(&url, '?');
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        gg_urlenc_add_pair(&url, pairs[i].name, pairs[i].value);
    return gg_buf_str(&url);
}

bool gg_oauth_challenge(struct gg_arena *a, struct gg_secret code_verifier,
                        struct gg_str *challenge, struct gg_err *err)
{
    return gg_crypto_hash_text(a, gg_secret_reveal(code_verifier), challenge, err);
}

void gg_oauth_copy_word(char *to, size_t size, struct gg_str word)
{
    to[0] = '\0';
    if (gg_str_is_word(word, size - 1, "_.-"))
        (void)snprintf(to, size, "%.*s", GG_STR_ARG(word));
}

/* The codes by which Microsoft says that only an administrator can consent. */
static bool wants_admin(struct gg_str description)
{
    for (size_t i = 0; i + 11 <= description.n; i++) {
        struct gg_str at = gg_str_skip(description, i);
        if (gg_str_has_prefix(at, "AADSTS90094") || gg_str_has_prefix(at, "AADSTS90095"))
            return at.n == 11 || at.p[11] < '0' || at.p[11] > '9';
    }
    return false;
}

/* The number of the first "AADSTS" in a description, for what is under `size` as text; else "". */
static void copy_number(char *to, size_t size, struct gg_str description)
{
    const size_t mark = strlen("AADSTS");
    struct gg_str at = description;
    size_t n = 0;

    while (at.n > 0 && !gg_str_has_prefix(at, "AADSTS"))
        at = gg_str_skip(at, 1);
    at = gg_str_skip(at, mark < at.n ? mark : at.n);
    while (n < at.n && at.p[n] >= '0' && at.p[n] <= '9')
        n++;
    (void)snprintf(to, size, "%.*s", n < size ? (int)n : 0, at.p == NULL ? "" : at.p);
}

bool gg_oauth_fail_response(struct gg_str error, struct gg_str description, struct gg_err *err)
{
    static const struct {
        const char *error;
        enum gg_code code;
    } known[] = {
        {"access_denied", GG_EDECLINED},
        {"temporarily_unavailable", GG_ELOGIN},
        {"server_error", GG_ELOGIN},
    };
    enum gg_code code = GG_EAUTHFAILED;
    char word[sizeof err->microsoft_code];
    char number[16];

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (gg_str_is(error, known[i].error))
            code = known[i].code;
    copy_number(number, sizeof number, description);
    if (wants_admin(description))
        code = GG_EADMINCONSENT;
    gg_oauth_copy_word(word, sizeof word, error);
    (void)gg_fail(err, code, "the authorization response says %s aadsts=%s", word, number);
    memcpy(err->microsoft_code, word, sizeof word);
    err->why = gg_aadsts_why(number, word);
    return false;
}

static enum gg_oauth_class classify(int status, const char *error)
{
    static const struct {
        const char *error;
        enum gg_oauth_class class;
    } known[] = {
        {"", GG_OAUTH_PASSING},
        {"temporarily_unavailable", GG_OAUTH_PASSING},
        {"server_error", GG_OAUTH_PASSING},
        {"invalid_grant", GG_OAUTH_PERMANENT},
        {"interaction_required", GG_OAUTH_PERMANENT},
        {"consent_required", GG_OAUTH_PERMANENT},
        {"login_required", GG_OAUTH_PERMANENT},
    };

    /* Only a refusal is one: what a broken or busy server says about a token counts for nothing. */
    if (status < 400 || status >= 500 || status == 429 || status == 408)
        return GG_OAUTH_PASSING;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(error, known[i].error) == 0)
            return known[i].class;
    return GG_OAUTH_OPERATOR;
}

static void take_codes(const struct gg_json *list, struct gg_oauth_refusal *refusal)
{
    size_t n = 0;

    for (size_t i = 0; i < gg_json_length(list) && i < 4; i++) {
        int64_t code;
        if (gg_json_int(gg_json_at(list, i), &code))
            n += (size_t)snprintf(refusal->codes + n, sizeof refusal->codes - n, "%s%u",
                                  n > 0 ? "," : "", (unsigned)(code & 0x7fffffff));
    }
}

/* A number, or a string of digits as the older endpoint sends. */
static bool take_seconds(const struct gg_json *v, int64_t *out)
{
    struct gg_str text;

    if (gg_json_str(v, &text))
        return gg_str_parse_int(text, 0, EXPIRES_IN_MAX_S, out);
    return gg_json_int(v, out) && *out >= 0 && *out <= EXPIRES_IN_MAX_S;
}

/* A token that may go into a header and a row; false when it is too large or no token at all. */
static bool take_token(const struct gg_json *v, const char *name, struct gg_secret *out)
{
    struct gg_str text = gg_json_text(v, name);

    if (text.n == 0)
        return true;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] >= 0x7f)
            return false;
    *out = gg_secret_of(text);
    return text.n <= GG_OAUTH_TOKEN_BYTES_MAX;
}

bool gg_oauth_parse_tokens(struct gg_arena *a, int status, struct gg_str body,
                           struct gg_tokens *tokens, struct gg_oauth_refusal *refusal)
{
    struct gg_json *v = NULL;
    struct gg_err err;

    *tokens = (struct gg_tokens){0};
    *refusal = (struct gg_oauth_refusal){0};
    bool is_json = gg_json_parse(a, body, &v, &err) && gg_json_type(v) == GG_JSON_OBJECT;
    gg_oauth_copy_word(refusal->error, sizeof refusal->error, gg_json_text(v, "error"));
    take_codes(gg_json_get(v, "error_codes"), refusal);
    refusal->class = classify(status, refusal->error);
    if (status != 200 || !is_json)
        return false;
    tokens->token_type = gg_json_text(v, "token_type");
    tokens->scope = gg_json_text(v, "scope");
    return take_token(v, "access_token", &tokens->access_token) &&
           take_token(v, "refresh_token", &tokens->refresh_token) &&
           take_token(v, "id_token", &tokens->id_token) && gg_secret_is_set(tokens->access_token) &&
           (tokens->token_type.p == NULL ||
            gg_str_is_equal_nocase(tokens->token_type, GG_STR("Bearer"))) &&
           take_seconds(gg_json_get(v, "expires_in"), &tokens->expires_in_s);
}

bool gg_oauth_parse_discovery(struct gg_arena *a, struct gg_str body,
                              struct gg_oauth_discovery *out, struct gg_err *err)
{
    struct gg_json *v;

    if (!gg_json_parse(a, body, &v, err))
        return gg_fail(err, GG_ELOGIN, "the discovery document is not JSON");
    out->issuer = gg_json_text(v, "issuer");
    out->jwks_uri = gg_json_text(v, "jwks_uri");
    if (out->issuer.n == 0 || out->jwks_uri.n == 0)
        return gg_fail(err, GG_ELOGIN, "the discovery document lacks issuer or jwks_uri");
    return true;
}

#define MARK "{tenantid}"

/* Where the tenant stands in an issuer's template; its length when it is none. */
static size_t find_mark(struct gg_str issuer)
{
    for (size_t i = 0; i < issuer.n; i++)
        if (gg_str_has_prefix(gg_str_skip(issuer, i), MARK))
            return i;
    return issuer.n;
}

/* `template` with {tenantid} replaced by the tenant, is `iss`. */
static bool is_issuer(struct gg_arena *a, struct gg_str template, struct gg_str tenant,
                      struct gg_str iss)
{
    size_t at = find_mark(template);

    if (at == template.n)
        return gg_str_is_equal(template, iss);
    struct gg_str tail = gg_str_skip(template, at + strlen(MARK));
    return gg_str_is(iss, gg_arena_printf(a, "%.*s%.*s%.*s", (int)at, template.p,
                                          GG_STR_ARG(tenant), GG_STR_ARG(tail)));
}

/* The tenant may be a GUID, a class of tenants, or a domain, which a concrete issuer stands for. */
static bool is_tenant(const struct gg_oauth_expect *expect, struct gg_str tid)
{
    struct gg_str want = gg_str_of(expect->tenant);
    bool is_consumer = gg_str_is_equal_nocase(tid, GG_STR(GG_OAUTH_CONSUMERS));

    if (gg_str_is_uuid(want))
        return gg_str_is_equal_nocase(tid, want);
    if (gg_str_is_equal_nocase(want, GG_STR("common")))
        return true;
    if (gg_str_is_equal_nocase(want, GG_STR("consumers")))
        return is_consumer;
    if (gg_str_is_equal_nocase(want, GG_STR("organizations")))
        return !is_consumer;
    return find_mark(expect->issuer) == expect->issuer.n;
}

/* The first thing that is wrong with the claims, or NULL. */
static const char *find_fault(struct gg_arena *a, const struct gg_json *claims,
                              const struct gg_oauth_expect *expect)
{
    struct gg_str iss = gg_json_text(claims, "iss");
    struct gg_str tid = gg_json_text(claims, "tid");
    struct gg_str aud = gg_json_text(claims, "aud");
    struct gg_str azp = gg_json_text(claims, "azp");
    struct gg_str version = gg_json_text(claims, "ver");
    struct gg_secret nonce = gg_secret_of(gg_json_text(claims, "nonce"));

    if (!gg_str_is_uuid(tid) || !is_tenant(expect, tid))
        return "tid";
    if (!is_issuer(a, expect->issuer, tid, iss))
        return "iss";
    if (expect->key_issuer.n > 0 && !is_issuer(a, expect->key_issuer, tid, iss))
        return "iss, for the key that signed it";
    if (!gg_str_is(aud, expect->client_id))
        return "aud";
    if (azp.p != NULL && !gg_str_is(azp, expect->client_id))
        return "azp";
    if (version.p != NULL && !gg_str_is(version, "2.0"))
        return "ver";
    if (!gg_secret_is_set(nonce) || !gg_secret_is_equal(nonce, expect->nonce))
        return "nonce";
    if (!gg_str_is_word(gg_json_text(claims, "oid"), 64, "-_"))
        return "oid";
    return NULL;
}

/* Text to show: absent when it is empty, too long or not fit for a header or a column. */
static struct gg_str shown(const struct gg_json *claims, const char *name, long most)
{
    struct gg_str s = gg_json_text(claims, name);
    long n = gg_str_count_utf8(s);

    return n > 0 && n <= most && gg_str_is_printable(s) ? s : (struct gg_str){NULL, 0};
}

static struct gg_str lower_case(struct gg_arena *a, struct gg_str s)
{
    char *p = gg_arena_copy(a, s.p, s.n);

    gg_str_lower(p, s.n);
    return (struct gg_str){p, s.n};
}

bool gg_oauth_check_id(struct gg_arena *a, const struct gg_json *claims,
                       const struct gg_oauth_expect *expect, struct gg_oauth_id *id,
                       struct gg_err *err)
{
    const char *fault = find_fault(a, claims, expect);

    if (fault != NULL)
        return gg_fail(err, GG_EIDTOKEN, "the ID token's claim is not right: %s", fault);
    *id = (struct gg_oauth_id){
        .issuer = gg_json_text(claims, "iss"),
        .tenant_id = lower_case(a, gg_json_text(claims, "tid")),
        .microsoft_id = lower_case(a, gg_json_text(claims, "oid")),
        .email = shown(claims, "email", 320),
        .full_name = shown(claims, "name", 255),
    };
    /* Shown to people only, so the name that they sign in with will do where there is no e-mail. */
    if (id->email.p == NULL)
        id->email = shown(claims, "preferred_username", 320);
    return true;
}

/* The value behind name= in a list of parameters, with or without quotes. */
static struct gg_str find_parameter(struct gg_str header, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i + n < header.n; i++) {
        struct gg_str at = gg_str_skip(header, i);
        bool begins = i == 0 || header.p[i - 1] == ' ' || header.p[i - 1] == ',';
        if (!begins || at.p[n] != '=' ||
            !gg_str_is_equal_nocase((struct gg_str){at.p, n}, gg_str_of(name)))
            continue;
        struct gg_str value = gg_str_skip(at, n + 1);
        struct gg_str part;
        bool quoted = value.n > 0 && value.p[0] == '"';
        value = gg_str_skip(value, quoted ? 1 : 0);
        if (gg_str_take(&value, quoted ? '"' : ',', &part))
            return gg_str_trim(part);
    }
    return (struct gg_str){NULL, 0};
}

struct gg_str gg_oauth_parse_challenge(struct gg_arena *a, struct gg_str header)
{
    struct gg_str text;
    struct gg_json *v;
    struct gg_err err;
    struct gg_str value = find_parameter(header, "claims");

    if (value.n == 0 || !gg_b64_parse_any(a, value, &text) || !gg_json_parse(a, text, &v, &err) ||
        gg_json_type(v) != GG_JSON_OBJECT)
        return (struct gg_str){NULL, 0};
    return gg_json_print(a, v);
}

int64_t gg_oauth_parse_retry_after(struct gg_str header, int64_t now_s)
{
    const int64_t most = 30LL * 86400;
    int64_t seconds;

    if (!gg_str_parse_int(header, 0, INT64_MAX, &seconds)) {
        int64_t at;
        if (!gg_time_parse_http(header, &at))
            return -1;
        seconds = at > now_s ? at - now_s : 0;
    }
    return seconds > most ? most : seconds;
}
