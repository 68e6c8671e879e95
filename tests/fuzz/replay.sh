#!/bin/sh
# SPDX-License-Identifier: MIT
# Every seed through its fuzzer, as `make check` runs it: from the build's folder, with $srcdir set.
set -eu
seeds=${srcdir:-.}/tests/fuzz/seeds
for folder in "$seeds"/*/; do
    room=$(basename "$folder")
    printf '%s: ' "$room"
    "tests/fuzz/replay_$room" "$folder"*
done
