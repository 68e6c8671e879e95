/* SPDX-License-Identifier: MIT */
#include "gg/app/dburl.h"

#include "gg/proto/urlenc.h"

#include <string.h>

#define SCHEME       "mariadb://"
#define PORT_DEFAULT 3306

/* A decoded part, or NULL when it does not decode. */
static const char *decode(struct gg_arena *a, struct gg_str part)
{
    struct gg_str out;

    return gg_urlenc_parse(a, GG_URLENC_PATH, part, &out) ? gg_arena_copy(a, out.p, out.n) : NULL;
}

/* HOST, HOST:PORT or [IPV6]:PORT; a port of 0 is one that is not there. */
static bool parse_host(struct gg_arena *a, struct gg_str text, const char **name, unsigned *port)
{
    struct gg_str host = text;
    int64_t number = 0;

    if (text.n > 0 && text.p[0] == '[') {
        text = gg_str_skip(text, 1);
        if (!gg_str_take(&text, ']', &host) || text.p == NULL)
            return false;
        if (text.n > 0 && text.p[0] != ':')
            return false;
        text = text.n > 0 ? gg_str_skip(text, 1) : (struct gg_str){NULL, 0};
    } else {
        (void)gg_str_take(&text, ':', &host);
    }
    if (host.n == 0 || (text.p != NULL && !gg_str_parse_int(text, 1, 65535, &number)))
        return false;
    *name = decode(a, host);
    *port = (unsigned)number;
    return *name != NULL;
}

static bool parse_hosts(struct gg_arena *a, struct gg_str text, struct gg_db_address *out)
{
    struct gg_str host;
    unsigned port = PORT_DEFAULT;

    while (gg_str_take(&text, ',', &host)) {
        size_t i = out->host_count++;
        if (i == GG_DB_HOSTS_MAX || !parse_host(a, host, &out->hosts[i].name, &out->hosts[i].port))
            return false;
    }
    for (size_t i = out->host_count; i-- > 0;) {
        port = out->hosts[i].port == 0 ? port : out->hosts[i].port;
        out->hosts[i].port = port;
    }
    return out->host_count > 0;
}

static bool parse_query(struct gg_arena *a, struct gg_str text, struct gg_db_address *out)
{
    struct gg_query q;

    if (!gg_urlenc_parse_query(a, text, &q))
        return false;
    for (size_t i = 0; i < q.count; i++) {
        const char *value = gg_arena_copy(a, q.pairs[i].value.p, q.pairs[i].value.n);
        if (gg_str_is(q.pairs[i].name, "unix_socket"))
            out->unix_socket = value;
        else if (gg_str_is(q.pairs[i].name, "ssl_ca"))
            out->ssl_ca = value;
        else
            return false;
    }
    return true;
}

static bool fail(const char **fault, const char *text)
{
    *fault = text;
    return false;
}

bool gg_dburl_parse(struct gg_arena *a, struct gg_secret url, struct gg_db_address *out,
                    const char **fault)
{
    struct gg_str rest = gg_secret_reveal(url);
    struct gg_str user;
    struct gg_str authority;
    struct gg_str path;

    out->host_count = 0;
    if (!gg_str_has_prefix(rest, SCHEME))
        return fail(fault, "must begin with mariadb://");
    rest = gg_str_skip(rest, strlen(SCHEME));
    if (!gg_str_take(&rest, '/', &authority) || rest.p == NULL)
        return fail(fault, "must name a database: …/DB");
    if (!gg_str_take(&authority, '@', &user) || authority.p == NULL)
        return fail(fault, "must name a user: mariadb://USER:PASSWORD@…");
    if (memchr(authority.p, '@', authority.n) != NULL)
        return fail(fault, "has a second @: one in a password is written %40");
    struct gg_str password = user;
    (void)gg_str_take(&password, ':', &user);
    out->user = decode(a, user);
    out->password = password.p == NULL ? "" : decode(a, password);
    if (out->user == NULL || out->password == NULL || user.n == 0)
        return fail(fault, "has a user or a password that does not decode");
    if (!parse_hosts(a, authority, out))
        return fail(fault, "must name hosts: HOST[,HOST2…]:PORT");
    (void)gg_str_take(&rest, '?', &path);
    /* What is behind a / of the password would be shown as the name of a host that is not there. */
    if (memchr(path.p, '@', path.n) != NULL || memchr(path.p, '/', path.n) != NULL)
        return fail(fault, "has a / or @ too many: in a password they are written %2F and %40");
    out->name = decode(a, path);
    if (out->name == NULL || path.n == 0)
        return fail(fault, "must name a database: …/DB");
    if (!parse_query(a, rest, out))
        return fail(fault, "may have unix_socket and ssl_ca behind the ?, and nothing else");
    return true;
}
