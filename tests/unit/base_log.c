/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char path[] = "/tmp/gg-log-XXXXXX";

static void open_log(enum gg_level least)
{
    char target[64];
    struct gg_err err;

    ck_assert_int_ge(mkstemp(path), 0);
    (void)snprintf(target, sizeof target, "file:%s", path);
    ck_assert(gg_log_open(target, least, &err));
}

/* All that was logged. */
static const char *read_log(void)
{
    static char text[16384];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    (void)close(fd);
    (void)unlink(path);
    return text;
}

START_TEST(a_line_has_time_level_event_pid)
{
    char want[96];

    open_log(GG_INFO);
    gg_log(GG_WARNING, "token.refresh", "realm=%s tries=%d", "main", 2);
    const char *line = read_log();
    ck_assert_int_eq(strncmp(line, "time=", 5), 0);
    line += 5;
    /* 2026-03-02T13:00:00.123Z */
    for (size_t i = 0; i < 24; i++) {
        char shape = "0000-00-00T00:00:00.000Z"[i];
        bool fits = shape == '0' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape;
        ck_assert_msg(fits, "time in %s", line);
    }
    (void)snprintf(want, sizeof want,
                   " level=warning event=token.refresh pid=%ld realm=main tries=2\n",
                   (long)getpid());
    ck_assert_str_eq(line + 24, want);
}
END_TEST

START_TEST(the_request_id_is_carried_until_it_is_cleared)
{
    open_log(GG_INFO);
    gg_log_set_request("abc-1");
    gg_log(GG_INFO, "one", "x=1");
    gg_log_set_request("");
    gg_log(GG_INFO, "two", "x=2");
    const char *text = read_log();
    const char *second = strchr(text, '\n') + 1;
    ck_assert_ptr_nonnull(strstr(text, " request_id=abc-1 x=1\n"));
    ck_assert_ptr_null(strstr(second, "request_id"));
    ck_assert_ptr_nonnull(strstr(second, " x=2\n"));
}
END_TEST

START_TEST(control_bytes_make_no_line)
{
    open_log(GG_INFO);
    gg_log(GG_ERROR, "e", "text=%s", "a\nb\r\x1b[31m\x7f\\n\tz");
    const char *text = read_log();
    ck_assert_ptr_nonnull(strstr(text, "text=a\\x0ab\\x0d\\x1b[31m\\x7f\\x5cn\\x09z\n"));
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

/* NEL, LINE SEPARATOR, RIGHT-TO-LEFT OVERRIDE, and no UTF-8 at all. */
START_TEST(only_ascii_is_written)
{
    open_log(GG_INFO);
    gg_log(GG_ERROR, "e", "text=%s", "a\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xffz");
    ck_assert_ptr_nonnull(
        strstr(read_log(), "text=a\\xc2\\x85\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xffz\n"));
}
END_TEST

START_TEST(levels_below_the_least_are_dropped)
{
    open_log(GG_WARNING);
    gg_log(GG_DEBUG, "d", "x=1");
    gg_log(GG_INFO, "i", "x=1");
    gg_log(GG_WARNING, "w", "x=1");
    gg_log(GG_ERROR, "e", "x=1");
    const char *text = read_log();
    ck_assert_ptr_null(strstr(text, "level=debug"));
    ck_assert_ptr_null(strstr(text, "level=info"));
    ck_assert_ptr_nonnull(strstr(text, "level=warning event=w "));
    ck_assert_ptr_nonnull(strstr(text, "level=error event=e "));
}
END_TEST

/* Escapes are four bytes each: the longest text in is far over a line out. */
START_TEST(long_lines_are_cut_and_ended)
{
    char huge[8192];

    memset(huge, '\x01', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    open_log(GG_INFO);
    gg_log(GG_INFO, "e", "text=%s", huge);
    gg_log(GG_INFO, "f", "text=%s", "short");
    const char *text = read_log();
    const char *end = strchr(text, '\n');
    ck_assert_int_le(end - text, 2048);
    ck_assert_int_ge(end - text, 2000);
    ck_assert_ptr_nonnull(strstr(end, "text=short\n"));
}
END_TEST

START_TEST(a_path_that_does_not_open_is_an_error)
{
    struct gg_err err;

    ck_assert(!gg_log_open("file:/nonexistent/dir/log", GG_INFO, &err));
    ck_assert_int_eq(err.code, GG_ENOTCONFIGURED);
    ck_assert_ptr_nonnull(strstr(err.log, "LOG_TARGET"));
    ck_assert(gg_log_open("stderr", GG_INFO, &err));
    ck_assert(gg_log_open("syslog", GG_INFO, &err));
    gg_log(GG_DEBUG, "not.sent", "x=1");
}
END_TEST

START_TEST(the_file_is_private_and_appended_to)
{
    char target[64];
    struct gg_err err;
    struct stat st;

    ck_assert_int_ge(mkstemp(path), 0);
    (void)unlink(path);
    (void)umask(0);
    (void)snprintf(target, sizeof target, "file:%s", path);
    for (int i = 0; i < 2; i++) {
        ck_assert(gg_log_open(target, GG_INFO, &err));
        gg_log(GG_INFO, i == 0 ? "first" : "second", "x=1");
    }
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    const char *text = read_log();
    ck_assert_ptr_nonnull(strstr(text, "event=first "));
    ck_assert_ptr_nonnull(strstr(text, "event=second "));
}
END_TEST

/* Each line is a whole object; what comes by itself stands before what the event adds. */
START_TEST(json_has_the_same_members)
{
    char want[128];

    open_log(GG_INFO);
    gg_log_set_form(GG_LOGLINE_JSON);
    gg_log_set_request("abc-1");
    gg_log(GG_ERROR, "e", "name=%s count=%d reason=\"%s\"", "42", 42, "a \"b\"\n");
    const char *line = read_log();
    (void)snprintf(want, sizeof want,
                   "Z\",\"level\":\"error\",\"event\":\"e\",\"pid\":%ld,"
                   "\"request_id\":\"abc-1\",\"name\":\"42\",\"count\":42,"
                   "\"reason\":\"a \\\"b\\\"\\u000a\"}\n",
                   (long)getpid());
    ck_assert_int_eq(strncmp(line, "{\"time\":\"2", 10), 0);
    ck_assert_str_eq(strstr(line, "Z\""), want);
}
END_TEST

static bool name_backwards(const unsigned char key[GG_LOG_KEY_BYTES], struct gg_str subject,
                           struct gg_log_subject *out)
{
    for (size_t i = 0; i < subject.n; i++)
        out->text[i] = subject.p[subject.n - 1 - i];
    out->text[subject.n] = (char)key[31];
    out->text[subject.n + 1] = '\0';
    return subject.n < 5;
}

/* mutant: src/base/log.c: line.name_subject = name_subject; => line.name_subject = NULL; */
START_TEST(subjects_are_named)
{
    unsigned char key[GG_LOG_KEY_BYTES] = {[31] = '!'};

    open_log(GG_INFO);
    gg_log(GG_INFO, "a", "subject=%s x=1", "123");
    gg_log_set_subjects(name_backwards, key);
    key[31] = '?';
    gg_log(GG_INFO, "b", "subject=%.*s x=%s", 3, "12345", "12345");
    gg_log(GG_INFO, "c", "subject=\"%s\" x=1", "-");
    gg_log(GG_INFO, "d", "subject=%s x=1", "12345");
    gg_log(GG_INFO, "f", "subject=%s x=1", "");
    ck_assert_str_eq(gg_log_subject(GG_STR("789")).text, "987!");
    gg_log_set_subjects(NULL, key);
    ck_assert_str_eq(gg_log_subject(GG_STR("789")).text, "-");
    const char *text = read_log();
    ck_assert_ptr_nonnull(strstr(text, "subject=- x=1\n"));
    ck_assert_ptr_nonnull(strstr(text, "subject=321! x=12345\n"));
    ck_assert_ptr_nonnull(strstr(text, "subject=\"-\" x=1\n"));
    ck_assert_ptr_nonnull(strstr(strstr(text, "event=d"), "subject=- x=1\n"));
    ck_assert_ptr_nonnull(strstr(strstr(text, "event=f"), "subject=- x=1\n"));
}
END_TEST

static void sleep_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}

/* The rotated file keeps its lines; nobody had to tell. */
/* mutant: src/base/log.c: gg_clock_mono_ms() - sink.looked_ms < LOOK_MS => true */
START_TEST(a_renamed_file_is_noticed)
{
    char older[64];

    open_log(GG_INFO);
    gg_log(GG_INFO, "first", "x=1");
    (void)snprintf(older, sizeof older, "%s.1", path);
    ck_assert_int_eq(rename(path, older), 0);
    gg_log(GG_INFO, "second", "x=1");
    sleep_ms(1100);
    gg_log(GG_INFO, "third", "x=1");
    const char *text = read_log();
    ck_assert_ptr_nonnull(strstr(text, "event=third"));
    ck_assert_ptr_null(strstr(text, "event=second"));
    ck_assert_int_eq(rename(older, path), 0);
    text = read_log();
    ck_assert_ptr_nonnull(strstr(text, "event=first"));
    ck_assert_ptr_nonnull(strstr(text, "event=second"));
    ck_assert_ptr_null(strstr(text, "event=third"));
}
END_TEST

/* A file that cannot be made: the old one serves on, and says so once. */
START_TEST(what_does_not_reopen_stays_and_is_told)
{
    char folder[] = "/tmp/gg-logs-XXXXXX";
    char aside[64];
    char target[64];
    struct gg_err err;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(target, sizeof target, "file:%s/log", folder);
    (void)snprintf(aside, sizeof aside, "%s.aside", folder);
    ck_assert(gg_log_open(target, GG_INFO, &err));
    ck_assert_int_eq(rename(folder, aside), 0);
    gg_log_reopen();
    gg_log_reopen();
    gg_log(GG_INFO, "after", "x=1");
    ck_assert_int_eq(rename(aside, folder), 0);
    gg_log_reopen();
    int fd = open(target + 5, O_RDONLY);
    char text[4096];
    ssize_t n = read(fd, text, sizeof text - 1);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    const char *told = strstr(text, "level=error event=log.reopen");
    ck_assert_ptr_nonnull(told);
    ck_assert_ptr_nonnull(strstr(told, "result=failed reason=\"No such file"));
    ck_assert_ptr_null(strstr(told + 20, "event=log.reopen"));
    ck_assert_ptr_nonnull(strstr(told, "event=after"));
    (void)close(fd);
    (void)unlink(target + 5);
    (void)rmdir(folder);
}
END_TEST

/* A target that is refused leaves the one that there is. */
START_TEST(a_bad_target_changes_nothing)
{
    struct gg_err err;

    open_log(GG_INFO);
    ck_assert(!gg_log_open("file:/nonexistent/dir/log", GG_ERROR, &err));
    gg_log(GG_INFO, "still", "x=1");
    ck_assert_ptr_nonnull(strstr(read_log(), "event=still"));
}
END_TEST

static char sent[4096];

GG_PRINTF(2, 0) static void note_sent(int priority, const char *fmt, va_list ap)
{
    int n = snprintf(sent, sizeof sent, "%d ", priority);

    (void)vsnprintf(sent + n, sizeof sent - (size_t)n, fmt, ap);
}

/* In place of libc's, whichever of the two it is compiled to. */
void syslog(int priority, const char *fmt, ...) GG_PRINTF(2, 3);
void syslog(int priority, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note_sent(priority, fmt, ap);
    va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *fmt, ...) GG_PRINTF(3, 4);
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
    va_list ap;

    (void)flag;
    va_start(ap, fmt);
    note_sent(priority, fmt, ap);
    va_end(ap);
}

/* The same text, but for the end of the line, which syslog makes. */
START_TEST(syslog_gets_the_same_text)
{
    struct gg_err err;
    const char *head[] = {"4 time=", "4 {\"time\":"};
    const char *tail[] = {" x=\"1 %s\"", ",\"x\":\"1 %s\"}"};

    ck_assert(gg_log_open("syslog", GG_INFO, &err));
    for (int i = 0; i < 2; i++) {
        gg_log_set_form(i == 0 ? GG_LOGLINE_LOGFMT : GG_LOGLINE_JSON);
        gg_log(GG_WARNING, "a%b", "x=%s", "1 %s");
        ck_assert_int_eq(strncmp(sent, head[i], strlen(head[i])), 0);
        const char *end = strstr(sent, tail[i]);
        ck_assert_ptr_nonnull(end);
        ck_assert_uint_eq(strlen(end), strlen(tail[i]));
    }
}
END_TEST

GG_UNIT_MAIN("base/log", a_line_has_time_level_event_pid,
             the_request_id_is_carried_until_it_is_cleared, control_bytes_make_no_line,
             only_ascii_is_written, levels_below_the_least_are_dropped,
             long_lines_are_cut_and_ended, a_path_that_does_not_open_is_an_error,
             the_file_is_private_and_appended_to, json_has_the_same_members, subjects_are_named,
             a_renamed_file_is_noticed, what_does_not_reopen_stays_and_is_told,
             a_bad_target_changes_nothing, syslog_gets_the_same_text)
