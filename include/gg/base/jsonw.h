/* SPDX-License-Identifier: MIT */
/* Writes JSON (RFC 8259) into a buffer: commas and escapes come by themselves. */
#ifndef GG_BASE_JSONW_H
#define GG_BASE_JSONW_H

#include "gg/base/buf.h"

#include <stdint.h>

struct gg_jsonw {
    struct gg_buf *buf;
    bool comma; /* the next value or key stands behind another */
};

void gg_jsonw_init(struct gg_jsonw *w, struct gg_buf *buf);

/* '{' or '['; the same for the end: '}' or ']'. */
void gg_jsonw_open(struct gg_jsonw *w, char bracket);
void gg_jsonw_close(struct gg_jsonw *w, char bracket);
void gg_jsonw_key(struct gg_jsonw *w, const char *key);

/* Text that is not valid UTF-8 is written with U+FFFD; an absent one is null. */
void gg_jsonw_str(struct gg_jsonw *w, struct gg_str s);
void gg_jsonw_int(struct gg_jsonw *w, int64_t v);
void gg_jsonw_bool(struct gg_jsonw *w, bool v);
void gg_jsonw_null(struct gg_jsonw *w);

/* Ready JSON, as it is. */
void gg_jsonw_raw(struct gg_jsonw *w, struct gg_str json);

/* `"key": "value"` and its like, which is most of what is written. */
void gg_jsonw_put(struct gg_jsonw *w, const char *key, struct gg_str value);
void gg_jsonw_put_text(struct gg_jsonw *w, const char *key, const char *value);
void gg_jsonw_put_int(struct gg_jsonw *w, const char *key, int64_t value);
void gg_jsonw_put_bool(struct gg_jsonw *w, const char *key, bool value);

#endif
