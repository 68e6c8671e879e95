/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include "../unit/database.h"
#include "../unit/id_token.h"
#include "../unit/loopback.h"
#include "../unit/records.h"

#include "gg/ext/crypto.h"
#include "gg/ext/http.h"
#include "gg/ext/json.h"
#include "gg/proto/b64.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TEXT \
    "{\"value\":[{\"id\":\"a\\u00e9\",\"n\":1},[2.50,true,null],\"text\"],\"x\":{\"y\":-7,\"z\":" \
    "\"\"}}"

static void set_up_nothing(struct op_run *run)
{
    (void)run;
}

static bool work_json(struct op_run *run)
{
    struct gg_json *v;
    struct gg_jsontext_part all;
    struct gg_str name = {NULL, 0};

    if (!gg_json_parse(run->arena, GG_STR(TEXT), &v, &run->err))
        return false;
    if (!gg_json_split(run->arena, GG_STR(TEXT), 2, &all, &run->err))
        return false;
    const struct gg_jsontext_part *value = gg_json_part(run->arena, &all, "value");
    if (value == NULL || value->count != 3)
        return gg_fail(&run->err, GG_EINVALIDJSON, "no elements");
    for (size_t i = 0; gg_json_name(v, i).p != NULL; i++)
        name = gg_json_name(v, i);
    run->answer = gg_json_print(run->arena, v);
    return gg_str_is(name, "x") || !gg_fail(&run->err, GG_OK, "a name is missing");
}

static bool is_json_right(const struct op_run *run)
{
    return gg_str_is(run->answer, "{\"value\":[{\"id\":\"a\xc3\xa9\",\"n\":1},[2.50,true,null],"
                                  "\"text\"],\"x\":{\"y\":-7,\"z\":\"\"}}");
}

/* All that needs no key pair; the answer is what was decrypted. */
static bool work_crypto(struct op_run *run)
{
    static const unsigned char key[16] = "0123456789abcdef";
    const struct gg_aes aes = {key, key};
    unsigned char hash[GG_SHA256_BYTES];
    unsigned char derived[32];
    struct gg_mac mac;
    struct gg_str sealed;
    struct gg_str id;

    return gg_crypto_sha256(GG_STR("abc"), hash, &run->err) && hash[0] == 0xba &&
           gg_crypto_hmac(GG_SHA256, gg_secret_of(GG_STR("key")), GG_STR("x"), &mac, &run->err) &&
           mac.n == 32 && mac.bytes[0] != 0 &&
           gg_crypto_derive(gg_secret_of(GG_STR("p")), GG_STR("s"), 10, derived, &run->err) &&
           gg_crypto_random_uuid(run->arena, &id, &run->err) && gg_str_is_uuid(id) &&
           gg_crypto_encrypt(run->arena, aes, GG_STR("the plain text"), &sealed, &run->err) &&
           gg_crypto_decrypt(run->arena, aes, sealed, &run->answer, &run->err);
}

static bool is_crypto_right(const struct op_run *run)
{
    return gg_str_is(run->answer, "the plain text");
}

/* A token's signed part, its signature and the key. */
struct signature {
    struct gg_rsa key;
    struct gg_str text;
    struct gg_str sig;
};

static void set_up_rsa(struct op_run *run)
{
    struct signature *s = gg_arena_alloc(run->arena, sizeof *s);
    struct gg_str token = GG_STR(ID_TOKEN_GOOD);
    const char *dot = strrchr(token.p, '.');

    s->text = (struct gg_str){token.p, (size_t)(dot - token.p)};
    if (!gg_b64_parse(run->arena, GG_B64_BARE, gg_str_of(dot + 1), &s->sig) ||
        !gg_b64_parse(run->arena, GG_B64_BARE, GG_STR(ID_TOKEN_N), &s->key.n))
        abort();
    s->key.e = (struct gg_str){"\1\0\1", 3};
    run->mine = s;
}

/* A good signature, which may fail; and one of another text, which may never pass. */
static bool work_rsa(struct op_run *run)
{
    const struct signature *s = run->mine;
    struct gg_err refused;

    run->answer = GG_STR("passed");
    if (!gg_crypto_verify_rs256(s->key, GG_STR("another text"), s->sig, &refused))
        run->answer = GG_STR("refused");
    return gg_crypto_verify_rs256(s->key, s->text, s->sig, &run->err);
}

static bool is_rsa_right(const struct op_run *run)
{
    return gg_str_is(run->answer, "refused");
}

static struct gg_arena *server_arena;
static struct loopback *server;

static void prepare_http(void)
{
    static const struct loopback_answer rows[] = {
        {.headers = "Content-Type: text/x\r\nRetry-After: 7\r\n", .body = "the whole answer"}};

    server_arena = gg_arena_open();
    server = loopback_open(server_arena);
    LOOPBACK_SERVE(server, rows);
}

static void clean_http(void)
{
    gg_arena_close(server_arena);
}

static void close_http(void *h)
{
    gg_http_close(h);
}

static void set_up_http(struct op_run *run)
{
    run->mine = gg_http_open((struct gg_http_options){.connect_timeout_s = 3});
    gg_arena_defer(run->arena, close_http, run->mine);
}

static bool work_http(struct op_run *run)
{
    struct gg_http_response response;
    const struct gg_http_request request = {
        .method = "POST",
        .url = gg_arena_printf(run->arena, "%s/a", loopback_url(server)),
        .headers = {"Content-Type: application/json"},
        .body = GG_STR("{\"a\":1}"),
        .timeout_s = 5,
        .deadline = gg_deadline_in(8000),
        .cap_bytes = 1000,
    };

    if (!gg_http_fetch(run->mine, run->arena, &request, &response, &run->err))
        return false;
    run->answer =
        gg_str_of(gg_arena_printf(run->arena, "%d %.*s %.*s", response.status,
                                  GG_STR_ARG(response.retry_after), GG_STR_ARG(response.body)));
    return true;
}

static bool is_http_right(const struct op_run *run)
{
    return gg_str_is(run->answer, "200 7 the whole answer");
}

static void set_up_db(struct op_run *run)
{
    run->mine = database_open(run->arena);
}

static bool work_db(struct op_run *run)
{
    static const struct gg_db_stmt stmt = {"SELECT CONCAT(?, '-', ?), NULL", true};
    const struct gg_db_value values[] = {gg_db_text(GG_STR("text")), gg_db_int(7)};
    struct gg_db_result result;

    if (!gg_db_run(run->mine, run->arena, GG_DB_CALL(stmt, NULL, values), &result, &run->err))
        return false;
    if (result.row_count == 1 && result.rows[0][1].p == NULL)
        run->answer = result.rows[0][0];
    return true;
}

static bool is_db_right(const struct op_run *run)
{
    return gg_str_is(run->answer, "text-7");
}

/* Two web servers' connections: whatever befalls the first, the second is served. */
struct web {
    int listen_fd;
    int fds[2];
    bool served_second;
};

static volatile sig_atomic_t is_late;

static void on_alarm(int signal)
{
    (void)signal;
    is_late = 1;
}

static void set_up_fcgi(struct op_run *run)
{
    struct web *w = gg_arena_alloc(run->arena, sizeof *w);

    w->listen_fd = records_listen();
    for (int i = 0; i < 2; i++) {
        const char *const params[] = {"WHO", i == 0 ? "first" : "second", "REQUEST_URI", "/a",
                                      NULL};
        w->fds[i] = records_connect(w->listen_fd);
        if (!records_write(w->fds[i], records_request(run->arena, params, GG_STR("body"))))
            abort();
        /* Else libfcgi, which gives one up, waits for the web server to close it. */
        (void)shutdown(w->fds[i], SHUT_WR);
    }
    run->mine = w;
}

static bool serve_one(struct op_run *run, struct gg_fcgi *f)
{
    struct web *w = run->mine;
    struct gg_str body;
    sigset_t mask;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    if (!gg_fcgi_accept(f, &mask, &is_late, &run->err))
        return false;
    w->served_second = gg_str_is(gg_fcgi_param(f, "WHO"), "second");
    bool whole = gg_fcgi_read(f, run->arena, 4, &body, &run->err);
    gg_fcgi_finish(f, whole ? GG_STR("Status: 200\r\n\r\n") : GG_STR("Status: 400\r\n\r\n"),
                   whole ? body : GG_STR(""));
    return whole;
}

/* The failure is the first's; the second must be served as if nothing had been. */
static bool work_fcgi(struct op_run *run)
{
    struct web *w = run->mine;
    const struct sigaction action = {.sa_handler = on_alarm};

    (void)sigaction(SIGALRM, &action, NULL);
    struct gg_fcgi *f = gg_fcgi_open(w->listen_fd);
    bool whole = serve_one(run, f);
    (void)inject_disarm();
    if (!w->served_second && !serve_one(run, f))
        run->err.code = GG_OK;
    gg_fcgi_close(f);
    struct gg_str first = records_read(run->arena, w->fds[0]);
    run->answer = records_read(run->arena, w->fds[1]);
    return whole && gg_str_is_equal(first, run->answer);
}

static bool is_fcgi_right(const struct op_run *run)
{
    return gg_str_is(run->answer, "Status: 200\r\n\r\nbody");
}

/* In a worker, signals wait for gg_fcgi_accept's ppoll: libfcgi is not interrupted. */
const struct op ops[] = {
    {.name = "json", .set_up = set_up_nothing, .work = work_json, .is_right = is_json_right},
    {.name = "crypto", .set_up = set_up_nothing, .work = work_crypto, .is_right = is_crypto_right},
    {.name = "rsa",
     .is_right_anyway = true,
     .set_up = set_up_rsa,
     .work = work_rsa,
     .is_right = is_rsa_right},
    {.name = "http",
     .prepare = prepare_http,
     .set_up = set_up_http,
     .work = work_http,
     .is_right = is_http_right,
     .clean = clean_http},
    {.name = "fcgi",
     .notices_interrupts = true,
     .is_right_anyway = true,
     .set_up = set_up_fcgi,
     .work = work_fcgi,
     .is_right = is_fcgi_right},
    {.name = "db",
     .needs_database = true,
     .set_up = set_up_db,
     .work = work_db,
     .is_right = is_db_right},
};
const size_t ops_count = sizeof ops / sizeof ops[0];
