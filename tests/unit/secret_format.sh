#!/bin/sh
# SPDX-License-Identifier: MIT
# A secret cannot be printed by mistake: the compiler refuses it. CC and CPPFLAGS as make has them.
set -u
top=${top_srcdir:-$(dirname "$0")/../..}
cc=${CC:-cc}
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

try() { # what is printed
    cat >"$dir/try.c" <<END
#include "gg/base/log.h"
#include "gg/base/secret.h"
void try(struct gg_secret secret);
void try(struct gg_secret secret)
{
    gg_log(GG_INFO, "e", "text=%s", $1);
    (void)secret;
}
END
    $cc -std=c11 -D_GNU_SOURCE -I"$top/include" -Wformat=2 -Werror=format -c "$dir/try.c" \
        -o "$dir/try.o" 2>"$dir/out"
}

# Without this the next one would pass wherever nothing compiles at all.
if ! try '"plain"'; then
    cat "$dir/out"
    echo "FAIL: a plain string does not compile"
    exit 1
fi
if try 'secret'; then
    echo "FAIL: a secret compiles into a format"
    exit 1
fi
echo "ok: a secret in a format does not compile"
