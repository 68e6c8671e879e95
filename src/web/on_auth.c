/* SPDX-License-Identifier: MIT */
#include "gg/web/on_auth.h"

#include "gg/base/metric.h"
#include "gg/flow/connect.h"
#include "gg/flow/signin.h"
#include "gg/proto/event.h"
#include "gg/proto/returnto.h"
#include "gg/proto/time.h"
#include "gg/store/login.h"
#include "gg/web/guard.h"

#define JSON "application/json"

/* __Host- binds a cookie to this very host over https (RFC 6265bis section 4.1.3). */
static bool is_https(const struct gg_exchange *x)
{
    return gg_str_has_prefix(gg_str_of(x->call.ctx->conf->redirect_uri), "https:");
}

static const char *cookie_name(const struct gg_exchange *x)
{
    return is_https(x) ? "__Host-graphgate" : "graphgate";
}

static void set_cookie(struct gg_exchange *x, struct gg_secret value)
{
    const char *line = gg_arena_printf(
        x->call.arena, "%s=%.*s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s", cookie_name(x),
        GG_STR_ARG(gg_secret_reveal(value)), GG_LOGIN_TTL_S, is_https(x) ? "; Secure" : "");

    gg_response_header(&x->response, "Set-Cookie", gg_str_of(line));
}

static struct gg_secret cookie(const struct gg_exchange *x)
{
    return gg_secret_of(gg_request_cookie(&x->request, cookie_name(x)));
}

bool gg_on_auth_start(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_signin s = {
        .realm = x->realm,
        .subject = x->has_caller ? x->caller.subject : gg_str_of(NULL),
        .return_to = gg_request_query(&x->request, "return_to"),
        .browser = cookie(x),
    };

    if (!gg_signin_start(&x->call, &s, err))
        return false;
    set_cookie(x, s.cookie);
    if (!gg_request_accepts(&x->request, JSON)) {
        gg_response_redirect(&x->response, 302, gg_str_of(s.auth_url));
        return true;
    }
    gg_response_begin_success(&x->response, 200, "Continue at auth_url");
    gg_jsonw_put_text(&x->response.json, "auth_url", s.auth_url);
    gg_response_end(&x->response);
    return true;
}

static void put_user_info(struct gg_jsonw *w, const struct gg_realm *realm,
                          const struct gg_account *account)
{
    gg_jsonw_key(w, "user_info");
    gg_jsonw_open(w, '{');
    gg_jsonw_put(w, "id", account->id);
    gg_jsonw_put(w, "email", account->identity.email);
    gg_jsonw_put(w, "full_name", account->identity.full_name);
    gg_jsonw_put(w, "microsoft_id", account->identity.microsoft_id);
    if (realm->has_teacher_id)
        gg_jsonw_put(w, "teacher_id", account->id);
    gg_jsonw_close(w, '}');
}

static void put_pair(struct gg_jsonw *w, const struct gg_pair *pair)
{
    gg_jsonw_put(w, "access_token", pair->access_token);
    gg_jsonw_put(w, "refresh_token", pair->refresh_token);
    gg_jsonw_put_text(w, "token_type", "Bearer");
    gg_jsonw_put_int(w, "expires_in", GG_PAIR_ACCESS_TTL_S);
}

static bool answer_return(struct gg_exchange *x, const struct gg_connect *connect,
                          struct gg_err *err)
{
    struct gg_str code = GG_STR("1");

    if (connect->is_sign_in &&
        !gg_pair_make_code(&x->call, connect->realm, &connect->account, &code, err))
        return false;
    gg_response_redirect(&x->response, 303,
                         gg_returnto_add(x->call.arena, connect->return_to,
                                         connect->is_sign_in ? "session_code" : "connected", code));
    return true;
}

static bool answer_json(struct gg_exchange *x, const struct gg_connect *connect, struct gg_err *err)
{
    struct gg_jsonw *w = &x->response.json;
    struct gg_pair pair;

    if (connect->is_sign_in &&
        !gg_pair_issue(&x->call, connect->realm, &connect->account, &pair, err))
        return false;
    gg_response_begin_success(&x->response, 200,
                              connect->is_sign_in ? "Signed in with Microsoft"
                                                  : "Microsoft is connected");
    if (connect->is_sign_in)
        put_pair(w, &pair);
    put_user_info(w, x->realm, &connect->account);
    gg_response_end(&x->response);
    return true;
}

/* Notes how somebody's way to prove who he is ended, and passes that on. */
static bool count(enum gg_metric_word_FLOW flow, bool ok, const struct gg_err *err)
{
    gg_metric_count(GG_METRIC_AUTHENTICATIONS, flow, gg_metric_result(ok ? GG_OK : err->code), 0);
    return ok;
}

static bool answer_callback(struct gg_exchange *x, const struct gg_connect *connect,
                            struct gg_err *err)
{
    static const struct gg_response_page page = {
        "Microsoft is connected", "The sign-in is complete. You can close this window."};

    if (connect->return_to.p != NULL)
        return answer_return(x, connect, err);
    if (gg_request_accepts(&x->request, JSON))
        return answer_json(x, connect, err);
    gg_response_page(&x->response, 200, page);
    return true;
}

bool gg_on_auth_callback(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_connect connect = {
        .state = gg_secret_of(gg_request_query(&x->request, "state")),
        .code = gg_secret_of(gg_request_query(&x->request, "code")),
        .error = gg_request_query(&x->request, "error"),
        .error_description = gg_request_query(&x->request, "error_description"),
        .issuer = gg_request_query(&x->request, "iss"),
        .browser = cookie(x),
    };

    bool ok = gg_connect_finish(&x->call, &connect, err);
    x->realm = connect.realm == NULL ? x->realm : connect.realm;
    x->error_return_to = connect.return_to;
    ok = ok && answer_callback(x, &connect, err);
    return count(connect.realm == NULL ? GG_M_FLOW_UNKNOWN
                 : connect.is_sign_in  ? GG_M_FLOW_SIGN_IN
                                       : GG_M_FLOW_CONNECT,
                 ok, err);
}

/* The one string that these bodies have. */
static bool read_string(struct gg_exchange *x, const char *name, struct gg_str *out,
                        struct gg_err *err)
{
    struct gg_json *body;
    struct gg_faults faults;

    if (!gg_request_body(&x->request, &body, err))
        return false;
    gg_faults_init(&faults, x->call.arena);
    *out = gg_json_text(body, name);
    if (gg_json_type(body) != GG_JSON_OBJECT)
        gg_faults_add(&faults, "", "must be an object");
    else if (out->n == 0)
        gg_faults_add(&faults, name, gg_json_has(body, name) ? "must be a string" : "is required");
    return gg_faults_check(&faults, err);
}

static bool answer_pair(struct gg_exchange *x, const struct gg_pair *pair)
{
    struct gg_jsonw *w = &x->response.json;

    gg_response_begin(&x->response, 200);
    gg_jsonw_put_bool(w, "success", true);
    put_pair(w, pair);
    put_user_info(w, x->realm, &pair->account);
    gg_response_end(&x->response);
    return true;
}

bool gg_on_auth_exchange(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_str code;
    struct gg_pair pair;

    if (!read_string(x, "session_code", &code, err))
        return false;
    bool ok = gg_pair_exchange(&x->call, x->realm, gg_secret_of(code), &pair, err);
    return count(GG_M_FLOW_EXCHANGE, ok, err) && answer_pair(x, &pair);
}

static bool rotate(struct gg_exchange *x, struct gg_str token, struct gg_pair *pair,
                   struct gg_err *err)
{
    struct gg_pair_claim claim;

    if (!gg_pair_check_refresh(&x->call, x->realm, gg_secret_of(token), &claim, err))
        return false;
    /* Only now is it known whose limit this counts against. */
    x->caller = claim.caller;
    x->has_caller = true;
    return gg_guard_limit(x, GG_LIMIT_OAUTH_START, GG_BY_CALLER_OR_ADDRESS, err) &&
           gg_pair_rotate(&x->call, &claim, pair, err);
}

bool gg_on_auth_refresh(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_str token;
    struct gg_pair pair;

    return read_string(x, "refresh_token", &token, err) &&
           count(GG_M_FLOW_REFRESH, rotate(x, token, &pair, err), err) && answer_pair(x, &pair);
}

static void put_time(struct gg_exchange *x, const char *name, int64_t seconds)
{
    gg_jsonw_put(&x->response.json, name,
                 seconds < 0 ? gg_str_of(NULL) : gg_time_format_utc(x->call.arena, seconds));
}

static void put_microsoft(struct gg_exchange *x, const struct gg_token *token)
{
    struct gg_jsonw *w = &x->response.json;
    /* Of tokens that serve no more nothing is told. */
    const struct gg_token none = {.expires_at_s = -1, .last_used_at_s = -1};
    const struct gg_token *t = token->found && token->is_active ? token : &none;
    struct gg_str rest = t->scope;
    struct gg_str scope;

    gg_jsonw_key(w, "microsoft");
    gg_jsonw_open(w, '{');
    gg_jsonw_put_bool(w, "connected", t == token);
    gg_jsonw_put(w, "id", t->owner.microsoft_id);
    gg_jsonw_put(w, "email", t->owner.email);
    gg_jsonw_put(w, "tenant_id", t->owner.tenant_id);
    gg_jsonw_key(w, "scopes");
    gg_jsonw_open(w, '[');
    while (gg_str_take(&rest, ' ', &scope))
        if (scope.n > 0)
            gg_jsonw_str(w, scope);
    gg_jsonw_close(w, ']');
    put_time(x, "expires_at", t->expires_at_s);
    put_time(x, "last_used_at", t->last_used_at_s);
    gg_jsonw_close(w, '}');
}

bool gg_on_auth_user(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_token_key key = {x->realm, x->caller.subject};
    struct gg_jsonw *w = &x->response.json;
    struct gg_connection found;

    if (!gg_connect_find(&x->call, key, &found, err))
        return false;
    gg_response_begin(&x->response, 200);
    gg_jsonw_put_bool(w, "success", true);
    gg_jsonw_key(w, x->realm->user_field);
    gg_jsonw_open(w, '{');
    gg_jsonw_put(w, "id", x->caller.subject);
    /* A site may have users of its own, who are in no table here. */
    gg_jsonw_put(w, "email", found.account.found ? found.account.identity.email : x->caller.email);
    gg_jsonw_put(w, "full_name", found.account.identity.full_name);
    gg_jsonw_close(w, '}');
    put_microsoft(x, &found.token);
    gg_response_end(&x->response);
    return true;
}

bool gg_on_auth_disconnect(struct gg_exchange *x, struct gg_err *err)
{
    if (!gg_connect_drop(&x->call, (struct gg_token_key){x->realm, x->caller.subject}, err))
        return false;
    gg_response_begin_success(&x->response, 200, "Microsoft is disconnected");
    gg_response_end(&x->response);
    return true;
}
