/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/address.h"

/* What is read, by the key that limits count by. */
START_TEST(addresses)
{
    static const struct {
        const char *in;
        const char *key; /* NULL: refused */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:8080", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"}, /* however it was written */
        {"::ffff:c000:201", "192.0.2.1"},
        {"[::ffff:192.0.2.1]:99", "192.0.2.1"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:DB8:1:2::9", "2001:db8:1:2::/64"},
        {"[2001:db8:1:2::9]", "2001:db8:1:2::/64"},
        {"[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"},
        {"::1", "::/64"},
        {"255.255.255.255", "255.255.255.255"},
        {"", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1 ", NULL},
        {" 192.0.2.1", NULL},
        {"192.0.2.01", NULL},
        {"0x7f.0.0.1", NULL},
        {"192.0.2.1:80:80", NULL},
        {"2001:db8::g", NULL},
        {"2001:db8::1%eth0", NULL},
        {"[::1", NULL},
        {"[::1]x", NULL},
        {"::1]", NULL},
        {"[]", NULL},
        {"[]:80", NULL},
        {"2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000", NULL},
    };
    struct gg_arena *a = gg_arena_open();

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_address address;
        bool good = gg_address_parse(gg_str_of(cases[i].in), &address);
        ck_assert_msg(good == (cases[i].key != NULL), "\"%s\"", cases[i].in);
        if (good)
            ck_assert_gg_str(gg_address_format(a, &address), cases[i].key);
    }
    ck_assert(!gg_address_parse((struct gg_str){NULL, 0}, &(struct gg_address){0}));
    ck_assert(!gg_address_parse(GG_STR("192.0.2.1\0"), &(struct gg_address){0}));
    gg_arena_close(a);
}
END_TEST

START_TEST(networks)
{
    static const struct {
        const char *networks;
        const char *address;
        bool is_in;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"10.1.2.3/8", "10.200.0.1", true}, /* stray host bits do no harm */
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"192.0.2.6/31", "192.0.2.7", true},
        {"192.0.2.6/31", "192.0.2.8", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false}, /* all of IPv4, and no more */
        {"::/0", "2001:db8::1", true},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::2", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"::ffff:10.0.0.0/8", "10.1.2.3", true},
        {" 192.0.2.1 , 10.0.0.0/8 ", "10.1.1.1", true},
        {"192.0.2.1,10.0.0.0/8", "192.0.2.2", false},
        {"10.0.0.0/33", "10.0.0.0", false}, /* no network allows nothing */
        {"", "10.0.0.0", false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_address address;
        ck_assert(gg_address_parse(gg_str_of(cases[i].address), &address));
        ck_assert_msg(gg_address_is_in(&address, cases[i].networks) == cases[i].is_in, "%s in %s",
                      cases[i].address, cases[i].networks);
    }
    struct gg_address any = {{0}};
    ck_assert(!gg_address_is_in(&any, NULL));
}
END_TEST

START_TEST(lists)
{
    static const char *const good[] = {"10.0.0.0/8", "::1", "10.0.0.0/8, 2001:db8::/32",
                                       "0.0.0.0/0", "127.0.0.1/32,::1/128"};
    static const char *const bad[] = {"",          "10.0.0.0/33", "10.0.0.0/",   "10.0.0.0/-1",
                                      "::1/129",   "localhost",   "10.0.0.0/8,", "10.0.0.0/8;::1",
                                      "10.0.0/24", "[::1]",       "10.0.0.1:80", "10.0.0.0/08",
                                      "/8",        "::1/64/64",   "10.0.0.0/8 x"};

    for (size_t i = 0; i < COUNT(good); i++)
        ck_assert_msg(gg_address_is_list(good[i]), "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!gg_address_is_list(bad[i]), "\"%s\"", bad[i]);
}
END_TEST

/* One /64 is one caller; the next one is another. */
START_TEST(one_key_a_network)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_address one;
    struct gg_address same;
    struct gg_address other;

    ck_assert(gg_address_parse(GG_STR("2001:db8:0:7::1"), &one));
    ck_assert(gg_address_parse(GG_STR("2001:db8:0:7:ffff:ffff:ffff:ffff"), &same));
    ck_assert(gg_address_parse(GG_STR("2001:db8:0:8::1"), &other));
    ck_assert(gg_str_is_equal(gg_address_format(a, &one), gg_address_format(a, &same)));
    ck_assert(!gg_str_is_equal(gg_address_format(a, &one), gg_address_format(a, &other)));
    ck_assert_gg_str(gg_address_format_whole(a, &same), "2001:db8:0:7:ffff:ffff:ffff:ffff");
    ck_assert(gg_address_parse(GG_STR("192.0.2.1:80"), &one));
    ck_assert_gg_str(gg_address_format_whole(a, &one), "192.0.2.1");
    gg_arena_close(a);
}
END_TEST

GG_UNIT_MAIN("proto/address", addresses, networks, lists, one_key_a_network)
