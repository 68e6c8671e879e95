/* SPDX-License-Identifier: MIT */
/* The local accounts, and all that belongs to them. */
#include "gg/flow/people.h"
#include "gg/store/roster.h"
#include "whose.h"

#include <stdio.h>
#include <string.h>

#define JSON_BYTES_MAX ((size_t)64 * 1024)
#define KEPT           "The audit keeps its rows. Access tokens (JWTs) given out end within 30 minutes."

struct wanted {
    struct gg_str realm;
    struct gg_str user;
    struct gg_str from;
    struct gg_str into;
    struct gg_str identity;
    int64_t limit;
    bool is_json;
    bool is_dry_run;
    bool takes_account;
};

enum verb { LIST = 1, SHOW = 2, MERGE = 4, DELETE = 8 };

static bool read_wanted(struct gg_ctl *c, enum verb verb, struct wanted *w)
{
    const struct {
        unsigned verbs;
        struct gg_ctl_flag flag;
    } all[] = {
        {LIST | SHOW | MERGE | DELETE, {"realm", .text = &w->realm}},
        {SHOW | DELETE, {"user", .text = &w->user}},
        {MERGE, {"from", .text = &w->from}},
        {MERGE, {"into", .text = &w->into}},
        {MERGE, {"identity", .text = &w->identity}},
        {LIST, {"limit", .number = &w->limit, .min = 1, .max = INT32_MAX}},
        {LIST | SHOW, {"json", .given = &w->is_json}},
        {MERGE | DELETE, {"dry-run", .given = &w->is_dry_run}},
        {DELETE, {"account", .given = &w->takes_account}},
    };
    struct gg_ctl_flag flags[sizeof all / sizeof all[0]];
    size_t count = 0;

    *w = (struct wanted){.limit = INT32_MAX};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((all[i].verbs & verb) != 0)
            flags[count++] = all[i].flag;
    return gg_ctl_read_flags(c, flags, count) && c->argc == 1;
}

/* The state of what is connected to an account, or "no". */
static bool find_state(struct gg_ctl *c, struct gg_arena *a, struct gg_token_key who,
                       struct gg_str *state, struct gg_err *err)
{
    struct gg_roster_ask ask = {.realm = who.realm, .subject = who.subject, .limit = 1};
    struct gg_roster_rows found;

    if (!gg_roster_list(c->ctx.db, a, &ask, &found, err))
        return false;
    *state = found.count > 0 ? found.rows[0].state : GG_STR("no");
    return true;
}

static void put_account(struct gg_jsonw *w, const struct gg_realm *realm,
                        const struct gg_account *account, struct gg_str state)
{
    gg_jsonw_put_text(w, "realm", realm->name);
    gg_jsonw_put(w, "id", account->id);
    gg_jsonw_put(w, "tenant_id", account->identity.tenant_id);
    gg_jsonw_put(w, "microsoft_id", account->identity.microsoft_id);
    gg_jsonw_put(w, "email", account->identity.email);
    gg_jsonw_put(w, "full_name", account->identity.full_name);
    gg_jsonw_put(w, "connected", state);
}

static int print_account(struct gg_arena *a, const struct gg_realm *realm,
                         const struct gg_account *account, struct gg_str state)
{
    (void)printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", realm->name, gg_ctl_clean(a, account->id),
                 gg_ctl_clean(a, account->identity.tenant_id),
                 gg_ctl_clean(a, account->identity.microsoft_id),
                 gg_ctl_clean(a, account->identity.email),
                 gg_ctl_clean(a, account->identity.full_name), gg_ctl_clean(a, state));
    return GG_CTL_DONE;
}

static int print_json(struct gg_arena *a, const struct gg_realm *realm,
                      const struct gg_account *account, struct gg_str state)
{
    struct gg_buf text;
    struct gg_jsonw w;

    gg_buf_init(&text, a, JSON_BYTES_MAX);
    gg_jsonw_init(&w, &text);
    gg_jsonw_open(&w, '{');
    put_account(&w, realm, account, state);
    gg_jsonw_close(&w, '}');
    return gg_ctl_print_json(&text);
}

static int list_realm(struct gg_ctl *c, struct wanted *w, const struct gg_realm *realm)
{
    struct gg_account_store accounts = {c->ctx.db, realm};
    struct gg_arena *page = gg_arena_open();
    struct gg_accounts found = {.count = 1};
    struct gg_str state;
    struct gg_err err;
    char last[64] = "";
    int status = GG_CTL_DONE;

    while (status == GG_CTL_DONE && w->limit > 0 && found.count > 0) {
        gg_arena_reset(page);
        found.limit = w->limit < 1000 ? w->limit : 1000;
        found.after = gg_str_of(last[0] == '\0' ? NULL : gg_arena_strdup(page, last));
        if (!gg_account_list(accounts, page, &found, &err))
            status = gg_ctl_fail_db(&err);
        for (size_t i = 0; status == GG_CTL_DONE && i < found.count; i++) {
            struct gg_token_key who = {realm, found.rows[i].id};
            (void)snprintf(last, sizeof last, "%.*s", GG_STR_ARG(who.subject));
            if (!find_state(c, page, who, &state, &err))
                status = gg_ctl_fail_db(&err);
            else
                status =
                    (w->is_json ? print_json : print_account)(page, realm, &found.rows[i], state);
        }
        w->limit -= (int64_t)found.count;
    }
    gg_arena_close(page);
    return status;
}

static int run_list(struct gg_ctl *c)
{
    struct wanted w;
    int status = GG_CTL_DONE;

    if (!read_wanted(c, LIST, &w))
        return gg_ctl_misuse(c, "takes --realm, --limit and --json");
    if (!gg_ctl_note_read(c, (struct gg_token_key){gg_realm_find_name(w.realm), {NULL, 0}},
                          "users.list"))
        return GG_CTL_FAILED;
    if (!w.is_json)
        (void)puts("realm\tid\ttenant\tmicrosoft id\te-mail\tname\tconnected");
    for (int i = 0; status == GG_CTL_DONE && i < GG_REALMS; i++)
        if (gg_ctl_is_realm(w.realm, gg_realm((enum gg_realm_id)i)))
            status = list_realm(c, &w, gg_realm((enum gg_realm_id)i));
    return status == GG_CTL_DONE ? gg_ctl_write(GG_STR("")) : status;
}

static bool is_nothing(const struct gg_people *people)
{
    for (int i = 0; i < GG_PEOPLE_PARTS; i++)
        if (people->rows[i] > 0)
            return false;
    return true;
}

static void print_rows(const struct gg_people *people)
{
    for (int i = 0; i < GG_PEOPLE_PARTS; i++)
        (void)printf("%-18s %lld\n", gg_people_name((enum gg_people_part)i),
                     (long long)people->rows[i]);
}

static int print_one_json(struct gg_ctl *c, struct gg_token_key who, struct gg_people *people,
                          struct gg_str state)
{
    static const char *const keys[GG_PEOPLE_PARTS] = {
        "accounts", "connections", "sessions", "session_codes", "sign_ins", "rate_limit_rows"};
    struct gg_buf text;
    struct gg_jsonw w;

    people->account.id = who.subject;
    gg_buf_init(&text, c->arena, JSON_BYTES_MAX);
    gg_jsonw_init(&w, &text);
    gg_jsonw_open(&w, '{');
    put_account(&w, who.realm, &people->account, state);
    for (int i = 0; i < GG_PEOPLE_PARTS; i++)
        gg_jsonw_put_int(&w, keys[i], people->rows[i]);
    gg_jsonw_close(&w, '}');
    return gg_ctl_print_json(&text);
}

static int run_show(struct gg_ctl *c)
{
    struct gg_people people;
    struct gg_token_key who;
    struct gg_str state;
    struct wanted w;
    struct gg_err err;

    if (!read_wanted(c, SHOW, &w) || !gg_ctl_find_key(c, w.realm, w.user, &who))
        return gg_ctl_misuse(c, "needs --user: a number, or a UUID for beta");
    if (!gg_ctl_note_read(c, who, "users.show"))
        return GG_CTL_FAILED;
    if (!gg_people_count(&c->call, who, &people, &err) ||
        !find_state(c, c->arena, who, &state, &err))
        return gg_ctl_fail_db(&err);
    if (is_nothing(&people))
        return gg_ctl_fail("there is nothing of %s %s", who.realm->name, who.subject.p);
    if (w.is_json)
        return print_one_json(c, who, &people, state);
    const struct gg_identity *identity = &people.account.identity;
    (void)printf("realm              %s\nid                 %s\ntenant             %s\n"
                 "microsoft id       %s\ne-mail             %s\nname               %s\n"
                 "connected          %s\n",
                 who.realm->name, who.subject.p, gg_ctl_clean(c->arena, identity->tenant_id),
                 gg_ctl_clean(c->arena, identity->microsoft_id),
                 gg_ctl_clean(c->arena, identity->email),
                 gg_ctl_clean(c->arena, identity->full_name), gg_ctl_clean(c->arena, state));
    print_rows(&people);
    return gg_ctl_write(GG_STR(""));
}

static int run_delete(struct gg_ctl *c)
{
    struct gg_people people;
    struct gg_people_delete wish = {0};
    struct wanted w;
    struct gg_err err;

    if (!read_wanted(c, DELETE, &w) || !gg_ctl_find_key(c, w.realm, w.user, &wish.who))
        return gg_ctl_misuse(c, "needs --user: a number, or a UUID for beta");
    wish.takes_account = w.takes_account;
    if (!gg_people_count(&c->call, wish.who, &people, &err))
        return gg_ctl_fail_db(&err);
    if (is_nothing(&people))
        return gg_ctl_fail("there is nothing of %s %s", wish.who.realm->name, wish.who.subject.p);
    if (!w.is_dry_run && !gg_people_drop(&c->call, wish, &people, &err))
        return gg_ctl_fail_db(&err);
    (void)printf("%s %s %s %s:\n", w.is_dry_run ? "would be" : "was", "deleted of",
                 wish.who.realm->name, wish.who.subject.p);
    bool stays = people.account.found && !people.is_ours && !w.takes_account;
    if (stays)
        people.rows[GG_PEOPLE_ACCOUNT] = 0;
    print_rows(&people);
    if (stays)
        (void)printf("The row in %s is the site's: only its Microsoft identity goes; --account "
                     "deletes it.\n",
                     wish.who.realm->user_table);
    (void)puts(KEPT);
    return gg_ctl_write(GG_STR(""));
}

/* True for words of the command's that make sense together. */
static bool read_merge(struct gg_ctl *c, struct wanted *w, struct gg_people_merge *m)
{
    *m = (struct gg_people_merge){0};
    if (!read_wanted(c, MERGE, w) || !gg_ctl_find_key(c, w->realm, w->from, &m->from) ||
        !gg_ctl_find_key(c, w->realm, w->into, &m->into))
        return false;
    m->is_dry_run = w->is_dry_run;
    m->identity = gg_str_is(w->identity, "from")   ? GG_PEOPLE_FROM
                  : gg_str_is(w->identity, "into") ? GG_PEOPLE_INTO
                                                   : GG_PEOPLE_UNDECIDED;
    return (w->identity.p == NULL || m->identity != GG_PEOPLE_UNDECIDED) &&
           m->from.realm == m->into.realm && !gg_str_is_equal(m->from.subject, m->into.subject);
}

static int run_merge(struct gg_ctl *c)
{
    struct gg_people people;
    struct gg_people_merge m;
    struct wanted w;
    struct gg_err err;

    if (!read_merge(c, &w, &m))
        return gg_ctl_misuse(c, "needs --from and --into, two users of one realm; --identity is "
                                "from or into");
    if (!gg_people_count(&c->call, m.from, &people, &err))
        return gg_ctl_fail_db(&err);
    if (is_nothing(&people))
        return gg_ctl_fail("there is nothing of %s %s", m.from.realm->name, m.from.subject.p);
    if (!gg_people_join(&c->call, &m, &people, &err))
        return gg_ctl_fail_db(&err);
    const char *would = m.is_dry_run ? "would be " : "";
    (void)printf("%s %s %smerged into %s\nidentity %s%s\ntokens %s%s\n", m.from.realm->name,
                 m.from.subject.p, would, m.into.subject.p, would,
                 m.moves_identity ? "moved" : "left as it is", would,
                 m.moves_tokens ? "moved, sealed for the new owner" : "left as they are");
    (void)printf("%sdeleted of %s:\n", would, m.from.subject.p);
    print_rows(&people);
    (void)puts(KEPT);
    return gg_ctl_write(GG_STR(""));
}

static const struct gg_ctl_verb verbs[] = {
    {"list", "[--realm main|beta] [--limit N] [--json]",
     "the accounts, one line each, and whether they are connected", GG_CTL_NEEDS_DB, run_list},
    {"show", "--user S [--realm main|beta] [--json]", "one of them, and how much belongs to it",
     GG_CTL_NEEDS_DB, run_show},
    {"merge", "--from S --into S [--realm main|beta] [--identity from|into] [--dry-run]",
     "makes two accounts of one person one, which keeps the second's id",
     GG_CTL_NEEDS_DB | GG_CTL_NEEDS_KEYS, run_merge},
    {"delete", "--user S [--realm main|beta] [--account] [--dry-run]",
     "deletes all that belongs to a user, and says what; of a site's own table of users the row "
     "only with `--account`",
     GG_CTL_NEEDS_DB | GG_CTL_NEEDS_KEYS, run_delete},
    {0},
};

const struct gg_ctl_command gg_ctl_users = {
    .name = "users",
    .help = "lists, merges and deletes the local accounts with all that is theirs",
    .verbs = verbs,
};
