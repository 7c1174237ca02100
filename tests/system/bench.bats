#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The benchmarks themselves: each runs, and says all that it must. Their figures here mean nothing.
# slow: a benchmark makes its keys and messages first.
load helper

setup() { work_begin; }
teardown() { work_end; }

fields() { # JSON with each of these names at its top
    python3 -c 'import json, sys
said = json.loads(sys.stdin.read().splitlines()[-1])
missing = [name for name in sys.argv[1:] if name not in said]
sys.exit(f"missing: {missing}" if missing else 0)' "$@"
}

@test "bench/enrol says everything, and every answer was right" {
    "$SOURCE/bench/enrol" --build "$BUILD" -n 50 -c 4 --slices 2 --floor-seconds 0.2 >"$WORK/said"
    fields enrolments_per_s crypto_floor_per_s ratio p50_ms p99_ms server_cpu_ms_per_enrolment rss_kb certificates_before \
        durable floor_ms cpu_ratio floor_cpu_share <"$WORK/said"
    tail -n 1 "$WORK/said" | python3 -c 'import json, sys
said = json.loads(sys.stdin.read())
assert said["enrolments_per_s"] > 0 and said["crypto_floor_per_s"] > 0 and said["p99_ms"] >= said["p50_ms"] > 0, said
assert sorted(said["server_cpu_ms_per_enrolment"]) == sorted(said["rss_kb"]) == ["ca", "scep", "signer", "va"], said
assert all(value > 0 for role, value in said["server_cpu_ms_per_enrolment"].items() if role != "va"), said
assert said["answers_checked"] >= 50, said'
}
@test "bench/enrol beside a filled store and Debian's scep" {
    "$SOURCE/bench/enrol" --json --build "$BUILD" -n 12 -c 2 --slices 2 --floor-seconds 0.1 --certificates 40 --against scep \
        --connections keep >"$WORK/said"
    fields filled ratio_filled_to_empty peer <"$WORK/said"
    [ "$(wc -l <"$WORK/said")" = 1 ]
    python3 -c 'import json, sys
said = json.load(sys.stdin)
assert said["filled"]["certificates_before"] == said["certificates_before"] + 40, said
assert said["peer"]["name"] == "scep" and said["peer"]["enrolments_per_s"] > 0, said' <"$WORK/said"
}
@test "certificates of bench/fill are listed, exported, revoked, and one more is issued beside them" {
    site_make --validator static
    printf 'open sesame\n' | chancery password set default
    "$SOURCE/bench/fill" 30 --dir "$SITE" --build "$BUILD"
    daemon_start
    [ "$(chancery --json cert list --limit 1000 | grep -o '"CN=fill-[0-9]*"' | sort -u | wc -l)" = 30 ]
    local serial
    serial=$(chancery --json cert list --limit 3 | python3 -c 'import json, sys; print(json.load(sys.stdin)[1]["serial"])')
    chancery cert export "$serial" >"$WORK/one.pem"
    openssl verify -CAfile "$WORK/ca.pem" "$WORK/one.pem"
    chancery cert revoke "$serial" superseded
    chancery cert list --status revoked | grep -q "$serial"
    get_ca "$URL" "$WORK/ra"
    "$BUILD/bench/scep-load" prepare --ca-dir "$WORK/ra" --out "$WORK/m" -n 1 --challenge 'open sesame'
    "$BUILD/bench/scep-load" run "$WORK/m" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/a"
    "$BUILD/bench/scep-load" check "$WORK/m" "$WORK/a" --ca "$WORK/ca.pem" | grep -q '"success": 1, .*"wrong": 0'
    run "$SOURCE/bench/fill" 5 --dir "$SITE" --build "$BUILD"
    [ "$status" != 0 ]
    [[ $output == *"is being served"* ]]
}
@test "scep-load check finds an answer that was changed, one for another message, and one under another CA" {
    site_make --validator static
    printf 'open sesame\n' | chancery password set default
    daemon_start
    get_ca "$URL" "$WORK/ra"
    local load=$BUILD/bench/scep-load
    "$load" prepare --ca-dir "$WORK/ra" --out "$WORK/m" -n 6 --challenge 'open sesame'
    "$load" run "$WORK/m" --to "127.0.0.1:$HTTP" --path /scep -c 3 --connections keep --out "$WORK/a"
    "$load" run "$WORK/m" --to "127.0.0.1:$HTTP" --path /scep --last 2 --out "$WORK/again"
    "$load" check "$WORK/m" "$WORK/a" "$WORK/again" --ca "$WORK/ca.pem" --certs-out "$WORK/certs" |
        grep -q '"success": 9, .*"certificates": 6, "repeated": 3, "wrong": 0'
    [ "$(cut -d' ' -f2 "$WORK/certs" | sort -u | wc -l)" = 6 ]
    python3 - "$WORK/a" <<'E2'
import struct, sys
data = open(sys.argv[1], "rb").read()
records, at = [], 0
while at < len(data):
    size, = struct.unpack_from(">I", data, at)
    records.append(data[at:at + 4 + size])
    at += 4 + size
# After the length and the SEQUENCE's head of four octets: INTEGER, one octet long, which message it is.
assert records[0][8:10] == b"\x02\x01"
swapped = [records[0][:10] + records[1][10:11] + records[0][11:], *records[1:]]
open(sys.argv[1] + ".swapped", "wb").write(b"".join(swapped))
open(sys.argv[1] + ".changed", "wb").write(data[:-1] + bytes([data[-1] ^ 1]))
E2
    run "$load" check "$WORK/m" "$WORK/a.swapped" --ca "$WORK/ca.pem"
    [ "$status" = 1 ]
    [[ $output == *'"wrong": 1'* ]]
    run "$load" check "$WORK/m" "$WORK/a.changed" --ca "$WORK/ca.pem"
    [ "$status" = 1 ]
    [[ $output == *"signature does not verify"* ]]
    run "$load" check "$WORK/m" "$WORK/a" --ca "$SITE/root/root-1.crt.pem"
    [ "$status" = 1 ]
    [[ $output == *"verifies under none"* ]]
}
@test "scep-load run sends again after a lost connection, and the same bytes are answered alike" {
    site_make --validator static
    printf 'open sesame\n' | chancery password set default
    daemon_start
    get_ca "$URL" "$WORK/ra"
    local load=$BUILD/bench/scep-load
    "$load" prepare --ca-dir "$WORK/ra" --out "$WORK/m" -n 400 --challenge 'open sesame'
    # Four are always under way: whenever scep dies, some of them lose their connection.
    "$load" run "$WORK/m" --to "127.0.0.1:$HTTP" --path /scep -c 4 --retry 60 --out "$WORK/a" >"$WORK/said" 3>&- &
    local asking=$!
    sleep 0.3
    kill -KILL "$(role_pid scep)"
    wait "$asking"
    python3 -c 'import json, sys
said = json.load(sys.stdin)
assert said["answered"] == 400 and said["retries"] > 0 and said["statuses"] == {"200": 400}, said' <"$WORK/said"
    "$load" check "$WORK/m" "$WORK/a" --ca "$WORK/ca.pem" | grep -q '"success": 400, .*"unanswered": 0, "certificates": 400, .*"wrong": 0'
}
