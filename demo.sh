#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds graphgate and shows it: a whole site on loopback with a simulated Microsoft. Ctrl-C stops all of it.
#     ./demo.sh            prints the address to open
#     ./demo.sh --smoke    does the main job without a person and says how it went
set -eu
cd "$(dirname "$0")"
. tests/stack/setup.sh

case "${1-}" in
'' | --smoke) ;;
--help | -h) sed -n '3,5s/^# *//p' demo.sh; exit ;;
*) say "usage: $0 [--smoke]" >&2; exit 2 ;;
esac
need build demo
build
PYTHONPATH=tests exec "$python" -B -m stack.demo "$@"
