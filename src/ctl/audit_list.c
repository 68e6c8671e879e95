/* SPDX-License-Identifier: MIT */
#include "audit.h"
#include "whose.h"

#include "gg/base/jsonw.h"
#include "gg/store/audit.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_DEFAULT  100
#define LIMIT_MAX      100000
#define LINE_BYTES_MAX ((size_t)16 * 1024)

struct wanted {
    struct gg_audit_filter filter;
    int64_t limit; /* INT64_MAX: none */
    bool is_export;
};

static bool read_filter(struct gg_ctl *c, struct wanted *w, const char **fault)
{
    struct gg_str since = {NULL, 0};
    struct gg_str until = {NULL, 0};
    struct gg_audit_filter *f = &w->filter;
    const struct gg_ctl_flag flags[] = {
        {"realm", .text = &f->realm},
        {"subject", .text = &f->subject},
        {"actor", .text = &f->actor},
        {"event", .text = &f->event},
        {"result", .text = &f->result},
        {"request-id", .text = &f->request_id},
        {"since", .text = &since},
        {"until", .text = &until},
        {"limit", .number = &w->limit, .min = 1, .max = LIMIT_MAX},
    };
    size_t count = sizeof flags / sizeof flags[0] - w->is_export;

    *fault = "takes these options alone";
    if (!gg_ctl_read_flags(c, flags, count) || c->argc > 1)
        return false;
    *fault = GG_CTL_TIMES;
    return gg_ctl_read_time(c, since, GG_CTL_SINCE, &f->after) &&
           gg_ctl_read_time(c, until, GG_CTL_UNTIL, &f->before);
}

static const char *const names[] = {"id",      "at",     "event",           "realm",
                                    "subject", "actor",  "address",         "request_id",
                                    "result",  "detail", "key_fingerprint", "mac"};

#define COLUMNS (sizeof names / sizeof names[0])

static void add_json(struct gg_arena *a, struct gg_buf *line, const struct gg_audit_row *row)
{
    const struct gg_str cells[COLUMNS] = {
        row->id,
        gg_str_of(gg_arena_printf(a, "%.*sZ", GG_STR_ARG(row->at))),
        row->event,
        row->realm,
        row->subject,
        row->actor,
        row->address,
        row->request_id,
        row->result,
        row->detail,
        row->key_fingerprint,
        row->mac,
    };
    struct gg_jsonw w;

    gg_jsonw_init(&w, line);
    gg_jsonw_open(&w, '{');
    for (size_t i = 0; i < COLUMNS; i++)
        gg_jsonw_put(&w, names[i], cells[i]);
    gg_jsonw_close(&w, '}');
}

/*
 * Whoever changed a row may have put anything into it: no terminal gets to see that, and what looks
 * like more than one value stands in quotes.
 */
static void add_pair(struct gg_arena *a, struct gg_buf *line, const char *name, struct gg_str value)
{
    struct gg_str text = gg_audit_clean(a, value, value.n);
    bool is_quoted = false;

    if (value.p == NULL)
        return;
    for (size_t i = 0; i < text.n; i++)
        is_quoted = is_quoted || strchr(" \"\\=", text.p[i]) != NULL;
    gg_buf_add_fmt(line, is_quoted ? " %s=\"" : " %s=", name);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            gg_buf_add_char(line, '\\');
        gg_buf_add_char(line, text.p[i]);
    }
    if (is_quoted)
        gg_buf_add_char(line, '"');
}

static void add_text(struct gg_arena *a, struct gg_buf *line, const struct gg_audit_row *row)
{
    gg_buf_add_fmt(line, "%.*sZ", GG_STR_ARG(row->at));
    add_pair(a, line, "event", row->event);
    add_pair(a, line, "result", row->result);
    add_pair(a, line, "realm", row->realm);
    add_pair(a, line, "subject", row->subject);
    add_pair(a, line, "actor", row->actor);
    add_pair(a, line, "address", row->address);
    add_pair(a, line, "request_id", row->request_id);
    add_pair(a, line, "id", row->id);
    add_pair(a, line, "detail", row->detail);
}

static bool print_page(struct gg_arena *a, const struct wanted *w, const struct gg_audit_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        struct gg_buf line;
        gg_buf_init(&line, a, LINE_BYTES_MAX);
        if (w->is_export)
            add_json(a, &line, &page->rows[i]);
        else
            add_text(a, &line, &page->rows[i]);
        if (printf("%s\n", line.p) < 0)
            return false;
    }
    return true;
}

/* Page by page, so that a large table needs no memory. */
static int print_all(struct gg_ctl *c, struct wanted *w)
{
    struct gg_err err;
    bool more = true;

    while (more && w->limit > 0) {
        struct gg_arena *a = gg_arena_open();
        struct gg_audit_page page = {.is_backwards = !w->is_export, .limit = w->limit};
        bool ok = gg_audit_find(c->ctx.db, a, &w->filter, &page, &err);
        if (ok && page.count > 0) {
            struct gg_str last = page.rows[page.count - 1].id;
            struct gg_str kept = {gg_arena_copy(c->arena, last.p, last.n), last.n};
            *(w->is_export ? &w->filter.after : &w->filter.before) = kept;
        }
        bool is_written = ok && print_page(a, w, &page);
        w->limit -= (int64_t)page.count;
        more = page.count > 0;
        gg_arena_close(a);
        if (!ok)
            return gg_ctl_fail("%s", err.log);
        if (!is_written)
            break;
    }
    return gg_ctl_write(GG_STR(""));
}

static int run(struct gg_ctl *c, struct wanted *w)
{
    const char *fault;

    if (!read_filter(c, w, &fault))
        return gg_ctl_misuse(c, fault);
    struct gg_token_key whose = {gg_realm_find_name(w->filter.realm), w->filter.subject};
    return gg_ctl_note_read(c, whose, w->is_export ? "audit.export" : "audit.list")
               ? print_all(c, w)
               : GG_CTL_FAILED;
}

int gg_ctl_audit_list(struct gg_ctl *c)
{
    struct wanted w = {.limit = LIMIT_DEFAULT};

    return run(c, &w);
}

int gg_ctl_audit_export(struct gg_ctl *c)
{
    struct wanted w = {.limit = INT64_MAX, .is_export = true};

    return run(c, &w);
}
