#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] An hour at 70 % of the peak with 5 % errors: memory and descriptors of each role stay flat (spec security.md S36).
# Writes tests/long/soak.result. usage: tests/long/soak.sh [SECONDS=3600]
set -uo pipefail
# shellcheck source=tests/long/helper.bash
. "$(dirname "$(readlink -f "$0")")/helper.bash"
seconds=${1:-3600} paths=100
built || exit 1
result_begin soak "$seconds s"
trap 'work_end' EXIT

# A message is a request of its own at each endpoint: so many make a device of one message.
endpoints=$(for ((i = 0; i < paths; i++)); do
    printf 'endpoint "e%d" {\n    paths = {"/scep/e%d"}\n    validator = "static"\n    general_purpose_template = "SCEPDevice"\n}\n' $i $i
done)
load_site "$endpoints"
for ((i = 0; i < paths; i++)); do printf 'load secret\n' | chancery password set e$i >/dev/null 2>&1; done
daemon_start || exit 1
# 1,500 enrolments a second are more than two cores do.
messages_make $((seconds * 1500 / paths + 15000))
"$BUILD/bench/scep-load" run "$WORK/messages" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/peak.answers" -c 32 --duration 10 >"$WORK/peak.json"
peak=$(field "$WORK/peak.json" rate)
rate=$(calc "0.7 * $peak")
# Every connection to the store that a rush would open is open before the measuring begins.
flood --post "$WORK/tmp/good" --rate "$(calc "3 * $peak")" --total "$(calc "int(15 * $peak)")" --sources 200 127.0.0.1 "$HTTP" >"$WORK/rush.flood"
say "        peak $peak enrolments a second, soaked at $rate and $(calc "0.05 * $rate") errors"

sleep 3
fds_before=$(fds scep)
# Of the errors three in four are wrong challenges, the others cannot be read, or fail to decrypt now and then.
head -c 900 "$WORK/tmp/good" >"$WORK/tmp/short"
flood --work "$WORK/messages" --paths $paths --rate "$rate" --total "$(calc "int($rate * $seconds)")" --sources 500 127.0.0.1 "$HTTP" >"$WORK/good.flood" &
good=$!
flood --post "$WORK/tmp/wrong" --rate "$(calc "0.0375 * $rate")" --total "$(calc "max(1, int(0.0375 * $rate * $seconds))")" --sources 100 127.0.0.1 "$HTTP" >"$WORK/wrong.flood" &
wrong=$!
flood --post "$WORK/tmp/short" --rate "$(calc "0.0125 * $rate")" --total "$(calc "max(1, int(0.0125 * $rate * $seconds))")" --sources 100 127.0.0.1 "$HTTP" >"$WORK/short.flood" &
short=$!
flood --post "$WORK/tmp/bad" --rate 0.1 --total "$(calc "max(1, int(0.1 * $seconds))")" --sources 20 127.0.0.1 "$HTTP" >"$WORK/bad.flood" &
bad=$!
flood --idle 100 --tls --seconds "$seconds" 127.0.0.1 "$HTTPS" >"$WORK/tls.flood" & # a handshake each time the server cuts one
tls=$!
issued_before=$(certificates)
began=$SECONDS
while kill -0 $good 2>/dev/null && [ $((SECONDS - began)) -lt "$seconds" ]; do
    for role in signer ca scep va; do echo "$role $((SECONDS - began)) $(rss $role) $(fds $role)"; done >>"$WORK/samples"
    sleep 5
done
wait $good $wrong $short $bad $tls
# What signer remembers of each certificate (signer/sealed.h) is no leak.
index=$(calc "int(($(certificates) - $issued_before) * 3600 / $seconds * 19 / 1024)")
for kind in good wrong short bad tls; do say "        $kind: $(cat "$WORK/$kind.flood")"; done
answered=$(field "$WORK/good.flood" status_200) sent=$(calc "int($rate * $seconds)")
judge "$answered of $sent enrolments, p99 $(field "$WORK/good.flood" p99_ms) ms" "$answered >= 0.999 * $sent"
for role in signer ca scep va; do
    # Least squares over what comes after the first third: caches fill, and every worker has had its turn.
    read -r first last slope most fds_least fds_most < <(python3 - "$WORK/samples" $role <<'PY'
import sys
rows = [line.split() for line in open(sys.argv[1])]
rows = [(int(r[1]), int(r[2]), int(r[3])) for r in rows if r[0] == sys.argv[2]]
rows = rows[len(rows) // 3:]
mean_t, mean_m = sum(r[0] for r in rows) / len(rows), sum(r[1] for r in rows) / len(rows)
spread = sum((r[0] - mean_t) ** 2 for r in rows) or 1
slope = sum((r[0] - mean_t) * (r[1] - mean_m) for r in rows) / spread * 3600
print(rows[0][1], rows[-1][1], round(slope), max(r[1] for r in rows), min(r[2] for r in rows), max(r[2] for r in rows))
PY
    )
    if [ $role = signer ]; then
        judge "$role: $first to $last kB, $slope kB an hour, $index of them for the places of certificates" "$slope - $index < 1024"
    else
        judge "$role: $first to $last kB, $slope kB an hour" "$slope < 1024"
    fi
    judge "$role: at most $most kB" "$most < 40 * 1024"
    # Those of scep are its connections, mostly.
    [ $role = scep ] || judge "$role: $fds_least to $fds_most descriptors" "$fds_most - $fds_least <= 1"
done
judge "scep: $(fds scep) descriptors afterwards, $fds_before before" "$(fds scep) <= $fds_before"
result_end
