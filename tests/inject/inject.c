/* SPDX-License-Identifier: MIT */
/* Its read, recv and poll are inline ones, which cannot be defined again. */
#undef _FORTIFY_SOURCE

#include "inject.h"

#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum inject_kind armed;
static long left;

void inject_arm(enum inject_kind kind, long n)
{
    left = n;
    armed = kind;
}

bool inject_disarm(void)
{
    armed = INJECT_NOTHING;
    return left <= 0;
}

/* Whether this call is the one. */
static bool is_hit(enum inject_kind kind)
{
    return armed == kind && --left == 0;
}

/* libc's own, found once; a pointer to data and one to a function are the same to dlsym. */
#define NEXT(name) \
    static __typeof__(&(name)) next; \
    if (next == NULL) { \
        void *found = dlsym(RTLD_NEXT, #name); \
        memcpy(&next, &found, sizeof next); \
    }

/* -1 with errno where this call to the system is to fail; else how many bytes it may move. */
static ssize_t allow(size_t n)
{
    if (is_hit(INJECT_INTERRUPT)) {
        errno = EINTR;
        return -1;
    }
    if (is_hit(INJECT_RESET)) {
        errno = ECONNRESET;
        return -1;
    }
    return armed == INJECT_PIECES && n > 1 && (is_hit(INJECT_PIECES) || left < 0) ? 1 : (ssize_t)n;
}

static bool has_no_files(void)
{
    if (!is_hit(INJECT_FILES))
        return false;
    errno = EMFILE;
    return true;
}

/* A sanitizer has a malloc of its own. */
#ifndef GG_SANITIZE
void *malloc(size_t n);
void *calloc(size_t count, size_t n);
void *realloc(void *p, size_t n);
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t n);
extern void *__libc_realloc(void *p, size_t n);

static bool has_no_memory(void)
{
    if (!is_hit(INJECT_MEMORY))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return has_no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    return has_no_memory() ? NULL : __libc_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
    return has_no_memory() ? NULL : __libc_realloc(p, n);
}
#endif

ssize_t read(int fd, void *p, size_t n)
{
    NEXT(read)
    ssize_t may = allow(n);
    return may < 0 ? -1 : next(fd, p, (size_t)may);
}

ssize_t write(int fd, const void *p, size_t n)
{
    NEXT(write)
    ssize_t may = allow(n);
    return may < 0 ? -1 : next(fd, p, (size_t)may);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    NEXT(recv)
    ssize_t may = allow(n);
    return may < 0 ? -1 : next(fd, p, (size_t)may, flags);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    NEXT(send)
    ssize_t may = allow(n);
    return may < 0 ? -1 : next(fd, p, (size_t)may, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    NEXT(sendmsg)
    ssize_t may = allow(2);
    size_t i = 0;
    while (may == 1 && m->msg_iov[i].iov_len == 0)
        i++;
    struct iovec byte = {m->msg_iov[i].iov_base, 1};
    struct msghdr piece = {.msg_iov = &byte, .msg_iovlen = 1};
    return may < 0 ? -1 : next(fd, may == 1 ? &piece : m, flags);
}

int poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
    NEXT(poll)
    if (is_hit(INJECT_INTERRUPT)) {
        errno = EINTR;
        return -1;
    }
    return next(p, n, timeout_ms);
}

int ppoll(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    NEXT(ppoll)
    if (is_hit(INJECT_INTERRUPT)) {
        errno = EINTR;
        return -1;
    }
    return next(p, n, timeout, mask);
}

int socket(int domain, int type, int protocol)
{
    NEXT(socket)
    return has_no_files() ? -1 : next(domain, type, protocol);
}

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *n, int flags)
{
    NEXT(accept4)
    return has_no_files() ? -1 : next(fd, address, n, flags);
}
