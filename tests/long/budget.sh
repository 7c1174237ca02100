#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] Ten thousand messages that fail to decrypt, from one address and from a thousand (spec security.md S17). Writes
# tests/long/budget.result. usage: tests/long/budget.sh [MESSAGES=10000]
set -uo pipefail
# shellcheck source=tests/long/helper.bash
. "$(dirname "$(readlink -f "$0")")/helper.bash"
messages=${1:-10000} rate=10 seconds=30
built || exit 1
result_begin budget "$messages messages each"
trap 'work_end' EXIT

failures() { chancery status | sed -n 's/.*failed_decryptions_this_hour=\([0-9]*\).*/\1/p'; }
alarm_line() { grep -q "$1" "$WORK/daemon.log"; }
attack() { # ADDRESSES LIMIT LINE
    daemon_start || exit 1
    local began=$SECONDS flooding
    flood --post "$WORK/tmp/bad" --rate $((messages / seconds)) --total "$messages" --sources "$1" 127.0.0.1 "$HTTP" >"$WORK/flood.json" &
    flooding=$!
    devices "from-$1" $seconds $rate
    wait_for 60 alarm_line "$3"
    judge "from $1 addresses: \"$3\" after at most $((SECONDS - began)) s" "$((SECONDS - began)) <= 60"
    wait $flooding
    say "        from $1 addresses: $(cat "$WORK/flood.json")"
    judge "from $1 addresses: $(failures) decryptions failed, allowed are $2" "0 < $(failures) <= $2"
    judge "from $1 addresses: $(field "$WORK/flood.json" status_429) of $messages refused unread" \
        "$(field "$WORK/flood.json" status_429) >= $messages - $2"
    local enrolled
    enrolled=$(field "$WORK/from-$1.json" status_200)
    judge "from $1 addresses: $enrolled of $((seconds * rate)) devices enrolled meanwhile" "$enrolled >= 0.99 * $((seconds * rate))"
    daemon_stop
}

load_site ''
daemon_start || exit 1
messages_make $((2 * seconds * rate))
daemon_stop
# What is being decrypted at once, one for each worker, is on its way when the last one fails.
attack 1 $((60 + 64)) 'used up its budget'
attack 1000 1000 'ALARM failed decryptions'
result_end
