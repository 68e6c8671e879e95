/* SPDX-License-Identifier: MIT */
/*
 * Whether what graphgate needs of the identity platform is there: the tenant's document, the
 * signing keys, and a client secret that it takes. Each asks once, and needs no user.
 */
#ifndef GG_FLOW_DIAGNOSE_H
#define GG_FLOW_DIAGNOSE_H

#include "gg/flow/ctx.h"
#include "gg/proto/oauth.h"

/* The tenant's document (OpenID Connect Discovery 1.0), as it was answered. */
struct gg_diagnose_discovery {
    const char *url;
    enum gg_http_end end; /* how the call ended */
    int status;           /* 0: no answer came */
    struct gg_oauth_discovery document;
    struct gg_str graph_host; /* where this cloud has Graph; may be absent */
    bool is_of_tenant;        /* the issuer is the configured tenant's, or a template for a class */
    const char *why;          /* what Microsoft's refusal means, a constant; NULL: it did not say */
};

/*
 * GG_ELOGIN: no answer, a refusal, or no such document. A 404 is taken as gg_keyset takes it: the
 * addresses are then those that Microsoft documents.
 */
GG_MUST bool gg_diagnose_discovery(struct gg_call *c, struct gg_diagnose_discovery *out,
                                   struct gg_err *err);

/* How many keys the document's key set has that can verify an ID token. GG_ELOGIN. */
GG_MUST bool gg_diagnose_keys(struct gg_call *c, const struct gg_diagnose_discovery *found,
                              size_t *count, struct gg_err *err);

/*
 * Whether a client secret is taken. One tenant is asked for the application's own token (RFC 6749
 * section 4.4), which is thrown away; a class of tenants gives none, and is asked to redeem a code
 * that is none: a refusal of the code alone speaks for the credentials, as far as it goes.
 */
struct gg_diagnose_client {
    bool is_taken;
    bool is_sure;                    /* Microsoft surely looked at the secret */
    struct gg_oauth_refusal refusal; /* when it is not taken */
};
/* False, GG_ELOGIN: nothing is known, in passing or for what refusal says. */
GG_MUST bool gg_diagnose_client(struct gg_call *c, struct gg_secret secret,
                                struct gg_diagnose_client *out, struct gg_err *err);

#endif
