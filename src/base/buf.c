/* SPDX-License-Identifier: MIT */
#include "gg/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_BYTES 256

void gg_buf_init(struct gg_buf *b, struct gg_arena *arena, size_t cap)
{
    *b = (struct gg_buf){.arena = arena, .p = gg_arena_alloc(arena, 1), .size = 1, .cap = cap};
}

static void resize(struct gg_buf *b, size_t size)
{
    if (!gg_arena_extend(b->arena, b->p, b->size, size)) {
        char *p = gg_arena_alloc(b->arena, size);
        memcpy(p, b->p, b->n);
        b->p = p;
    }
    b->size = size;
}

void gg_buf_reserve(struct gg_buf *b, size_t n)
{
    if (n <= b->cap - b->n && b->n + n + 1 > b->size)
        resize(b, b->n + n + 1);
}

static bool has_room(struct gg_buf *b, size_t n)
{
    if (b->full || n > b->cap - b->n) {
        b->full = true;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->size)
        return true;
    size_t size = b->size * 2 > FIRST_BYTES ? b->size * 2 : FIRST_BYTES;
    resize(b, need > size ? need : size);
    return true;
}

void gg_buf_add(struct gg_buf *b, struct gg_str s)
{
    if (s.n == 0 || !has_room(b, s.n))
        return;
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = '\0';
}

void gg_buf_add_text(struct gg_buf *b, const char *s)
{
    gg_buf_add(b, gg_str_of(s));
}

void gg_buf_add_char(struct gg_buf *b, char c)
{
    gg_buf_add(b, (struct gg_str){&c, 1});
}

void gg_buf_add_int(struct gg_buf *b, int64_t n)
{
    char room[GG_STR_NUMBER_BYTES];

    gg_buf_add(b, gg_str_format_int(room, n));
}

/* Where it stands, if there is room: most of what is formatted is short. */
void gg_buf_add_fmt(struct gg_buf *b, const char *fmt, ...)
{
    size_t room = b->full ? 0 : b->size - b->n;
    va_list ap;

    if (room > b->cap - b->n + 1)
        room = b->cap - b->n + 1;
    va_start(ap, fmt);
    int n = vsnprintf(room == 0 ? NULL : b->p + b->n, room, fmt, ap);
    va_end(ap);
    bool fits = n > 0 && (size_t)n < room;
    if (!fits && room > 0)
        b->p[b->n] = '\0';
    if (n <= 0 || (!fits && !has_room(b, (size_t)n)))
        return;
    if (!fits) {
        va_start(ap, fmt);
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    b->n += (size_t)n;
}

bool gg_buf_is_full(const struct gg_buf *b)
{
    return b->full;
}

struct gg_str gg_buf_str(const struct gg_buf *b)
{
    return (struct gg_str){b->p, b->n};
}
