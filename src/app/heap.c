/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "gg/app/heap.h"

#if defined(__GLIBC__) && !defined(GG_SANITIZE)
#include <malloc.h>
#include <stdint.h>
#include <string.h>

/* glibc's own, below the names that are taken here. */
void gg_heap_free_below(void *p) __asm__("__libc_free");

void gg_heap_free(void *p)
{
    if (p == NULL)
        return;
    explicit_bzero(p, malloc_usable_size(p));
    gg_heap_free_below(p);
}

/* glibc's own would leave a copy behind where it moves a block. */
void *gg_heap_resize(void *p, size_t n)
{
    size_t old = malloc_usable_size(p);

    if (p == NULL)
        return malloc(n);
    if (n == 0) {
        gg_heap_free(p);
        return NULL;
    }
    if (n <= old && n >= old / 2) {
        explicit_bzero((char *)p + n, old - n);
        return p;
    }
    void *moved = malloc(n);
    if (moved == NULL)
        return NULL;
    memcpy(moved, p, n < old ? n : old);
    gg_heap_free(p);
    return moved;
}
#endif
