/* SPDX-License-Identifier: MIT */
#include "gg/flow/idle.h"

#include "gg/base/log.h"
#include "gg/flow/audit.h"
#include "gg/flow/refresh.h"
#include "gg/store/roster.h"

#include <string.h>
#include <unistd.h>

/* Between two calls of one process: a random part of this. */
#define PAUSE_MS 200

bool gg_idle_find(struct gg_call *c, int64_t limit, struct gg_token_key **keys, size_t *count,
                  struct gg_err *err)
{
    struct gg_roster_idle idle = {
        .days = c->ctx->conf->refresh_idle_days,
        .limit = limit,
        /* Hosts that begin in one second take them in different orders. */
        .salt = gg_clock_mono_ms() * 4194304 + getpid(),
    };

    *count = 0;
    *keys = gg_arena_alloc(c->arena, GG_REALMS * GG_ROSTER_ROWS_MAX * sizeof **keys);
    for (int i = 0; i < GG_REALMS; i++) {
        struct gg_roster_subjects found;
        idle.realm = gg_realm((enum gg_realm_id)i);
        if (!gg_roster_find_idle(c->ctx->db, c->arena, &idle, &found, err))
            return false;
        for (size_t k = 0; k < found.count; k++)
            (*keys)[(*count)++] = (struct gg_token_key){idle.realm, found.subjects[k]};
    }
    return true;
}

/* Whether it still is due, asked after the row was read: then nobody has refreshed that row. */
static bool is_due(struct gg_call *c, struct gg_token_key key, bool *due, struct gg_err *err)
{
    struct gg_roster_idle idle = {.realm = key.realm,
                                  .subject = key.subject,
                                  .days = c->ctx->conf->refresh_idle_days,
                                  .limit = 1};
    struct gg_roster_subjects found;

    if (!gg_roster_find_idle(c->ctx->db, c->arena, &idle, &found, err))
        return false;
    *due = found.count > 0;
    return true;
}

static void refresh_one(struct gg_call *c, struct gg_token_key key, struct gg_idle_page *page)
{
    struct gg_token row;
    struct gg_err err = {.code = GG_OK};
    bool due = false;
    bool was_asked = false;
    bool ok = gg_token_find(gg_ctx_tokens(c->ctx), c->arena, key, &row, &err) &&
              is_due(c, key, &due, &err);

    if (ok && (!due || row.is_leased || row.failure.p != NULL)) {
        atomic_fetch_add(&page->skipped, 1);
        return;
    }
    ok = ok && gg_refresh_row(c, &row, &was_asked, &err);
    if (ok)
        atomic_fetch_add(was_asked ? &page->refreshed : &page->skipped, 1);
    else if (err.code == GG_EAUTHREQUIRED && (err.microsoft_code[0] != '\0' || row.is_too_old))
        atomic_fetch_add(&page->refused, 1);
    else
        atomic_fetch_add(&page->failed, 1);
    if (c->is_throttled)
        atomic_store(&page->stop, GG_IDLE_THROTTLED);
    else if (err.code == GG_ECLIENT)
        atomic_store(&page->stop, GG_IDLE_REJECTED);
    else if (err.code == GG_EDATABASE)
        atomic_store(&page->stop, GG_IDLE_NO_DATABASE);
}

void gg_idle_work(struct gg_call *c, const struct gg_token_key *keys, size_t count,
                  struct gg_idle_page *page)
{
    struct gg_arena *arena = gg_arena_open();
    int64_t each_ms = c->ctx->conf->request_deadline_s * 1000;
    struct gg_err err;
    size_t i;

    while (atomic_load(&page->stop) == GG_IDLE_GOES_ON &&
           (i = atomic_fetch_add(&page->next, 1)) < count) {
        if (gg_deadline_left_ms(c->deadline) == 0) {
            atomic_store(&page->stop, GG_IDLE_LATE);
            break;
        }
        struct gg_call one = *c;
        one.arena = arena;
        one.deadline = gg_deadline_in(each_ms);
        refresh_one(&one, keys[i], page);
        if (!gg_audit_flush(&one, &err))
            atomic_store(&page->stop, GG_IDLE_NO_DATABASE);
        gg_arena_reset(arena);
        gg_clock_sleep_ms((gg_clock_mono_ms() * 31 + getpid() * 17L) % PAUSE_MS);
    }
    gg_arena_close(arena);
}
