/* SPDX-License-Identifier: MIT */
#include "rekey.h"

#include <stdio.h>

/* What a key of the configuration is still noted for, and what was left without a look into it. */
struct use {
    int64_t rows;
    int64_t left;
    int64_t found; /* decrypted with it by this run */
};

static bool count_use(struct gg_ctl *c, const struct gg_ctl_rekey *k, size_t key, struct use *use,
                      struct gg_err *err)
{
    char fingerprint[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_tokenrow_tally tally;

    *use = (struct use){0};
    if (!gg_fernet_fingerprint(&c->ctx.fernet, key, fingerprint, err))
        return false;
    for (int realm = 0; realm < GG_REALMS; realm++) {
        if (!gg_tokenrow_count(c->ctx.db, c->arena, gg_realm((enum gg_realm_id)realm), &tally, err))
            return false;
        for (size_t i = 0; i < tally.count; i++)
            if (gg_str_is(tally.keys[i].fingerprint, fingerprint))
                use->rows += tally.keys[i].rows;
        use->found += k->counts[realm].by_key[key];
        use->left += k->counts[realm].unreadable + k->counts[realm].forged;
    }
    if (k->is_dry && use->rows < use->found)
        use->rows = use->found;
    return true;
}

static void print_elsewhere(const struct gg_ctl *c)
{
    (void)puts("Beside these rows a removed key ends:\n"
               "- sign-ins under way: wait ten minutes, or they begin anew\n"
               "- cursors that clients of the calendar hold: they list anew\n"
               "- the shared copy of Microsoft's signing keys: it is fetched again\n"
               "- what graphgatectl log-subject knows of users in the log's older lines");
    if (!gg_secret_is_set(c->loaded.conf.audit_key))
        (void)puts("- the proof of the audit's rows that were written under it: give it to "
                   "AUDIT_KEY, behind a new first key, to go on verifying them");
}

/* A worker that lacks the key cannot read what this writes: its users would be told to connect. */
static bool print_key(struct gg_ctl *c, const struct gg_ctl_rekey *k, struct gg_err *err)
{
    char first[GG_FERNET_FINGERPRINT_CHARS + 1];

    if (!gg_fernet_fingerprint(&c->ctx.fernet, 0, first, err))
        return false;
    (void)printf("The key %s %s. All workers must know it already: an administrator's "
                 "/api/v1/health/microsoft shows theirs.\n",
                 first, k->is_dry ? "would encrypt" : "encrypts");
    return fflush(stdout) == 0 || gg_fail(err, GG_EINTERNAL, "cannot write");
}

/* Whether each key but the first may go. */
static bool print_verdict(struct gg_ctl *c, const struct gg_ctl_rekey *k, struct gg_err *err)
{
    char fingerprint[GG_FERNET_FINGERPRINT_CHARS + 1];
    bool is_free = false;
    struct use use;

    if (c->ctx.fernet.count == 1)
        (void)puts("There is one key: nothing to remove.");
    for (size_t i = 1; i < c->ctx.fernet.count; i++) {
        if (!gg_fernet_fingerprint(&c->ctx.fernet, i, fingerprint, err) ||
            !count_use(c, k, i, &use, err))
            return false;
        if (use.rows > 0)
            (void)printf("The key %s is still used by %s: keep it%s.\n", fingerprint,
                         gg_ctl_rekey_rows(c, use.rows),
                         k->is_dry ? "" : ", and look whether all workers have the new key first");
        else if (use.left > 0)
            (void)printf("No row is under the key %s, unless those that were left: with it go "
                         "their tokens.\n",
                         fingerprint);
        else if (use.found == 0)
            (void)printf("No row is under the key %s: if it is the old one it may be removed; if "
                         "it is the new one, put it first.\n",
                         fingerprint);
        else
            (void)printf("The key %s is no longer used: it may be removed.\n", fingerprint);
        is_free = is_free || use.rows == 0;
    }
    if (is_free)
        print_elsewhere(c);
    return true;
}

static int run(struct gg_ctl *c)
{
    struct gg_ctl_rekey k = {.job = GG_REKEY_ROTATE, .done = "re-encrypted", .event = "key.rotate"};
    const struct gg_ctl_flag flags[] = {
        {"all", .given = &k.is_all},
        {"dry-run", .given = &k.is_dry},
        {"progress", .given = &k.is_progress},
    };
    struct gg_err err;

    if (!gg_ctl_read_flags(c, flags, sizeof flags / sizeof flags[0]) || c->argc > 1)
        return gg_ctl_misuse(c, "takes --all, --dry-run and --progress alone");
    k.is_all = k.is_all || k.is_dry;
    if (!print_key(c, &k, &err))
        return gg_ctl_fail("%s", err.log);
    int status = gg_ctl_rekey(c, &k);
    if (!print_verdict(c, &k, &err))
        return gg_ctl_fail("%s", err.log);
    return status;
}

const struct gg_ctl_command gg_ctl_rotate_keys = {
    .name = "rotate-keys",
    .usage = "[--dry-run] [--all] [--progress]",
    .help = "re-encrypts the stored tokens with the first key while traffic runs, and says which "
            "keys are no longer used; --all looks into the rows that are noted under it, too",
    .need = GG_CTL_NEEDS_KEYS | GG_CTL_NEEDS_DB,
    .run = run,
};
