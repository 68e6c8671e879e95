/* SPDX-License-Identifier: MIT */
#include "gg/flow/rekey.h"

#include "gg/proto/seal.h"

/* A row is leased for GG_TOKEN_LEASE_S at most. */
#define WAIT_MS  60000
#define PAUSE_MS 500
#define TOKENS   3

/* One row while it is looked at. */
struct look {
    const struct gg_tokenrow *row;
    struct gg_fernet_opened opened[TOKENS];
    size_t key; /* the one of all its tokens; the first where they differ */
    bool is_mixed;
};

/* What became of one row. */
enum outcome { DONE, NOTHING_TO_DO, LEFT, BUSY, FAILED };

struct run {
    struct gg_call *call;
    struct gg_rekey *rekey;
    struct gg_arena *arena; /* for a batch */
    char first[GG_FERNET_FINGERPRINT_CHARS + 1];
};

static const struct gg_fernet *fernet_of(const struct run *run)
{
    return &run->call->ctx->fernet;
}

static void list_ciphers(const struct gg_ciphers *c, struct gg_str list[TOKENS])
{
    list[0] = c->access_token;
    list[1] = c->refresh_token;
    list[2] = c->id_token;
}

/* Decrypts all that the row has; false when something fits no key. */
static bool open_row(const struct run *run, struct look *look)
{
    struct gg_str ciphers[TOKENS];
    struct gg_err ignored;
    bool is_first = true;

    list_ciphers(&look->row->ciphers, ciphers);
    for (size_t i = 0; i < TOKENS; i++) {
        if (ciphers[i].p == NULL)
            continue;
        if (!gg_fernet_open(fernet_of(run), run->arena, ciphers[i], &look->opened[i], &ignored))
            return false;
        look->is_mixed = look->is_mixed || (!is_first && look->opened[i].key != look->key);
        look->key = look->opened[i].key;
        is_first = false;
    }
    if (look->is_mixed)
        look->key = 0;
    return true;
}

static struct gg_seal_row seal_row(const struct run *run, const struct gg_tokenrow *row,
                                   struct gg_ciphers ciphers)
{
    return (struct gg_seal_row){
        .realm = run->rekey->realm->name, .subject = row->subject, .ciphers = ciphers};
}

/* The noted key changes the words alone: the row is left all the same. */
static enum outcome leave(const struct run *run, const struct gg_tokenrow *row, const char *why,
                          int64_t *counter)
{
    struct gg_rekey *r = run->rekey;
    struct gg_arena *a = run->call->arena;
    bool is_keyless = gg_fernet_lacks(fernet_of(run), row->fingerprint);

    if (r->counts.unreadable + r->counts.forged < GG_REKEY_LEFT_MAX) {
        struct gg_rekey_left *left = gg_arena_alloc(a, sizeof *left);
        left->subject = gg_str_of(gg_arena_copy(a, row->subject.p, row->subject.n));
        left->why = is_keyless ? gg_arena_printf(a, "needs the key %.*s, which is not configured",
                                                 GG_STR_ARG(row->fingerprint))
                               : why;
        left->next = r->left;
        r->left = left;
    }
    ++*(is_keyless ? &r->counts.unreadable : counter);
    return LEFT;
}

/* The tokens under the key of all of them, or the first. */
static bool encrypt_row(const struct run *run, const struct look *look, size_t key,
                        struct gg_ciphers *out, struct gg_err *err)
{
    struct gg_str *const to[TOKENS] = {&out->access_token, &out->refresh_token, &out->id_token};

    *out = look->row->ciphers;
    for (size_t i = 0; i < TOKENS; i++)
        if (to[i]->p != NULL && look->opened[i].key != key &&
            !gg_fernet_encrypt(fernet_of(run), run->arena, look->opened[i].text, to[i], err))
            return false;
    return true;
}

static enum outcome change_row(const struct run *run, const struct look *look, size_t key,
                               struct gg_err *err)
{
    const struct gg_tokenrow *row = look->row;
    bool is_to_seal = run->rekey->job == GG_REKEY_SEAL || row->seal.p != NULL;
    struct gg_tokenrow_change change = {.realm = run->rekey->realm, .old = row};
    char fingerprint[GG_FERNET_FINGERPRINT_CHARS + 1];
    bool done;

    if (run->rekey->is_dry)
        return DONE;
    if (row->is_leased)
        return BUSY;
    if (!encrypt_row(run, look, key, &change.ciphers, err) ||
        !gg_fernet_fingerprint(fernet_of(run), key, fingerprint, err))
        return FAILED;
    change.fingerprint = gg_str_of(fingerprint);
    struct gg_seal_row sealed = seal_row(run, row, change.ciphers);
    sealed.key = key;
    if (is_to_seal && !gg_seal_make(fernet_of(run), run->arena, &sealed, &change.seals, err))
        return FAILED;
    if (!gg_tokenrow_put(run->call->ctx->db, run->arena, &change, &done, err))
        return FAILED;
    return done ? DONE : BUSY;
}

/* Whether the row's note is the key that it is under. */
static bool is_noted(const struct run *run, const struct look *look)
{
    char fingerprint[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_err ignored;

    return !look->is_mixed &&
           gg_fernet_fingerprint(fernet_of(run), look->key, fingerprint, &ignored) &&
           gg_str_is(look->row->fingerprint, fingerprint);
}

static enum outcome take_row(const struct run *run, const struct gg_tokenrow *row,
                             struct gg_err *err)
{
    struct gg_rekey *r = run->rekey;
    struct gg_rekey_counts *counts = &r->counts;
    struct gg_seal_row sealed = seal_row(run, row, row->ciphers);
    struct look look = {.row = row};
    bool is_sealed = row->seal.p != NULL;
    struct gg_err ignored;

    /* The seal first, as for everybody else: a row that was moved here is nobody's to bless. */
    if (is_sealed && !gg_seal_check(fernet_of(run), run->arena, &sealed, row->seal, &ignored))
        return leave(run, row, "its seal is wrong", &counts->forged);
    if (!open_row(run, &look))
        return leave(run, row, "no key decrypts it", &counts->unreadable);
    counts->unsealed += is_sealed ? 0 : 1;
    counts->mixed += look.is_mixed ? 1 : 0;
    if (!look.is_mixed)
        counts->by_key[look.key]++;
    bool noted = is_noted(run, &look);
    counts->misnoted += noted || row->fingerprint.p == NULL ? 0 : 1;
    if (r->job == GG_REKEY_LOOK || (r->job == GG_REKEY_SEAL && is_sealed) ||
        (r->job == GG_REKEY_ROTATE && noted && look.key == 0))
        return NOTHING_TO_DO;
    enum outcome outcome = change_row(run, &look, r->job == GG_REKEY_SEAL ? look.key : 0, err);
    if (outcome == DONE && r->job == GG_REKEY_SEAL)
        counts->unsealed--;
    return outcome;
}

/* What is counted anew at each pass: rows that were left are met again. */
static void begin_pass(struct gg_rekey *r)
{
    int64_t done = r->counts.done;

    r->counts = (struct gg_rekey_counts){.done = done};
    r->left = NULL;
}

/* One batch; *query goes on behind it, *is_end when there was none. */
static bool take_batch(const struct run *run, struct gg_tokenrow_query *query, bool *is_end,
                       struct gg_err *err)
{
    struct gg_rekey *r = run->rekey;
    struct gg_tokenrows batch;

    if (!gg_tokenrow_list(run->call->ctx->db, run->arena, query, &batch, err))
        return false;
    *is_end = batch.count == 0;
    for (size_t i = 0; i < batch.count && !*is_end; i++) {
        enum outcome outcome = take_row(run, &batch.rows[i], err);
        if (outcome == FAILED)
            return false;
        r->counts.seen++;
        r->counts.done += outcome == DONE ? 1 : 0;
        r->counts.busy += outcome == BUSY ? 1 : 0;
        query->after_id = batch.rows[i].id;
        if (r->tick != NULL)
            r->tick(r);
        *is_end = r->most > 0 && r->counts.seen >= r->most;
    }
    return true;
}

static bool take_pass(struct run *run, struct gg_err *err)
{
    struct gg_tokenrow_query query = {
        .realm = run->rekey->realm,
        .which = run->rekey->which,
        .fingerprint = gg_str_of(run->first),
        .after_id = -1,
    };
    bool is_end = false;
    bool ok = true;

    begin_pass(run->rekey);
    while (ok && !is_end) {
        run->arena = gg_arena_open();
        ok = take_batch(run, &query, &is_end, err);
        gg_arena_close(run->arena);
    }
    return ok;
}

bool gg_rekey_run(struct gg_call *c, struct gg_rekey *r, struct gg_err *err)
{
    struct run run = {.call = c, .rekey = r};
    struct gg_deadline patience;
    int64_t done;

    r->counts = (struct gg_rekey_counts){0};
    if (!gg_fernet_fingerprint(&c->ctx->fernet, 0, run.first, err))
        return false;
    patience = gg_deadline_in(WAIT_MS);
    do {
        done = r->counts.done;
        if (!take_pass(&run, err))
            return false;
        if (r->counts.done > done)
            patience = gg_deadline_in(WAIT_MS);
        if (r->counts.busy > 0 && !r->is_dry)
            gg_clock_sleep_ms(PAUSE_MS);
    } while (r->counts.busy > 0 && !r->is_dry && gg_deadline_left_ms(patience) > 0);
    return true;
}
