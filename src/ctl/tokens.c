/* SPDX-License-Identifier: MIT */
/* What is stored of Microsoft's tokens: everything but the tokens. */
#include "gg/flow/audit.h"
#include "gg/flow/refresh.h"
#include "gg/store/roster.h"
#include "whose.h"

#include <stdio.h>
#include <string.h>

#define JSON_BYTES_MAX ((size_t)256 * 1024)

struct wanted {
    struct gg_str realm;
    struct gg_str user;
    struct gg_str tenant;
    struct gg_str state;
    int64_t limit;
    bool is_json;
    bool is_dry_run;
    bool is_sure;
};

enum flags { LIST = 1, SHOW = 2, REVOKE = 4, REFRESH = 8 };

/* Takes the options that this verb has; true when they make sense, and *key is the user named. */
static bool read_wanted(struct gg_ctl *c, enum flags verb, struct wanted *w,
                        struct gg_token_key *key)
{
    const struct {
        unsigned verbs;
        struct gg_ctl_flag flag;
    } all[] = {
        {LIST | SHOW | REVOKE | REFRESH, {"realm", .text = &w->realm}},
        {LIST | SHOW | REVOKE | REFRESH, {"user", .text = &w->user}},
        {LIST | REVOKE, {"tenant", .text = &w->tenant}},
        {LIST, {"state", .text = &w->state}},
        {LIST, {"limit", .number = &w->limit, .min = 1, .max = INT32_MAX}},
        {LIST | SHOW, {"json", .given = &w->is_json}},
        {REVOKE, {"dry-run", .given = &w->is_dry_run}},
        {REVOKE, {"yes", .given = &w->is_sure}},
    };
    struct gg_ctl_flag flags[sizeof all / sizeof all[0]];
    size_t count = 0;

    *w = (struct wanted){.limit = INT32_MAX};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((all[i].verbs & verb) != 0)
            flags[count++] = all[i].flag;
    return gg_ctl_read_flags(c, flags, count) && c->argc == 1 &&
           (w->user.p == NULL || gg_ctl_find_key(c, w->realm, w->user, key));
}

/* A row as one of the lines under the heading. */
static void print_line(struct gg_arena *a, const struct gg_realm *realm,
                       const struct gg_roster_row *row)
{
    (void)printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", realm->name,
                 gg_ctl_clean(a, row->subject), gg_ctl_clean(a, row->state),
                 gg_ctl_clean(a, row->reason), gg_ctl_clean(a, row->tenant_id),
                 gg_ctl_clean(a, row->microsoft_id), gg_ctl_clean(a, row->email),
                 gg_ctl_time(a, row->expires_at_s), gg_ctl_time(a, row->last_used_at_s),
                 gg_ctl_time(a, row->connected_at_s));
}

static int print_object(struct gg_arena *a, const struct gg_realm *realm,
                        const struct gg_roster_row *row)
{
    struct gg_str rest = row->scope;
    struct gg_str word;
    struct gg_buf text;
    struct gg_jsonw w;

    gg_buf_init(&text, a, JSON_BYTES_MAX);
    gg_jsonw_init(&w, &text);
    gg_jsonw_open(&w, '{');
    gg_jsonw_put_text(&w, "realm", realm->name);
    gg_jsonw_put(&w, "subject", row->subject);
    gg_jsonw_put(&w, "state", row->state);
    gg_jsonw_put(&w, "reason", row->reason);
    gg_jsonw_put(&w, "tenant_id", row->tenant_id);
    gg_jsonw_put(&w, "microsoft_id", row->microsoft_id);
    gg_jsonw_put(&w, "email", row->email);
    gg_ctl_put_time(&w, a, "expires_at", row->expires_at_s);
    gg_ctl_put_time(&w, a, "last_used_at", row->last_used_at_s);
    gg_ctl_put_time(&w, a, "connected_at", row->connected_at_s);
    gg_ctl_put_time(&w, a, "changed_at", row->changed_at_s);
    gg_jsonw_key(&w, "scopes");
    gg_jsonw_open(&w, '[');
    while (rest.p != NULL && gg_str_take(&rest, ' ', &word))
        if (word.n > 0)
            gg_jsonw_str(&w, word);
    gg_jsonw_close(&w, ']');
    gg_jsonw_close(&w, '}');
    return gg_ctl_print_json(&text);
}

/* One realm's rows, page by page; *left is how many more may come. */
static int list_realm(struct gg_ctl *c, const struct wanted *w, struct gg_roster_ask ask,
                      int64_t *left)
{
    struct gg_arena *page = gg_arena_open();
    struct gg_roster_rows found = {.count = 1};
    struct gg_err err;
    int status = GG_CTL_DONE;

    while (status == GG_CTL_DONE && *left > 0 && found.count > 0) {
        gg_arena_reset(page);
        ask.limit = *left < GG_ROSTER_ROWS_MAX ? *left : GG_ROSTER_ROWS_MAX;
        if (!gg_roster_list(c->ctx.db, page, &ask, &found, &err)) {
            status = gg_ctl_fail_db(&err);
            break;
        }
        for (size_t i = 0; status == GG_CTL_DONE && i < found.count; i++) {
            ask.after_id = found.rows[i].id;
            if (w->is_json)
                status = print_object(page, ask.realm, &found.rows[i]);
            else
                print_line(page, ask.realm, &found.rows[i]);
        }
        *left -= (int64_t)found.count;
    }
    gg_arena_close(page);
    return status;
}

static bool note_list(struct gg_ctl *c, const struct wanted *w, struct gg_token_key key)
{
    const char *tenant = w->tenant.p == NULL ? "" : " tenant=";
    const char *state = w->state.p == NULL ? "" : " state=";

    if (key.realm == NULL)
        key.realm = gg_realm_find_name(w->realm);
    return gg_ctl_note_read(c, key,
                            gg_arena_printf(c->arena, "tokens.list%s%.*s%s%.*s", tenant,
                                            GG_STR_ARG(w->tenant), state, GG_STR_ARG(w->state)));
}

static int run_list(struct gg_ctl *c)
{
    struct gg_token_key key = {0};
    struct wanted w;
    int status = GG_CTL_DONE;

    if (!read_wanted(c, LIST, &w, &key))
        return gg_ctl_misuse(c, "takes --realm, --user, --tenant, --state, --limit and --json");
    if (!note_list(c, &w, key))
        return GG_CTL_FAILED;
    if (!w.is_json)
        (void)puts("realm\tsubject\tstate\treason\ttenant\tmicrosoft id\te-mail\texpires\tlast used"
                   "\tconnected");
    for (int i = 0; status == GG_CTL_DONE && i < GG_REALMS; i++) {
        struct gg_roster_ask ask = {.realm = gg_realm((enum gg_realm_id)i),
                                    .subject = key.subject,
                                    .tenant_id = w.tenant,
                                    .state = w.state};
        if (key.realm != NULL ? key.realm == ask.realm : gg_ctl_is_realm(w.realm, ask.realm))
            status = list_realm(c, &w, ask, &w.limit);
    }
    return status == GG_CTL_DONE ? gg_ctl_write(GG_STR("")) : status;
}

static int run_show(struct gg_ctl *c)
{
    struct gg_token_key key = {0};
    struct gg_roster_rows found;
    struct wanted w;
    struct gg_err err;

    if (!read_wanted(c, SHOW, &w, &key) || w.user.p == NULL)
        return gg_ctl_misuse(c, "needs --user: a number, or a UUID for beta");
    if (!gg_ctl_note_read(c, key, "tokens.show"))
        return GG_CTL_FAILED;
    struct gg_roster_ask ask = {.realm = key.realm, .subject = key.subject, .limit = 1};
    if (!gg_roster_list(c->ctx.db, c->arena, &ask, &found, &err))
        return gg_ctl_fail_db(&err);
    if (found.count == 0)
        return gg_ctl_fail("nothing is stored of %s %s", key.realm->name, key.subject.p);
    if (w.is_json)
        return print_object(c->arena, key.realm, found.rows);
    const struct gg_roster_row *row = found.rows;
    (void)printf("realm         %s\nsubject       %s\nstate         %s\nreason        %s\n"
                 "tenant        %s\nmicrosoft id  %s\ne-mail        %s\nexpires       %s\n"
                 "last used     %s\nconnected     %s\nrefreshed     %s\nscopes        %s\n",
                 key.realm->name, key.subject.p, gg_ctl_clean(c->arena, row->state),
                 gg_ctl_clean(c->arena, row->reason), gg_ctl_clean(c->arena, row->tenant_id),
                 gg_ctl_clean(c->arena, row->microsoft_id), gg_ctl_clean(c->arena, row->email),
                 gg_ctl_time(c->arena, row->expires_at_s),
                 gg_ctl_time(c->arena, row->last_used_at_s),
                 gg_ctl_time(c->arena, row->connected_at_s),
                 gg_ctl_time(c->arena, row->changed_at_s), gg_ctl_clean(c->arena, row->scope));
    return gg_ctl_write(GG_STR(""));
}

static bool revoke_one(struct gg_ctl *c, struct gg_token_key key, struct gg_err *err)
{
    if (!gg_token_drop(gg_ctx_tokens(&c->ctx), c->arena, key, err))
        return false;
    gg_audit_note(&c->call, (struct gg_audit_event){.event = "token.revoke",
                                                    .realm = key.realm,
                                                    .subject = key.subject});
    return gg_audit_flush(&c->call, err);
}

/* One realm's rows that are meant; *count says how many. What was deleted before a failure stays
 * so: the next run goes on. */
static bool revoke_realm(struct gg_ctl *c, const struct wanted *w, struct gg_roster_ask ask,
                         int64_t *count, struct gg_err *err)
{
    struct gg_roster_rows found = {.count = 1};

    ask.limit = GG_ROSTER_ROWS_MAX;
    while (found.count > 0) {
        if (!gg_roster_list(c->ctx.db, c->arena, &ask, &found, err))
            return false;
        for (size_t i = 0; i < found.count; i++) {
            struct gg_token_key key = {ask.realm, found.rows[i].subject};
            ask.after_id = found.rows[i].id;
            if (!w->is_dry_run && !revoke_one(c, key, err))
                return false;
            ++*count;
        }
    }
    return true;
}

static int run_revoke(struct gg_ctl *c)
{
    struct gg_token_key key = {0};
    struct wanted w;
    struct gg_err err;
    int64_t count = 0;

    if (!read_wanted(c, REVOKE, &w, &key) || (w.user.p == NULL) == (w.tenant.p == NULL))
        return gg_ctl_misuse(c, "needs --user or --tenant");
    if (w.tenant.p != NULL && !w.is_sure && !w.is_dry_run)
        return gg_ctl_misuse(c, "a whole tenant needs --yes, or --dry-run");
    for (int i = 0; i < GG_REALMS; i++) {
        struct gg_roster_ask ask = {
            .realm = gg_realm((enum gg_realm_id)i), .subject = key.subject, .tenant_id = w.tenant};
        if (key.realm != NULL ? key.realm != ask.realm : !gg_ctl_is_realm(w.realm, ask.realm))
            continue;
        if (!revoke_realm(c, &w, ask, &count, &err)) {
            (void)printf("%lld connections deleted\n", (long long)count);
            return gg_ctl_fail_db(&err);
        }
    }
    (void)printf("%lld connections %s\n", (long long)count,
                 w.is_dry_run ? "would be deleted" : "deleted");
    if (count > 0 && !w.is_dry_run)
        (void)puts("At Microsoft nothing has ended: consent is taken back by the user or the "
                   "tenant's administrator there.");
    return gg_ctl_write(GG_STR(""));
}

static const char *class_of(const struct gg_err *err)
{
    return err->code == GG_EAUTHREQUIRED ? "permanent: the user must connect again"
           : err->code == GG_ECLIENT     ? "operator: the application's registration is at fault"
           : err->code == GG_ELOGIN      ? "passing: again in a moment"
                                         : gg_err_row(err->code)->code;
}

static int run_refresh(struct gg_ctl *c)
{
    struct gg_token_key key = {0};
    struct gg_token row;
    struct wanted w;
    struct gg_err err = {.code = GG_OK};
    struct gg_err unwritten;
    bool was_asked;

    if (!read_wanted(c, REFRESH, &w, &key) || w.user.p == NULL)
        return gg_ctl_misuse(c, "needs --user: a number, or a UUID for beta");
    c->call.deadline = gg_deadline_in(c->loaded.conf.request_deadline_s * 1000);
    bool ok = gg_token_find(gg_ctx_tokens(&c->ctx), c->arena, key, &row, &err) &&
              gg_refresh_row(&c->call, &row, &was_asked, &err) &&
              gg_token_find(gg_ctx_tokens(&c->ctx), c->arena, key, &row, &err);
    bool is_written = gg_audit_flush(&c->call, &unwritten);
    if (!ok)
        return gg_ctl_fail("not refreshed: %s%s%s (%s)", err.microsoft_code,
                           err.microsoft_code[0] == '\0' ? "" : ": ", class_of(&err), err.log);
    if (!is_written)
        return gg_ctl_fail("refreshed, but the audit was not written: %s", unwritten.log);
    (void)printf("refreshed%s; the new token ends %s\n",
                 was_asked ? "" : " by another at the same time",
                 gg_ctl_time(c->arena, row.expires_at_s));
    return gg_ctl_write(GG_STR(""));
}

#define FIND_USAGE \
    "[--realm main|beta] [--user S] [--tenant T] [--state active|expiring|expired|inactive] " \
    "[--limit N] [--json]"

static const struct gg_ctl_verb verbs[] = {
    {"list", FIND_USAGE,
     "one line each; `expiring` is within 5 minutes, the next use of an `expired` one refreshes it",
     GG_CTL_NEEDS_DB, run_list},
    {"show", "--user S [--realm main|beta] [--json]", "all that is known of one, but the tokens",
     GG_CTL_NEEDS_DB, run_show},
    {"revoke", "(--user S | --tenant T) [--realm main|beta] [--dry-run] [--yes]",
     "deletes the stored tokens, as a disconnect does; a tenant's need `--yes`",
     GG_CTL_NEEDS_DB | GG_CTL_NEEDS_KEYS, run_revoke},
    {"refresh", "--user S [--realm main|beta]", "refreshes now, and says how that went",
     GG_CTL_NEEDS_ALL, run_refresh},
    {0},
};

const struct gg_ctl_command gg_ctl_tokens = {
    .name = "tokens",
    .help = "lists, deletes and refreshes stored connections; never prints a token",
    .verbs = verbs,
};
