/* SPDX-License-Identifier: MIT */
/*
 * The messages of Microsoft's identity platform v2.0: authorization request and response (RFC 6749
 * section 4.1, RFC 7636), token answer and error (sections 5.1, 5.2), discovery, ID token (OpenID
 * Connect Core), claims challenge.
 */
#ifndef GG_PROTO_OAUTH_H
#define GG_PROTO_OAUTH_H

#include "gg/base/buf.h"
#include "gg/base/secret.h"
#include "gg/base/tokens.h"
#include "gg/ext/json.h"

#define GG_OAUTH_TOKEN_BYTES_MAX ((size_t)64 * 1024)

/* The consumer tenant: all personal accounts. */
#define GG_OAUTH_CONSUMERS "9188040d-6c67-4c5b-b112-36a304b66dad"

/* What an authorization request says. */
struct gg_oauth_request {
    const char *endpoint;
    const char *client_id;
    const char *redirect_uri;
    const char *scopes;
    struct gg_str state;
    struct gg_str nonce;
    struct gg_str code_challenge; /* S256 */
};
struct gg_str gg_oauth_format_request(struct gg_arena *a, const struct gg_oauth_request *r);

/* base64url(SHA-256(code_verifier)). */
GG_MUST bool gg_oauth_challenge(struct gg_arena *a, struct gg_secret code_verifier,
                                struct gg_str *challenge, struct gg_err *err);

/*
 * The error of an authorization response as ours: GG_EDECLINED, GG_EADMINCONSENT, GG_ELOGIN or
 * GG_EAUTHFAILED, with Microsoft's word in err->microsoft_code. Always false.
 */
bool gg_oauth_fail_response(struct gg_str error, struct gg_str description, struct gg_err *err);

/* Who must act on an error of the token endpoint. */
enum gg_oauth_class {
    GG_OAUTH_PASSING,   /* nobody: it may be well in a moment */
    GG_OAUTH_PERMANENT, /* the user: connect again */
    GG_OAUTH_OPERATOR,  /* whoever registered the application */
};

struct gg_oauth_refusal {
    enum gg_oauth_class class;
    char error[64];        /* Microsoft's word, or "" for an answer that has none */
    char codes[64];        /* "AADSTS" numbers with commas, for the log */
    int64_t retry_after_s; /* -1: it did not say */
};

/* True for tokens. Else *refusal says why, and err->log in words, without any text of the answer.
 */
GG_MUST bool gg_oauth_parse_tokens(struct gg_arena *a, int status, struct gg_str body,
                                   struct gg_tokens *tokens, struct gg_oauth_refusal *refusal);

/* The two fields that are needed of a discovery document. GG_ELOGIN without them. */
struct gg_oauth_discovery {
    struct gg_str issuer; /* may be a template with {tenantid} */
    struct gg_str jwks_uri;
};
GG_MUST bool gg_oauth_parse_discovery(struct gg_arena *a, struct gg_str body,
                                      struct gg_oauth_discovery *out, struct gg_err *err);

/* What an ID token must say. The signature is checked elsewhere, before. */
struct gg_oauth_expect {
    struct gg_str issuer;     /* of the discovery document */
    struct gg_str key_issuer; /* of the key that signed it; may be absent */
    const char *client_id;
    const char *tenant; /* as configured: a GUID is required, a class of tenants is respected */
    struct gg_secret nonce;
};

/* Who it names. tid and oid are its identity; the others may change, and be anything. */
struct gg_oauth_id {
    struct gg_str issuer;
    struct gg_str tenant_id;
    struct gg_str microsoft_id;
    struct gg_str email;
    struct gg_str full_name;
};
GG_MUST bool gg_oauth_check_id(struct gg_arena *a, const struct gg_json *claims,
                               const struct gg_oauth_expect *expect, struct gg_oauth_id *id,
                               struct gg_err *err);

/*
 * The claims of a WWW-Authenticate challenge (RFC 9110 section 11.6.1; the parameter is base64 of
 * JSON), as JSON text. Absent when there is none that can be read.
 */
struct gg_str gg_oauth_parse_challenge(struct gg_arena *a, struct gg_str header);

/* Retry-After in seconds (RFC 9110 section 10.2.3, both forms), at most 30 days; -1: none. */
int64_t gg_oauth_parse_retry_after(struct gg_str header, int64_t now_s);

/* Copies an error word of Microsoft's, if it is one: letters, digits, '_', '.', '-'. */
void gg_oauth_copy_word(char *to, size_t size, struct gg_str word);

#endif
