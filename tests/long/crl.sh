#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] A CRL of a million entries and a delta beside it, from the store to the published file: time, and memory of each role
# (spec security.md S26, performance.md). Writes tests/long/crl.result. usage: tests/long/crl.sh [ENTRIES=1000000]
set -uo pipefail
# shellcheck source=tests/long/helper.bash
. "$(dirname "$(readlink -f "$0")")/helper.bash"
entries=${1:-1000000} rounds=5
built || exit 1
result_begin crl "$entries revoked"
trap 'work_end' EXIT

work_begin
site_make >/dev/null
bench/fill "$entries" --dir "$SITE" --build "$BUILD" >/dev/null || exit 1
# Spread over half a year, a quarter of them with a reason, as spec performance.md has them.
as_user sqlite3 "$SITE/lib/ca/store.db" "UPDATE certificate SET status = 'revoked', revoked_at = issued_at - request_id % 15552000,
    reason = CASE WHEN request_id % 4 = 0 THEN 4 ELSE 0 END WHERE requester NOT LIKE 'cli%' AND issuer_id = 'issuing' AND der IS NOT NULL"
daemon_start || exit 1
published() { [ -n "$(chancery --json crl show issuing 2>/dev/null)" ]; }
wait_for 120 published || exit 1

peak_reset() { echo 5 >"/proc/$(role_pid "$1")/clear_refs"; }
peak_mb() { awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$(role_pid "$1")/status"; }
seconds_of() { # COMMAND…
    local before
    before=$(date +%s.%N)
    "$@" >/dev/null || return
    calc "$(date +%s.%N) - $before"
}
median() { sort -n | sed -n "$((rounds / 2 + 1))p"; }
empty=$(for ((i = 0; i < rounds; i++)); do seconds_of chancery crl show issuing; done | median)
say "        a command that only asks takes $empty s, which is in what follows"

peak_reset ca
peak_reset signer
full=$(for ((i = 0; i < rounds; i++)); do seconds_of chancery crl publish issuing; done | median)
say "        $(chancery --json crl show issuing | tr -d '\n')"
say "        $(wc -c <"$SITE/lib/ca/crl/issuing.crl") octets"
judge "a full CRL: $full s" "$full < 1"
judge "ca needs $(peak_mb ca) MB, signer $(peak_mb signer) MB" "max($(peak_mb ca), $(peak_mb signer)) < 200"
daemon_stop
conf_set '/^ca "issuing" {/a crl_delta_validity = 24'
daemon_start || exit 1
say "        a full CRL with the delta beside it: $(for ((i = 0; i < rounds; i++)); do seconds_of chancery crl publish issuing; done | median) s"
delta=$(for ((i = 0; i < rounds; i++)); do seconds_of chancery crl publish issuing delta; done | median)
judge "a delta: $delta s" "$delta < 0.1"
serial=$(chancery --json cert list --limit 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["serial"])')
say "        revoked again, which publishes nothing: $(seconds_of chancery cert revoke "$serial") s"
openssl crl -inform DER -in "$SITE/lib/ca/crl/issuing.crl" -CAfile "$WORK/ca.pem" -noout 2>&1 | grep -q 'verify OK'
judge "OpenSSL verifies it" "$? == 0"
say "        va, which serves it, has $(peak_mb va) MB"
result_end
