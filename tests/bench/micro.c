/* SPDX-License-Identifier: MIT */
/*
 * One operation of one room, for valgrind to count its instructions: micro OPERATION runs it once
 * to warm up, and then ROUNDS times inside of measure(), which micro.py tells callgrind to look at.
 * micro --key says what the numbers depend on, micro --list what there is.
 */
#include "gg/base/clock.h"
#include "gg/base/jsonw.h"
#include "gg/ext/json.h"
#include "gg/flow/admit.h"
#include "gg/proto/jwt.h"

#include <gnu/libc-version.h>
#include <json-c/json_c_version.h>
#include <mysql.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES 2048
#define EVENTS      10
#define EVENT_BYTES 1500
#define CALLER      "{\"sub\":\"7\",\"type\":\"user\",\"email\":\"a@example.com\",\"exp\":4102444800}"

static struct bench {
    struct gg_arena *setup; /* what all rounds share */
    struct gg_arena *arena; /* of a round */
    struct gg_fernet fernet;
    struct gg_conf conf;
    struct gg_ctx ctx;
    struct gg_token_key who;
    struct gg_secret token;
    struct gg_str cipher;
    struct gg_jwt_key key;
    struct gg_str jwt;
    struct gg_str page;
} b;

static const struct gg_rate_key limit = {{"calendar:main:7", 15}, {1000000, 60}};

static bool encrypt(struct gg_err *err)
{
    struct gg_str out;

    return gg_fernet_encrypt(&b.fernet, b.arena, b.token, &out, err);
}

static bool decrypt(struct gg_err *err)
{
    struct gg_secret out;

    return gg_fernet_decrypt(&b.fernet, b.arena, b.cipher, &out, err);
}

static bool verify(struct gg_err *err)
{
    struct gg_jwt jwt;

    return gg_jwt_parse(b.arena, b.jwt, 8192, &jwt, err) && gg_jwt_verify_hmac(&jwt, b.key, err) &&
           gg_jwt_check_times(jwt.claims, gg_clock_now_s(), 60, err);
}

/* From Graph's page to the list that is answered. */
static bool list_events(struct gg_err *err)
{
    struct gg_jsontext_part page;
    struct gg_jsonw w;
    struct gg_buf buf;

    if (!gg_json_split(b.arena, b.page, 2, &page, err))
        return false;
    const struct gg_jsontext_part *value = gg_json_part(b.arena, &page, "value");
    if (value == NULL)
        return false;
    gg_buf_init(&buf, b.arena, (size_t)1 << 20);
    gg_jsonw_init(&w, &buf);
    gg_jsonw_open(&w, '[');
    for (size_t i = 0; i < value->count; i++)
        gg_jsonw_raw(&w, value->parts[i].text);
    gg_jsonw_close(&w, ']');
    return value->count == EVENTS;
}

static bool take_limit(struct gg_err *err)
{
    struct gg_rate rate;

    return gg_rate_take(b.ctx.db, b.arena, limit, &rate, err) && rate.admitted;
}

static bool read_token(struct gg_err *err)
{
    struct gg_token_store store = gg_ctx_tokens(&b.ctx);
    struct gg_token token;
    struct gg_secret out;

    return gg_token_find(store, b.arena, b.who, &token, err) && token.found &&
           gg_token_open(store, b.arena, &token, &out, err);
}

/* The two of them as a request does them. */
static bool admit(struct gg_err *err)
{
    struct gg_call call = {.ctx = &b.ctx, .arena = b.arena};
    struct gg_secret out;
    struct gg_rate rate;
    bool wants_touch;

    return gg_admit_take(&call, limit, &b.who, &rate, err) &&
           gg_admit_open(&call, b.who, &out, &wants_touch);
}

static const struct operation {
    const char *name;
    bool (*run)(struct gg_err *err);
    int rounds;
    bool needs_database;
} operations[] = {
    {"fernet_encrypt", encrypt, 100, false},
    {"fernet_decrypt", decrypt, 100, false},
    {"jwt_verify", verify, 100, false},
    {"event_list", list_events, 20, false},
    {"rate_limit", take_limit, 100, true},
    {"token_read", read_token, 100, true},
    {"admit", admit, 100, true},
};

#define OPERATIONS (sizeof operations / sizeof operations[0])

static bool set_up_page(void)
{
    struct gg_buf page;

    gg_buf_init(&page, b.setup, (size_t)1 << 20);
    gg_buf_add_text(&page, "{\"@odata.context\":\"x\",\"value\":[");
    for (int i = 0; i < EVENTS; i++) {
        size_t before = page.n;
        gg_buf_add_fmt(&page,
                       "%s{\"id\":\"AAMk%d\",\"isAllDay\":false,\"attendees\":[],\"start\":"
                       "{\"dateTime\":\"2030-01-01T10:00:00.0000000\",\"timeZone\":\"UTC\"},"
                       "\"body\":{\"contentType\":\"html\",\"content\":\"",
                       i > 0 ? "," : "", i);
        while (page.n - before < EVENT_BYTES - 20)
            gg_buf_add_text(&page, "some \\u00e9vent text \\\"quoted\\\" ");
        gg_buf_add_text(&page, "\"}}");
    }
    gg_buf_add_text(&page, "]}");
    b.page = gg_buf_str(&page);
    return true;
}

static bool set_up(struct gg_err *err)
{
    char *plain = gg_arena_alloc(b.setup, TOKEN_BYTES);

    memset(plain, 'x', TOKEN_BYTES);
    b.fernet = (struct gg_fernet){.count = 1, .keys = {{1, 2, 3}}};
    b.token = (struct gg_secret){plain, TOKEN_BYTES};
    b.key = (struct gg_jwt_key){GG_SHA256, {"a secret of thirty-two characters", 33}};
    b.ctx = (struct gg_ctx){.conf = &b.conf, .fernet = b.fernet};
    b.who = (struct gg_token_key){gg_realm(GG_REALM_MAIN), GG_STR("7")};
    return gg_fernet_encrypt(&b.fernet, b.setup, b.token, &b.cipher, err) &&
           gg_jwt_sign(b.setup, b.key, GG_STR(CALLER), &b.jwt, err) && set_up_page();
}

static bool set_up_database(struct gg_err *err)
{
    struct gg_token_connect connect = {
        .set = {.access_token = b.token,
                .refresh_token = b.token,
                .id_token = b.token,
                .expires_in_s = 3600},
        .owner = {GG_STR("oid"), GG_STR("a@example.com"), GG_STR("tid")}};

    static struct gg_db_address address;

    address = (struct gg_db_address){.user = getenv("GG_TEST_DB_USER"),
                                     .password = getenv("GG_TEST_DB_PASSWORD"),
                                     .name = getenv("GG_TEST_DB_NAME"),
                                     .unix_socket = getenv("GG_TEST_DB_SOCKET"),
                                     .hosts = {{"localhost", 3306}},
                                     .host_count = 1,
                                     .connect_timeout_s = 5,
                                     .query_timeout_s = 20};
    if (address.unix_socket == NULL)
        return gg_fail(err, GG_EDATABASE, "run it with tests/unit/with_mariadb.py");
    b.ctx.db = gg_db_open(&address);
    /* Used before, or the row would be read whole. */
    return gg_token_put(gg_ctx_tokens(&b.ctx), b.setup, b.who, &connect, err) &&
           gg_token_touch(gg_ctx_tokens(&b.ctx), b.setup, b.who, err);
}

/* Not inlined: callgrind counts what happens below this name. */
bool measure(const struct operation *o, int rounds, struct gg_err *err);

__attribute__((noinline)) bool measure(const struct operation *o, int rounds, struct gg_err *err)
{
    bool ok = true;

    for (int i = 0; ok && i < rounds; i++) {
        ok = o->run(err);
        gg_arena_reset(b.arena);
    }
    return ok;
}

static int run(const struct operation *o)
{
    struct gg_err err = {.code = GG_OK};

    b.setup = gg_arena_open();
    b.arena = gg_arena_open();
    bool ok = set_up(&err) && (!o->needs_database || set_up_database(&err)) && o->run(&err);
    gg_arena_reset(b.arena);
    ok = ok && measure(o, o->rounds, &err);
    if (!ok)
        fprintf(stderr, "%s: %s\n", o->name, err.log);
    gg_db_close(b.ctx.db);
    gg_arena_close(b.arena);
    gg_arena_close(b.setup);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *word = argc == 2 ? argv[1] : "--list";

    if (strcmp(word, "--key") == 0)
        printf("%s %s|%s|glibc %s|json-c %s|mariadb %s\n", MICRO_COMPILER, __VERSION__,
               OpenSSL_version(OPENSSL_VERSION), gnu_get_libc_version(), json_c_version(),
               mysql_get_client_info());
    for (size_t i = 0; i < OPERATIONS; i++) {
        if (strcmp(word, "--list") == 0)
            printf("%s %d\n", operations[i].name, operations[i].rounds);
        if (strcmp(word, operations[i].name) == 0)
            return run(&operations[i]);
    }
    return 0;
}
