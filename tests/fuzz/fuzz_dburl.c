/* SPDX-License-Identifier: MIT */
/* An address that is taken has all its parts, and written again it is the same. */
#include "fuzz.h"

#include "gg/app/dburl.h"
#include "gg/base/buf.h"
#include "gg/proto/urlenc.h"

#include <string.h>

static struct gg_secret format(struct gg_arena *a, const struct gg_db_address *d)
{
    struct gg_buf b;

    gg_buf_init(&b, a, 65536);
    gg_buf_add_text(&b, "mariadb://");
    gg_urlenc_add(&b, gg_str_of(d->user));
    gg_buf_add_char(&b, ':');
    gg_urlenc_add(&b, gg_str_of(d->password));
    for (size_t i = 0; i < d->host_count; i++) {
        gg_buf_add_char(&b, i == 0 ? '@' : ',');
        gg_urlenc_add(&b, gg_str_of(d->hosts[i].name));
        gg_buf_add_fmt(&b, ":%u", d->hosts[i].port);
    }
    gg_buf_add_char(&b, '/');
    gg_urlenc_add(&b, gg_str_of(d->name));
    gg_buf_add_char(&b, '?');
    if (d->unix_socket != NULL)
        gg_urlenc_add_pair(&b, "unix_socket", gg_str_of(d->unix_socket));
    if (d->ssl_ca != NULL)
        gg_urlenc_add_pair(&b, "ssl_ca", gg_str_of(d->ssl_ca));
    REQUIRE(!gg_buf_is_full(&b));
    return gg_secret_of(gg_buf_str(&b));
}

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_address(struct gg_arena *a, const struct gg_db_address *d)
{
    struct gg_db_address again = {0};
    const char *fault = NULL;

    REQUIRE(*d->user != '\0' && d->password != NULL && *d->name != '\0');
    REQUIRE(d->host_count >= 1 && d->host_count <= GG_DB_HOSTS_MAX);
    REQUIRE(gg_dburl_parse(a, format(a, d), &again, &fault));
    REQUIRE(is_same(d->user, again.user) && is_same(d->password, again.password));
    REQUIRE(is_same(d->name, again.name) && is_same(d->unix_socket, again.unix_socket));
    REQUIRE(is_same(d->ssl_ca, again.ssl_ca) && d->host_count == again.host_count);
    for (size_t i = 0; i < d->host_count; i++) {
        REQUIRE(d->hosts[i].port >= 1 && d->hosts[i].port <= 65535 && *d->hosts[i].name != '\0');
        REQUIRE(is_same(d->hosts[i].name, again.hosts[i].name));
        REQUIRE(d->hosts[i].port == again.hosts[i].port);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gg_arena *a = gg_arena_open();
    struct gg_db_address d = {0};
    const char *fault = NULL;

    if (gg_dburl_parse(a, gg_secret_of((struct gg_str){(const char *)data, size}), &d, &fault))
        check_address(a, &d);
    else
        REQUIRE(fault != NULL && *fault != '\0');
    gg_arena_close(a);
    return 0;
}
