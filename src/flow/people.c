/* SPDX-License-Identifier: MIT */
#include "gg/flow/people.h"

#include "gg/flow/audit.h"
#include "gg/store/family.h"
#include "gg/store/login.h"
#include "gg/store/rate.h"
#include "gg/store/roster.h"
#include "gg/store/session.h"

/* The parts that are rows of a realm and a subject, and no more. */
static const struct {
    const char *name;
    bool (*count)(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                  struct gg_err *err);
    bool (*drop)(struct gg_db *db, struct gg_arena *a, struct gg_subject who, int64_t *count,
                 struct gg_err *err);
} parts[GG_PEOPLE_PARTS] = {
    [GG_PEOPLE_ACCOUNT] = {.name = "accounts"},
    [GG_PEOPLE_CONNECTION] = {.name = "connections"},
    [GG_PEOPLE_SESSIONS] = {"sessions", gg_family_count_of, gg_family_drop_of},
    [GG_PEOPLE_CODES] = {"session codes", gg_session_count_of, gg_session_drop_of},
    [GG_PEOPLE_SIGN_INS] = {"sign-ins under way", gg_login_count_of, gg_login_drop_of},
    [GG_PEOPLE_RATES] = {"rate-limit rows", gg_rate_count_of, gg_rate_drop_of},
};

const char *gg_people_name(enum gg_people_part part)
{
    return parts[part].name;
}

bool gg_people_has_identity(const struct gg_account *account)
{
    return account->found && account->identity.tenant_id.n > 0 &&
           !gg_str_is(account->identity.tenant_id, GG_ACCOUNT_MERGED);
}

static struct gg_account_store accounts_of(struct gg_call *c, struct gg_token_key who)
{
    return (struct gg_account_store){c->ctx->db, who.realm};
}

bool gg_people_count(struct gg_call *c, struct gg_token_key who, struct gg_people *people,
                     struct gg_err *err)
{
    struct gg_account_store accounts = accounts_of(c, who);
    struct gg_subject subject = {who.realm, who.subject};
    struct gg_token token;

    *people = (struct gg_people){0};
    if (!gg_account_find(accounts, c->arena, who.subject, &people->account, err) ||
        !gg_account_is_ours(accounts, c->arena, &people->is_ours, err) ||
        !gg_token_find(gg_ctx_tokens(c->ctx), c->arena, who, &token, err))
        return false;
    people->rows[GG_PEOPLE_ACCOUNT] = people->account.found;
    people->rows[GG_PEOPLE_CONNECTION] = token.found;
    for (int i = 0; i < GG_PEOPLE_PARTS; i++)
        if (parts[i].count != NULL &&
            !parts[i].count(c->ctx->db, c->arena, subject, &people->rows[i], err))
            return false;
    return true;
}

/* Everything but the account. */
static bool drop_parts(struct gg_call *c, struct gg_token_key who, struct gg_people *people,
                       struct gg_err *err)
{
    struct gg_subject subject = {who.realm, who.subject};

    for (int i = 0; i < GG_PEOPLE_PARTS; i++)
        if (parts[i].drop != NULL &&
            !parts[i].drop(c->ctx->db, c->arena, subject, &people->rows[i], err))
            return false;
    return gg_token_drop(gg_ctx_tokens(c->ctx), c->arena, who, err);
}

static bool drop_account(struct gg_call *c, struct gg_people_delete wish,
                         const struct gg_people *people, struct gg_err *err)
{
    struct gg_account_store accounts = accounts_of(c, wish.who);

    if (!people->account.found)
        return true;
    return people->is_ours || wish.takes_account
               ? gg_account_drop(accounts, c->arena, wish.who.subject, err)
               : gg_account_release(accounts, c->arena, wish.who.subject, err);
}

/* Written before anything is done: whatever ends it halfway, there is a row. */
static bool note_begin(struct gg_call *c, struct gg_audit_event e, struct gg_err *err)
{
    e.result = "begun";
    gg_audit_note(c, e);
    return gg_audit_flush(c, err);
}

/* How it ended; false when it failed, or when that could not be written. */
static bool note_end(struct gg_call *c, struct gg_audit_event e, bool ok, struct gg_err *err)
{
    struct gg_err unwritten;

    e.result = gg_audit_result(ok, err);
    gg_audit_note(c, e);
    return gg_audit_flush(c, ok ? err : &unwritten) && ok;
}

static const char *count_text(struct gg_call *c, const struct gg_people *people)
{
    return gg_arena_printf(c->arena, "accounts=%lld connections=%lld sessions=%lld",
                           (long long)people->rows[GG_PEOPLE_ACCOUNT],
                           (long long)people->rows[GG_PEOPLE_CONNECTION],
                           (long long)people->rows[GG_PEOPLE_SESSIONS]);
}

bool gg_people_drop(struct gg_call *c, struct gg_people_delete wish, struct gg_people *people,
                    struct gg_err *err)
{
    struct gg_audit_event event = {
        .event = "user.delete", .realm = wish.who.realm, .subject = wish.who.subject};

    if (!gg_people_count(c, wish.who, people, err))
        return false;
    event.detail = count_text(c, people);
    if (!note_begin(c, event, err))
        return false;
    /* The account first: it is what a database user may have no right to, and nobody signs in to
     * it any more while the rest goes. */
    bool ok = drop_account(c, wish, people, err) && drop_parts(c, wish.who, people, err);
    event.detail = count_text(c, people);
    return note_end(c, event, ok, err);
}

/* One that does not open is not left out: it would be lost, and nobody would know. */
static bool open_one(struct gg_call *c, struct gg_str cipher, struct gg_secret *token,
                     struct gg_err *err)
{
    struct gg_err ignored;

    return cipher.p == NULL ||
           gg_fernet_decrypt(&c->ctx->fernet, c->arena, cipher, token, &ignored) ||
           gg_fail(err, GG_ECONFLICT,
                   "a token to move does not decrypt with any key: put its key back behind the "
                   "first, or revoke the tokens");
}

/* A connect of into's may have come in since it was looked at. One that comes between this look
 * and the write still is replaced: that is a moment, not the time of all that lies before. */
static bool check_unchanged(struct gg_call *c, const struct gg_token *before, struct gg_err *err)
{
    struct gg_token now;

    if (!gg_token_find(gg_ctx_tokens(c->ctx), c->arena, before->key, &now, err))
        return false;
    return gg_str_is_equal(now.ciphers.access_token, before->ciphers.access_token) ||
           gg_fail(err, GG_ECONFLICT, "the user to merge into has just connected: run it again");
}

/* Their rows, as they were when it was decided what moves. */
struct both {
    struct gg_token from;
    struct gg_token into;
};

/* From's row under into's name: its seal is looked at first, and made anew for the new owner. */
static bool move_tokens(struct gg_call *c, const struct gg_people_merge *m, const struct both *rows,
                        struct gg_err *err)
{
    const struct gg_token *row = &rows->from;
    struct gg_token_store tokens = gg_ctx_tokens(c->ctx);
    struct gg_token_connect connect = {
        .set = {.scope = row->scope, .expires_in_s = row->left_s},
        .owner = row->owner,
    };
    struct gg_roster_ask ask = {.realm = m->from.realm, .subject = m->from.subject, .limit = 1};
    struct gg_roster_rows known;

    if (row->seal.p == NULL)
        return gg_fail(err, GG_ECONFLICT,
                       "the tokens to move have no seal: seal the rows first, or revoke them");
    if (!gg_token_open(tokens, c->arena, row, &connect.set.access_token, err) ||
        !open_one(c, row->ciphers.refresh_token, &connect.set.refresh_token, err) ||
        !open_one(c, row->ciphers.id_token, &connect.set.id_token, err) ||
        !gg_roster_list(c->ctx->db, c->arena, &ask, &known, err))
        return false;
    connect.connected_at_s = known.count > 0 ? known.rows[0].connected_at_s : 0;
    return check_unchanged(c, &rows->into, err) &&
           gg_token_put(tokens, c->arena, m->into, &connect, err);
}

/* What is to move, or why it cannot be. */
static bool decide(struct gg_people_merge *m, const struct gg_people *from,
                   const struct gg_people *into, struct gg_err *err)
{
    bool both = gg_people_has_identity(&from->account) && gg_people_has_identity(&into->account);

    m->moves_identity = gg_people_has_identity(&from->account) && m->identity != GG_PEOPLE_INTO;
    if (both && m->identity == GG_PEOPLE_UNDECIDED)
        return gg_fail(err, GG_ECONFLICT,
                       "both accounts have a Microsoft identity, and one account has one: decide "
                       "by --identity whose signs in afterwards");
    return into->account.found || !m->moves_identity ||
           gg_fail(err, GG_ENOTFOUND, "there is no such account to merge into");
}

static bool join(struct gg_call *c, const struct gg_people_merge *m, const struct both *rows,
                 struct gg_people *people, struct gg_err *err)
{
    struct gg_account_store accounts = accounts_of(c, m->from);
    struct gg_people_delete rest = {.who = m->from};

    return (!m->moves_tokens || move_tokens(c, m, rows, err)) &&
           (!m->moves_identity ||
            gg_account_move_identity(accounts, c->arena, &people->account, m->into.subject, err)) &&
           drop_parts(c, m->from, people, err) && drop_account(c, rest, people, err);
}

bool gg_people_join(struct gg_call *c, struct gg_people_merge *m, struct gg_people *people,
                    struct gg_err *err)
{
    struct gg_token_store tokens = gg_ctx_tokens(c->ctx);
    struct gg_account_store accounts = accounts_of(c, m->from);
    struct gg_people into;
    struct both rows;

    if (!gg_people_count(c, m->from, people, err) || !gg_people_count(c, m->into, &into, err) ||
        !decide(m, people, &into, err) ||
        !gg_token_find(tokens, c->arena, m->from, &rows.from, err) ||
        !gg_token_find(tokens, c->arena, m->into, &rows.into, err))
        return false;
    bool is_free = !rows.into.found || !rows.into.is_active;
    m->moves_tokens = rows.from.found && rows.from.is_active &&
                      (is_free || (m->identity == GG_PEOPLE_FROM && m->moves_identity));
    if (m->is_dry_run)
        return true;
    /* Without the right to delete the account nothing is begun. */
    if (people->is_ours && !gg_account_may_drop(accounts, c->arena, err))
        return false;
    struct gg_audit_event event = {
        .event = "user.merge",
        .realm = m->from.realm,
        .subject = m->from.subject,
        .detail = gg_arena_printf(c->arena, "into=%.*s identity=%s tokens=%s",
                                  GG_STR_ARG(m->into.subject), m->moves_identity ? "moved" : "kept",
                                  m->moves_tokens ? "moved" : "kept"),
    };
    return note_begin(c, event, err) && note_end(c, event, join(c, m, &rows, people, err), err);
}
