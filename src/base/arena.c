/* SPDX-License-Identifier: MIT */
#include "gg/base/arena.h"

#include "config.h"
#include "gg/base/secret.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Under a sanitizer each allocation has a block of its own, so that overruns are seen. */
#ifdef GG_SANITIZE
#define BLOCK_BYTES 0
#else
#define BLOCK_BYTES ((size_t)32 * 1024)
#endif

struct block {
    struct block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *obj;
};

struct gg_arena {
    struct block *blocks; /* the newest first; the only one with room is the first */
    struct deferred *deferred;
};

static void *must(void *p)
{
    if (p == NULL) {
        static const char text[] = "graphgate: out of memory\n";
        (void)fwrite(text, 1, sizeof text - 1, stderr);
        abort();
    }
    return p;
}

struct gg_arena *gg_arena_open(void)
{
    return must(calloc(1, sizeof(struct gg_arena)));
}

static struct block *add_block(struct gg_arena *a, size_t need)
{
    size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    struct block *b = must(calloc(1, sizeof *b + size));

    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *gg_arena_alloc(struct gg_arena *a, size_t n)
{
    const size_t align = alignof(max_align_t);
    struct block *b = a->blocks;

    if (n > SIZE_MAX / 2)
        must(NULL);
    n = n == 0 ? 1 : n;
    if (b == NULL || b->size - b->used < n)
        b = add_block(a, n);
    void *p = b->data + b->used;
    size_t end = b->used + n;
    end += (align - end % align) % align;
    b->used = end > b->size ? b->size : end;
    return p;
}

char *gg_arena_copy(struct gg_arena *a, const void *p, size_t n)
{
    char *s = gg_arena_alloc(a, n + 1);

    if (n > 0)
        memcpy(s, p, n);
    return s;
}

char *gg_arena_strdup(struct gg_arena *a, const char *s)
{
    return gg_arena_copy(a, s, strlen(s));
}

char *gg_arena_printf(struct gg_arena *a, const char *fmt, ...)
{
    va_list ap;
    va_list again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = gg_arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
    (void)vsnprintf(s, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
    va_end(again);
    return s;
}

void gg_arena_defer(struct gg_arena *a, void (*fn)(void *), void *obj)
{
    struct deferred *d = gg_arena_alloc(a, sizeof *d);

    *d = (struct deferred){a->deferred, fn, obj};
    a->deferred = d;
}

/* One block of the usual size is kept, so that a warm request asks malloc for nothing. */
void gg_arena_reset(struct gg_arena *a)
{
    struct block *kept = NULL;

    while (a->deferred != NULL) {
        struct deferred *d = a->deferred;
        a->deferred = d->next;
        d->fn(d->obj);
    }
    for (struct block *b = a->blocks, *next; b != NULL; b = next) {
        next = b->next;
        gg_wipe(b->data, b->used);
        if (kept == NULL && BLOCK_BYTES != 0 && b->size == BLOCK_BYTES) {
            kept = b;
            kept->used = 0;
            kept->next = NULL;
        } else {
            free(b);
        }
    }
    a->blocks = kept;
}

void gg_arena_close(struct gg_arena *a)
{
    if (a == NULL)
        return;
    gg_arena_reset(a);
    free(a->blocks);
    free(a);
}
