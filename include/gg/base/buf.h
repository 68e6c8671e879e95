/* SPDX-License-Identifier: MIT */
/* Text that grows, up to a cap. */
#ifndef GG_BASE_BUF_H
#define GG_BASE_BUF_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

/*
 * Lives in an arena. What would pass the cap is not added, and `full` stays set: add freely, and
 * ask gg_buf_is_full() once at the end. The text is always ended by NUL.
 */
struct gg_buf {
    struct gg_arena *arena;
    char *p;
    size_t n;
    size_t size;
    size_t cap;
    bool full;
};

void gg_buf_init(struct gg_buf *b, struct gg_arena *arena, size_t cap);

/* Makes room for n more bytes at once: growing step by step leaves a copy behind at each. More than
 * the cap is left to what is added. */
void gg_buf_reserve(struct gg_buf *b, size_t n);

void gg_buf_add(struct gg_buf *b, struct gg_str s);
void gg_buf_add_text(struct gg_buf *b, const char *s);
void gg_buf_add_char(struct gg_buf *b, char c);
void gg_buf_add_int(struct gg_buf *b, int64_t n);
void gg_buf_add_fmt(struct gg_buf *b, const char *fmt, ...) GG_PRINTF(2, 3);
bool gg_buf_is_full(const struct gg_buf *b);
struct gg_str gg_buf_str(const struct gg_buf *b);

#endif
