/* SPDX-License-Identifier: MIT */
#include "gg/flow/pair.h"

#include "gg/base/jsonw.h"
#include "gg/base/metric.h"
#include "gg/flow/audit.h"
#include "gg/store/family.h"
#include "gg/store/session.h"

#define ID_BYTES         16
#define SESSION_BYTES    32
#define CLAIMS_BYTES_MAX 4096
#define SCOPE_ADMIN      "admin"

/* What both tokens of a pair share. */
struct signing {
    const struct gg_realm *realm;
    const struct gg_account *account;
    const struct gg_family *family;
};

static bool sign(struct gg_call *c, const struct signing *s, int64_t ttl_s, struct gg_str *out,
                 struct gg_err *err)
{
    struct gg_buf claims;
    struct gg_jsonw w;
    int64_t now_s = gg_clock_now_s();
    const struct gg_conf *conf = c->ctx->conf;

    gg_buf_init(&claims, c->arena, CLAIMS_BYTES_MAX);
    gg_jsonw_init(&w, &claims);
    gg_jsonw_open(&w, '{');
    gg_jsonw_put(&w, "sub", s->account->id);
    if (s->account->identity.email.p != NULL)
        gg_jsonw_put(&w, "email", s->account->identity.email);
    gg_jsonw_put_text(&w, "type", s->realm->jwt_type);
    gg_jsonw_put_int(&w, "iat", now_s);
    gg_jsonw_put_int(&w, "exp", now_s + ttl_s);
    if (conf->jwt_issuer != NULL)
        gg_jsonw_put_text(&w, "iss", conf->jwt_issuer);
    if (conf->jwt_audience != NULL)
        gg_jsonw_put_text(&w, "aud", conf->jwt_audience);
    if (s->family != NULL) {
        gg_jsonw_put_text(&w, "use", "refresh");
        gg_jsonw_put(&w, "jti", s->family->token_id);
        gg_jsonw_put(&w, "family", s->family->family_id);
    }
    gg_jsonw_close(&w, '}');
    if (gg_buf_is_full(&claims))
        return gg_fail(err, GG_EINTERNAL, "the claims are too long");
    return gg_jwt_sign(c->arena, c->ctx->jwt_key, gg_buf_str(&claims), out, err);
}

static bool sign_pair(struct gg_call *c, const struct gg_account *account,
                      const struct gg_family *family, struct gg_pair *pair, struct gg_err *err)
{
    struct signing access = {family->realm, account, NULL};
    struct signing refresh = {family->realm, account, family};

    pair->account = *account;
    return sign(c, &access, GG_PAIR_ACCESS_TTL_S, &pair->access_token, err) &&
           sign(c, &refresh, GG_PAIR_REFRESH_TTL_S, &pair->refresh_token, err);
}

bool gg_pair_issue(struct gg_call *c, const struct gg_realm *realm,
                   const struct gg_account *account, struct gg_pair *pair, struct gg_err *err)
{
    struct gg_family family = {
        .realm = realm, .subject = account->id, .ttl_s = GG_PAIR_REFRESH_TTL_S};

    if (!gg_crypto_random_text(c->arena, ID_BYTES, &family.family_id, err) ||
        !gg_crypto_random_text(c->arena, ID_BYTES, &family.token_id, err) ||
        !sign_pair(c, account, &family, pair, err) ||
        !gg_family_put(c->ctx->db, c->arena, &family, err))
        return false;
    gg_audit_note(
        c, (struct gg_audit_event){.event = "signin", .realm = realm, .subject = account->id});
    return true;
}

static struct gg_session_store session_store(const struct gg_call *c)
{
    return (struct gg_session_store){c->ctx->db, &c->ctx->fernet};
}

bool gg_pair_make_code(struct gg_call *c, const struct gg_realm *realm,
                       const struct gg_account *account, struct gg_str *code, struct gg_err *err)
{
    struct gg_session session = {realm, account->id};

    return gg_crypto_random_text(c->arena, SESSION_BYTES, code, err) &&
           gg_session_put(session_store(c), c->arena, gg_secret_of(*code), &session, err);
}

/* The account that a token was once signed for, if it is still there. */
static bool find_account(struct gg_call *c, const struct gg_realm *realm, struct gg_str subject,
                         struct gg_account *account, struct gg_err *err)
{
    if (!gg_account_find((struct gg_account_store){c->ctx->db, realm}, c->arena, subject, account,
                         err))
        return false;
    return account->found || gg_fail(err, GG_EINVALIDTOKEN, "the account is gone");
}

bool gg_pair_exchange(struct gg_call *c, const struct gg_realm *realm,
                      struct gg_secret session_code, struct gg_pair *pair, struct gg_err *err)
{
    struct gg_session session = {.realm = realm};
    struct gg_account account;

    return gg_session_take(session_store(c), c->arena, session_code, &session, err) &&
           find_account(c, realm, session.subject, &account, err) &&
           gg_pair_issue(c, realm, &account, pair, err);
}

static bool has_scope(const struct gg_json *claims, const char *scope)
{
    struct gg_json *list = gg_json_get(claims, "scopes");
    struct gg_str words = gg_json_text(claims, "scope");
    struct gg_str word;

    for (size_t i = 0; i < gg_json_length(list); i++)
        if (gg_json_str(gg_json_at(list, i), &word) && gg_str_is(word, scope))
            return true;
    while (gg_str_take(&words, ' ', &word))
        if (gg_str_is(word, scope))
            return true;
    return false;
}

/* One token as it is looked at. */
struct reading {
    const struct gg_json *claims;
    enum gg_metric_word_JWT step; /* what it fails for, if it fails now */
};

/* A refused token is counted; that the database is away, or the like, is no fault of its. */
static bool count(bool ok, const struct reading *r, const struct gg_err *err)
{
    if (!ok && err->code == GG_EINVALIDTOKEN)
        gg_metric_count(GG_METRIC_BAD_JWTS, r->step, 0, 0);
    return ok;
}

static bool check_token(struct gg_call *c, struct gg_secret token, struct reading *r,
                        struct gg_err *err)
{
    struct gg_jwt jwt;

    r->step = GG_M_JWT_MALFORMED;
    if (!gg_jwt_parse(c->arena, gg_secret_reveal(token), GG_JWT_BYTES_MAX, &jwt, err))
        return false;
    r->claims = jwt.claims;
    r->step = GG_M_JWT_SIGNATURE;
    if (!gg_jwt_verify_hmac(&jwt, c->ctx->jwt_key, err))
        return false;
    r->step = GG_M_JWT_TIME;
    if (!gg_jwt_check_times(jwt.claims, gg_clock_now_s(), GG_JWT_LEEWAY_S, err))
        return false;
    r->step = GG_M_JWT_CLAIMS;
    return true;
}

/* Everything that access and refresh tokens have in common. */
static bool check(struct gg_call *c, struct gg_secret token, struct reading *r,
                  struct gg_caller *caller, struct gg_err *err)
{
    const struct gg_conf *conf = c->ctx->conf;
    struct gg_str type = GG_STR("user");

    if (!check_token(c, token, r, err))
        return false;
    if (conf->jwt_issuer != NULL && !gg_str_is(gg_json_text(r->claims, "iss"), conf->jwt_issuer))
        return gg_fail(err, GG_EINVALIDTOKEN, "the issuer is another");
    if (conf->jwt_audience != NULL &&
        !gg_jwt_has_audience(r->claims, gg_str_of(conf->jwt_audience)))
        return gg_fail(err, GG_EINVALIDTOKEN, "the audience is another");
    if (gg_json_has(r->claims, "type") && !gg_json_str(gg_json_get(r->claims, "type"), &type))
        return gg_fail(err, GG_EINVALIDTOKEN, "the type is no string");
    caller->realm = gg_realm_find_type(type);
    if (caller->realm == NULL)
        return gg_fail(err, GG_EINVALIDTOKEN, "the type is unknown");
    if (!caller->realm->parse_subject(c->arena, gg_json_text(r->claims, "sub"), &caller->subject))
        return gg_fail(err, GG_EINVALIDTOKEN, "the subject is none of its realm");
    caller->email = gg_json_text(r->claims, "email");
    caller->is_admin = has_scope(r->claims, SCOPE_ADMIN);
    return true;
}

static bool is_refresh(const struct gg_json *claims)
{
    return gg_str_is(gg_json_text(claims, "use"), "refresh");
}

bool gg_pair_check(struct gg_call *c, struct gg_secret token, struct gg_caller *caller,
                   struct gg_err *err)
{
    struct reading r = {0};
    bool ok = check(c, token, &r, caller, err) &&
              (!is_refresh(r.claims) || gg_fail(err, GG_EINVALIDTOKEN, "it is a refresh token"));

    return count(ok, &r, err);
}

static bool read_claim(struct gg_call *c, struct gg_secret token, struct reading *r,
                       struct gg_pair_claim *claim, struct gg_err *err)
{
    if (!check(c, token, r, &claim->caller, err))
        return false;
    claim->family_id = gg_json_text(r->claims, "family");
    claim->token_id = gg_json_text(r->claims, "jti");
    return (is_refresh(r->claims) && claim->family_id.n > 0 && claim->token_id.n > 0) ||
           gg_fail(err, GG_EINVALIDTOKEN, "it is no refresh token");
}

bool gg_pair_check_refresh(struct gg_call *c, const struct gg_realm *realm, struct gg_secret token,
                           struct gg_pair_claim *claim, struct gg_err *err)
{
    struct reading r = {0};
    bool ok = read_claim(c, token, &r, claim, err) &&
              (claim->caller.realm == realm ||
               gg_fail(err, GG_EINVALIDTOKEN, "it belongs to the other realm"));

    return count(ok, &r, err);
}

bool gg_pair_rotate(struct gg_call *c, const struct gg_pair_claim *claim, struct gg_pair *pair,
                    struct gg_err *err)
{
    struct gg_account account;
    struct gg_family family = {
        .realm = claim->caller.realm,
        .subject = claim->caller.subject,
        .family_id = claim->family_id,
        .token_id = claim->token_id,
        .ttl_s = GG_PAIR_REFRESH_TTL_S,
    };
    struct gg_str next_id;
    struct gg_audit_event e = {
        .event = "session.refresh", .realm = family.realm, .subject = family.subject};

    if (!find_account(c, family.realm, family.subject, &account, err) ||
        !gg_crypto_random_text(c->arena, ID_BYTES, &next_id, err))
        return false;
    bool ok = gg_family_rotate(c->ctx->db, c->arena, &family, next_id, err);
    if (!ok && err->code != GG_EINVALIDTOKEN)
        return false;
    e.result = gg_audit_result(ok, err);
    e.detail = ok                 ? NULL
               : family.was_spent ? "a spent refresh token: its family has ended"
                                  : "its family is too old or unknown";
    gg_audit_note(c, e);
    if (!ok)
        return false;
    family.token_id = next_id;
    return sign_pair(c, &account, &family, pair, err);
}
