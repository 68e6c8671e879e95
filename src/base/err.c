/* SPDX-License-Identifier: MIT */
#include "gg/base/err.h"

#include "gg/base/log.h"

#include <stdarg.h>
#include <stdio.h>

static const struct gg_err_row rows[GG_CODES] = {[GG_OK] = {200, "ok", GG_INFO, "OK", ""},
#define GG_ROW(name, status, code, level, title, detail) \
    [GG_##name] = {status, code, level, title, detail},
                                                 GG_ERRORS(GG_ROW)
#undef GG_ROW
};

const struct gg_err_row *gg_err_row(enum gg_code code)
{
    return &rows[code];
}

bool gg_fail(struct gg_err *err, enum gg_code code, const char *fmt, ...)
{
    va_list ap;

    *err = (struct gg_err){.code = code};
    va_start(ap, fmt);
    (void)vsnprintf(err->log, sizeof err->log, fmt, ap);
    va_end(ap);
    return false;
}
