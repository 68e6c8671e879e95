/* SPDX-License-Identifier: MIT */
#include "gg/web/on_health.h"

#include "gg/flow/audit.h"
#include "gg/flow/health.h"
#include "gg/proto/event.h"
#include "gg/proto/time.h"
#include "gg/store/tokenrow.h"

static void put_time(struct gg_exchange *x, const char *name, int64_t at_s)
{
    gg_jsonw_put(&x->response.json, name, gg_time_format_utc(x->call.arena, at_s));
}

static void put_list(struct gg_jsonw *w, const struct gg_health_value *value)
{
    gg_jsonw_key(w, value->name);
    gg_jsonw_open(w, '[');
    for (int64_t i = 0; i < value->number; i++)
        gg_jsonw_str(w, value->list[i]);
    gg_jsonw_close(w, ']');
}

static void put_value(struct gg_jsonw *w, const struct gg_health_value *value)
{
    if (value->type == GG_HEALTH_NUMBER)
        gg_jsonw_put_int(w, value->name, value->number);
    else if (value->type == GG_HEALTH_TEXT)
        gg_jsonw_put(w, value->name, value->text);
    else if (value->type == GG_HEALTH_LIST)
        put_list(w, value);
    else
        gg_jsonw_put_text(w, value->name, "unknown");
}

static void put_parts(struct gg_jsonw *w, const struct gg_health *parts, int count)
{
    for (int i = 0; i < count; i++) {
        gg_jsonw_key(w, parts[i].name);
        gg_jsonw_open(w, '{');
        gg_jsonw_put_bool(w, "ok", parts[i].fault == NULL);
        gg_jsonw_put_text(w, "fault", parts[i].fault);
        gg_jsonw_put_int(w, "took_ms", parts[i].took_ms);
        for (int k = 0; k < GG_HEALTH_VALUES_MAX && parts[i].values[k].name != NULL; k++)
            put_value(w, &parts[i].values[k]);
        gg_jsonw_close(w, '}');
    }
}

/* An administrator's alone: whoever else asks gets what anybody gets. */
static bool read_deep(struct gg_exchange *x, bool *is_deep, struct gg_err *err)
{
    struct gg_str deep = gg_request_query(&x->request, "deep");
    struct gg_faults faults;

    *is_deep = gg_str_is(deep, "1");
    gg_faults_init(&faults, x->call.arena);
    if (deep.p != NULL && !*is_deep && !gg_str_is(deep, "0"))
        gg_faults_add(&faults, "deep", "must be 0 or 1");
    return gg_faults_check(&faults, err);
}

static void note_read(struct gg_exchange *x, const char *what)
{
    gg_audit_note(&x->call, (struct gg_audit_event){.event = "admin.read", .detail = what});
}

/* What anybody is told; the answer stays open. */
static void answer_health(struct gg_exchange *x, bool ok, int64_t looked_at_s)
{
    struct gg_jsonw *w = &x->response.json;

    x->fault = ok ? NULL : "unhealthy";
    gg_response_begin(&x->response, ok ? 200 : 503);
    gg_jsonw_put_text(w, "status", ok ? "healthy" : "unhealthy");
    gg_jsonw_put_text(w, "service", "microsoft_graph");
    gg_jsonw_put_bool(w, "configured", x->call.ctx->is_configured);
    put_time(x, "last_check", looked_at_s);
}

bool gg_on_health(struct gg_exchange *x, struct gg_err *err)
{
    struct gg_jsonw *w = &x->response.json;
    struct gg_health parts[GG_HEALTH_PARTS];
    struct gg_health deep[GG_HEALTH_DEEP_PARTS];
    bool is_admin = x->has_caller && x->caller.is_admin && x->caller.realm->id == GG_REALM_MAIN;
    bool is_deep = false;

    /* Who may not see the parts may ask as often as anybody likes: see gg_health_is_ready. */
    if (!is_admin) {
        bool is_ready = gg_health_is_ready(&x->call);
        answer_health(x, is_ready, x->call.ctx->ready_at_s);
        gg_response_end(&x->response);
        return true;
    }
    if (!read_deep(x, &is_deep, err))
        return false;
    bool ok = gg_health_check(&x->call, parts);
    bool has_database = parts[GG_HEALTH_DATABASE].fault == NULL;
    /* Where there must be a row of the audit for it, and can be none, there are no details. */
    bool is_tellable = has_database || !x->call.ctx->conf->audit_fails_closed;
    gg_health_look_at_keys(&x->call, parts);
    if (is_deep && is_tellable)
        gg_health_look_deeper(&x->call, parts, deep);
    answer_health(x, ok, gg_clock_now_s());
    if (is_tellable) {
        gg_jsonw_key(w, "details");
        gg_jsonw_open(w, '{');
        put_parts(w, parts, GG_HEALTH_PARTS);
        if (is_deep)
            put_parts(w, deep, GG_HEALTH_DEEP_PARTS);
        gg_jsonw_close(w, '}');
        if (has_database)
            note_read(x, is_deep ? "health.deep" : "health.details");
    }
    gg_response_end(&x->response);
    return true;
}

static void answer_status(struct gg_exchange *x, int status, const char *word)
{
    gg_response_begin(&x->response, status);
    gg_jsonw_put_text(&x->response.json, "status", word);
    gg_response_end(&x->response);
}

bool gg_on_health_live(struct gg_exchange *x, struct gg_err *err)
{
    (void)err;
    answer_status(x, 200, "alive");
    return true;
}

bool gg_on_health_ready(struct gg_exchange *x, struct gg_err *err)
{
    bool ok = gg_health_is_ready(&x->call);

    (void)err;
    x->fault = ok ? NULL : "not_ready";
    answer_status(x, ok ? 200 : 503, ok ? "ready" : "not_ready");
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
        struct gg_tokenrow_states s;
        if (!gg_tokenrow_count_states(x->call.ctx->db, x->call.arena, gg_realm((enum gg_realm_id)i),
                                      &s, err))
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
    put_time(x, "last_updated", gg_clock_now_s());
    gg_response_end(&x->response);
    note_read(x, "health.tokens");
    return true;
}
