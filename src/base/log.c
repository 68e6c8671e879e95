/* SPDX-License-Identifier: MIT */
#include "gg/base/log.h"

#include "gg/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

static struct {
    int fd; /* -1: syslog */
    enum gg_level least;
    char request_id[65];
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

bool gg_log_open(const char *target, enum gg_level least, struct gg_err *err)
{
    int fd = STDERR_FILENO;
    struct gg_str name = gg_str_of(target);

    sink.least = least;
    if (gg_str_is(name, "syslog")) {
        openlog("graphgate", LOG_PID, LOG_DAEMON);
        fd = -1;
    } else if (gg_str_has_prefix(name, "file:")) {
        fd = open(target + strlen("file:"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0)
            return gg_fail(err, GG_ENOTCONFIGURED, "LOG_TARGET: cannot open the file: %s",
                           strerror(errno));
    }
    if (sink.fd > STDERR_FILENO)
        (void)close(sink.fd);
    sink.fd = fd;
    return true;
}

void gg_log_set_request(const char *request_id)
{
    (void)snprintf(sink.request_id, sizeof sink.request_id, "%s", request_id);
}

/*
 * Copies text as far as there is room, with control bytes and backslashes as \xNN; and what is not
 * ASCII, among which there are other ends of lines (U+0085, U+2028) and marks that turn a line
 * round.
 */
static size_t add_escaped(char *to, size_t room, const char *text)
{
    size_t n = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && n + 5 < room; p++) {
        if (*p < 0x20 || *p >= 0x7f || *p == '\\')
            n += (size_t)snprintf(to + n, room - n, "\\x%02x", *p);
        else
            to[n++] = (char)*p;
    }
    return n;
}

static size_t add_head(char *line, enum gg_level level, const char *event)
{
    char when[32];
    struct timespec now;
    struct tm tm;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    int n = snprintf(line, LINE_BYTES, "%s.%03ldZ %s %s pid=%ld%s%s ", when, now.tv_nsec / 1000000,
                     levels[level].name, event, (long)getpid(),
                     sink.request_id[0] != '\0' ? " request_id=" : "", sink.request_id);
    return n < 0 || n >= LINE_BYTES ? 0 : (size_t)n;
}

void gg_log(enum gg_level level, const char *event, const char *fmt, ...)
{
    char text[LINE_BYTES];
    char line[LINE_BYTES];
    va_list ap;

    if (level < sink.least)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t n = add_head(line, level, event);
    n += add_escaped(line + n, sizeof line - n - 1, text);
    if (sink.fd < 0) {
        line[n] = '\0';
        syslog(levels[level].priority, "%s", line);
        return;
    }
    line[n++] = '\n';
    /* One write a line, so that the lines of many workers do not mix; a full disk is not our end.
     */
    if (write(sink.fd, line, n) < 0)
        return;
}
