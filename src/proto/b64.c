/* SPDX-License-Identifier: MIT */
#include "gg/proto/b64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Two characters for each 12 bits: twice as fast as one by one. */
#define WITH(a) \
    {a, 'A'}, {a, 'B'}, {a, 'C'}, {a, 'D'}, {a, 'E'}, {a, 'F'}, {a, 'G'}, {a, 'H'}, {a, 'I'}, \
        {a, 'J'}, {a, 'K'}, {a, 'L'}, {a, 'M'}, {a, 'N'}, {a, 'O'}, {a, 'P'}, {a, 'Q'}, {a, 'R'}, \
        {a, 'S'}, {a, 'T'}, {a, 'U'}, {a, 'V'}, {a, 'W'}, {a, 'X'}, {a, 'Y'}, {a, 'Z'}, {a, 'a'}, \
        {a, 'b'}, {a, 'c'}, {a, 'd'}, {a, 'e'}, {a, 'f'}, {a, 'g'}, {a, 'h'}, {a, 'i'}, {a, 'j'}, \
        {a, 'k'}, {a, 'l'}, {a, 'm'}, {a, 'n'}, {a, 'o'}, {a, 'p'}, {a, 'q'}, {a, 'r'}, {a, 's'}, \
        {a, 't'}, {a, 'u'}, {a, 'v'}, {a, 'w'}, {a, 'x'}, {a, 'y'}, {a, 'z'}, {a, '0'}, {a, '1'}, \
        {a, '2'}, {a, '3'}, {a, '4'}, {a, '5'}, {a, '6'}, {a, '7'}, {a, '8'}, {a, '9'}, {a, '-'}, \
    { \
        a, '_' \
    }
static const char pairs[4096][2] = {
    WITH('A'), WITH('B'), WITH('C'), WITH('D'), WITH('E'), WITH('F'), WITH('G'), WITH('H'),
    WITH('I'), WITH('J'), WITH('K'), WITH('L'), WITH('M'), WITH('N'), WITH('O'), WITH('P'),
    WITH('Q'), WITH('R'), WITH('S'), WITH('T'), WITH('U'), WITH('V'), WITH('W'), WITH('X'),
    WITH('Y'), WITH('Z'), WITH('a'), WITH('b'), WITH('c'), WITH('d'), WITH('e'), WITH('f'),
    WITH('g'), WITH('h'), WITH('i'), WITH('j'), WITH('k'), WITH('l'), WITH('m'), WITH('n'),
    WITH('o'), WITH('p'), WITH('q'), WITH('r'), WITH('s'), WITH('t'), WITH('u'), WITH('v'),
    WITH('w'), WITH('x'), WITH('y'), WITH('z'), WITH('0'), WITH('1'), WITH('2'), WITH('3'),
    WITH('4'), WITH('5'), WITH('6'), WITH('7'), WITH('8'), WITH('9'), WITH('-'), WITH('_'),
};

size_t gg_b64_put(char *to, enum gg_b64 form, struct gg_str in)
{
    const unsigned char *from = (const unsigned char *)in.p;
    size_t n = 0;
    size_t i = 0;
    uint32_t bits = 0;
    int held = 0;

    for (; in.n - i >= 3; i += 3, n += 4) {
        uint32_t group = (uint32_t)from[i] << 16 | (uint32_t)from[i + 1] << 8 | from[i + 2];
        memcpy(to + n, pairs[group >> 12], 2);
        memcpy(to + n + 2, pairs[group & 4095], 2);
    }
    for (; i < in.n; i++) {
        bits = bits << 8 | (unsigned char)in.p[i];
        for (held += 8; held >= 6; held -= 6)
            to[n++] = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        to[n++] = alphabet[bits << (6 - held) & 63];
    while (form == GG_B64_PADDED && n % 4 != 0)
        to[n++] = '=';
    return n;
}

struct gg_str gg_b64_format(struct gg_arena *a, enum gg_b64 form, struct gg_str in)
{
    char *to = gg_arena_alloc(a, GG_B64_CHARS(in.n) + 1);

    return (struct gg_str){to, gg_b64_put(to, form, in)};
}

/* 1 more than a character's value; 0 for one that has none. */
static const unsigned char values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

static int value_of(char c)
{
    return values[(unsigned char)c] - 1;
}

/* Whole groups of four; how many characters that were, up to the first one that has no value. */
static size_t parse_groups(struct gg_str in, char *to)
{
    size_t i = 0;

    for (; in.n - i >= 4; i += 4, to += 3) {
        int a = value_of(in.p[i]);
        int b = value_of(in.p[i + 1]);
        int c = value_of(in.p[i + 2]);
        int d = value_of(in.p[i + 3]);
        if ((a | b | c | d) < 0)
            break;
        uint32_t group = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | (uint32_t)d;
        to[0] = (char)(group >> 16);
        to[1] = (char)(group >> 8 & 255);
        to[2] = (char)(group & 255);
    }
    return i;
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
    uint32_t bits = 0;
    int held = 0;

    if (in.n % 4 == 1)
        return false;
    size_t i = parse_groups(in, to);
    size_t n = i / 4 * 3;
    for (; i < in.n; i++) {
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
