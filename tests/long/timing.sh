#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] S16: whether the four ways in which a message fails to decrypt can be told apart by time, in this process and on one
# core; and whether the same analysis finds a plain program out. Wants a machine that does nothing else: 1,000,000 calls a class
# and three runs take about two hours. Writes tests/long/timing.result. usage: tests/long/timing.sh [CALLS [RUNS [CORE]]]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=build/release result=tests/long/timing.result
[ -f "$build/build.ninja" ] || meson setup "$build" -Dbuildtype=release >/dev/null
[ "$(meson introspect --buildoptions "$build" | python3 -c '
import json, sys
print({row["name"]: row["value"] for row in json.load(sys.stdin)}["tests"])')" = True ] || meson configure "$build" -Dtests=true
ninja -C "$build" tests/long/timing >"$build/timing.log" 2>&1 || { tail -n 20 "$build/timing.log"; exit 1; }
{
    echo "timing, $(date -u +%Y-%m-%dT%H:%M:%SZ), commit $(git rev-parse --short HEAD)," \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(openssl version)," \
        "load $(cut -d' ' -f1-3 /proc/loadavg)"
    "$build/tests/long/timing" "$@"
} | tee "$result"
