/* SPDX-License-Identifier: MIT */
/* What every use case is given: the worker's own things, and those of the request. */
#ifndef GG_FLOW_CTX_H
#define GG_FLOW_CTX_H

#include "gg/base/clock.h"
#include "gg/base/conf.h"
#include "gg/base/journal.h"
#include "gg/ext/db.h"
#include "gg/ext/http.h"
#include "gg/proto/audit.h"
#include "gg/proto/fernet.h"
#include "gg/proto/jwt.h"
#include "gg/store/token.h"

struct gg_keyset;
struct gg_audit_notes;
struct gg_admitted;

/* Lives as long as the worker. Nothing in it is needed by another request to be right. */
struct gg_ctx {
    const struct gg_conf *conf;
    bool is_configured;
    struct gg_fernet fernet;
    struct gg_jwt_key jwt_key;
    struct gg_audit_keys audit_keys;
    struct gg_db *db;
    struct gg_http *http;
    struct gg_keyset *keyset;
    struct gg_journal *journal; /* where rows of the audit may wait; NULL: nowhere */
    bool takes_next_secret;     /* MSCLIENTSECRET_NEXT is the one that works; see flow/redeem */
    bool is_ready; /* as it was found, when, and how long it is believed; see flow/health */
    int64_t ready_at_s;
    int64_t ready_until_ms;
    int retry_debt; /* what its retries have cost and its calls not yet earned; see flow/retry */
};

/* Who acts, for the audit: "REALM:SUBJECT", "browser" without a JWT, "ctl:LOGIN". */
struct gg_who {
    struct gg_str actor;
    struct gg_str address;    /* whole; absent: none */
    struct gg_str request_id; /* absent: none */
};

/* Lives as long as the request. */
struct gg_call {
    struct gg_ctx *ctx;
    struct gg_arena *arena;
    struct gg_deadline deadline;
    struct gg_who who;
    struct gg_audit_notes *notes; /* what flow/audit has collected; NULL: nothing */
    struct gg_admitted *admitted; /* the row that came with the limit, see flow/admit; NULL: none */
    int token_uses;               /* how often an access token was sent to Graph */
    bool is_throttled;            /* Microsoft has asked for fewer calls, at the token endpoint */
    int retries;                  /* so far, of all its calls */
    int64_t paused_ms;            /* before them, together */
    int64_t graph_us;             /* in calls to Microsoft so far, the identity platform's too */
};

/* The token table with the keys that open it. */
struct gg_token_store gg_ctx_tokens(const struct gg_ctx *ctx);

/* gg_http_fetch for this request, whose time it counts. */
GG_MUST bool gg_ctx_fetch(struct gg_call *c, const struct gg_http_request *request,
                          struct gg_http_response *response, struct gg_err *err);

/* "LOGIN_URL/TENANT/path". */
const char *gg_ctx_login_url(const struct gg_call *c, const char *path);

#endif
