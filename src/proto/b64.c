/* SPDX-License-Identifier: MIT */
#include "gg/proto/b64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct gg_str gg_b64_format(struct gg_arena *a, enum gg_b64 form, struct gg_str in)
{
    char *to = gg_arena_alloc(a, (in.n + 2) / 3 * 4 + 1);
    size_t n = 0;
    uint32_t bits = 0;
    int held = 0;

    for (size_t i = 0; i < in.n; i++) {
        bits = bits << 8 | (unsigned char)in.p[i];
        for (held += 8; held >= 6; held -= 6)
            to[n++] = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        to[n++] = alphabet[bits << (6 - held) & 63];
    while (form == GG_B64_PADDED && n % 4 != 0)
        to[n++] = '=';
    return (struct gg_str){to, n};
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Takes the padding off; false when it is not the right one. */
static bool strip_padding(struct gg_str *in)
{
    size_t pad = 0;

    while (pad < 2 && pad < in->n && in->p[in->n - 1 - pad] == '=')
        pad++;
    if (in->n % 4 != 0)
        return false;
    in->n -= pad;
    return true;
}

static bool parse_bare(struct gg_arena *a, struct gg_str in, struct gg_str *out)
{
    char *to = gg_arena_alloc(a, in.n / 4 * 3 + 4);
    size_t n = 0;
    uint32_t bits = 0;
    int held = 0;

    if (in.n % 4 == 1)
        return false;
    for (size_t i = 0; i < in.n; i++) {
        int v = value_of(in.p[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        to[n++] = (char)(bits >> held & 255);
    }
    /* Bits that belong to no byte must be 0, or one value would have several spellings. */
    if ((bits & ((1u << held) - 1)) != 0)
        return false;
    *out = (struct gg_str){to, n};
    return true;
}

bool gg_b64_parse(struct gg_arena *a, enum gg_b64 form, struct gg_str in, struct gg_str *out)
{
    if (form == GG_B64_PADDED && !strip_padding(&in))
        return false;
    return parse_bare(a, in, out);
}

bool gg_b64_parse_any(struct gg_arena *a, struct gg_str in, struct gg_str *out)
{
    if (in.n > 0 && in.p[in.n - 1] == '=' && !strip_padding(&in))
        return false;
    char *copy = gg_arena_copy(a, in.p, in.n);
    for (size_t i = 0; i < in.n; i++)
        copy[i] = copy[i] == '+' ? '-' : copy[i] == '/' ? '_' : copy[i];
    return parse_bare(a, (struct gg_str){copy, in.n}, out);
}
