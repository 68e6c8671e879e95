/* SPDX-License-Identifier: MIT */
/* What is read has one key, which reads as itself; it is in its own network, and in all of them. */
#include "fuzz.h"

#include "gg/proto/address.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    const char *text = gg_arena_copy(a, in.p, in.n);
    struct gg_address address;
    struct gg_address again;

    (void)gg_address_is_list(text);
    if (gg_address_parse(in, &address)) {
        struct gg_str key = gg_address_format(a, &address);
        struct gg_str host = {key.p, strcspn(key.p, "/")};
        REQUIRE(gg_str_is_printable(key) && key.n > 0 && key.n < 50);
        REQUIRE(gg_address_parse(host, &again));
        REQUIRE(gg_str_is_equal(gg_address_format(a, &again), key));
        REQUIRE(gg_address_is_list(key.p) && gg_address_is_in(&address, key.p));
        REQUIRE(gg_address_is_in(&address, "::/0"));
        (void)gg_address_is_in(&address, text);
    }
    gg_arena_close(a);
    return 0;
}
