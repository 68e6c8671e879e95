/* SPDX-License-Identifier: MIT */
#include "database.h"
#include "id_token.h"
#include "stand_in.h"
#include "unit.h"

#include "gg/flow/keyset.h"

#include <string.h>

#define KEYS "{\"keys\":[" ID_TOKEN_JWK("key-1") "]}"

static struct stand_in s;
static const struct gg_secret nonce = {"the-nonce", 9};

static enum gg_code find(const char *kid)
{
    struct gg_keyset_key key;

    s.err = (struct gg_err){.code = GG_OK};
    return gg_keyset_find(&s.call, gg_str_of(kid), &key, &s.err) ? GG_OK : s.err.code;
}

/* A discovery document that names jwks_uri. */
static const char *document(const char *jwks_uri)
{
    return gg_arena_printf(s.arena, "{\"issuer\":\"" ID_TOKEN_ISSUER "\",\"jwks_uri\":\"%s\"}",
                           jwks_uri);
}

static void serve_well(void)
{
    static struct loopback_answer rows[2];

    rows[0] = (struct loopback_answer){
        .match = "openid-configuration",
        .body = document(gg_arena_printf(s.arena, "%s/keys", loopback_url(s.microsoft)))};
    rows[1] = (struct loopback_answer){.match = "GET /keys ", .body = KEYS};
    LOOPBACK_SERVE(s.microsoft, rows);
}

START_TEST(one_fetch_serves_many)
{
    stand_in_open(&s);
    serve_well();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(find("key-1"), GG_OK);
    ck_assert_int_eq(loopback_requests(s.microsoft), 2);
    stand_in_close(&s);
}
END_TEST

/* Another worker, or a worker of another host: it has no keys of its own yet. */
static void become_another_worker(void)
{
    gg_keyset_close(s.ctx.keyset);
    s.ctx.keyset = gg_keyset_open();
}

/* Key ids are anybody's to invent. */
/* promise: attack/oauth: Unknown key ids cost one fetch of the keys in half a minute, for all
 * workers and hosts together */
START_TEST(unknown_ids_do_not_fetch_without_end)
{
    stand_in_open(&s);
    serve_well();
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(find(gg_arena_printf(s.arena, "made-up-%d", i)), GG_EIDTOKEN);
        if (i % 4 == 0)
            become_another_worker();
    }
    ck_assert_int_eq(loopback_requests(s.microsoft), 2);
    ck_assert_int_eq(find("key-1"), GG_OK);
    /* Half a minute later it may be a new key's. */
    database_run(s.ctx.db, "UPDATE signing_keys SET unknown_until = NOW(6)");
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(find("made-up"), GG_EIDTOKEN);
    ck_assert_int_eq(loopback_requests(s.microsoft), 4);
    stand_in_close(&s);
}
END_TEST

/* One worker's fetch serves all; so does its fetch of a key that is new. */
START_TEST(workers_share_the_set)
{
    static const struct loopback_answer broken[] = {{.status = 503}};

    stand_in_open(&s);
    serve_well();
    ck_assert_int_eq(find("key-1"), GG_OK);
    LOOPBACK_SERVE(s.microsoft, broken);
    become_another_worker();
    ck_assert_int_eq(find("key-1"), GG_OK);
    /* Too old to be used without asking; and for a day used when there is no answer. */
    become_another_worker();
    database_run(s.ctx.db, "UPDATE signing_keys SET fetched_at = NOW(6) - INTERVAL 2 HOUR");
    ck_assert_int_eq(find("key-1"), GG_OK);
    ck_assert_int_gt(loopback_requests(s.microsoft), 0);
    become_another_worker();
    database_run(s.ctx.db, "UPDATE signing_keys SET fetched_at = NOW(6) - INTERVAL 25 HOUR");
    ck_assert_int_eq(find("key-1"), GG_ELOGIN);
    stand_in_close(&s);
}
END_TEST

/* What somebody wrote into the database by himself says nothing about keys. */
/* promise: attack/oauth: Who can write to the database cannot say which keys sign ID tokens: the
 * shared key set is sealed */
START_TEST(a_set_that_is_not_sealed_is_none)
{
    static const struct loopback_answer broken[] = {{.status = 503}};

    stand_in_open(&s);
    serve_well();
    ck_assert_int_eq(find("key-1"), GG_OK);
    LOOPBACK_SERVE(s.microsoft, broken);
    become_another_worker();
    database_run(s.ctx.db, "UPDATE signing_keys SET sealed = '" ID_TOKEN_ISSUER "\n" KEYS "'");
    ck_assert_int_eq(find("key-1"), GG_ELOGIN);
    stand_in_close(&s);
}
END_TEST

START_TEST(anothers_fetch_is_waited_for)
{
    stand_in_open(&s);
    serve_well();
    ck_assert_int_eq(find("key-1"), GG_OK);
    become_another_worker();
    database_run(s.ctx.db, "UPDATE signing_keys SET sealed = NULL,"
                           " asking_until = NOW(6) + INTERVAL 500000 MICROSECOND");
    int before = loopback_requests(s.microsoft);
    ck_assert_int_eq(find("key-1"), GG_OK); /* it never came: one's own turn */
    ck_assert_int_eq(loopback_requests(s.microsoft), before + 2);
    become_another_worker();
    database_run(s.ctx.db, "UPDATE signing_keys SET sealed = NULL,"
                           " asking_until = NOW(6) + INTERVAL 1 HOUR");
    s.call.deadline = gg_deadline_in(300);
    ck_assert_int_eq(find("key-1"), GG_ELOGIN);
    ck_assert_int_eq(loopback_requests(s.microsoft), before + 2);
    stand_in_close(&s);
}
END_TEST

START_TEST(the_last_good_set_serves_on)
{
    static const struct loopback_answer broken[] = {{.status = 503}};

    stand_in_open(&s);
    LOOPBACK_SERVE(s.microsoft, broken);
    ck_assert_int_eq(find("key-1"), GG_ELOGIN); /* none yet */
    serve_well();
    ck_assert_int_eq(find("key-1"), GG_OK);
    LOOPBACK_SERVE(s.microsoft, broken);
    ck_assert_int_eq(find("other"), GG_ELOGIN); /* whether it exists cannot be known */
    ck_assert_int_eq(find("key-1"), GG_OK);
    loopback_stop(s.microsoft);
    ck_assert_int_eq(find("key-1"), GG_OK);
    stand_in_close(&s);
}
END_TEST

START_TEST(no_document_means_the_documented_address)
{
    static const struct loopback_answer rows[] = {
        {.match = "openid-configuration", .status = 404},
        {.match = "/" ID_TOKEN_TENANT "/discovery/v2.0/keys ", .body = KEYS},
    };
    struct gg_keyset_key key;

    stand_in_open(&s);
    LOOPBACK_SERVE(s.microsoft, rows);
    ck_assert(gg_keyset_find(&s.call, GG_STR("key-1"), &key, &s.err));
    ck_assert_gg_str(key.issuer,
                     gg_arena_printf(s.arena, "%s/{tenantid}/v2.0", loopback_url(s.microsoft)));
    stand_in_close(&s);
}
END_TEST

START_TEST(documents_that_are_not_usable)
{
    static const char *const uris[] = {"",
                                       "x",
                                       "ftp://a/keys",
                                       "http://keys.example/keys",
                                       "http://127.0.0.1.a.example/keys",
                                       "file:///etc/passwd"};

    stand_in_open(&s);
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        const struct loopback_answer rows[] = {
            {.match = "configuration", .body = document(uris[i])}};
        LOOPBACK_SERVE(s.microsoft, rows);
        ck_assert_msg(find("key-1") == GG_ELOGIN, "%s", uris[i]);
        ck_assert_int_eq(loopback_requests(s.microsoft), 1);
    }
    const char *keys_uri = gg_arena_printf(s.arena, "%s/keys", loopback_url(s.microsoft));
    const char *bad_keys[] = {"", "{}", "{\"keys\":[]}", "<html>"};
    for (size_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        const struct loopback_answer rows[] = {
            {.match = "configuration", .body = document(keys_uri)}, {.body = bad_keys[i]}};
        LOOPBACK_SERVE(s.microsoft, rows);
        ck_assert_msg(find("key-1") == GG_ELOGIN, "%s", bad_keys[i]);
    }
    stand_in_close(&s);
}
END_TEST

static enum gg_code check(const char *token, struct gg_oauth_id *id)
{
    s.err = (struct gg_err){.code = GG_OK};
    return gg_keyset_check_id(&s.call, gg_secret_of(gg_str_of(token)), nonce, id, &s.err)
               ? GG_OK
               : s.err.code;
}

START_TEST(id_tokens)
{
    struct gg_oauth_id id;

    stand_in_open(&s);
    serve_well();
    ck_assert_int_eq(check(ID_TOKEN_GOOD, &id), GG_OK);
    ck_assert_gg_str(id.tenant_id, ID_TOKEN_TENANT);
    ck_assert_gg_str(id.email, "ann@a.example");
    ck_assert_int_eq(check(ID_TOKEN_OLD, &id), GG_EIDTOKEN);
    ck_assert_int_eq(check(ID_TOKEN_UNKNOWN_KEY, &id), GG_EIDTOKEN);
    ck_assert_int_eq(check("", &id), GG_EIDTOKEN);
    ck_assert_int_eq(check("a.b.c", &id), GG_EIDTOKEN);
    /* alg none, and HS256 with the public key: neither costs a fetch. */
    int before = loopback_requests(s.microsoft);
    ck_assert_int_eq(check("eyJhbGciOiJub25lIn0.e30.", &id), GG_EIDTOKEN);
    ck_assert_int_eq(check("eyJhbGciOiJIUzI1NiIsImtpZCI6ImtleS0xIn0.e30.AAAA", &id), GG_EIDTOKEN);
    ck_assert_int_eq(loopback_requests(s.microsoft), before);
    /* One byte of the signature, and of the claims. */
    for (int i = 0; i < 2; i++) {
        char *token = gg_arena_strdup(s.arena, ID_TOKEN_GOOD);
        char *at = i == 0 ? strrchr(token, '.') + 9 : strchr(token, '.') + 9;
        *at = *at == 'A' ? 'B' : 'A';
        ck_assert_int_eq(check(token, &id), GG_EIDTOKEN);
    }
    s.conf.client_id = "other";
    ck_assert_int_eq(check(ID_TOKEN_GOOD, &id), GG_EIDTOKEN);
    stand_in_close(&s);
}
END_TEST

/* Each way in which Microsoft may fail, in words; nothing of it is kept. */
START_TEST(probes)
{
    const struct loopback_answer well = {
        .match = "openid-configuration",
        .headers = "Content-Type: application/json\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"};
    const struct {
        struct loopback_answer discovery;
        struct loopback_answer keys;
        const char *discovery_fault;
        const char *keys_fault;
    } cases[] = {
        {well, {.body = KEYS}, NULL, NULL},
        {well, {.status = 403}, NULL, "answered 403"},
        {well, {.body = "{}"}, NULL, "its answer is not usable"},
        {{.status = 403}, {.body = KEYS}, "answered 403", "not asked, as discovery failed"},
        {{.body = "{}"},
         {.body = KEYS},
         "its answer is not usable",
         "not asked, as discovery failed"},
        {{.wait_ms = 5000}, {.body = KEYS}, "no answer in time", "not asked, as discovery failed"},
    };
    struct gg_keyset_probe found;

    stand_in_open(&s);
    s.conf.login_timeout_s = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loopback_answer rows[2] = {cases[i].discovery, cases[i].keys};
        rows[0].match = "openid-configuration";
        if (rows[0].body == NULL)
            rows[0].body = document(gg_arena_printf(s.arena, "%s/keys", loopback_url(s.microsoft)));
        LOOPBACK_SERVE(s.microsoft, rows);
        gg_keyset_probe(&s.call, &found);
        ck_assert_pstr_eq(found.discovery_fault, cases[i].discovery_fault);
        ck_assert_pstr_eq(found.keys_fault, cases[i].keys_fault);
        ck_assert_uint_eq(found.key_count, cases[i].keys_fault == NULL ? 1 : 0);
        if (i == 0)
            ck_assert(found.has_date && found.ahead_s > 1700000000);
    }
    loopback_stop(s.microsoft);
    gg_keyset_probe(&s.call, &found);
    ck_assert_str_eq(found.discovery_fault, "cannot be reached");
    ck_assert(!found.has_date && found.discovery_ms >= 0 && found.keys_ms == 0);
    ck_assert_int_eq(find("key-1"), GG_ELOGIN);
    stand_in_close(&s);
}
END_TEST

GG_UNIT_MAIN("flow/keyset", one_fetch_serves_many, unknown_ids_do_not_fetch_without_end,
             workers_share_the_set, a_set_that_is_not_sealed_is_none, anothers_fetch_is_waited_for,
             the_last_good_set_serves_on, no_document_means_the_documented_address,
             documents_that_are_not_usable, id_tokens, probes)
