/* SPDX-License-Identifier: MIT */
/* A line that is taken is a piece of the text; a value that is refused is told without being shown.
 */
#include "fuzz.h"

#include "gg/app/options.h"
#include "gg/base/conf.h"

#include <string.h>

static void check_inside(struct gg_str whole, struct gg_str part)
{
    REQUIRE(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
    REQUIRE(part.n == 0 || memchr(part.p, '\n', part.n) == NULL);
}

static void check_option(struct gg_arena *a, const struct gg_option *o, struct gg_str value)
{
    struct gg_conf conf;
    struct gg_option_read read = {a, o, value, (char *)&conf + o->offset, NULL};

    memset(&conf, 0, sizeof conf);
    if (o->parse(&read)) {
        REQUIRE(read.fault == NULL);
        return;
    }
    REQUIRE(read.fault != NULL && *read.fault != '\0');
    REQUIRE(value.n < 24 || memmem(read.fault, strlen(read.fault), value.p, value.n) == NULL);
}

/* Every option with this value, or the one that the line names. */
static void check_options(struct gg_arena *a, struct gg_str name, struct gg_str value)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    for (size_t i = 0; i < count; i++)
        if (name.p == NULL || gg_str_is(name, table[i].name))
            check_option(a, &table[i], value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_str rest = in;
    struct gg_conf_line line;
    int number = 0;
    int before = 0;

    while (gg_conf_take_line(&rest, &number, &line)) {
        REQUIRE(line.number > before && line.number == number);
        before = line.number;
        check_inside(in, line.name);
        check_inside(in, line.value);
        REQUIRE(line.name.n == 0 || (line.name.p[0] != '#' && line.name.p[0] != ' '));
        if (!line.is_broken)
            check_options(a, line.name, line.value);
    }
    if (size > 0 && size < 200)
        check_options(a, (struct gg_str){NULL, 0}, in);
    gg_arena_close(a);
    return 0;
}
