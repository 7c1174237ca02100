#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] Idle, slow and too many connections beside devices that enrol (spec security.md S11, S12, D6). Writes
# tests/long/connections.result. usage: tests/long/connections.sh [SECONDS=300 [CONNECTIONS=10000 [OVERLOAD_SECONDS=60]]]
set -uo pipefail
# shellcheck source=tests/long/helper.bash
. "$(dirname "$(readlink -f "$0")")/helper.bash"
seconds=${1:-300} connections=${2:-10000} overload=${3:-60} rate=10
built || exit 1
result_begin connections "$seconds s, $connections connections, overload $overload s"
trap 'work_end' EXIT

load_site ''
daemon_start || exit 1
half=$(($(nproc) / 2))
[ $half -ge 1 ] || half=1
# Devices in their phases, three tries at the peak of 10 s, and what overload issues: 700 a second is more than a core does.
messages_make $((rate * (seconds * 4 + 200) + 700 * half * (30 + overload)))
devices warm 10 20
fds_before=$(fds scep)
devices baseline "$((seconds < 60 ? seconds : 60))" $rate
baseline=$(field "$WORK/baseline.json" p99_ms)
say "        baseline: p50 $(field "$WORK/baseline.json" p50_ms) ms, p99 $baseline ms at $rate enrolments a second"

beside() { # NAME WHAT SECONDS: judges the devices that enrolled meanwhile
    local file=$WORK/$1.json p99
    p99=$(field "$file" p99_ms)
    judge "beside $2: p99 $p99 ms, twice the baseline is $(calc "2 * $baseline") ms" "$p99 < 2 * $baseline"
    judge "beside $2: $(field "$file" status_200) of $(field "$file" sent) enrolments" \
        "$(field "$file" status_200) >= 0.999 * $(field "$file" sent)"
}
held() { # NAME WHAT EXPECTED OPTIONS of flood…: holds connections for the time, devices enrol meanwhile
    local name=$1 what=$2 expected=$3 before flooding each
    shift 3
    before=$(rss scep)
    flood "$@" --sources $((connections / 50 + 1)) --seconds $((seconds + 20)) 127.0.0.1 "$port" >"$WORK/$name.flood" &
    flooding=$!
    wait_for 60 fds_at_least $((expected * 95 / 100)) || say "        only $(fds scep) descriptors"
    each=$(calc "($(rss scep) - $before) / ($(fds scep) - $fds_before)")
    judge "$what: $each kB each, with $(fds scep) descriptors" "$each <= 64"
    devices "$name" "$seconds" $rate
    wait $flooding
    say "        $what: $(cat "$WORK/$name.flood")"
    beside "$name" "$what"
    wait_for 30 fds_at_most "$fds_before"
    judge "$what: $(fds scep) descriptors afterwards, $fds_before before" "$(fds scep) <= $fds_before"
    sleep 12 # memory goes back some seconds after a flood
    say "        $what: $(rss scep) kB afterwards, $before kB before"
}
port=$HTTP
held idle "$connections idle connections" "$connections" --idle "$connections"
held slow "$connections slow connections" "$connections" --slow-header $((connections / 2)) --slow-body $((connections / 2))
port=$HTTPS
held tls "$connections idle connections over TLS" "$connections" --idle "$connections" --tls --open-rate 500
port=$HTTP

attack() { # NAME WHAT FILE: one address posts it a thousand times a second
    flood --post "$WORK/tmp/$3" --rate 1000 --total 32000 --sources 1 127.0.0.1 "$HTTP" >"$WORK/$1.flood" &
    local flooding=$!
    sleep 1
    devices "$1" 30 $rate
    wait $flooding
    say "        $2: $(cat "$WORK/$1.flood")"
    beside "$1" "$2"
}
attack wrong "1,000 wrong challenges a second" wrong
attack replay "1,000 replays a second" good

# The server on one half of the processors, those who ask on the other, so that the load does not pay itself.
for role in signer ca scep va; do taskset -a -p -c 0-$((half - 1)) "$(role_pid $role)" >/dev/null; done
asking() { taskset -c $((half < $(nproc) ? half : 0))-$(($(nproc) - 1)) "$@"; }
peak=0
for clients in 16 32 64; do
    asking "$BUILD/bench/scep-load" run "$WORK/messages" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/peak.answers" \
        -c $clients --first "$next" --duration 10 >"$WORK/peak.json"
    next=$(field "$WORK/peak.json" next)
    say "        $clients clients in turn: $(field "$WORK/peak.json" rate) a second"
    peak=$(calc "max($peak, $(field "$WORK/peak.json" rate))")
done
"$BUILD/bench/scep-load" run "$WORK/messages" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/calm.answers" -c 1 \
    --first "$next" --last $((next + 49)) >"$WORK/calm.json"
next=$((next + 50))
calm=$(field "$WORK/calm.json" p50_ms)
issued_before=$(certificates)
total=$(calc "int($peak * 10 * $overload)")
# The messages that are left: those before are used up, and would be answered from the store.
asking "$BUILD/tests/support/flood" --work "$WORK/messages" --skip "$next" --rate "$(calc "$peak * 10")" --total "$total" --sources 2000 \
    127.0.0.1 "$HTTP" >"$WORK/overload.flood"
ended=$(date +%s.%N)
while :; do
    "$BUILD/bench/scep-load" run "$WORK/messages" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/calm.answers" -c 1 --first 0 --last 9 >"$WORK/after.json"
    recovery=$(calc "$(date +%s.%N) - $ended")
    [ "$(calc "$(field "$WORK/after.json" p50_ms) < 2 * $calm or $recovery > 60")" = True ] && break
done
flooded=$WORK/overload.flood
say "        overload: $(cat "$flooded")"
judge "overload: $(field "$flooded" goodput) enrolments a second at ten times the peak of $peak" "$(field "$flooded" goodput) >= 0.9 * $peak"
judge "overload: $(field "$flooded" status_503) times 503, $(field "$flooded" retry_after) of them with Retry-After" \
    "$(field "$flooded" status_503) == $(field "$flooded" retry_after) > 0"
judge "overload: $(calc "$(field "$flooded" cut) + $(field "$flooded" unanswered) + $(field "$flooded" failed)") without an answer, p99 of the served $(field "$flooded" p99_ms) ms" \
    "$(field "$flooded" cut) + $(field "$flooded" unanswered) + $(field "$flooded" failed) == 0 and $(field "$flooded" p99_ms) < 10000"
judge "overload: $(($(certificates) - issued_before)) certificates for $(field "$flooded" status_200) answers" \
    "$(($(certificates) - issued_before)) == $(field "$flooded" status_200)"
judge "overload: as before after $recovery s" "$recovery < 5"
result_end
