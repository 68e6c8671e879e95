/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/metric.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const routes[] = {"a", "b/{id}"};
static char folder[] = "/tmp/gg-metric-XXXXXX";
static char path[64];
static struct gg_metric_site site = {.path = path, .routes = routes, .route_count = 2};

static void set_up(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/gg-metric-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/page", folder);
    site.route_count = 2;
}

static void open_page(void)
{
    struct gg_err err;

    ck_assert_msg(gg_metric_open(&site, &err), "%s", err.log);
}

static void check_refused(const char *words)
{
    struct gg_err err;

    ck_assert(!gg_metric_open(&site, &err));
    ck_assert_msg(strstr(err.log, words) != NULL, "%s", err.log);
    ck_assert(!gg_metric_is_open());
    /* Nothing is counted, and nothing breaks. */
    gg_metric_count(GG_METRIC_BAD_JWTS, 0, 0, 0);
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_BAD_JWTS, 0, 0, 0), 0);
}

/* The n-th name in the folder, or NULL; what the file is really called. */
static const char *find_name(int n)
{
    static char name[512];
    DIR *d = opendir(folder);
    const struct dirent *e;
    const char *found = NULL;

    while (found == NULL && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && n-- == 0) {
            (void)snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
            found = name;
        }
    (void)closedir(d);
    return found;
}

static void tear_down(void)
{
    const char *name;

    gg_metric_close();
    while ((name = find_name(0)) != NULL)
        ck_assert_int_eq(unlink(name), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(without_a_page_nothing_happens)
{
    unsigned counts[GG_METRIC_STATES];

    gg_metric_count(GG_METRIC_HTTP_REQUESTS, 1, 1, 1);
    gg_metric_observe(GG_METRIC_DB_DURATION, 0, 0, 10);
    gg_metric_join();
    gg_metric_set_state(GG_METRIC_BUSY);
    gg_metric_count_workers(counts);
    ck_assert_uint_eq(counts[GG_METRIC_BUSY], 0);
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_HTTP_REQUESTS, 1, 1, 1), 0);
    ck_assert_uint_eq(gg_metric_get_durations(GG_METRIC_DB_DURATION, 0, 0).sum_us, 0);
    ck_assert(!gg_metric_is_open());
}
END_TEST

/* Each series has a number of its own, and what is out of a list stays in the page. */
START_TEST(every_series_by_itself)
{
    set_up();
    open_page();
    for (int m = 0; m < GG_METRIC_FAMILIES; m++) {
        const struct gg_metric_family *f = gg_metric_family((enum gg_metric)m);
        unsigned n[GG_METRIC_LABELS_MAX];
        uint64_t times = 1;
        for (int i = 0; i < GG_METRIC_LABELS_MAX; i++)
            n[i] = gg_metric_words(f->labels[i]).count;
        if (f->kind == GG_METRIC_HISTOGRAM)
            continue;
        for (unsigned i = 0; i < n[0] * n[1] * n[2]; i++, times = times % 7 + 1)
            for (uint64_t k = 0; k < times; k++)
                gg_metric_count((enum gg_metric)m, i / (n[1] * n[2]), i / n[2] % n[1], i % n[2]);
        times = 1;
        for (unsigned i = 0; i < n[0] * n[1] * n[2]; i++, times = times % 7 + 1)
            ck_assert_uint_eq(
                gg_metric_get((enum gg_metric)m, i / (n[1] * n[2]), i / n[2] % n[1], i % n[2]),
                times);
    }
    uint64_t before = gg_metric_get(GG_METRIC_RATE_LIMITED, 0, 0, 0);
    gg_metric_count(GG_METRIC_RATE_LIMITED, 4000000000U, 99, 99);
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_RATE_LIMITED, 0, 0, 0), before + 1);
    tear_down();
}
END_TEST

START_TEST(buckets)
{
    static const struct {
        int64_t us;
        unsigned bucket;
    } cases[] = {{-5, 0},       {0, 0},         {500, 0},       {501, 1},
                 {1000000, 10}, {25000000, 14}, {25000001, 15}, {INT64_C(1) << 40, 15}};

    set_up();
    open_page();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_metric_durations before =
            gg_metric_get_durations(GG_METRIC_HTTP_DURATION, 1, GG_M_PUT);
        gg_metric_observe(GG_METRIC_HTTP_DURATION, 1, GG_M_PUT, cases[i].us);
        struct gg_metric_durations d =
            gg_metric_get_durations(GG_METRIC_HTTP_DURATION, 1, GG_M_PUT);
        ck_assert_uint_eq(d.buckets[cases[i].bucket], before.buckets[cases[i].bucket] + 1);
        ck_assert_uint_eq(d.sum_us, before.sum_us + (uint64_t)(cases[i].us > 0 ? cases[i].us : 0));
    }
    ck_assert_uint_eq(gg_metric_get_durations(GG_METRIC_HTTP_DURATION, 1, GG_M_POST).sum_us, 0);
    tear_down();
}
END_TEST

#define PROCESSES 8
#define ROUNDS    20000

/* Half of them inherit the page, half open it anew; all that they counted is there. */
/* mutant: src/base/metric.c: MAP_SHARED => MAP_PRIVATE */
START_TEST(processes_add_up)
{
    pid_t pids[PROCESSES];
    int status;

    set_up();
    open_page();
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        struct gg_err err;
        if (i % 2 != 0 && !gg_metric_open(&site, &err))
            _exit(1);
        for (int k = 0; k < ROUNDS; k++) {
            gg_metric_count(GG_METRIC_HTTP_REQUESTS, 2, GG_M_GET, GG_M_STATUS_200);
            gg_metric_observe(GG_METRIC_HTTP_DURATION, 2, GG_M_GET, 3);
        }
        /* As one that is killed. */
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++)
        ck_assert(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_HTTP_REQUESTS, 2, GG_M_GET, GG_M_STATUS_200),
                      PROCESSES * ROUNDS);
    struct gg_metric_durations d = gg_metric_get_durations(GG_METRIC_HTTP_DURATION, 2, GG_M_GET);
    ck_assert_uint_eq(d.buckets[0], PROCESSES * ROUNDS);
    ck_assert_uint_eq(d.sum_us, 3 * PROCESSES * ROUNDS);
    gg_metric_close();
    open_page();
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_HTTP_REQUESTS, 2, GG_M_GET, GG_M_STATUS_200),
                      PROCESSES * ROUNDS);
    tear_down();
}
END_TEST

/* Another table, another file; the same name with another content is left alone. */
/* mutant: src/base/metric.c: && found != mark => && found == 0 */
START_TEST(another_layout)
{
    char first[512];
    char second[512];
    uint64_t mark = 1;

    set_up();
    open_page();
    (void)snprintf(first, sizeof first, "%s", find_name(0));
    gg_metric_count(GG_METRIC_HTTP_REQUESTS, 1, GG_M_GET, GG_M_STATUS_200);
    site.route_count = 1;
    open_page();
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_HTTP_REQUESTS, 1, GG_M_GET, GG_M_STATUS_200), 0);
    (void)snprintf(second, sizeof second, "%s", find_name(strcmp(find_name(0), first) == 0));
    ck_assert_str_ne(first, second);
    int fd = open(second, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, &mark, sizeof mark, 0), sizeof mark);
    (void)close(fd);
    check_refused("has another layout");
    ck_assert_int_eq(truncate(second, 100), 0);
    check_refused("is not such a page");
    site.route_count = 2;
    open_page();
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_HTTP_REQUESTS, 1, GG_M_GET, GG_M_STATUS_200), 1);
    tear_down();
}
END_TEST

START_TEST(no_file_but_our_own)
{
    struct stat st;

    set_up();
    open_page();
    ck_assert_int_eq(stat(find_name(0), &st), 0);
    ck_assert_int_ge(st.st_blocks * 512, st.st_size);
    ck_assert_int_eq(chmod(find_name(0), 0640), 0);
    check_refused("others have rights");
    site.path = "/nonexistent/page";
    check_refused("No such file");
    site.path = path;
    site.route_count = GG_METRIC_ROUTES_MAX + 1;
    check_refused("too many routes");
    tear_down();
}
END_TEST

/* A child that has joined and set this state; it waits to be killed. */
static pid_t start_worker(enum gg_metric_state state)
{
    int ready[2];
    char byte = 0;

    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        gg_metric_join();
        gg_metric_set_state(state);
        (void)!write(ready[1], &byte, 1);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
}

static void check_workers(unsigned busy, unsigned idle)
{
    unsigned counts[GG_METRIC_STATES];

    gg_metric_count_workers(counts);
    ck_assert_uint_eq(counts[GG_METRIC_BUSY], busy);
    ck_assert_uint_eq(counts[GG_METRIC_IDLE], idle);
}

/* mutant: src/base/metric.c: lock.l_type != F_UNLCK => true */
START_TEST(a_killed_worker_is_no_worker)
{
    set_up();
    open_page();
    check_workers(0, 0);
    pid_t busy = start_worker(GG_METRIC_BUSY);
    pid_t idle = start_worker(GG_METRIC_IDLE);
    check_workers(1, 1);
    gg_metric_join();
    check_workers(1, 2);
    gg_metric_set_state(GG_METRIC_BUSY);
    check_workers(2, 1);
    ck_assert_int_eq(kill(busy, SIGKILL), 0);
    ck_assert_int_eq(waitpid(busy, NULL, 0), busy);
    check_workers(1, 1);
    ck_assert_int_eq(kill(idle, SIGKILL), 0);
    ck_assert_int_eq(waitpid(idle, NULL, 0), idle);
    check_workers(1, 0);
    gg_metric_set_state(GG_METRIC_AWAY);
    check_workers(0, 0);
    tear_down();
}
END_TEST

/* Where all places are taken one works on uncounted, and counts requests all the same. */
START_TEST(more_workers_than_places)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pid_t pid;
    int status;

    set_up();
    open_page();
    int fd = open(find_name(0), O_RDWR);
    ck_assert_int_eq(fcntl(fd, F_SETLK, &all), 0);
    pid = fork();
    if (pid == 0) {
        gg_metric_join();
        gg_metric_set_state(GG_METRIC_BUSY);
        gg_metric_count(GG_METRIC_AUDIT_FAILURES, 0, 0, 0);
        _exit(0);
    }
    ck_assert(waitpid(pid, &status, 0) == pid && status == 0);
    (void)close(fd);
    check_workers(0, 0);
    ck_assert_uint_eq(gg_metric_get(GG_METRIC_AUDIT_FAILURES, 0, 0, 0), 1);
    tear_down();
}
END_TEST

START_TEST(words_of_statuses_and_results)
{
    struct gg_metric_words statuses = gg_metric_words(GG_LABEL_STATUS);
    struct gg_metric_words results = gg_metric_words(GG_LABEL_RESULT);
    char number[16];

    ck_assert_str_eq(statuses.words[gg_metric_status(418)], "other");
    ck_assert_str_eq(statuses.words[gg_metric_status(0)], "other");
    ck_assert_str_eq(results.words[gg_metric_result(GG_OK)], "ok");
    ck_assert_str_eq(results.words[gg_metric_result(GG_EPRECONDITION)], "other");
    /* Whatever we can answer has its own word. */
    for (int code = 1; code < GG_CODES; code++) {
        const struct gg_err_row *row = gg_err_row((enum gg_code)code);
        enum gg_metric_result result = gg_metric_result((enum gg_code)code);
        (void)snprintf(number, sizeof number, "%d", row->status);
        ck_assert_str_eq(statuses.words[gg_metric_status(row->status)], number);
        if (result != GG_M_RESULT_OTHER)
            ck_assert_str_eq(results.words[result], row->code);
    }
}
END_TEST

GG_UNIT_MAIN("base/metric", without_a_page_nothing_happens, every_series_by_itself, buckets,
             processes_add_up, another_layout, no_file_but_our_own, a_killed_worker_is_no_worker,
             more_workers_than_places, words_of_statuses_and_results)
