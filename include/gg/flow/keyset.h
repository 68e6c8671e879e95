/* SPDX-License-Identifier: MIT */
/*
 * Microsoft's signing keys, kept in the worker and shared through the database: one worker at a
 * time asks for them again, after an hour or for a key id that is not among them, and all others
 * take what it got. An id that is not there either ends such questions for half a minute, for
 * every worker and host. When Microsoft cannot be reached the last good set serves for a day.
 */
#ifndef GG_FLOW_KEYSET_H
#define GG_FLOW_KEYSET_H

#include "gg/flow/ctx.h"
#include "gg/proto/jwk.h"
#include "gg/proto/oauth.h"

struct gg_keyset *gg_keyset_open(void);
void gg_keyset_close(struct gg_keyset *k);

struct gg_keyset_key {
    const struct gg_jwk *jwk;
    struct gg_str issuer; /* of the discovery document; may be a template */
};

/*
 * Borrowed until the next call. GG_ELOGIN: out of reach. GG_EIDTOKEN: there is no such key.
 * GG_EDATABASE.
 */
GG_MUST bool gg_keyset_find(struct gg_call *c, struct gg_str kid, struct gg_keyset_key *out,
                            struct gg_err *err);

/*
 * Everything that makes an ID token good: its signature by one of the keys, then its claims
 * (OpenID Connect Core section 3.1.3.7). GG_EIDTOKEN, GG_ELOGIN.
 */
GG_MUST bool gg_keyset_check_id(struct gg_call *c, struct gg_secret id_token,
                                struct gg_secret nonce, struct gg_oauth_id *id, struct gg_err *err);

/*
 * What Microsoft says when it is asked now, with the tries and time-outs of any such call; what is
 * held and shared stays as it is. Faults are sentences for an administrator, NULL where all is
 * well; the log knows more.
 */
struct gg_keyset_probe {
    const char *discovery_fault;
    const char *keys_fault;
    int64_t discovery_ms;
    int64_t keys_ms;
    size_t key_count;
    bool has_date;
    int64_t ahead_s; /* our clock of Microsoft's, where the answer had a date */
};
void gg_keyset_probe(struct gg_call *c, struct gg_keyset_probe *out);

#endif
