#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] A hundred devices with one one-time challenge at the same instant, 1,000 rounds. Writes tests/long/challenge-race.result.
# usage: tests/long/challenge-race.sh [--rounds N]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=$(tests/history/build)
result=tests/long/challenge-race.result
status=0
{
    echo "# tests/long/challenge-race.sh $*"
    echo "# $(date -u +%Y-%m-%dT%H:%M:%SZ), $(nproc) cores, Linux $(uname -r)"
    tests/history/race --build "$build" --rounds 1000 "$@" 2>&1 || status=$?
    echo "exit status $status"
} | tee "$result.new"
grep -q '^exit status 0$' "$result.new" || exit 1
mv "$result.new" "$result"
