/* SPDX-License-Identifier: MIT */
#include "gg/base/metric.h"

#include "gg/base/hostfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Other processes see it: what a lock of the C library made atomic would not be. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics take no lock");

#define LAYOUT_NAME "graphgate metrics 1"

/* How many numbers one series has. */
#define CELLS_COUNTER   1
#define CELLS_SPARSE    1
#define CELLS_HISTOGRAM (GG_METRIC_BUCKETS + 1)

/* The file. All zero is a page that nobody has counted in. */
struct page {
    _Atomic uint64_t mark; /* of the layout; 0 until the first process has been here */
    atomic_uchar places[GG_METRIC_WORKERS_MAX];
#define ARRAY(id, kind, name, a, b, c, help) \
    _Atomic uint64_t id[(size_t)CELLS_##kind * GG_M_##a##_N * GG_M_##b##_N * GG_M_##c##_N];
    GG_METRICS(ARRAY)
#undef ARRAY
};

static const struct gg_metric_family families[] = {
#define ROW(id, kind, name, a, b, c, help) \
    {GG_METRIC_PREFIX name, GG_METRIC_##kind, {GG_LABEL_##a, GG_LABEL_##b, GG_LABEL_##c}, help},
    GG_METRICS(ROW)
#undef ROW
};

static const size_t offsets[] = {
#define OFFSET(id, ...) offsetof(struct page, id),
    GG_METRICS(OFFSET)
#undef OFFSET
};

const int64_t gg_metric_bounds_us[GG_METRIC_BUCKETS - 1] = {
    500,    1000,   2500,    5000,    10000,   25000,    50000,   100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 25000000};

#define WORD(name, word)       word,
#define NUMBER(n)              #n,
#define WORDS(id, label, list) static const char *const words_##id[] = {list(WORD)};
GG_METRIC_LABELS(WORDS)
static const char *const words_STATUS[] = {GG_METRIC_STATUS_NUMBERS(NUMBER)
                                               GG_METRIC_STATUS_WORDS(WORD)};
#define RESULT(name, word, code) word,
static const char *const words_RESULT[] = {GG_METRIC_RESULTS(RESULT)};
static const char *const words_NONE[] = {""};

#define N(table) ((unsigned)(sizeof(table) / sizeof((table)[0])))

static const struct gg_metric_words labels[] = {
    [GG_LABEL_NONE] = {NULL, words_NONE, 1},
    [GG_LABEL_STATUS] = {"status", words_STATUS, N(words_STATUS)},
    [GG_LABEL_RESULT] = {"result", words_RESULT, N(words_RESULT)},
#define LABEL(id, label, list) [GG_LABEL_##id] = {label, words_##id, N(words_##id)},
    GG_METRIC_LABELS(LABEL)
#undef LABEL
};

/* The one page of this process. */
static struct {
    struct page *page; /* NULL: nothing is counted */
    int fd;
    int place; /* of this worker, or -1 */
    const char *routes[GG_METRIC_ROUTES_MAX + 1];
    unsigned route_count; /* with "other" */
} here = {.fd = -1, .place = -1, .routes = {"other"}, .route_count = 1};

const struct gg_metric_family *gg_metric_family(enum gg_metric m)
{
    return &families[m];
}

struct gg_metric_words gg_metric_words(enum gg_metric_label label)
{
    if (label == GG_LABEL_ROUTE)
        return (struct gg_metric_words){"route", here.routes, here.route_count};
    return labels[label];
}

/* FNV-1a. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * 1099511628211U;
    while (*text++ != '\0');
    return hash;
}

/* Whatever decides which number means what. */
static uint64_t layout_mark(void)
{
    uint64_t hash = add_text(14695981039346656037U, LAYOUT_NAME);
    char number[24];

    for (int m = 0; m < GG_METRIC_FAMILIES; m++) {
        hash = add_text(hash, families[m].name);
        for (int i = 0; i < GG_METRIC_LABELS_MAX; i++) {
            struct gg_metric_words list = gg_metric_words(families[m].labels[i]);
            for (unsigned k = 0; k < list.count; k++)
                hash = add_text(hash, list.words[k]);
        }
        (void)snprintf(number, sizeof number, "%zu", offsets[m]);
        hash = add_text(hash, number);
    }
    for (unsigned i = 0; i < GG_METRIC_BUCKETS - 1; i++) {
        (void)snprintf(number, sizeof number, "%lld", (long long)gg_metric_bounds_us[i]);
        hash = add_text(hash, number);
    }
    return hash == 0 ? 1 : hash;
}

/* Of two processes that do this at once, neither changes a byte that the other has written. */
static bool reserve(const char *path, int fd, struct gg_err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return gg_hostfile_fail(path, strerror(errno), err);
    if (st.st_size != 0 && st.st_size != (off_t)sizeof(struct page))
        return gg_hostfile_fail(path, "is not such a page", err);
    if (fallocate(fd, 0, 0, (off_t)sizeof(struct page)) != 0)
        return gg_hostfile_fail(path, strerror(errno), err);
    return true;
}

static bool map_page(const char *path, int fd, uint64_t mark, struct gg_err *err)
{
    uint64_t found = 0;
    struct page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (page == MAP_FAILED)
        return gg_hostfile_fail(path, strerror(errno), err);
    if (!atomic_compare_exchange_strong(&page->mark, &found, mark) && found != mark) {
        (void)munmap(page, sizeof *page);
        return gg_hostfile_fail(path, "has another layout", err);
    }
    here.page = page;
    here.fd = fd;
    return true;
}

bool gg_metric_open(const struct gg_metric_site *site, struct gg_err *err)
{
    char path[4096];
    int fd;

    gg_metric_close();
    if (site->route_count > GG_METRIC_ROUTES_MAX)
        return gg_fail(err, GG_EINTERNAL, "too many routes");
    for (unsigned i = 0; i < site->route_count; i++)
        here.routes[i + 1] = site->routes[i];
    here.route_count = site->route_count + 1;
    uint64_t mark = layout_mark();
    int n = snprintf(path, sizeof path, "%s.%08x", site->path, (unsigned)(mark ^ mark >> 32));
    if (n < 0 || (size_t)n >= sizeof path)
        return gg_fail(err, GG_EINTERNAL, "the path is too long");
    if (!gg_hostfile_open(path, site->is_found ? GG_HOSTFILE_FIND : GG_HOSTFILE_MAKE, &fd, err))
        return false;
    if (reserve(path, fd, err) && map_page(path, fd, mark, err))
        return true;
    (void)close(fd);
    return false;
}

void gg_metric_close(void)
{
    if (here.page != NULL)
        (void)munmap(here.page, sizeof *here.page);
    if (here.fd >= 0)
        (void)close(here.fd);
    here.page = NULL;
    here.fd = -1;
    here.place = -1;
}

bool gg_metric_is_open(void)
{
    return here.page != NULL;
}

/* The first number of a series. */
static _Atomic uint64_t *find(enum gg_metric m, unsigned a, unsigned b, unsigned c)
{
    const struct gg_metric_family *f = &families[m];
    static const unsigned sizes[] = {[GG_LABEL_NONE] = 1,
                                     [GG_LABEL_ROUTE] = GG_M_ROUTE_N,
                                     [GG_LABEL_STATUS] = GG_M_STATUS_N,
                                     [GG_LABEL_RESULT] = GG_M_RESULT_N,
#define SIZE(id, ...) [GG_LABEL_##id] = GG_M_##id##_N,
                                     GG_METRIC_LABELS(SIZE)
#undef SIZE
    };
    const unsigned numbers[GG_METRIC_LABELS_MAX] = {a, b, c};
    size_t at = 0;

    for (int i = 0; i < GG_METRIC_LABELS_MAX; i++) {
        unsigned size = sizes[f->labels[i]];
        at = at * size + (numbers[i] < size ? numbers[i] : 0);
    }
    at *= f->kind == GG_METRIC_HISTOGRAM ? CELLS_HISTOGRAM : 1;
    return (_Atomic uint64_t *)(void *)((char *)here.page + offsets[m]) + at;
}

void gg_metric_count(enum gg_metric m, unsigned a, unsigned b, unsigned c)
{
    if (here.page != NULL)
        (void)atomic_fetch_add(find(m, a, b, c), 1);
}

void gg_metric_observe(enum gg_metric m, unsigned a, unsigned b, int64_t us)
{
    unsigned bucket = 0;

    if (here.page == NULL)
        return;
    us = us < 0 ? 0 : us;
    while (bucket < GG_METRIC_BUCKETS - 1 && us > gg_metric_bounds_us[bucket])
        bucket++;
    _Atomic uint64_t *cells = find(m, a, b, 0);
    (void)atomic_fetch_add(&cells[bucket], 1);
    (void)atomic_fetch_add(&cells[GG_METRIC_BUCKETS], (uint64_t)us);
}

uint64_t gg_metric_get(enum gg_metric m, unsigned a, unsigned b, unsigned c)
{
    return here.page == NULL ? 0 : atomic_load(find(m, a, b, c));
}

struct gg_metric_durations gg_metric_get_durations(enum gg_metric m, unsigned a, unsigned b)
{
    struct gg_metric_durations d = {0};

    if (here.page == NULL)
        return d;
    _Atomic uint64_t *cells = find(m, a, b, 0);
    for (unsigned i = 0; i < GG_METRIC_BUCKETS; i++)
        d.buckets[i] = atomic_load(&cells[i]);
    d.sum_us = atomic_load(&cells[GG_METRIC_BUCKETS]);
    return d;
}

enum gg_metric_status gg_metric_status(int status)
{
    static const int numbers[] = {
#define STATUS(n) n,
        GG_METRIC_STATUS_NUMBERS(STATUS)
#undef STATUS
    };

    for (unsigned i = 0; i < N(numbers); i++)
        if (numbers[i] == status)
            return (enum gg_metric_status)i;
    return GG_M_STATUS_OTHER;
}

enum gg_metric_result gg_metric_result(enum gg_code code)
{
    static const enum gg_code codes[] = {
#define CODE(name, word, code) code,
        GG_METRIC_RESULTS(CODE)
#undef CODE
    };

    for (unsigned i = 0; i < N(codes); i++)
        if (codes[i] == code)
            return (enum gg_metric_result)i;
    return GG_M_RESULT_OTHER;
}

/* A record lock on a place's byte: it ends with the process, and no later one inherits it. */
static struct flock lock_of(unsigned place)
{
    return (struct flock){
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = (off_t)(offsetof(struct page, places) + place),
        .l_len = 1,
    };
}

void gg_metric_join(void)
{
    unsigned first = (unsigned)getpid();

    for (unsigned i = 0; here.page != NULL && i < GG_METRIC_WORKERS_MAX; i++) {
        unsigned place = (first + i) % GG_METRIC_WORKERS_MAX;
        struct flock lock = lock_of(place);
        if (fcntl(here.fd, F_SETLK, &lock) != 0)
            continue;
        here.place = (int)place;
        gg_metric_set_state(GG_METRIC_IDLE);
        return;
    }
}

void gg_metric_set_state(enum gg_metric_state state)
{
    if (here.page != NULL && here.place >= 0)
        atomic_store(&here.page->places[here.place], (unsigned char)state);
}

void gg_metric_count_workers(unsigned counts[GG_METRIC_STATES])
{
    memset(counts, 0, GG_METRIC_STATES * sizeof *counts);
    for (unsigned i = 0; here.page != NULL && i < GG_METRIC_WORKERS_MAX; i++) {
        unsigned char state = atomic_load(&here.page->places[i]);
        struct flock lock = lock_of(i);
        if (state == GG_METRIC_AWAY || state >= GG_METRIC_STATES)
            continue;
        /* One's own lock is in nobody's way. */
        if ((int)i == here.place || (fcntl(here.fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK))
            counts[state]++;
    }
}
