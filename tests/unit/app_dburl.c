/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/app/dburl.h"

#include <string.h>

/* The parts as user|password|hosts|name|socket|ca. */
static const char *show(struct gg_arena *a, const struct gg_db_address *d)
{
    const char *hosts = "";

    for (size_t i = 0; i < d->host_count; i++)
        hosts = gg_arena_printf(a, "%s%s%s:%u", hosts, i == 0 ? "" : ",", d->hosts[i].name,
                                d->hosts[i].port);
    return gg_arena_printf(a, "%s|%s|%s|%s|%s|%s", d->user, d->password, hosts, d->name,
                           d->unix_socket == NULL ? "-" : d->unix_socket,
                           d->ssl_ca == NULL ? "-" : d->ssl_ca);
}

START_TEST(urls)
{
    static const struct {
        const char *url;
        const char *parts;
    } cases[] = {
        {"mariadb://u:p@h/db", "u|p|h:3306|db|-|-"},
        {"mariadb://u:p@h:3307/db", "u|p|h:3307|db|-|-"},
        {"mariadb://u@h/db", "u||h:3306|db|-|-"},
        {"mariadb://u:@h/db", "u||h:3306|db|-|-"},
        {"mariadb://u:p@a,b,c:99/db", "u|p|a:99,b:99,c:99|db|-|-"},
        {"mariadb://u:p@a:1,b,c:3/db", "u|p|a:1,b:3,c:3|db|-|-"},
        {"mariadb://u:p@a:1,b/db", "u|p|a:1,b:3306|db|-|-"},
        {"mariadb://u:p@[::1]:5,[fe80::2]/db", "u|p|::1:5,fe80::2:3306|db|-|-"},
        {"mariadb://u%40x:p%40%3A%2F%25%2B+@h/d%2Fb", "u@x|p@:/%++|h:3306|d/b|-|-"},
        {"mariadb://u:p:q@h/db", "u|p:q|h:3306|db|-|-"},
        {"mariadb://u:p@h/db?unix_socket=%2Frun%2Fa.sock", "u|p|h:3306|db|/run/a.sock|-"},
        {"mariadb://u:p@h/db?ssl_ca=/etc/ca.pem&unix_socket=/s", "u|p|h:3306|db|/s|/etc/ca.pem"},
        {"mariadb://u:p@1,2,3,4,5,6,7,8/db",
         "u|p|1:3306,2:3306,3:3306,4:3306,5:3306,6:3306,7:3306,8:3306|db|-|-"},
    };
    struct gg_arena *a = gg_arena_open();

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gg_db_address d = {.connect_timeout_s = 7};
        const char *fault = "";
        ck_assert_msg(gg_dburl_parse(a, gg_secret_of(gg_str_of(cases[i].url)), &d, &fault),
                      "%s: %s", cases[i].url, fault);
        ck_assert_str_eq(show(a, &d), cases[i].parts);
        ck_assert_int_eq(d.connect_timeout_s, 7);
    }
    gg_arena_close(a);
}
END_TEST

START_TEST(bad_urls)
{
    static const char *const bad[] = {
        "",
        "mariadb:",
        "mysql://u:SECRET@h/db",
        "mariadb://",
        "mariadb://u:SECRET@h",
        "mariadb://u:SECRET@h/",
        "mariadb://h/db",
        "mariadb://:SECRET@h/db",
        "mariadb://u:SECRET@/db",
        "mariadb://u:SECRET@,h/db",
        "mariadb://u:SECRET@h,/db",
        "mariadb://u:SECRET@h:/db",
        "mariadb://u:SECRET@h:0/db",
        "mariadb://u:SECRET@h:65536/db",
        "mariadb://u:SECRET@h:x/db",
        "mariadb://u:SECRET@[::1/db",
        "mariadb://u:SECRET@[::1]5/db",
        "mariadb://u:SE@CRET@h/db",
        "mariadb://u:SE@CR/ET@h/db",
        "mariadb://u:S@E/CRET/db",
        "mariadb://u:SECRET%@h/db",
        "mariadb://u%00:SECRET@h/db",
        "mariadb://u:SECRET@h/db%zz",
        "mariadb://u:SECRET@h/db?ssl=1",
        "mariadb://u:SECRET@h/db?unix_socket=%",
        "mariadb://u:SECRET@1,2,3,4,5,6,7,8,9/db",
    };
    struct gg_arena *a = gg_arena_open();

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct gg_db_address d = {0};
        const char *fault = NULL;
        ck_assert_msg(!gg_dburl_parse(a, gg_secret_of(gg_str_of(bad[i])), &d, &fault), "%s",
                      bad[i]);
        ck_assert_ptr_nonnull(fault);
        ck_assert_ptr_null(strstr(fault, "SECRET"));
    }
    gg_arena_close(a);
}
END_TEST

GG_UNIT_MAIN("app/dburl", urls, bad_urls)
