/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "gg/proto/seal.h"

#include <string.h>

static struct gg_arena *arena;
static struct gg_err err;
/* https://github.com/fernet/spec: the key of its samples, and another. */
static struct gg_fernet keys;

static const struct gg_seal_row sample = {
    .realm = "main",
    .subject = {"7", 1},
    .ciphers = {.access_token = {"A", 1}, .refresh_token = {"R", 1}},
};

static void set_up(void)
{
    arena = gg_arena_open();
    ck_assert(gg_fernet_parse_keys(arena,
                                   gg_secret_of(GG_STR("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4"
                                                       "e4=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                                       "AAAA=")),
                                   &keys, &err));
}

static struct gg_seals seals_of(struct gg_seal_row row)
{
    struct gg_seals seals;

    ck_assert(gg_seal_make(&keys, arena, &row, &seals, &err));
    return seals;
}

static struct gg_str seal_of(struct gg_seal_row row)
{
    return seals_of(row).row;
}

static bool fits(struct gg_seal_row row, struct gg_str seal)
{
    err = (struct gg_err){0};
    return gg_seal_check(&keys, arena, &row, seal, &err);
}

/* What this makes is in databases: it never changes. Checked with Python's hmac. */
START_TEST(a_known_seal)
{
    set_up();
    ck_assert_gg_str(seal_of(sample), "Srcsvsj8QTwzPshpccCxae0o7r_BFoReNmFvjhWkKkc");
    ck_assert(fits(sample, GG_STR("Srcsvsj8QTwzPshpccCxae0o7r_BFoReNmFvjhWkKkc")));
    ck_assert_gg_str(seals_of(sample).access_token, "XqzKQO3b5GPEE1Bg5E5oiGDnNvbdIvPRK1533G-VZLY");
    gg_arena_close(arena);
}
END_TEST

/* mutant: src/proto/seal.c: gg_str_of(row->realm), => GG_STR("x"), */
/* mutant: src/proto/seal.c: row->subject, => GG_STR("x"), */
/* mutant: src/proto/seal.c: ? ABSENT : => ? 0 : */
START_TEST(whatever_changes_breaks_it)
{
    struct gg_seal_row changed[] = {sample, sample, sample, sample, sample, sample,
                                    sample, sample, sample, sample, sample};

    set_up();
    changed[0].realm = "beta";
    changed[1].subject = GG_STR("8");
    changed[2].subject = GG_STR("");
    changed[3].ciphers.access_token = GG_STR("B");
    changed[4].ciphers.refresh_token = GG_STR("B");
    changed[5].ciphers.refresh_token = (struct gg_str){NULL, 0};
    changed[6].ciphers.refresh_token = GG_STR("");
    changed[7].ciphers.id_token = GG_STR("");
    changed[8].ciphers.id_token = GG_STR("I");
    changed[9].ciphers =
        (struct gg_ciphers){.access_token = GG_STR("R"), .refresh_token = GG_STR("A")};
    /* The same bytes, cut elsewhere. */
    changed[10].realm = "mai";
    changed[10].subject = GG_STR("n7");
    struct gg_str seal = seal_of(sample);
    for (size_t i = 0; i < COUNT(changed); i++) {
        ck_assert_msg(!fits(changed[i], seal), "%zu", i);
        ck_assert_int_eq(err.code, GG_EINTERNAL);
        ck_assert_msg(!gg_str_is_equal(seal_of(changed[i]), seal), "%zu", i);
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(!fits(changed[i], seal_of(changed[k])), "%zu %zu", i, k);
    }
    gg_arena_close(arena);
}
END_TEST

START_TEST(any_key_may_have_made_it)
{
    struct gg_seal_row second = sample;

    set_up();
    second.key = 1;
    struct gg_str seal = seal_of(second);
    ck_assert(!gg_str_is_equal(seal, seal_of(sample)));
    ck_assert(fits(sample, seal));
    keys.count = 1;
    ck_assert(!fits(sample, seal));
    ck_assert_ptr_null(strstr(err.log, seal.p));
    struct gg_seals none;
    ck_assert(!gg_seal_make(&keys, arena, &second, &none, &err));
    gg_arena_close(arena);
}
END_TEST

START_TEST(what_is_no_seal)
{
    set_up();
    struct gg_str seal = seal_of(sample);
    for (size_t n = 0; n < seal.n; n++)
        ck_assert(!fits(sample, (struct gg_str){seal.p, n}));
    char *text = gg_arena_printf(arena, "%.*s=", GG_STR_ARG(seal));
    ck_assert(!fits(sample, gg_str_of(text)));
    for (size_t i = 0; i < seal.n; i++) {
        text = gg_arena_copy(arena, seal.p, seal.n);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        ck_assert_msg(!fits(sample, (struct gg_str){text, seal.n}), "%zu", i);
    }
    gg_arena_close(arena);
}
END_TEST

/* The access token's knows its owner and itself, and nothing else of the row. */
/* mutant: src/proto/seal.c: check(f, *row, OF_ACCESS_TOKEN, => check(f, *row, OF_ROW, */
START_TEST(the_access_tokens_own)
{
    static const struct gg_ciphers more = {{"A", 1}, {"other", 5}, {"I", 1}};
    struct gg_seal_row changed[] = {sample, sample, sample, sample, sample};
    const bool fits_too[] = {true, true, false, false, false};

    set_up();
    struct gg_seals seals = seals_of(sample);
    changed[0].ciphers = more;
    changed[1].ciphers = (struct gg_ciphers){.access_token = GG_STR("A")};
    changed[2].ciphers.access_token = GG_STR("B");
    changed[3].subject = GG_STR("8");
    changed[4].realm = "beta";
    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        ck_assert_msg(gg_seal_check_access(&keys, arena, &changed[i], seals.access_token, &err) ==
                          fits_too[i],
                      "%zu", i);
        /* Neither stands for the other. */
        ck_assert(!gg_seal_check_access(&keys, arena, &changed[i], seals.row, &err));
        ck_assert(!fits(changed[i], seals.access_token));
    }
    gg_arena_close(arena);
}
END_TEST

GG_UNIT_MAIN("proto/seal", a_known_seal, whatever_changes_breaks_it, any_key_may_have_made_it,
             what_is_no_seal, the_access_tokens_own)
