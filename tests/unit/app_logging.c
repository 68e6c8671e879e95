/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/app/logging.h"

#include <string.h>

static struct gg_conf conf;
static struct gg_ctx ctx = {.conf = &conf};

static void use_keys(size_t count)
{
    ctx.fernet.count = count;
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < GG_FERNET_KEY_BYTES; k++)
            ctx.fernet.keys[i][k] = (unsigned char)(k + i);
    gg_logging_set_subjects(&ctx);
}

/* mutant: src/app/logging.c: name = name_by_hash; => name = name_plainly; */
/* In Python: key = bytes(range(32)); d = hmac.digest(key, b"graphgate log-subject v1", "sha256");
 * urlsafe_b64encode(hmac.digest(d, subject, "sha256")[:12]) */
START_TEST(a_name_is_a_keyed_hash)
{
    struct gg_log_subject name;
    struct gg_err err;

    use_keys(2);
    ck_assert_str_eq(gg_log_subject(GG_STR("42")).text, "h:ZlKoTb_7nNyXVZ7N");
    ck_assert_str_eq(gg_log_subject(GG_STR("9f0a4c5e-0d3b-4b57-8a2e-1f2d3c4b5a69")).text,
                     "h:e4HWhXfgVWkLFTPD");
    ck_assert_str_eq(gg_log_subject(GG_STR("h:ZlKoTb_7nNyXVZ7N")).text, "h:ZlKoTb_7nNyXVZ7N");
    ck_assert(gg_logging_hash(&ctx.fernet, 0, GG_STR("42"), &name, &err));
    ck_assert_str_eq(name.text, "h:ZlKoTb_7nNyXVZ7N");
    ck_assert(gg_logging_hash(&ctx.fernet, 1, GG_STR("42"), &name, &err));
    ck_assert_str_ne(name.text, "h:ZlKoTb_7nNyXVZ7N");
    ck_assert_uint_eq(strlen(name.text), 18);
}
END_TEST

START_TEST(without_a_key_there_is_no_name)
{
    use_keys(1);
    use_keys(0);
    ck_assert_str_eq(gg_log_subject(GG_STR("42")).text, "-");
}
END_TEST

START_TEST(plain_is_plain)
{
    conf.log_subjects_plain = true;
    use_keys(0);
    ck_assert_str_eq(gg_log_subject(GG_STR("42")).text, "42");
    use_keys(1);
    ck_assert_str_eq(gg_log_subject(GG_STR("9f0a4c5e-0d3b-4b57-8a2e-1f2d3c4b5a69")).text,
                     "9f0a4c5e-0d3b-4b57-8a2e-1f2d3c4b5a69");
}
END_TEST

/* A configuration in which no target could be read has none. */
START_TEST(a_target_is_opened_or_named)
{
    struct gg_err err;

    ck_assert(gg_logging_open(&conf, &err));
    conf.log_target = "file:/nonexistent/dir/log";
    ck_assert(!gg_logging_open(&conf, &err));
    ck_assert_ptr_nonnull(strstr(err.log, "LOG_TARGET"));
}
END_TEST

GG_UNIT_MAIN("app/logging", a_name_is_a_keyed_hash, without_a_key_there_is_no_name, plain_is_plain,
             a_target_is_opened_or_named)
