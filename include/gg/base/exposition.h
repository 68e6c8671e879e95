/* SPDX-License-Identifier: MIT */
/*
 * The metrics as Prometheus reads them: its text format, version 0.0.4.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef GG_BASE_EXPOSITION_H
#define GG_BASE_EXPOSITION_H

#include "gg/base/buf.h"

#define GG_EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What is no counter of the page. */
struct gg_exposition {
    const char *version;             /* of the program */
    int64_t client_secret_expires_s; /* since 1970, UTC; 0: not known, and left out */
};

/* Appends all of it. */
void gg_exposition_format(struct gg_buf *out, const struct gg_exposition *more);

#endif
