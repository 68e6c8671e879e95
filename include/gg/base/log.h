/* SPDX-License-Identifier: MIT */
/*
 * One line per event: `time level event pid request_id key=value…`.
 *
 * Control bytes, and all that is not ASCII, are escaped, so that nothing a caller sends makes a
 * line of its own. Secrets have a type (struct gg_secret) that no format takes.
 */
#ifndef GG_BASE_LOG_H
#define GG_BASE_LOG_H

#include "gg/base/err.h"

enum gg_level { GG_DEBUG, GG_INFO, GG_WARNING, GG_ERROR };

/* target: "stderr", "syslog" or "file:PATH". False, and stderr stays, when PATH cannot be opened.
 */
GG_MUST bool gg_log_open(const char *target, enum gg_level least, struct gg_err *err);

/* The request id that the lines carry until it is set again; "" for none. Copied. */
void gg_log_set_request(const char *request_id);

void gg_log(enum gg_level level, const char *event, const char *fmt, ...) GG_PRINTF(3, 4);

#endif
