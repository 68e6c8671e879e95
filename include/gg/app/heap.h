/* SPDX-License-Identifier: MIT */
#ifndef GG_APP_HEAP_H
#define GG_APP_HEAP_H

#include <stdlib.h>

/*
 * The worker's free and realloc, for every library in it: what is given back is cleared first.
 * The arenas wipe their own memory; but json-c, libcurl, OpenSSL and libfcgi hold tokens too, and
 * free them as they are. Known to the linker by the names that C gives them. Left out where a
 * sanitizer has a heap of its own, and without glibc.
 */
#if defined(__GLIBC__) && !defined(GG_SANITIZE)
void gg_heap_free(void *p) __asm__("free");
void *gg_heap_resize(void *p, size_t n) __asm__("realloc");
#endif

#endif
