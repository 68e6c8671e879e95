/* SPDX-License-Identifier: MIT */
/* Whatever a value is, the line is one line of ASCII, and as JSON it reads back as that value. */
#include "fuzz.h"

#include "gg/base/logline.h"
#include "gg/ext/json.h"

#include <stdarg.h>
#include <string.h>

static void add(struct gg_logline *l, const char *fmt, ...) GG_PRINTF(2, 3);
static void add(struct gg_logline *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    gg_logline_add_fmt(l, fmt, ap);
    va_end(ap);
}

static struct gg_str make(struct gg_logline *l, enum gg_logline_form form, struct gg_str in)
{
    gg_logline_begin(l, form);
    gg_logline_add(l, "one", in);
    add(l, "two=%.*s number=%lld three=\"<%.*s>\"", GG_STR_ARG(in), (long long)in.n,
        GG_STR_ARG(in));
    struct gg_str text = gg_logline_end(l);
    REQUIRE(text.n < sizeof l->p && text.p[text.n - 1] == '\n' && text.p[text.n] == '\0');
    for (size_t i = 0; i + 1 < text.n; i++)
        REQUIRE(text.p[i] >= ' ' && text.p[i] < 0x7f);
    return (struct gg_str){text.p, text.n - 1};
}

static void check_json(struct gg_arena *a, const struct gg_logline *l, struct gg_str line,
                       struct gg_str in)
{
    struct gg_json *v;
    struct gg_err err;

    REQUIRE(gg_json_parse(a, line, &v, &err));
    if (!l->is_full && gg_str_count_utf8(in) >= 0 && memchr(in.p, '\0', in.n) == NULL)
        REQUIRE(gg_str_is_equal(gg_json_text(v, "two"), in));
}

/* Keys are where no quote is open: only ours are there. */
static void check_logfmt(struct gg_str line)
{
    static const char *const keys[] = {"one", "two", "number", "three"};
    size_t k = 0;

    for (size_t i = 0; i < line.n;) {
        size_t n = strlen(keys[k]);
        REQUIRE(i + n < line.n && memcmp(line.p + i, keys[k], n) == 0 && line.p[i + n] == '=');
        i += n + 1;
        bool is_quoted = i < line.n && line.p[i] == '"';
        i += is_quoted ? 1 : 0;
        while (i < line.n && line.p[i] != (is_quoted ? '"' : ' ')) {
            REQUIRE(is_quoted || (line.p[i] != '"' && line.p[i] != '='));
            i++;
        }
        REQUIRE(!is_quoted || i < line.n);
        i += is_quoted ? 1 : 0;
        REQUIRE(i == line.n || (line.p[i] == ' ' && ++k < 4));
        i++;
    }
}

/* A format is the program's own; all the same, none that has no conversion reads an argument. */
static void check_format(struct gg_arena *a, struct gg_logline *l, struct gg_str in)
{
    char *fmt = gg_arena_copy(a, in.p, in.n);
    va_list none;

    memset(&none, 0, sizeof none);
    for (char *p = fmt; *p != '\0'; p++)
        *p = (char)(*p == '%' ? '_' : *p);
    gg_logline_begin(l, GG_LOGLINE_JSON);
    gg_logline_add_fmt(l, fmt, none);
    struct gg_str text = gg_logline_end(l);
    REQUIRE(text.n < sizeof l->p && text.p[0] == '{' && text.p[text.n - 2] == '}');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_logline *l = gg_arena_alloc(a, sizeof *l);

    check_json(a, l, make(l, GG_LOGLINE_JSON, in), in);
    check_logfmt(make(l, GG_LOGLINE_LOGFMT, in));
    check_format(a, l, in);
    gg_arena_close(a);
    return 0;
}
