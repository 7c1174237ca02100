#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Revocation, hold and release with delta CRLs, as OpenSSL applies them; and a hundred revocations at once, with roles killed
# while they publish.
load helper

setup_file() {
    work_begin
    site_make --validator static
    conf_set '/^ca "issuing" {/a crl_delta_validity = 24\n delta_urls = {"http://ca.example/issuing+.crl"}'
    printf 'open sesame\n' | chancery password set default 2>/dev/null
    daemon_start
    get_ca "$URL" "$WORK/ra"
    "$BUILD/bench/scep-load" prepare --ca-dir "$WORK/ra" --out "$WORK/m" -n 110 --challenge 'open sesame' >/dev/null
    "$BUILD/bench/scep-load" run "$WORK/m" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/a" -c 8 >/dev/null
    chancery --json cert list --limit 1000 | python3 -c '
import json, sys
for row in json.load(sys.stdin):
    if row["template"].startswith("SCEPDevice"): print(row["serial"])' >"$WORK/serials"
    [ "$(wc -l <"$WORK/serials")" = 110 ]
}
teardown_file() { work_end; }

serial() { sed -n "$1p" "$WORK/serials"; }
crls() { # the current ones of both kinds, as PEM
    chancery crl export issuing full >"$WORK/full.pem"
    chancery crl export issuing delta >"$WORK/delta.pem"
}
number() { chancery --json crl show issuing "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["number"])'; }
field() { chancery --json cert show "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"; }
# OpenSSL, with the full CRL alone or with its delta too.
judged() { # SERIAL [OPTIONS]: "OK" or what is wrong
    local cert=$WORK/$1.pem out
    shift
    out=$(openssl verify -crl_check "$@" -CAfile "$WORK/ca.pem" -CRLfile "$WORK/full.pem" -CRLfile "$WORK/delta.pem" "$cert" 2>&1) &&
        echo OK || sed -n 's/^error 23 .*/revoked/p' <<<"$out"
}

@test "OpenSSL finds a revocation by the delta before the full CRL has it" {
    local one other
    one=$(serial 1) other=$(serial 2)
    chancery cert export "$one" >"$WORK/$one.pem"
    chancery cert export "$other" >"$WORK/$other.pem"
    chancery crl publish issuing
    chancery cert revoke "$one" keyCompromise
    crls
    for file in full delta; do openssl crl -in "$WORK/$file.pem" -CAfile "$WORK/ca.pem" -noout 2>&1 | grep -q 'verify OK'; done
    certtool --verify-crl --load-ca-certificate "$SITE/lib/scep/certs/ca-issuing.crt.pem" --infile "$WORK/delta.pem"
    openssl crl -in "$WORK/full.pem" -noout -text | grep -A3 'Freshest CRL' | grep -q 'URI:http://ca.example/issuing+.crl'
    openssl crl -in "$WORK/delta.pem" -noout -text | grep -q 'Delta CRL Indicator: critical'
    [ "$(judged "$one" -extended_crl -use_deltas)" = revoked ]
    [ "$(judged "$other" -extended_crl -use_deltas)" = OK ]
    cmp "$SITE/lib/ca/crl/issuing+.crl" <(openssl crl -in "$WORK/delta.pem" -outform DER)
    chancery crl publish issuing
    crls
    [ "$(judged "$one")" = revoked ]
}

@test "a certificate on hold is revoked until it is released, and then good again by the delta" {
    local held
    held=$(serial 3)
    chancery cert export "$held" >"$WORK/$held.pem"
    chancery cert revoke "$held" certificateHold
    chancery crl publish issuing
    crls
    [ "$(judged "$held")" = revoked ]
    chancery cert release "$held"
    crls
    openssl crl -in "$WORK/delta.pem" -noout -text | grep -q 'Remove From CRL'
    [ "$(judged "$held" -extended_crl -use_deltas)" = OK ]
    [ "$(field "$held" status)" = valid ]
    run chancery cert release "$held"
    [ "$status" = 1 ]
    [[ $output == *"is not on hold"* ]]
}

@test "what is revoked for good is neither held nor released, and the message says why" {
    run chancery cert release "$(serial 1)"
    [ "$status" = 1 ]
    [[ $output == *"is revoked for keyCompromise, which is final"* ]]
    run chancery cert revoke "$(serial 1)" certificateHold
    [ "$status" = 1 ]
    [[ $output == *"can't be put on hold"* ]]
}

@test "a hundred revocations at once with roles killed while they publish: all stand, numbers go up, each time is one" {
    local full delta round
    full=$(number full) delta=$(number delta)
    sed -n '11,110p' "$WORK/serials" >"$WORK/hundred"
    sed "s|\$| $WORK/tmp/told|" "$WORK/hundred" >"$WORK/with"
    # shellcheck disable=SC2016
    revoking() { as_user xargs -a "$WORK/with" -P 20 -n 2 sh -c '"$0" --dir "$1" cert revoke "$2" superseded >/dev/null 2>&1 && echo "$2" >>"$3"; :' \
        "$WORK/p/bin/chancery" "$SITE"; }
    chmod a+r "$WORK/with"
    revoking 3>&- &
    local asking=$!
    some_told() { [ "$(wc -l <"$WORK/tmp/told" 2>/dev/null || echo 0)" -ge "$1" ]; }
    for round in 5 25 50; do
        wait_for 30 some_told $round || true
        kill -KILL "$(role_pid $([ $round = 25 ] && echo signer || echo ca))" 2>/dev/null || true
        answers() { chancery status >/dev/null 2>&1; }
        wait_for 30 answers
    done
    wait "$asking" || true
    # What was acknowledged is revoked, with a time that stays when everybody asks again.
    while read -r each; do echo "$each $(field "$each" revoked)"; done <"$WORK/tmp/told" | sort >"$WORK/before"
    not grep -q ' $' "$WORK/before"
    revoking
    chancery crl publish issuing
    crls
    while read -r each; do echo "$each $(field "$each" revoked)"; done < <(cut -d' ' -f1 "$WORK/before") | sort -u >"$WORK/after"
    cmp <(sort -u "$WORK/before") "$WORK/after"
    openssl crl -in "$WORK/full.pem" -noout -text | sed -n 's/ *Serial Number: 0*//p' | sort >"$WORK/listed"
    while read -r each; do grep -qx "${each#0}" "$WORK/listed"; done <"$WORK/hundred"
    [ "$(wc -l <"$WORK/listed")" = 101 ]
    [ "$(number full)" -gt "$full" ]
    [ "$(number delta)" -ge "$(number full)" ]
    # Numbers, files, times and the journal agree, whatever was killed.
    as_user "$SOURCE/tests/history/check" "$SITE" --running
}
