/* SPDX-License-Identifier: MIT */
/* What is allowed begins with what was allowed, has no userinfo and no dots, and stays so when
 * added to. */
#include "fuzz.h"

#include "gg/proto/returnto.h"
#include "gg/proto/urlenc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char allowed[] = "https://a.example,https://b.example:8443/app/";
    struct gg_arena *a = gg_arena_open();
    struct gg_str in = {(const char *)data, size};
    struct gg_url url;

    if (gg_returnto_is_allowed(allowed, in)) {
        REQUIRE(gg_urlenc_parse_url(in, &url) && url.is_https && gg_str_is_printable(in));
        REQUIRE(gg_str_is_equal_nocase(url.host, GG_STR("a.example")) ||
                (gg_str_is_equal_nocase(url.host, GG_STR("b.example")) && url.port == 8443 &&
                 gg_str_has_prefix(url.rest, "/app/")));
        REQUIRE(memchr(in.p, '\\', in.n) == NULL);
        struct gg_str more = gg_returnto_add(a, in, "code", GG_STR("a&b#c"));
        REQUIRE(gg_urlenc_parse_url(more, &url) && url.is_https);
        REQUIRE(more.n > 1900 || gg_returnto_is_allowed(allowed, more));
    }
    const char *list = gg_arena_copy(a, in.p, in.n);
    if (gg_returnto_is_list(list))
        REQUIRE(!gg_returnto_is_allowed(list, GG_STR("javascript:alert(1)")));
    gg_arena_close(a);
    return 0;
}
