/* SPDX-License-Identifier: MIT */
/* IP addresses and networks in text. */
#ifndef GG_PROTO_ADDRESS_H
#define GG_PROTO_ADDRESS_H

#include "gg/base/arena.h"
#include "gg/base/str.h"

/* As IPv6; an IPv4 address is ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), however it was written. */
struct gg_address {
    unsigned char bytes[16];
};

/* "192.0.2.1", "2001:db8::1", also "[2001:db8::1]" and with a port behind (RFC 7239 section 6). */
GG_MUST bool gg_address_parse(struct gg_str text, struct gg_address *out);

/* True when it is in one of the networks "CIDR,CIDR…"; an address without '/' is a network of one.
 */
bool gg_address_is_in(const struct gg_address *address, const char *networks);
bool gg_address_is_list(const char *networks);

/* What a limit counts by: an IPv4 address, or the /64 of an IPv6 one. */
struct gg_str gg_address_format(struct gg_arena *a, const struct gg_address *address);

/* All of it. */
struct gg_str gg_address_format_whole(struct gg_arena *a, const struct gg_address *address);

#endif
