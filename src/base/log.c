/* SPDX-License-Identifier: MIT */
#include "gg/base/log.h"

#include "gg/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define FILE_PREFIX "file:"
#define LOOK_MS     1000

static struct {
    int fd; /* -1: syslog */
    enum gg_level least;
    enum gg_logline_form form;
    char request_id[65];
    gg_log_name_fn *name;
    unsigned char key[GG_LOG_KEY_BYTES];
    char path[PATH_MAX]; /* "": no file */
    struct stat file;    /* what it led to when it was opened */
    int64_t looked_ms;
    bool is_lost; /* it does not open, and that was told */
    bool is_guest;
} sink = {.fd = STDERR_FILENO, .least = GG_INFO};

static const struct {
    const char *name;
    int priority;
} levels[] = {
    [GG_DEBUG] = {"debug", LOG_DEBUG},
    [GG_INFO] = {"info", LOG_INFO},
    [GG_WARNING] = {"warning", LOG_WARNING},
    [GG_ERROR] = {"error", LOG_ERR},
};

/* The descriptor of the file, or -1 with errno. */
static int open_file(const char *path, struct stat *file)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | (sink.is_guest ? 0 : O_CREAT), 0600);

    if (fd >= 0 && fstat(fd, file) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void take_fd(int fd)
{
    if (sink.fd > STDERR_FILENO)
        (void)close(sink.fd);
    sink.fd = fd;
    sink.looked_ms = gg_clock_mono_ms();
    sink.is_lost = false;
}

bool gg_log_open(const char *target, enum gg_level least, struct gg_err *err)
{
    int fd = STDERR_FILENO;
    struct gg_str name = gg_str_of(target);
    const char *path = "";
    struct stat file = {0};

    if (gg_str_is(name, "syslog")) {
        openlog("graphgate", LOG_PID, LOG_DAEMON);
        fd = -1;
    } else if (gg_str_has_prefix(name, FILE_PREFIX)) {
        path = target + strlen(FILE_PREFIX);
        errno = ENAMETOOLONG;
        fd = strlen(path) < sizeof sink.path ? open_file(path, &file) : -1;
        if (fd < 0)
            return gg_fail(err, GG_ENOTCONFIGURED, "LOG_TARGET: cannot open the file: %s",
                           strerror(errno));
    }
    sink.least = least;
    (void)snprintf(sink.path, sizeof sink.path, "%s", path);
    sink.file = file;
    take_fd(fd);
    return true;
}

void gg_log_reopen(void)
{
    struct stat file;

    if (sink.path[0] == '\0')
        return;
    sink.looked_ms = gg_clock_mono_ms();
    int fd = open_file(sink.path, &file);
    if (fd >= 0) {
        sink.file = file;
        take_fd(fd);
    } else if (!sink.is_lost) {
        sink.is_lost = true;
        gg_log(GG_ERROR, "log.reopen", "result=failed reason=\"%s\"", strerror(errno));
    }
}

/* Whoever renames the file need not tell us, and there are no two stats in a second. */
static void follow_file(void)
{
    struct stat now;

    if (sink.path[0] == '\0' || gg_clock_mono_ms() - sink.looked_ms < LOOK_MS)
        return;
    sink.looked_ms = gg_clock_mono_ms();
    if (stat(sink.path, &now) != 0 || now.st_ino != sink.file.st_ino ||
        now.st_dev != sink.file.st_dev)
        gg_log_reopen();
}

void gg_log_be_guest(void)
{
    sink.is_guest = true;
}

void gg_log_set_form(enum gg_logline_form form)
{
    sink.form = form;
}

void gg_log_set_request(const char *request_id)
{
    size_t n = strnlen(request_id, sizeof sink.request_id - 1);

    memcpy(sink.request_id, request_id, n);
    sink.request_id[n] = '\0';
}

void gg_log_set_subjects(gg_log_name_fn *name, const unsigned char key[GG_LOG_KEY_BYTES])
{
    sink.name = name;
    memcpy(sink.key, key, sizeof sink.key);
}

struct gg_log_subject gg_log_subject(struct gg_str subject)
{
    struct gg_log_subject out = {"-"};

    if (subject.n > 0 && sink.name != NULL && !sink.name(sink.key, subject, &out))
        out = (struct gg_log_subject){"-"};
    return out;
}

static void name_subject(struct gg_str subject, char *out, size_t size)
{
    struct gg_log_subject name = {"-"};

    if (!gg_str_is(subject, "-"))
        name = gg_log_subject(subject);
    size_t n = strnlen(name.text, size - 1);
    memcpy(out, name.text, n);
    out[n] = '\0';
}

/* 2027-03-01T09:00:00.000Z; all but the milliseconds is as it was in the line before, mostly. */
static struct gg_str format_now(void)
{
    static char text[] = "0000-00-00T00:00:00.000Z";
    static time_t second = -1;
    const size_t point = sizeof "0000-00-00T00:00:00" - 1;
    struct timespec now;
    struct tm tm;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second) {
        second = now.tv_sec;
        (void)gmtime_r(&now.tv_sec, &tm);
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
    }
    int ms = (int)(now.tv_nsec / 1000000);
    text[point + 1] = (char)('0' + ms / 100);
    text[point + 2] = (char)('0' + ms / 10 % 10);
    text[point + 3] = (char)('0' + ms % 10);
    return gg_str_of(text);
}

static void add_head(struct gg_logline *l, enum gg_level level, const char *event)
{
    gg_logline_add(l, "time", format_now());
    gg_logline_add(l, "level", gg_str_of(levels[level].name));
    gg_logline_add(l, "event", gg_str_of(event));
    gg_logline_add_int(l, "pid", (long long)getpid());
    if (sink.request_id[0] != '\0')
        gg_logline_add(l, "request_id", gg_str_of(sink.request_id));
}

void gg_log(enum gg_level level, const char *event, const char *fmt, ...)
{
    struct gg_logline line;
    va_list ap;

    if (level < sink.least)
        return;
    follow_file();
    gg_logline_begin(&line, sink.form);
    line.name_subject = name_subject;
    add_head(&line, level, event);
    va_start(ap, fmt);
    gg_logline_add_fmt(&line, fmt, ap);
    va_end(ap);
    struct gg_str text = gg_logline_end(&line);
    if (sink.fd < 0) {
        syslog(levels[level].priority, "%.*s", (int)text.n - 1, text.p);
        return;
    }
    /* One write a line, so that the lines of many workers do not mix; a full disk is not our end.
     */
    if (write(sink.fd, text.p, text.n) < 0)
        return;
}
