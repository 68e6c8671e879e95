/* SPDX-License-Identifier: MIT */
/* The secrets that are ours, and the rows that they keep. */
#include "check.h"

#include "gg/base/buf.h"
#include "gg/proto/aadsts.h"
#include "gg/store/census.h"

#include <string.h>

#define LIST_BYTES_MAX 1024
/* A reason is a word of ours or Microsoft's; more of them than this are not printed. */
#define REASONS_MAX 8

void gg_check_jwt_secret(struct gg_checks *k)
{
    const struct gg_conf *conf = k->conf;
    struct gg_secret jwt = conf->jwt_secret_key;
    size_t least = (size_t)conf->jwt_hash / 8;

    if (!gg_secret_is_set(jwt)) {
        gg_check_skip(k, "configuration");
        return;
    }
    /* RFC 7518 section 3.2. */
    if (jwt.n < least)
        gg_check_say(k, GG_CHECK_WARNING,
                     "it has %zu bytes, and can be guessed from any JWT: take %zu or more at "
                     "random, here and in the site's own code",
                     jwt.n, least);
    if (gg_secret_is_equal(jwt, conf->client_secret) || gg_secret_is_equal(jwt, conf->token_keys))
        gg_check_say(k, GG_CHECK_WARNING,
                     "it is another setting's value too: who learns one has both; take a new one");
}

void gg_check_encryption(struct gg_checks *k)
{
    const struct gg_loaded *loaded = &k->ctl->loaded;
    const struct gg_fernet *keys = &k->call->ctx->fernet;
    const struct gg_secret text = {"graphgate", 9};
    struct gg_secret back;
    struct gg_str token;
    struct gg_err err;

    if (keys->count == 0 && (loaded->faults != NULL || loaded->missing != NULL))
        gg_check_skip(k, "configuration");
    else if (keys->count == 0)
        gg_check_say(k, GG_CHECK_FAILED,
                     "there is no key: put one of graphgatectl genkey into TOKEN_ENCRYPTION_KEY");
    else if (!gg_fernet_encrypt(keys, k->call->arena, text, &token, &err) ||
             !gg_fernet_decrypt(keys, k->call->arena, token, &back, &err) ||
             !gg_secret_is_equal(text, back))
        gg_check_say(k, GG_CHECK_FAILED,
                     "the key fails a round trip: OpenSSL is not as it should "
                     "be on this machine");
    else if (!gg_secret_is_set(k->conf->token_keys))
        gg_check_say(k, GG_CHECK_WARNING,
                     "the key is derived from the JWT secret, so that one leak gives both away: "
                     "graphgatectl genkey, into TOKEN_ENCRYPTION_KEY");
}

/* True when the fingerprint is one of a configured key; an unknown row may be of any. */
static bool is_of_key(const struct gg_fernet *keys, struct gg_str fingerprint)
{
    char own[GG_FERNET_FINGERPRINT_CHARS + 1];
    struct gg_err err;

    for (size_t i = 0; i < keys->count; i++)
        if (gg_fernet_fingerprint(keys, i, own, &err) && gg_str_is(fingerprint, own))
            return true;
    return fingerprint.p == NULL;
}

/* Rows that say themselves whose key they need. */
static bool check_fingerprints(struct gg_checks *k, const struct gg_realm *realm,
                               struct gg_err *err)
{
    struct gg_census census;

    if (!gg_census_keys(k->call->ctx->db, k->call->arena, realm, &census, err))
        return false;
    for (size_t i = 0; i < census.count; i++)
        if (!is_of_key(&k->call->ctx->fernet, census.parts[i].word))
            gg_check_say(k, GG_CHECK_FAILED,
                         "%lld rows of %s need the key %.*s, which is not in "
                         "TOKEN_ENCRYPTION_KEY: put it back, behind the first",
                         (long long)census.parts[i].rows, realm->token_table,
                         GG_STR_ARG(census.parts[i].word));
    return true;
}

/* And a look at those that were written last. */
static bool check_newest(struct gg_checks *k, const struct gg_realm *realm, struct gg_err *err)
{
    struct gg_db_result rows;
    struct gg_secret out;
    struct gg_err ignored;
    size_t bad = 0;

    if (!gg_census_newest(k->call->ctx->db, k->call->arena, realm, &rows, err))
        return false;
    for (size_t i = 0; i < rows.row_count; i++)
        if (!gg_fernet_decrypt(&k->call->ctx->fernet, k->call->arena, rows.rows[i][0], &out,
                               &ignored))
            bad++;
    if (bad > 0)
        gg_check_say(k, bad == rows.row_count ? GG_CHECK_FAILED : GG_CHECK_WARNING,
                     "%zu of the newest %zu rows of %s do not decrypt: the key has changed; put "
                     "the former one into TOKEN_ENCRYPTION_KEY, behind the first and a comma",
                     bad, rows.row_count, realm->token_table);
    return true;
}

void gg_check_stored(struct gg_checks *k)
{
    struct gg_err err;

    for (int i = 0; i < GG_REALMS; i++) {
        const struct gg_realm *realm = gg_realm((enum gg_realm_id)i);
        enum gg_check_level before = k->worst;
        k->worst = GG_CHECK_OK;
        bool ok = check_fingerprints(k, realm, &err) &&
                  (k->worst != GG_CHECK_OK || check_newest(k, realm, &err));
        if (!ok)
            gg_check_say(k, GG_CHECK_FAILED, "%s: %s", realm->token_table, err.log);
        if (before > k->worst)
            k->worst = before;
    }
}

void gg_check_seals(struct gg_checks *k)
{
    struct gg_err err;
    int64_t rows;

    for (int i = 0; i < GG_REALMS; i++) {
        const struct gg_realm *realm = gg_realm((enum gg_realm_id)i);
        if (!gg_census_unsealed(k->call->ctx->db, k->call->arena, realm, &rows, &err))
            gg_check_say(k, GG_CHECK_FAILED, "%s: %s", realm->token_table, err.log);
        else if (rows > 0)
            gg_check_say(k, k->conf->refuses_unsealed ? GG_CHECK_FAILED : GG_CHECK_WARNING,
                         "%lld rows of %s are not sealed to their owners (imported, or written "
                         "before there were seals)%s: graphgatectl seal",
                         (long long)rows, realm->token_table,
                         k->conf->refuses_unsealed ? ", and UNSEALED_ROWS refuses them" : "");
    }
    if (!k->has_spoken)
        gg_check_say(k, GG_CHECK_OK,
                     "no unsealed rows; graphgatectl keys status --scan looks at "
                     "each seal");
}

/* "3 invalid_grant, 1 consent_required"; *word is the first that can be explained. */
static const char *format_reasons(struct gg_checks *k, const struct gg_census *census,
                                  int64_t *rows, const char **word)
{
    struct gg_buf list;

    gg_buf_init(&list, k->call->arena, LIST_BYTES_MAX);
    *rows = 0;
    *word = NULL;
    for (size_t i = 0; i < census->count; i++) {
        struct gg_str reason = census->parts[i].word;
        const struct gg_aadsts *row = gg_aadsts_find(reason);
        *rows += census->parts[i].rows;
        if (*word == NULL && row != NULL)
            *word = row->word;
        if (i < REASONS_MAX)
            gg_buf_add_fmt(
                &list, "%s%lld %.*s", i > 0 ? ", " : "", (long long)census->parts[i].rows,
                GG_STR_ARG(gg_str_is_word(reason, 64, "_.-") ? reason : GG_STR("without reason")));
    }
    return gg_buf_str(&list).p;
}

void gg_check_inactive(struct gg_checks *k)
{
    struct gg_census census;
    struct gg_err err;
    const char *word;
    int64_t rows;

    for (int i = 0; i < GG_REALMS; i++) {
        const struct gg_realm *realm = gg_realm((enum gg_realm_id)i);
        if (!gg_census_inactive(k->call->ctx->db, k->call->arena, realm, &census, &err)) {
            gg_check_say(k, GG_CHECK_FAILED, "%s: %s", realm->token_table, err.log);
            continue;
        }
        const char *list = format_reasons(k, &census, &rows, &word);
        if (rows > 0)
            gg_check_say(k, GG_CHECK_WARNING,
                         "%lld rows of %s (%s): these users must connect again%s%s",
                         (long long)rows, realm->token_table, list,
                         word == NULL ? "" : "; graphgatectl explain ", word == NULL ? "" : word);
    }
}
