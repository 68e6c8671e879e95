/* SPDX-License-Identifier: MIT */
/* The log as the configuration wants it. */
#ifndef GG_APP_LOGGING_H
#define GG_APP_LOGGING_H

#include "gg/base/log.h"
#include "gg/flow/ctx.h"

/* Target, level and form. When the target cannot be opened, false, and the old one stays. */
GG_MUST bool gg_logging_open(const struct gg_conf *conf, struct gg_err *err);

/*
 * How users are named from now on: LOG_SUBJECTS, and the first of the Fernet keys. With no key,
 * "-".
 */
void gg_logging_set_subjects(const struct gg_ctx *ctx);

/*
 * A user's name under the i-th Fernet key: "h:" and 16 characters of base64url, the first 96 bits
 * of an HMAC-SHA256 of the subject. The same at every host of a site; it tells nothing of the
 * subject to whoever lacks the key.
 */
GG_MUST bool gg_logging_hash(const struct gg_fernet *f, size_t i, struct gg_str subject,
                             struct gg_log_subject *out, struct gg_err *err);

#endif
