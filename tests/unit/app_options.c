/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/app/options.h"
#include "gg/base/log.h"

#include <string.h>

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static struct gg_arena *arena;
static struct gg_conf conf;

static const struct gg_option *find(const char *name)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    ck_abort_msg("no option %s", name);
    return NULL;
}

static bool parse(const char *name, const char *value)
{
    const struct gg_option *o = find(name);
    struct gg_option_read r = {arena, o, gg_str_of(value), (char *)&conf + o->offset, NULL};
    bool good = o->parse(&r);

    ck_assert_msg(good == (r.fault == NULL), "%s=%s", name, value);
    return good;
}

/* What a stranger reads in the sample file: each row whole, each name once, defaults that parse. */
START_TEST(the_table)
{
    size_t count;
    const struct gg_option *table = gg_options_table(&count);

    arena = gg_arena_open();
    for (size_t i = 0; i < count; i++) {
        const struct gg_option *o = &table[i];
        ck_assert_msg(gg_str_is_word(gg_str_of(o->name), 40, "_"), "%s", o->name);
        ck_assert_msg(strlen(o->meaning) > 4, "%s", o->name);
        ck_assert_msg(o->offset < sizeof conf, "%s", o->name);
        ck_assert_msg(!(o->is_required && o->fallback != NULL), "%s", o->name);
        if (o->fallback != NULL)
            ck_assert_msg(parse(o->name, o->fallback), "%s", o->name);
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(table[k].name, o->name);
            ck_assert_msg(table[k].offset != o->offset, "%s and %s", table[k].name, o->name);
        }
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(secrets_are_marked)
{
    static const char *const secrets[] = {
        "MSCLIENTSECRET", "MSCLIENTSECRET_NEXT", "TOKEN_ENCRYPTION_KEY", "JWT_SECRET_KEY",
        "SECRET_KEY",     "DATABASE_URL",        "METRICS_TOKEN",        "AUDIT_KEY"};
    size_t count;
    size_t marked = 0;
    const struct gg_option *table = gg_options_table(&count);

    for (size_t i = 0; i < COUNT(secrets); i++)
        ck_assert_msg(find(secrets[i])->is_secret, "%s", secrets[i]);
    for (size_t i = 0; i < count; i++)
        marked += table[i].is_secret;
    ck_assert_uint_eq(marked, COUNT(secrets));
}
END_TEST

START_TEST(good_and_bad_values)
{
    static const struct {
        const char *name;
        const char *good[4];
        const char *bad[8];
    } cases[] = {
        {"MSCLIENTID", {"abc", "\xc3\xa4"}, {"a\nb", "\x7f"}},
        {"MSTENANTID",
         {"common", "a.example", "11111111-2222-3333-4444-555555555555"},
         {"a/b", "..%2f", "a b", "a?b"}},
        {"REDIRECT_URI",
         {"https://a.example/cb", "http://localhost:8080/cb"},
         {"/cb", "a.example/cb", "ftp://a/cb", "https://u@a/cb", "https://a/ cb"}},
        {"TOKEN_ENCRYPTION_KEY",
         {KEY, KEY "," KEY, " " KEY " , " KEY},
         {"short", KEY ",", KEY "x", "," KEY, KEY ";" KEY}},
        {"JWT_ALGORITHM", {"HS256", "HS384", "HS512"}, {"none", "hs256", "RS256", "HS256 "}},
        {"MICROSOFT_LOGIN_URL",
         {"https://a", "https://a/x/", "http://127.0.0.1:5", "http://[::1]/"},
         {"http://a.example", "http://127.0.0.1.a.example", "a", "ftp://a", "http://2130706433"}},
        {"MICROSOFT_GRAPH_URL", {"https://graph.example/v1.0/"}, {"http://graph.example/v1.0"}},
        {"SIGN_IN", {"off", "existing", "provision"}, {"on", "OFF", "yes"}},
        {"ALLOWED_RETURN_URLS",
         {"https://a", "https://a/x/, http://b:1"},
         {"a", "*", "https://a,"}},
        {"TRUSTED_PROXIES", {"10.0.0.0/8", "::1, 127.0.0.1"}, {"10.0.0.0/33", "localhost", "all"}},
        {"RATE_LIMIT_CALENDAR",
         {"1/1", "100/60", "off", "1000000000/31622400"},
         {"0/60", "10", "10/", "/60", "10/0", "-1/60", "10/60/2", "10/99999999"}},
        {"CONNECT_TIMEOUT_S", {"1", "3600"}, {"0", "3601", "1.5", "-1", "1s", "0x1"}},
        {"MSCLIENTSECRET_EXPIRES",
         {"2027-03-31", "2028-02-29"},
         {"2027-02-29", "2027-04-31", "2027-13-01", "31.03.2027", "2027-03-31T00:00:00Z", "soon"}},
        {"TOKEN_MAX_AGE_DAYS", {"0", "1", "3650"}, {"-1", "3651", "30d", "1.5", "off"}},
        {"REFRESH_IDLE_DAYS", {"0", "30", "89"}, {"90", "-1", "x"}},
        {"LOG_LEVEL", {"debug", "info", "warning", "error"}, {"INFO", "warn", "3"}},
        {"LOG_FORMAT", {"logfmt", "json"}, {"JSON", "text"}},
        {"LOG_SUBJECTS", {"hash", "plain"}, {"Plain", "off"}},
        {"LOG_TARGET", {"stderr", "syslog", "file:/a"}, {"stdout", "file:", "/a", "file:/a\nb"}},
        {"DATABASE_URL", {"mariadb://u:p@h/db"}, {"mysql://u:p@h/db"}},
    };

    arena = gg_arena_open();
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t k = 0; k < 4 && cases[i].good[k] != NULL; k++)
            ck_assert_msg(parse(cases[i].name, cases[i].good[k]), "%s=%s", cases[i].name,
                          cases[i].good[k]);
        for (size_t k = 0; k < 8 && cases[i].bad[k] != NULL; k++)
            ck_assert_msg(!parse(cases[i].name, cases[i].bad[k]), "%s=%s", cases[i].name,
                          cases[i].bad[k]);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(values_arrive)
{
    arena = gg_arena_open();
    ck_assert(parse("RATE_LIMIT_OAUTH_START", "7/9") && parse("RATE_LIMIT_OAUTH_CALLBACK", "8/10"));
    ck_assert(conf.limits[GG_LIMIT_OAUTH_START].requests == 7 &&
              conf.limits[GG_LIMIT_OAUTH_START].per_s == 9);
    ck_assert(conf.limits[GG_LIMIT_OAUTH_CALLBACK].requests == 8);
    ck_assert(parse("RATE_LIMIT_OAUTH_START", "off"));
    ck_assert(conf.limits[GG_LIMIT_OAUTH_START].requests == 0);
    ck_assert(parse("MICROSOFT_LOGIN_URL", "https://a/b///"));
    ck_assert_str_eq(conf.login_url, "https://a/b");
    ck_assert(parse("SIGN_IN", "existing") && conf.sign_in == GG_SIGN_IN_EXISTING);
    ck_assert(parse("JWT_ALGORITHM", "HS512") && conf.jwt_hash == 512);
    ck_assert(parse("LOG_LEVEL", "warning") && conf.log_level == 2);
    ck_assert(parse("LOG_FORMAT", "json") && conf.log_form == GG_LOGLINE_JSON);
    ck_assert(parse("LOG_FORMAT", "logfmt") && conf.log_form == GG_LOGLINE_LOGFMT);
    ck_assert(parse("LOG_SUBJECTS", "plain") && conf.log_subjects_plain);
    ck_assert(parse("LOG_SUBJECTS", "hash") && !conf.log_subjects_plain);
    ck_assert(parse("MSCLIENTSECRET_EXPIRES", "1970-01-02"));
    ck_assert_int_eq(conf.client_secret_expires_s, 2 * 86400 - 1);
    ck_assert(parse("TOKEN_MAX_AGE_DAYS", "9") && conf.token_max_age_days == 9);
    ck_assert(parse("REFRESH_IDLE_DAYS", "8") && conf.refresh_idle_days == 8);
    ck_assert(parse("GRAPH_TIMEOUT_S", "42") && conf.graph_timeout_s == 42);
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("app/options", the_table, secrets_are_marked, good_and_bad_values, values_arrive)
