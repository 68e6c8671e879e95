/* SPDX-License-Identifier: MIT */
#include "gg/base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Of capitals, as all names are; and of anything else. */
#define NAME_BYTES_MAX 40
#define TYPO_BYTES_MAX 20

static bool read_all(struct gg_arena *a, int fd, struct gg_str *text, struct gg_err *err)
{
    char *p = gg_arena_alloc(a, GG_CONF_BYTES_MAX + 1);
    size_t n = 0;

    for (;;) {
        ssize_t got = read(fd, p + n, GG_CONF_BYTES_MAX + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gg_fail(err, GG_ENOTCONFIGURED, "%s", strerror(errno));
        if (got == 0)
            break;
        n += (size_t)got;
        if (n > GG_CONF_BYTES_MAX)
            return gg_fail(err, GG_ENOTCONFIGURED, "larger than %zu bytes", GG_CONF_BYTES_MAX);
    }
    *text = (struct gg_str){p, n};
    return true;
}

bool gg_conf_read(struct gg_arena *a, const char *path, struct gg_str *text, bool *absent,
                  struct gg_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return gg_fail(err, GG_ENOTCONFIGURED, "%s", strerror(errno));
    bool ok = read_all(a, fd, text, err);
    (void)close(fd);
    return ok;
}

static struct gg_str unquote(struct gg_str s)
{
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return (struct gg_str){s.p + 1, s.n - 2};
    return s;
}

/* Something like a name: what is longer, or has other bytes, may be a part of a value that went
 * over the line, and is not to be repeated. */
static bool is_name(struct gg_str s)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    bool is_ours = strspn(s.p, capitals) >= s.n;

    return gg_str_is_word(s, is_ours ? NAME_BYTES_MAX : TYPO_BYTES_MAX, "_ ");
}

bool gg_conf_take_line(struct gg_str *rest, int *number, struct gg_conf_line *line)
{
    struct gg_str text;

    while (gg_str_take(rest, '\n', &text)) {
        ++*number;
        if (text.n > 0 && text.p[text.n - 1] == '\r')
            text.n--;
        text = gg_str_trim(text);
        if (text.n == 0 || text.p[0] == '#')
            continue;
        struct gg_str name;
        bool has_value = memchr(text.p, '=', text.n) != NULL;
        (void)gg_str_take(&text, '=', &name);
        *line = (struct gg_conf_line){.name = gg_str_trim(name),
                                      .value = unquote(gg_str_trim(text)),
                                      .number = *number,
                                      .is_broken = !has_value || !is_name(gg_str_trim(name))};
        return true;
    }
    return false;
}
