/* SPDX-License-Identifier: MIT */
#include "gg/proto/address.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const struct gg_address *address)
{
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

static bool parse_bare(struct gg_str text, struct gg_address *out)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, '\0', text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET6, copy, out->bytes) == 1)
        return true;
    memcpy(out->bytes, mapped, sizeof mapped);
    return inet_pton(AF_INET, copy, out->bytes + sizeof mapped) == 1;
}

bool gg_address_parse(struct gg_str text, struct gg_address *out)
{
    struct gg_str host = text;

    if (text.n > 0 && text.p[0] == '[') {
        text = gg_str_skip(text, 1);
        return gg_str_take(&text, ']', &host) && text.p != NULL &&
               (text.n == 0 || text.p[0] == ':') && parse_bare(host, out);
    }
    if (parse_bare(text, out))
        return true;
    /* One colon: IPv4 and a port. */
    return gg_str_take(&text, ':', &host) && text.p != NULL &&
           memchr(text.p, ':', text.n) == NULL && parse_bare(host, out);
}

struct network {
    struct gg_address address;
    int64_t bits;
};

static bool parse_network(struct gg_str text, struct network *out)
{
    struct gg_str host;
    int64_t bits;

    if (!gg_str_take(&text, '/', &host) || !parse_bare(gg_str_trim(host), &out->address))
        return false;
    bool is_mapped = is_v4(&out->address) && memchr(host.p, '.', host.n) != NULL;
    out->bits = 128;
    if (text.p == NULL)
        return true;
    if (!gg_str_parse_int(text, 0, is_mapped ? 32 : 128, &bits))
        return false;
    out->bits = is_mapped ? bits + 96 : bits;
    return true;
}

static bool is_within(const struct gg_address *address, const struct network *network)
{
    for (int64_t bit = 0; bit < network->bits; bit++) {
        unsigned char mask = (unsigned char)(0x80 >> (bit % 8));
        if ((address->bytes[bit / 8] & mask) != (network->address.bytes[bit / 8] & mask))
            return false;
    }
    return true;
}

bool gg_address_is_in(const struct gg_address *address, const char *networks)
{
    struct gg_str rest = gg_str_of(networks);
    struct gg_str text;
    struct network network;

    while (gg_str_take(&rest, ',', &text))
        if (parse_network(gg_str_trim(text), &network) && is_within(address, &network))
            return true;
    return false;
}

bool gg_address_is_list(const char *networks)
{
    struct gg_str rest = gg_str_of(networks);
    struct gg_str text;
    struct network network;

    while (gg_str_take(&rest, ',', &text))
        if (!parse_network(gg_str_trim(text), &network))
            return false;
    return true;
}

struct gg_str gg_address_format_whole(struct gg_arena *a, const struct gg_address *address)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (is_v4(address))
        (void)inet_ntop(AF_INET, address->bytes + sizeof mapped, text, sizeof text);
    else
        (void)inet_ntop(AF_INET6, address->bytes, text, sizeof text);
    return gg_str_of(gg_arena_strdup(a, text));
}

struct gg_str gg_address_format(struct gg_arena *a, const struct gg_address *address)
{
    struct gg_address head = *address;

    if (is_v4(address))
        return gg_address_format_whole(a, address);
    memset(head.bytes + 8, 0, 8);
    return gg_str_of(gg_arena_printf(a, "%s/64", gg_address_format_whole(a, &head).p));
}
