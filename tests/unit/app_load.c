/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/app/load.h"
#include "gg/app/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct gg_arena *arena;
static struct gg_loaded loaded;
static char directory[] = "/tmp/gg-load-XXXXXX";

/* A file of this test's own directory. */
static const char *write_file(const char *name, const char *text)
{
    const char *path = gg_arena_printf(arena, "%s/%s", directory, name);
    FILE *f = fopen(path, "w");

    ck_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

static void set_up(void)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    arena = gg_arena_open();
    ck_assert_ptr_nonnull(mkdtemp(directory));
    for (size_t i = 0; i < count; i++) {
        (void)unsetenv(table[i].name);
        (void)unsetenv(gg_arena_printf(arena, "%s_FILE", table[i].name));
    }
    (void)setenv("GRAPHGATE_CONFIG", gg_arena_printf(arena, "%s/conf", directory), 1);
}

static void tear_down(void)
{
    static const char *const names[] = {"conf", "secret"};

    for (size_t i = 0; i < 2; i++)
        (void)unlink(gg_arena_printf(arena, "%s/%s", directory, names[i]));
    ck_assert_int_eq(rmdir(directory), 0);
    gg_arena_close(arena);
}

static void put_needed(void)
{
    (void)setenv("MSCLIENTID", "id", 1);
    (void)setenv("MSCLIENTSECRET", "client-secret", 1);
    (void)setenv("MSTENANTID", "11111111-2222-3333-4444-555555555555", 1);
    (void)setenv("REDIRECT_URI", "https://a.example/cb", 1);
    (void)setenv("DATABASE_URL", "mariadb://u:p@h/db", 1);
    (void)setenv("JWT_SECRET_KEY", "jwt", 1);
}

/* The faults as "NAME: detail" lines. */
static const char *list(const struct gg_fault *fault)
{
    const char *out = "";

    for (; fault != NULL; fault = fault->next)
        out = gg_arena_printf(arena, "%s%s: %s\n", out, fault->field, fault->detail);
    return out;
}

START_TEST(defaults)
{
    set_up();
    put_needed();
    gg_load(arena, &loaded);
    ck_assert_str_eq(list(loaded.faults), "");
    ck_assert_str_eq(list(loaded.missing), "");
    ck_assert(loaded.file_is_absent);
    ck_assert_str_eq(loaded.conf.login_url, "https://login.microsoftonline.com");
    ck_assert_str_eq(loaded.conf.graph_url, "https://graph.microsoft.com/v1.0");
    ck_assert_str_eq(loaded.conf.token_key_salt, "faraday_token_encryption_salt");
    ck_assert_int_eq(loaded.conf.jwt_hash, 256);
    ck_assert_int_eq(loaded.conf.limits[GG_LIMIT_CALENDAR].requests, 100);
    ck_assert_int_eq(loaded.conf.limits[GG_LIMIT_OAUTH_CALLBACK].per_s, 3600);
    ck_assert_int_eq(loaded.conf.connect_timeout_s, 3);
    ck_assert_int_eq(loaded.conf.request_deadline_s, 25);
    ck_assert_int_eq(loaded.conf.sign_in, GG_SIGN_IN_PROVISION);
    ck_assert_ptr_null(loaded.conf.trusted_proxies);
    tear_down();
}
END_TEST

START_TEST(what_is_missing)
{
    set_up();
    gg_load(arena, &loaded);
    ck_assert_str_eq(
        list(loaded.missing),
        "MSCLIENTID: is required\nMSCLIENTSECRET: is required\nMSTENANTID: is required\n"
        "REDIRECT_URI: is required\nDATABASE_URL: is required\n"
        "JWT_SECRET_KEY: is required, or SECRET_KEY\n"
        "TOKEN_ENCRYPTION_KEY: is required (graphgatectl genkey makes one), or a secret to derive "
        "it from\n");
    ck_assert_str_eq(list(loaded.faults), "");
    /* Set to nothing is not set. */
    put_needed();
    (void)setenv("MSCLIENTID", "", 1);
    gg_load(arena, &loaded);
    ck_assert_str_eq(list(loaded.missing), "MSCLIENTID: is required\n");
    tear_down();
}
END_TEST

START_TEST(the_environment_wins)
{
    set_up();
    put_needed();
    (void)write_file("secret", "from a file\r\n");
    (void)write_file("conf", gg_arena_printf(arena,
                                             "# comment\n\nMSCLIENTID = from-conf\n"
                                             "CONNECT_TIMEOUT_S=9\nGRAPH_TIMEOUT_S=\"8\"\n"
                                             "SECRET_KEY_FILE=%s/secret\n",
                                             directory));
    (void)setenv("CONNECT_TIMEOUT_S", "5", 1);
    gg_load(arena, &loaded);
    ck_assert_str_eq(list(loaded.faults), "");
    ck_assert_str_eq(loaded.conf.client_id, "id");
    ck_assert_int_eq(loaded.conf.connect_timeout_s, 5);
    ck_assert_int_eq(loaded.conf.graph_timeout_s, 8);
    ck_assert_gg_str(gg_secret_reveal(loaded.conf.secret_key), "from a file");
    ck_assert_gg_str(gg_secret_reveal(loaded.conf.jwt_secret_key), "jwt");
    (void)unsetenv("MSCLIENTID");
    (void)unsetenv("JWT_SECRET_KEY");
    gg_load(arena, &loaded);
    ck_assert_str_eq(loaded.conf.client_id, "from-conf");
    ck_assert_gg_str(gg_secret_reveal(loaded.conf.jwt_secret_key), "from a file");
    tear_down();
}
END_TEST

START_TEST(secrets_from_files)
{
    set_up();
    put_needed();
    const char *path = write_file("secret", "s3cret\n");
    (void)unsetenv("MSCLIENTSECRET");
    (void)setenv("MSCLIENTSECRET_FILE", path, 1);
    gg_load(arena, &loaded);
    ck_assert_str_eq(list(loaded.faults), "");
    ck_assert_gg_str(gg_secret_reveal(loaded.conf.client_secret), "s3cret");
    /* The value beside it wins; the file is judged all the same. */
    (void)setenv("MSCLIENTSECRET", "direct", 1);
    gg_load(arena, &loaded);
    ck_assert_gg_str(gg_secret_reveal(loaded.conf.client_secret), "direct");
    (void)setenv("MSCLIENTSECRET_FILE", "/nonexistent", 1);
    gg_load(arena, &loaded);
    ck_assert_ptr_nonnull(
        strstr(list(loaded.faults), "MSCLIENTSECRET_FILE: the file that it names"));
    (void)write_file("secret", "\n");
    (void)setenv("MSCLIENTSECRET_FILE", path, 1);
    gg_load(arena, &loaded);
    ck_assert_ptr_nonnull(loaded.faults);
    /* Only secrets have a file. */
    (void)unsetenv("MSCLIENTSECRET_FILE");
    (void)setenv("MSCLIENTID_FILE", "/nonexistent", 1);
    gg_load(arena, &loaded);
    ck_assert_str_eq(list(loaded.faults), "");
    (void)unsetenv("MSCLIENTID_FILE");
    tear_down();
}
END_TEST

START_TEST(faults_name_the_line)
{
    set_up();
    put_needed();
    (void)write_file("conf",
                     "MSCLIENTID=a\nTYPO=1\nno equals sign\n=x\nCONNECT_TIMEOUT_S=TELLTALE\n"
                     "CONNECT_TIMEOUT_S=4\nMSCLIENTID=b\nDATABASE_URL=mysql://u:TELLTALE@h/d\n");
    gg_load(arena, &loaded);
    const char *text = list(loaded.faults);
    static const char *const wanted[] = {"TYPO: line 2 of ",
                                         "GRAPHGATE_CONFIG: line 3 of ",
                                         "GRAPHGATE_CONFIG: line 4 of ",
                                         "CONNECT_TIMEOUT_S: line 5 of ",
                                         "MSCLIENTID: line 7 of ",
                                         "DATABASE_URL: line 8 of "};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        ck_assert_msg(strstr(text, wanted[i]) != NULL, "%s in\n%s", wanted[i], text);
    ck_assert_ptr_null(strstr(text, "TELLTALE"));
    /* A bad value is a fault even where the environment overrides it, and in the environment. */
    (void)setenv("LOG_LEVEL", "TELLTALE", 1);
    gg_load(arena, &loaded);
    ck_assert_ptr_nonnull(strstr(list(loaded.faults), "LOG_LEVEL: must be"));
    ck_assert_ptr_null(strstr(list(loaded.faults), "TELLTALE"));
    tear_down();
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
    set_up();
    put_needed();
    (void)setenv("GRAPHGATE_CONFIG", directory, 1);
    gg_load(arena, &loaded);
    ck_assert(!loaded.file_is_absent);
    ck_assert_ptr_nonnull(strstr(list(loaded.faults), "GRAPHGATE_CONFIG: "));
    tear_down();
}
END_TEST

START_TEST(sign_in_follows_the_tenant)
{
    static const struct {
        const char *tenant;
        const char *sign_in;
        enum gg_sign_in want;
    } cases[] = {
        {"a.example", "", GG_SIGN_IN_PROVISION},       {"common", "", GG_SIGN_IN_EXISTING},
        {"organizations", "", GG_SIGN_IN_EXISTING},    {"consumers", "", GG_SIGN_IN_EXISTING},
        {"common", "provision", GG_SIGN_IN_PROVISION}, {"a.example", "off", GG_SIGN_IN_OFF},
    };

    set_up();
    put_needed();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)setenv("MSTENANTID", cases[i].tenant, 1);
        (void)setenv("SIGN_IN", cases[i].sign_in, 1);
        gg_load(arena, &loaded);
        ck_assert_msg(loaded.conf.sign_in == cases[i].want, "%s", cases[i].tenant);
    }
    tear_down();
}
END_TEST

GG_UNIT_MAIN("app/load", defaults, what_is_missing, the_environment_wins, secrets_from_files,
             faults_name_the_line, files_that_cannot_be_read, sign_in_follows_the_tenant)
