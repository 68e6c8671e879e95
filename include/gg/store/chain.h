/* SPDX-License-Identifier: MIT */
/*
 * Table audit_seals: the chain of seals over the audit's finished spans. The worker's user may add
 * seals and read them; the proof of a removal is written by an administrator's.
 */
#ifndef GG_STORE_CHAIN_H
#define GG_STORE_CHAIN_H

#include "gg/ext/db.h"
#include "gg/proto/audit.h"

/* The newest one, without its listing; its number is 0 when there is none. */
GG_MUST bool gg_chain_find_last(struct gg_db *db, struct gg_arena *a, struct gg_audit_seal *seal,
                                struct gg_err *err);

/* Seals behind a number, at most GG_CHAIN_PAGE_MAX, in their order and without their listings. */
#define GG_CHAIN_PAGE_MAX 100
struct gg_chain_page {
    int64_t after;
    struct gg_audit_seal *seals; /* out */
    size_t count;                /* out */
};
GG_MUST bool gg_chain_find(struct gg_db *db, struct gg_arena *a, struct gg_chain_page *page,
                           struct gg_err *err);

/* seal->listing of that number; absent when it has none any more. */
GG_MUST bool gg_chain_find_listing(struct gg_db *db, struct gg_arena *a, struct gg_audit_seal *seal,
                                   struct gg_err *err);

/* Adds it; *added is false when another has taken its number. */
GG_MUST bool gg_chain_put(struct gg_db *db, struct gg_arena *a, const struct gg_audit_seal *seal,
                          bool *added, struct gg_err *err);

/* Writes removed_*, and takes the listing away. */
GG_MUST bool gg_chain_note_removal(struct gg_db *db, struct gg_arena *a,
                                   const struct gg_audit_seal *seal, struct gg_err *err);

#endif
