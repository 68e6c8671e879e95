/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/base/jsonw.h"

static struct gg_arena *arena;
static struct gg_buf b;
static struct gg_jsonw w;

static void open_writer(void)
{
    arena = gg_arena_open();
    gg_buf_init(&b, arena, 10000);
    gg_jsonw_init(&w, &b);
}

START_TEST(commas_come_by_themselves)
{
    open_writer();
    gg_jsonw_open(&w, '{');
    gg_jsonw_put_text(&w, "a", "x");
    gg_jsonw_put_int(&w, "b", -5);
    gg_jsonw_key(&w, "c");
    gg_jsonw_open(&w, '[');
    gg_jsonw_bool(&w, true);
    gg_jsonw_null(&w);
    gg_jsonw_open(&w, '[');
    gg_jsonw_close(&w, ']');
    gg_jsonw_open(&w, '{');
    gg_jsonw_close(&w, '}');
    gg_jsonw_int(&w, INT64_MIN);
    gg_jsonw_close(&w, ']');
    gg_jsonw_put_bool(&w, "d", false);
    gg_jsonw_key(&w, "e");
    gg_jsonw_raw(&w, GG_STR("{\"raw\": 1}"));
    gg_jsonw_put(&w, "f", (struct gg_str){NULL, 0});
    gg_jsonw_put(&w, "g", (struct gg_str){"", 0});
    gg_jsonw_close(&w, '}');
    ck_assert_gg_str(gg_buf_str(&b),
                     "{\"a\":\"x\",\"b\":-5,\"c\":[true,null,[],{},-9223372036854775808],"
                     "\"d\":false,\"e\":{\"raw\": 1},\"f\":null,\"g\":\"\"}");
    gg_arena_close(arena);
}
END_TEST

START_TEST(strings_are_escaped)
{
    static const struct {
        struct gg_str in;
        const char *out;
    } cases[] = {
        {{"plain", 5}, "\"plain\""},
        {{"a\"b\\c/d", 7}, "\"a\\\"b\\\\c/d\""},
        {{"\n\r\t\x01\x1f", 5}, "\"\\u000a\\u000d\\u0009\\u0001\\u001f\""},
        {{"a\0b", 3}, "\"a\\u0000b\""},
        {{"\x7f", 1}, "\"\x7f\""},
        {{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {{"</script>", 9}, "\"</script>\""},
        /* What is no UTF-8 becomes U+FFFD, byte by byte, and swallows nothing behind it. */
        {{"a\xff\"", 3}, "\"a\xef\xbf\xbd\\\"\""},
        {{"\xc3", 1}, "\"\xef\xbf\xbd\""},
        {{"\xe2\x82z", 3}, "\"\xef\xbf\xbd\xef\xbf\xbdz\""},
        {{"\xc0\x80", 2}, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        open_writer();
        gg_jsonw_str(&w, cases[i].in);
        ck_assert_msg(gg_str_is(gg_buf_str(&b), cases[i].out), "case %zu: %s", i, b.p);
        gg_arena_close(arena);
    }
}
END_TEST

START_TEST(keys_are_escaped)
{
    open_writer();
    gg_jsonw_open(&w, '{');
    gg_jsonw_put_int(&w, "a\"b", 1);
    gg_jsonw_close(&w, '}');
    ck_assert_gg_str(gg_buf_str(&b), "{\"a\\\"b\":1}");
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("base/jsonw", commas_come_by_themselves, strings_are_escaped, keys_are_escaped)
