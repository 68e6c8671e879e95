/* SPDX-License-Identifier: MIT */
#include "gg/web/on_health.h"

#include "gg/flow/audit.h"
#include "gg/flow/health.h"
#include "gg/proto/time.h"

static void put_now(struct gg_exchange *x, const char *name)
{
    gg_jsonw_put(&x->response.json, name, gg_time_format_utc(x->call.arena, gg_clock_now_s()));
}

static void put_details(struct gg_jsonw *w, const struct gg_health *parts)
{
    gg_jsonw_key(w, "details");
    gg_jsonw_open(w, '{');
    for (int i = 0; i < GG_HEALTH_PARTS; i++) {
        gg_jsonw_key(w, parts[i].name);
        gg_jsonw_open(w, '{');
        gg_jsonw_put_bool(w, "ok", parts[i].fault == NULL);
        gg_jsonw_put_text(w, "fault", parts[i].fault);
        gg_jsonw_put_int(w, "took_ms", parts[i].took_ms);
        gg_jsonw_close(w, '}');
    }
    gg_jsonw_close(w, '}');
}

static void note_read(struct gg_exchange *x, const char *what)
{
    gg_audit_note(&x->call, (struct gg_audit_event){.event = "admin.read", .detail = what});
}

bool gg_on_health(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_jsonw *w = &x->response.json;
    struct gg_health parts[GG_HEALTH_PARTS];
    bool ok = gg_health_check(&x->call, parts);

    (void)err;
    gg_response_begin(&x->response, ok ? 200 : 503);
    gg_jsonw_put_text(w, "status", ok ? "healthy" : "unhealthy");
    gg_jsonw_put_text(w, "service", "microsoft_graph");
    gg_jsonw_put_bool(w, "configured", x->call.ctx->is_configured);
    put_now(x, "last_check");
    if (x->has_caller && x->caller.is_admin && x->caller.realm->id == GG_REALM_MAIN) {
        put_details(w, parts);
        /* Without a database this is for the log alone, unless there must be a row. */
        if (parts[GG_HEALTH_DATABASE].fault == NULL || x->call.ctx->conf->audit_fails_closed)
            note_read(x, "health.details");
    }
    gg_response_end(&x->response);
    return true;
}

/* The numbers of one realm, in this order; the summary adds up the first four. */
static const char *const names[] = {"total", "active", "expired", "expiring_soon", "inactive"};

#define NUMBERS (sizeof names / sizeof names[0])

bool gg_on_health_tokens(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_jsonw *w = &x->response.json;
    int64_t n[GG_REALMS][NUMBERS];

    for (int i = 0; i < GG_REALMS; i++) {
        struct gg_token_stats s;
        if (!gg_token_count(x->call.ctx->db, x->call.arena, gg_realm((enum gg_realm_id)i), &s, err))
            return false;
        const int64_t row[NUMBERS] = {s.total, s.active, s.expired, s.expiring_soon, s.inactive};
        for (size_t k = 0; k < NUMBERS; k++)
            n[i][k] = row[k];
    }
    gg_response_begin(&x->response, 200);
    for (int i = 0; i < GG_REALMS; i++) {
        gg_jsonw_key(
            w, gg_arena_printf(x->call.arena, "%s_system", gg_realm((enum gg_realm_id)i)->name));
        gg_jsonw_open(w, '{');
        for (size_t k = 0; k < NUMBERS; k++)
            gg_jsonw_put_int(w, names[k], n[i][k]);
        gg_jsonw_close(w, '}');
    }
    gg_jsonw_key(w, "summary");
    gg_jsonw_open(w, '{');
    static const char *const totals[] = {"total_tokens", "total_active", "total_expired",
                                         "total_expiring_soon"};
    for (size_t k = 0; k < sizeof totals / sizeof totals[0]; k++) {
        int64_t sum = 0;
        for (int i = 0; i < GG_REALMS; i++)
            sum += n[i][k];
        gg_jsonw_put_int(w, totals[k], sum);
    }
    gg_jsonw_close(w, '}');
    put_now(x, "last_updated");
    gg_response_end(&x->response);
    note_read(x, "health.tokens");
    return true;
}
