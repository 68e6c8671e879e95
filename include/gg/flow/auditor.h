/* SPDX-License-Identifier: MIT */
/*
 * Reads the audit again: every row's MAC, every seal's, the chain from the first seal on, and each
 * span against its seal's listing, so that what was changed, removed, put in or moved is named.
 *
 * What it cannot see: rows removed behind the last seal, and a chain cut off at its end. For the
 * latter the head, as `maintain` printed and logged it, is to be kept outside the database.
 */
#ifndef GG_FLOW_AUDITOR_H
#define GG_FLOW_AUDITOR_H

#include "gg/flow/ctx.h"

struct gg_auditor {
    /* Rows of these ids alone, first included, last not; absent: all. The chain is read anyway. */
    struct gg_str from_id;
    struct gg_str to_id;
    /* A head that is known from elsewhere; number 0: none. */
    int64_t head_number;
    struct gg_str head_mac;
    /*
     * Retention: whole sealed spans before this id are removed, in the order of the chain, each
     * when it has been read and found good, and at the first fault no more. Absent: none.
     */
    struct gg_str remove_before;
    bool is_dry; /* only counts what would be removed */
    /* Told each fault, in words for a person. */
    void (*tell)(void *arg, const char *fault);
    void *arg;
    /* out */
    uint64_t faults;
    uint64_t rows; /* that were read */
    uint64_t unsealed;
    uint64_t late; /* of ours, but in no seal: they came when their span had been sealed */
    uint64_t seals;
    uint64_t removed;        /* of the seals, without rows any more */
    uint64_t removing_seals; /* of the seals, by this run */
    uint64_t removing_rows;
    int64_t last_number;    /* the head */
    struct gg_str last_mac; /* in the call's arena */
};

/* False only when it could not read, or not remove: then the database says why. */
GG_MUST bool gg_auditor_run(struct gg_call *c, struct gg_auditor *v, struct gg_err *err);

#endif
