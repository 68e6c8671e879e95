/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "gg/app/heap.h"

#if defined(__GLIBC__) && !defined(GG_SANITIZE)
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* From here on pages are given back rather than written: most of a large block was never touched.
 */
#define LARGE_BYTES ((size_t)256 * 1024)

/* glibc's own, below the names that are taken here. */
void gg_heap_free_below(void *p) __asm__("__libc_free");

static void clear(char *p, size_t n)
{
    if (n < LARGE_BYTES) {
        explicit_bzero(p, n);
        return;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t head = (page - (uintptr_t)p % page) % page;
    size_t whole = (n - head) / page * page;

    if (madvise(p + head, whole, MADV_DONTNEED) == 0) {
        explicit_bzero(p, head);
        explicit_bzero(p + head + whole, n - head - whole);
    } else {
        explicit_bzero(p, n);
    }
}

void gg_heap_free(void *p)
{
    int kept = errno;

    if (p == NULL)
        return;
    clear(p, malloc_usable_size(p));
    gg_heap_free_below(p);
    errno = kept;
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
        clear((char *)p + n, old - n);
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
