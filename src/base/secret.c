/* SPDX-License-Identifier: MIT */
#include "gg/base/secret.h"

#include <string.h>

struct gg_secret gg_secret_of(struct gg_str s)
{
    return (struct gg_secret){s.p, s.n};
}

struct gg_str gg_secret_reveal(struct gg_secret s)
{
    return (struct gg_str){s.p, s.n};
}

bool gg_secret_is_set(struct gg_secret s)
{
    return s.p != NULL && s.n > 0;
}

bool gg_secret_is_equal(struct gg_secret a, struct gg_secret b)
{
    volatile unsigned char diff = a.n != b.n;

    for (size_t i = 0; i < a.n && i < b.n; i++)
        diff = (unsigned char)(diff | (unsigned char)(a.p[i] ^ b.p[i]));
    return diff == 0;
}

void gg_wipe(void *p, size_t n)
{
    if (n > 0)
        explicit_bzero(p, n);
}
