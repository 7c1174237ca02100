#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] A 16 MB ext4 on a loop device runs full under store, journal, CRL files and logs. Writes tests/long/disk-full.result. Root.
# usage: tests/long/disk-full.sh
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=$(tests/history/build)
result=tests/long/disk-full.result
status=0
{
    echo "# tests/long/disk-full.sh $*"
    echo "# $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) cores, Linux $(uname -r)"
    tests/history/disk-full --build "$build" --kind ext4 --kilobytes 16384 "$@" 2>&1 || status=$?
    echo "exit status $status"
} | tee "$result.new"
grep -q '^exit status 0$' "$result.new" || exit 1
mv "$result.new" "$result"
