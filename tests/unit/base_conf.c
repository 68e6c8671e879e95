/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/conf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct gg_arena *arena;

/* The lines as number:name=[value], with ! for a broken one. */
START_TEST(lines)
{
    static const struct {
        const char *text;
        const char *lines;
    } cases[] = {
        {"", ""},
        {"\n\n  \n# a=b\n  # c\n", ""},
        {"A=b", "1:A=[b]"},
        {"A=b\r\nC=d\r\n", "1:A=[b]2:C=[d]"},
        {"# x\n\nA=b\n", "3:A=[b]"},
        {"  A  =  b c  ", "1:A=[b c]"},
        {"A=\"b c \"", "1:A=[b c ]"},
        {"A='b\"'", "1:A=[b\"]"},
        {"A=\"b'", "1:A=[\"b']"},
        {"A=\"", "1:A=[\"]"},
        {"A=\"\"", "1:A=[]"},
        {"A=", "1:A=[]"},
        {"A=b=c#d", "1:A=[b=c#d]"},
        {"A", "1:A=[]!"},
        {"=b", "1:=[b]!"},
        {"export A=b", "1:export A=[b]"},
        /* Of a value that went over the line nothing is to be taken for a name, and repeated. */
        {"KEY=\nbmDv0ncLnfAcbMDv0ncLnfAcbMDv0ncLnfAcbMDv0nA=",
         "1:KEY=[]2:bmDv0ncLnfAcbMDv0ncLnfAcbMDv0ncLnfAcbMDv0nA=[]!"},
        {"ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJ0=1",
         "1:ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJ0=[1]!"},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gg_str rest = gg_str_of(cases[i].text);
        struct gg_conf_line line;
        int number = 0;
        const char *out = "";
        while (gg_conf_take_line(&rest, &number, &line))
            out = gg_arena_printf(arena, "%s%d:%.*s=[%.*s]%s", out, line.number,
                                  GG_STR_ARG(line.name), GG_STR_ARG(line.value),
                                  line.is_broken ? "!" : "");
        ck_assert_str_eq(out, cases[i].lines);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(files)
{
    char path[] = "/tmp/gg-conf-XXXXXX";
    int fd = mkstemp(path);
    struct gg_str text;
    struct gg_err err;
    bool absent = true;

    arena = gg_arena_open();
    ck_assert(fd >= 0 && write(fd, "A=b\n\0", 5) == 5);
    ck_assert(gg_conf_read(arena, path, &text, &absent, &err) && !absent);
    ck_assert(gg_str_is_equal(text, GG_STR("A=b\n\0")));
    ck_assert_int_eq(ftruncate(fd, GG_CONF_BYTES_MAX), 0);
    ck_assert(gg_conf_read(arena, path, &text, &absent, &err) && text.n == GG_CONF_BYTES_MAX);
    ck_assert_int_eq(ftruncate(fd, GG_CONF_BYTES_MAX + 1), 0);
    ck_assert(!gg_conf_read(arena, path, &text, &absent, &err) && !absent);
    (void)close(fd);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(!gg_conf_read(arena, path, &text, &absent, &err) && absent);
    ck_assert(!gg_conf_read(arena, "/", &text, &absent, &err) && !absent);
    ck_assert(strlen(err.log) > 0);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("base/conf", lines, files)
