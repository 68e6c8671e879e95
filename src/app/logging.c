/* SPDX-License-Identifier: MIT */
#include "gg/app/logging.h"

#include "gg/ext/crypto.h"
#include "gg/proto/b64.h"

#include <stdio.h>
#include <string.h>

#define MARK       "h:"
#define NAME_BYTES 12

bool gg_logging_open(const struct gg_conf *conf, struct gg_err *err)
{
    gg_log_set_form((enum gg_logline_form)conf->log_form);
    return conf->log_target == NULL ||
           gg_log_open(conf->log_target, (enum gg_level)conf->log_level, err);
}

static bool name_plainly(const unsigned char key[GG_LOG_KEY_BYTES], struct gg_str subject,
                         struct gg_log_subject *out)
{
    (void)key;
    (void)snprintf(out->text, sizeof out->text, "%.*s", GG_STR_ARG(subject));
    return true;
}

_Static_assert(sizeof(struct gg_log_subject) > sizeof MARK + GG_B64_CHARS(NAME_BYTES), "it fits");

static bool name_by_hash(const unsigned char key[GG_LOG_KEY_BYTES], struct gg_str subject,
                         struct gg_log_subject *out)
{
    const struct gg_secret secret = {(const char *)key, GG_LOG_KEY_BYTES};
    struct gg_mac mac;
    struct gg_err ignored;

    /* What is a name already stays one: no subject begins so. */
    if (gg_str_has_prefix(subject, MARK))
        return name_plainly(key, subject, out);
    if (!gg_crypto_hmac(GG_SHA256, secret, subject, &mac, &ignored))
        return false;
    char *end = stpcpy(out->text, MARK);
    end += gg_b64_put(end, GG_B64_BARE, (struct gg_str){(const char *)mac.bytes, NAME_BYTES});
    *end = '\0';
    return true;
}

static bool derive(const struct gg_fernet *f, size_t i, unsigned char key[GG_LOG_KEY_BYTES],
                   struct gg_err *err)
{
    return gg_fernet_derive(f, i, "log-subject", key, err);
}

void gg_logging_set_subjects(const struct gg_ctx *ctx)
{
    unsigned char key[GG_LOG_KEY_BYTES] = {0};
    struct gg_err ignored;
    gg_log_name_fn *name = NULL;

    if (ctx->conf->log_subjects_plain)
        name = name_plainly;
    else if (ctx->fernet.count > 0 && derive(&ctx->fernet, 0, key, &ignored))
        name = name_by_hash;
    gg_log_set_subjects(name, key);
    gg_wipe(key, sizeof key);
}

bool gg_logging_hash(const struct gg_fernet *f, size_t i, struct gg_str subject,
                     struct gg_log_subject *out, struct gg_err *err)
{
    unsigned char key[GG_LOG_KEY_BYTES];

    if (!derive(f, i, key, err))
        return false;
    bool ok = name_by_hash(key, subject, out);
    gg_wipe(key, sizeof key);
    return ok || gg_fail(err, GG_EINTERNAL, "the subject cannot be hashed");
}
