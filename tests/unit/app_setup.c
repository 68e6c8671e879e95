/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/app/setup.h"

#include <string.h>
#include <unistd.h>

/* hashlib.pbkdf2_hmac("sha256", b"unit-test-secret", b"faraday_token_encryption_salt", 100000) */
static const unsigned char derived[32] = {
    0x40, 0x09, 0x85, 0x22, 0x10, 0x93, 0xab, 0xa2, 0x3e, 0x98, 0x5f, 0x45, 0x25, 0xa5, 0x58, 0xa2,
    0x6b, 0x65, 0x99, 0x50, 0x05, 0x43, 0x57, 0x14, 0xe1, 0x4c, 0x20, 0x9a, 0xe7, 0x4c, 0x75, 0x9c};

static const struct gg_loaded complete = {
    .conf =
        {
            .jwt_secret_key = {"unit-test-secret", 16},
            .token_key_salt = "faraday_token_encryption_salt",
            .jwt_hash = 384,
            .database_url = {"mariadb://u:p@h:9/db", 20},
            .connect_timeout_s = 4,
        },
};

START_TEST(the_derived_key_is_the_old_services)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_ctx ctx;

    gg_setup_open(a, &complete, &ctx);
    ck_assert(ctx.is_configured);
    ck_assert_uint_eq(ctx.fernet.count, 1);
    ck_assert_mem_eq(ctx.fernet.keys[0], derived, 32);
    ck_assert_int_eq(ctx.jwt_key.hash, GG_SHA384);
    ck_assert_gg_str(gg_secret_reveal(ctx.jwt_key.secret), "unit-test-secret");
    ck_assert_str_eq(gg_db_address(ctx.db)->hosts[0].name, "h");
    ck_assert_int_eq(gg_db_address(ctx.db)->connect_timeout_s, 4);
    ck_assert_int_gt(gg_db_address(ctx.db)->query_timeout_s, 0);
    gg_setup_close(&ctx);
    ck_assert_mem_ne(ctx.fernet.keys[0], derived, 32);
    gg_arena_close(a);
}
END_TEST

START_TEST(given_keys_are_taken)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_loaded loaded = complete;
    struct gg_ctx ctx;

    loaded.conf.token_keys = (struct gg_secret){"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 44};
    gg_setup_open(a, &loaded, &ctx);
    ck_assert(ctx.is_configured && ctx.fernet.count == 1);
    for (unsigned i = 0; i < 32; i++)
        ck_assert_uint_eq(ctx.fernet.keys[0][i], i);
    gg_setup_close(&ctx);
    gg_arena_close(a);
}
END_TEST

/* What is there is made ready, so that health can speak; but nothing else is served. */
START_TEST(what_is_missing_keeps_it_closed)
{
    static const struct gg_fault fault = {"X", "is bad", NULL};
    struct gg_arena *a = gg_arena_open();
    struct gg_loaded cases[3] = {complete, complete, complete};
    struct gg_ctx ctx;

    cases[0].missing = &fault;
    cases[1].faults = &fault;
    cases[2].conf.jwt_secret_key = (struct gg_secret){NULL, 0};
    cases[2].conf.database_url = (struct gg_secret){NULL, 0};
    for (size_t i = 0; i < 3; i++) {
        gg_setup_open(a, &cases[i], &ctx);
        ck_assert(!ctx.is_configured);
        ck_assert((ctx.db != NULL) == (i < 2));
        ck_assert_ptr_nonnull(ctx.http);
        ck_assert_ptr_nonnull(ctx.keyset);
        gg_setup_close(&ctx);
    }
    gg_arena_close(a);
}
END_TEST

/* The file is named by what names the site, never by a secret; METRICS_FILE overrides it. */
START_TEST(the_metrics_file)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_loaded loaded = complete;
    struct gg_ctx ctx;
    struct gg_ctx other;

    gg_setup_open(a, &loaded, &ctx);
    other = ctx;
    struct gg_conf conf = loaded.conf;
    other.conf = &conf;
    const char *name = gg_setup_metrics_file(a, &ctx);
    ck_assert_ptr_eq(
        strstr(name, gg_arena_printf(a, "/dev/shm/graphgate-%lu-", (unsigned long)geteuid())),
        name);
    ck_assert_str_eq(gg_setup_metrics_file(a, &other), name);
    conf.jwt_secret_key = (struct gg_secret){"another", 7};
    conf.client_secret = (struct gg_secret){"another", 7};
    ck_assert_str_eq(gg_setup_metrics_file(a, &other), name);
    conf.client_id = "another";
    ck_assert_str_ne(gg_setup_metrics_file(a, &other), name);
    conf.client_id = NULL;
    conf.redirect_uri = "another";
    ck_assert_str_ne(gg_setup_metrics_file(a, &other), name);
    conf.redirect_uri = NULL;
    other.db = NULL;
    ck_assert_str_ne(gg_setup_metrics_file(a, &other), name);
    conf.metrics_file = "/x/y";
    ck_assert_str_eq(gg_setup_metrics_file(a, &other), "/x/y");
    conf.metrics_file = "off";
    ck_assert_ptr_null(gg_setup_metrics_file(a, &other));
    gg_setup_close(&ctx);
    gg_arena_close(a);
}
END_TEST

GG_UNIT_MAIN("app/setup", the_derived_key_is_the_old_services, given_keys_are_taken,
             what_is_missing_keeps_it_closed, the_metrics_file)
