/* SPDX-License-Identifier: MIT */
#include "gg/base/journal.h"

#include "gg/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define NO_LANE (-1)
#define NEVER   INT64_MAX

struct gg_journal {
    int fd;
    int lane;
    size_t used;  /* bytes of one's lane that are records */
    size_t dirty; /* what has to be overwritten to empty it */
    unsigned count;
    int64_t due_ms;
};

static off_t place_of(int lane)
{
    return (off_t)lane * GG_JOURNAL_LANE_BYTES;
}

bool gg_journal_open(const char *path, enum gg_hostfile_how how, struct gg_journal **out,
                     struct gg_err *err)
{
    int fd;

    *out = NULL;
    if (!gg_hostfile_open(path, how, &fd, err))
        return false;
    struct gg_journal *j = calloc(1, sizeof *j);
    if (j == NULL)
        abort();
    *j = (struct gg_journal){.fd = fd, .lane = NO_LANE, .due_ms = NEVER};
    *out = j;
    return true;
}

void gg_journal_close(struct gg_journal *j)
{
    if (j == NULL)
        return;
    (void)close(j->fd);
    free(j);
}

/* A record lock on the lane's first byte: it ends with the process, and no later one inherits it.
 */
static bool set_lock(const struct gg_journal *j, int lane, short type)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = place_of(lane), .l_len = 1};

    return fcntl(j->fd, F_SETLK, &lock) == 0;
}

bool gg_journal_take(struct gg_str *records, struct gg_str *record)
{
    uint32_t n;

    if (records->n < sizeof n)
        return false;
    memcpy(&n, records->p, sizeof n);
    if (n == 0 || n > records->n - sizeof n)
        return false;
    *record = (struct gg_str){records->p + sizeof n, n};
    *records = gg_str_skip(*records, sizeof n + n);
    return true;
}

static bool fill(const struct gg_journal *j, size_t n)
{
    static const char zeros[GG_JOURNAL_LANE_BYTES];

    return pwrite(j->fd, zeros, n, place_of(j->lane)) == (ssize_t)n;
}

static void leave(struct gg_journal *j)
{
    (void)set_lock(j, j->lane, F_UNLCK);
    *j = (struct gg_journal){.fd = j->fd, .lane = NO_LANE, .due_ms = NEVER};
}

/* Who was killed may have left bytes behind the records that are none. */
static bool is_zero(struct gg_str s)
{
    while (s.n > 0 && s.p[s.n - 1] == 0)
        s.n--;
    return s.n == 0;
}

/* A lane whose lock this process has. */
static bool enter(struct gg_journal *j, int lane)
{
    char bytes[GG_JOURNAL_LANE_BYTES];
    ssize_t n = pread(j->fd, bytes, sizeof bytes, place_of(lane));
    size_t all = n < 0 ? 0 : (size_t)n;
    struct gg_str rest = {bytes, all};
    struct gg_str record;
    unsigned count = 0;

    while (gg_journal_take(&rest, &record))
        count++;
    *j = (struct gg_journal){.fd = j->fd,
                             .lane = lane,
                             .used = all - rest.n,
                             .dirty = is_zero(rest) ? all - rest.n : all,
                             .count = count,
                             .due_ms = count > 0 ? 0 : NEVER};
    if (n >= 0 && (count > 0 || j->dirty == 0 || fill(j, j->dirty)))
        return true;
    leave(j);
    return false;
}

void gg_journal_join(struct gg_journal *j)
{
    for (int lane = 0; j->lane == NO_LANE && lane < GG_JOURNAL_LANES; lane++)
        if (set_lock(j, lane, F_WRLCK) && enter(j, lane))
            return;
}

static bool has_records(const struct gg_journal *j, int lane)
{
    uint32_t n = 0;

    return pread(j->fd, &n, sizeof n, place_of(lane)) == (ssize_t)sizeof n && n > 0;
}

bool gg_journal_move(struct gg_journal *j)
{
    struct stat st;

    if (j->used > 0 || fstat(j->fd, &st) != 0)
        return false;
    for (int lane = 0; lane < GG_JOURNAL_LANES && place_of(lane) < st.st_size; lane++) {
        if (lane == j->lane || !has_records(j, lane) || !set_lock(j, lane, F_WRLCK))
            continue;
        if (j->lane != NO_LANE)
            leave(j);
        /* Another may have been faster, and be gone again. */
        if (enter(j, lane) && j->used > 0)
            return true;
    }
    return false;
}

bool gg_journal_add(struct gg_journal *j, struct gg_str record)
{
    size_t room = GG_JOURNAL_LANE_BYTES - j->used;
    uint32_t n = (uint32_t)record.n;
    size_t all = sizeof n + record.n;
    const struct iovec parts[] = {{&n, sizeof n}, {(char *)record.p, record.n}};

    if (j->lane == NO_LANE || record.n == 0 || record.n >= GG_JOURNAL_LANE_BYTES || all > room)
        return false;
    j->dirty = j->used + all > j->dirty ? j->used + all : j->dirty;
    off_t place = place_of(j->lane) + (off_t)j->used;
    if (pwritev(j->fd, parts, 2, place) != (ssize_t)all) {
        static const uint32_t none;
        (void)(pwrite(j->fd, &none, sizeof none, place) == 0);
        return false;
    }
    j->used += all;
    j->count++;
    if (j->count == 1)
        j->due_ms = gg_clock_mono_ms() + GG_JOURNAL_AGE_MS;
    else if (j->count == GG_JOURNAL_COUNT)
        j->due_ms = 0;
    return true;
}

bool gg_journal_is_empty(const struct gg_journal *j)
{
    return j->used == 0;
}

bool gg_journal_is_due(const struct gg_journal *j)
{
    return j->used > 0 && gg_clock_mono_ms() >= j->due_ms;
}

void gg_journal_put_off(struct gg_journal *j)
{
    j->due_ms = gg_clock_mono_ms() + GG_JOURNAL_AGE_MS;
}

bool gg_journal_read(struct gg_journal *j, struct gg_arena *a, struct gg_str *records,
                     struct gg_err *err)
{
    char *p = gg_arena_alloc(a, j->used + 1);

    *records = (struct gg_str){p, j->used};
    if (j->used == 0 || pread(j->fd, p, j->used, place_of(j->lane)) == (ssize_t)j->used)
        return true;
    return gg_fail(err, GG_EINTERNAL, "the journal cannot be read: %s", strerror(errno));
}

void gg_journal_clear(struct gg_journal *j)
{
    /* What stays in a lane that cannot be emptied is found, and written once more, by another. */
    if (j->dirty > 0 && !fill(j, j->dirty)) {
        leave(j);
        return;
    }
    *j = (struct gg_journal){.fd = j->fd, .lane = j->lane, .due_ms = NEVER};
}
