#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] 1,000 kills of random processes during 10,000 enrolments, then the history checker. Writes tests/long/kills.result.
# usage: tests/long/kills.sh [--seed N]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=$(tests/history/build)
result=tests/long/kills.result
status=0
{
    echo "# tests/long/kills.sh $*"
    echo "# $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) cores, Linux $(uname -r)"
    tests/history/kills --build "$build" --kills 1000 --enrolments 10000 "$@" 2>&1 || status=$?
    echo "exit status $status"
} | tee "$result.new"
grep -q '^exit status 0$' "$result.new" || exit 1
mv "$result.new" "$result"
