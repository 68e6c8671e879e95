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
#define KEPT_BYTES  0
#else
#define BLOCK_BYTES ((size_t)32 * 1024)
/* Kept from one reset to the next, so that a warm request asks malloc for nothing. */
#define KEPT_BYTES  ((size_t)256 * 1024)
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
    struct block *spare;  /* wiped ones */
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

static struct block *take_spare(struct gg_arena *a, size_t need)
{
    for (struct block **at = &a->spare; *at != NULL; at = &(*at)->next) {
        struct block *b = *at;
        if (b->size >= need) {
            *at = b->next;
            return b;
        }
    }
    return NULL;
}

static struct block *add_block(struct gg_arena *a, size_t need)
{
    size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    struct block *b = take_spare(a, need);

    if (b == NULL) {
        b = must(calloc(1, sizeof *b + size));
        b->size = size;
    }
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

static size_t aligned(size_t n)
{
    const size_t align = alignof(max_align_t);

    return n + (align - n % align) % align;
}

void *gg_arena_alloc(struct gg_arena *a, size_t n)
{
    struct block *b = a->blocks;

    if (n > SIZE_MAX / 2)
        must(NULL);
    n = n == 0 ? 1 : n;
    if (b == NULL || b->size - b->used < n)
        b = add_block(a, n);
    void *p = b->data + b->used;
    size_t end = aligned(b->used + n);
    b->used = end > b->size ? b->size : end;
    return p;
}

bool gg_arena_extend(struct gg_arena *a, void *p, size_t n, size_t more)
{
    struct block *b = a->blocks;
    char *start = p;

    if (BLOCK_BYTES == 0 || b == NULL || start < (char *)b->data ||
        start >= (char *)b->data + b->size || more > b->size)
        return false;
    size_t at = (size_t)(start - (char *)b->data);
    size_t was = aligned(at + n);
    if ((was > b->size ? b->size : was) != b->used || b->size - at < more)
        return false;
    size_t end = aligned(at + more);
    b->used = end > b->size ? b->size : end;
    return true;
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

/* In place, where the block has room for it: what does not fit is wiped, as free memory is zero. */
char *gg_arena_printf(struct gg_arena *a, const char *fmt, ...)
{
    struct block *b = a->blocks;
    size_t room = b == NULL || BLOCK_BYTES == 0 ? 0 : b->size - b->used;
    char *tip = room == 0 ? NULL : (char *)b->data + b->used;
    va_list ap;
    va_list again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int length = vsnprintf(tip, room, fmt, ap);
    va_end(ap);
    size_t n = length < 0 ? 0 : (size_t)length;
    if (n >= room && room > 0)
        gg_wipe(tip, room);
    char *s = gg_arena_alloc(a, n + 1);
    if (n >= room)
        (void)vsnprintf(s, n + 1, fmt, again);
    va_end(again);
    return s;
}

void gg_arena_defer(struct gg_arena *a, void (*fn)(void *), void *obj)
{
    struct deferred *d = gg_arena_alloc(a, sizeof *d);

    *d = (struct deferred){a->deferred, fn, obj};
    a->deferred = d;
}

/* A block larger than all that may be kept goes; so do those that are too many. */
static void keep_some(struct gg_arena *a)
{
    size_t kept = 0;

    for (struct block **at = &a->spare; *at != NULL;) {
        struct block *b = *at;
        if (b->size <= KEPT_BYTES - kept) {
            kept += b->size;
            at = &b->next;
        } else {
            *at = b->next;
            free(b);
        }
    }
}

void gg_arena_reset(struct gg_arena *a)
{
    while (a->deferred != NULL) {
        struct deferred *d = a->deferred;
        a->deferred = d->next;
        d->fn(d->obj);
    }
    for (struct block *b = a->blocks, *next; b != NULL; b = next) {
        next = b->next;
        gg_wipe(b->data, b->used);
        b->used = 0;
        b->next = a->spare;
        a->spare = b;
    }
    a->blocks = NULL;
    keep_some(a);
}

void gg_arena_close(struct gg_arena *a)
{
    if (a == NULL)
        return;
    gg_arena_reset(a);
    for (struct block *b = a->spare, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}
