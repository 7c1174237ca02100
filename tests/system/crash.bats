#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `ca` killed between T1 (request kept, challenge claimed, serial reserved) and T2 (certificate recorded), and what becomes
# of it: signed from the stored TBS when the same request comes again, or voided after ten minutes.
load helper

setup() {
    work_begin
    site_make
    daemon_start
    get_ca "$URL" "$WORK/ra"
}
teardown() { work_end; }

sql() { as_user sqlite3 -readonly "$SITE/lib/ca/store.db" "$1"; }
reserved() { [ "$(sql "SELECT count(*) FROM request WHERE disposition = 'sealing'")" = 1 ]; }
build() { # NAME CHALLENGE
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.msg" --challenge "$2" --subject "CN=$1" --seed "$1"
}
opened() { # NAME: pkiStatus of its answer
    chmod a+r "$WORK/$1.answer"
    shape open --in "$WORK/$1.answer" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.pem" | sed -n 's/^pkiStatus: //p'
}
killed_between() { # NAME: its request stands after T1 and before T2 when ca dies
    local signer ca
    signer=$(role_pid signer) ca=$(role_pid ca)
    kill -STOP "$signer"
    post "$URL" "$WORK/tmp/$1.msg" "$WORK/$1.first" >"$WORK/$1.status" 3>&- &
    local asking=$!
    wait_for 20 reserved
    kill -KILL "$ca"
    kill -KILL "$signer"
    wait "$asking" || true
    # Not FAILURE: nobody has judged it. 503 asks the device to come again.
    [ "$(cat "$WORK/$1.status")" = 503 ]
    answers() { chancery status >/dev/null 2>&1; }
    wait_for 30 answers
}

@test "the same request after the crash gets the certificate that was reserved for it" {
    local challenge serial
    challenge=$(chancery password new default)
    build device "$challenge"
    killed_between device
    serial=$(sql "SELECT serial FROM certificate WHERE status = 'reserved'")
    [ "$(post "$URL" "$WORK/tmp/device.msg" "$WORK/device.answer")" = 200 ]
    [ "$(opened device)" = 0 ]
    openssl verify -CAfile "$WORK/ca.pem" "$WORK/tmp/device.pem"
    cp "$WORK/tmp/device.pem" "$WORK/first.pem"
    [ "$(post "$URL" "$WORK/tmp/device.msg" "$WORK/device.answer")" = 200 ]
    [ "$(opened device)" = 0 ]
    cmp "$WORK/first.pem" "$WORK/tmp/device.pem"
    [[ $(openssl x509 -in "$WORK/first.pem" -noout -serial) == *"$(sed 's/^0*//' <<<"$serial")"* ]]
}
@test "after the crash the challenge is still taken: another device cannot use it" {
    local challenge
    challenge=$(chancery password new default)
    build device "$challenge"
    killed_between device
    build thief "$challenge"
    [ "$(post "$URL" "$WORK/tmp/thief.msg" "$WORK/thief.answer")" = 200 ]
    [ "$(opened thief)" = 2 ]
    [ "$(post "$URL" "$WORK/tmp/device.msg" "$WORK/device.answer")" = 200 ]
    [ "$(opened device)" = 0 ]
}
@test "after ten minutes it is voided: the challenge is free, the serial is never used again" {
    local challenge serial
    challenge=$(chancery password new default)
    build device "$challenge"
    killed_between device
    serial=$(sql "SELECT serial FROM certificate WHERE status = 'reserved'")
    daemon_stop
    as_user sqlite3 "$SITE/lib/ca/store.db" "UPDATE request SET submitted_at = submitted_at - 601, reserved_at = reserved_at - 601 WHERE disposition = 'sealing'"
    daemon_start
    voided() { ! reserved; }
    wait_for 90 voided
    build other "$challenge"
    [ "$(post "$URL" "$WORK/tmp/other.msg" "$WORK/other.answer")" = 200 ]
    [ "$(opened other)" = 0 ]
    [[ $(openssl x509 -in "$WORK/tmp/other.pem" -noout -serial) != *"$(sed 's/^0*//' <<<"$serial")"* ]]
    [ "$(sql "SELECT count(*) FROM certificate WHERE serial = '$serial'")" = 1 ]
    build device "$challenge"
    [ "$(post "$URL" "$WORK/tmp/device.msg" "$WORK/device.answer")" = 200 ]
    [ "$(opened device)" = 2 ]
}
@test "ca away: 503 with Retry-After, and nothing is lost when it is back" {
    local challenge ca signer
    challenge=$(chancery password new default)
    build patient "$challenge"
    ca=$(role_pid ca) signer=$(role_pid signer)
    kill -STOP "$ca"
    curl -sS -D "$WORK/head" -o /dev/null --max-time 60 --data-binary "@$WORK/tmp/patient.msg" "$URL?operation=PKIOperation" || true
    grep -q '^HTTP/1.1 503' "$WORK/head" || { cat "$WORK/head"; daemon_log; return 1; }
    grep -qi '^Retry-After: [0-9]' "$WORK/head"
    kill -CONT "$ca"
    again() { [ "$(post "$URL" "$WORK/tmp/patient.msg" "$WORK/patient.answer")" = 200 ]; }
    wait_for 30 again
    [ "$(opened patient)" = 0 ]
}
@test "twenty devices at once with one one-time challenge: exactly one certificate" {
    local challenge n before
    challenge=$(chancery password new default)
    before=$(certificate_count)
    for n in $(seq 20); do build "race-$n" "$challenge"; done
    local asking=()
    for n in $(seq 20); do
        post "$URL" "$WORK/tmp/race-$n.msg" "$WORK/race-$n.answer" >"$WORK/race-$n.status" 3>&- &
        asking+=($!)
    done
    wait "${asking[@]}"
    local got=0
    for n in $(seq 20); do
        [ "$(cat "$WORK/race-$n.status")" = 200 ]
        [ "$(opened "race-$n")" != 0 ] || got=$((got + 1))
    done
    [ $got = 1 ]
    [ "$(certificate_count)" = $((before + 1)) ]
}
