#!/bin/sh
# SPDX-License-Identifier: MIT
# promise: attack/input: Each parser, the FastCGI face and JSON have a fuzzer that checks what they promise; seeds run in every check
# Every seed through its fuzzer, as `make check` runs it: from the build's folder, with $srcdir set.
set -eu
seeds=${srcdir:-.}/tests/fuzz/seeds
for folder in "$seeds"/*/; do
    room=$(basename "$folder")
    printf '%s: ' "$room"
    "tests/fuzz/replay_$room" "$folder"*
done
