/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
    char want[64];

    open_log(GG_INFO);
    gg_log(GG_WARNING, "token.refresh", "realm=%s tries=%d", "main", 2);
    const char *line = read_log();
    /* 2026-03-02T13:00:00.123Z */
    for (size_t i = 0; i < 24; i++) {
        char shape = "0000-00-00T00:00:00.000Z"[i];
        bool fits = shape == '0' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape;
        ck_assert_msg(fits, "time in %s", line);
    }
    (void)snprintf(want, sizeof want, " warning token.refresh pid=%ld realm=main tries=2\n",
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
    gg_log(GG_DEBUG, "d", "-");
    gg_log(GG_INFO, "i", "-");
    gg_log(GG_WARNING, "w", "-");
    gg_log(GG_ERROR, "e", "-");
    const char *text = read_log();
    ck_assert_ptr_null(strstr(text, " debug "));
    ck_assert_ptr_null(strstr(text, " info "));
    ck_assert_ptr_nonnull(strstr(text, " warning w "));
    ck_assert_ptr_nonnull(strstr(text, " error e "));
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
    gg_log(GG_DEBUG, "not.sent", "-");
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
        gg_log(GG_INFO, i == 0 ? "first" : "second", "-");
    }
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    const char *text = read_log();
    ck_assert_ptr_nonnull(strstr(text, " first "));
    ck_assert_ptr_nonnull(strstr(text, " second "));
}
END_TEST

GG_UNIT_MAIN("base/log", a_line_has_time_level_event_pid,
             the_request_id_is_carried_until_it_is_cleared, control_bytes_make_no_line,
             only_ascii_is_written, levels_below_the_least_are_dropped,
             long_lines_are_cut_and_ended, a_path_that_does_not_open_is_an_error,
             the_file_is_private_and_appended_to)
