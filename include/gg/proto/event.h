/* SPDX-License-Identifier: MIT */
/*
 * The calendar's input: what a caller may say of an event, and what Graph is told (resource type
 * `event`, Graph v1.0).
 *
 * Every fault is collected, so that a caller sees all of them at once. Values of text are checked
 * in characters, not in bytes.
 */
#ifndef GG_PROTO_EVENT_H
#define GG_PROTO_EVENT_H

#include "gg/base/arena.h"
#include "gg/ext/json.h"
#include "gg/proto/time.h"

#define GG_EVENT_ID_BYTES_MAX 1024

/* Faults found so far, in the order of the fields. */
struct gg_faults {
    struct gg_arena *arena;
    struct gg_fault *first;
    struct gg_fault **last;
};

void gg_faults_init(struct gg_faults *f, struct gg_arena *arena);
void gg_faults_add(struct gg_faults *f, const char *field, const char *detail);

/* True when there is none; else fails with GG_EINVALID. */
GG_MUST bool gg_faults_check(const struct gg_faults *f, struct gg_err *err);

enum gg_event_use { GG_EVENT_CREATE, GG_EVENT_UPDATE };

/*
 * Graph's body for an event from the caller's. transaction_id (absent: none) goes with a creation.
 * *out is JSON text of the arena. GG_EINVALID with the faults.
 */
struct gg_event_input {
    enum gg_event_use use;
    const struct gg_json *body;
    struct gg_str transaction_id;
};
GG_MUST bool gg_event_format(struct gg_arena *a, const struct gg_event_input *input,
                             struct gg_str *out, struct gg_err *err);

/* 1-64 of A-Za-z0-9_+-/.() and space: an IANA or a Windows name, as far as can be seen here. */
bool gg_event_is_timezone(struct gg_str s);

/* An id of Graph's that can stand as one segment of a path: it is encoded, but must not be "..". */
bool gg_event_is_id(struct gg_str s);

#endif
