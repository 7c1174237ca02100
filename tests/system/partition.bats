#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A CA whose CRL is partitioned: OpenSSL fetches by the URL in each certificate what va serves, and applies it.
load helper

# va answers 503 until it has heard of a partition's CRL.
served() { curl -sS --fail -o /dev/null "$VA/CertEnroll/issuing-$1.crl"; } # PARTITION

setup_file() {
    work_begin
    site_make --validator static --crl-partitions 4
    conf_set 's/^va {/&\n    poll_interval = 1/'
    printf 'open sesame\n' | chancery password set default 2>/dev/null
    daemon_start
    get_ca "$URL" "$WORK/ra"
    for part in 1 2 3 4; do wait_for 10 served $part; done
    "$BUILD/bench/scep-load" prepare --ca-dir "$WORK/ra" --out "$WORK/m" -n 60 --challenge 'open sesame' >/dev/null
    "$BUILD/bench/scep-load" run "$WORK/m" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/a" -c 8 >/dev/null
    chancery --json cert list --limit 1000 | python3 -c '
import json, sys
for row in json.load(sys.stdin):
    if row["template"].startswith("SCEPDevice"): print(1 + int(row["serial"][-8:], 16) % 4, row["serial"])' >"$WORK/serials"
    [ "$(wc -l <"$WORK/serials")" = 60 ]
    for part in 1 2 3 4; do [ "$(grep -c "^$part " "$WORK/serials")" -gt 2 ]; done
}
teardown_file() { work_end; }

serial() { sed -n "s/^$1 //p" "$WORK/serials" | sed -n "$2p"; } # PARTITION NTH
export_cert() { chancery cert export "$1" >"$WORK/$1.pem"; }
cdp_of() { openssl x509 -in "$WORK/$1.pem" -noout -ext crlDistributionPoints | sed -n 's/.*URI:\(.*\)/\1/p'; }
# By the CRL that the certificate names, as OpenSSL fetches it: "OK" or what is wrong.
judged() { # SERIAL [OPTIONS]
    local cert=$WORK/$1.pem out
    shift
    out=$(openssl verify -crl_check -extended_crl -CAfile "$WORK/ca.pem" "$@" "$cert" 2>&1) && echo OK ||
        sed -n 's/^error \([0-9]*\) .*/\1/p' <<<"$out"
}
REVOKED=23
fetched() { [ "$(judged "$1" -crl_download)" = "$2" ]; }
show() { chancery --json crl show issuing "$@"; }

@test "each certificate names the CRL of its partition, which va serves" {
    local part one
    for part in 1 2 3 4; do
        one=$(serial $part 1)
        export_cert "$one"
        [ "$(cdp_of "$one")" = "$VA/CertEnroll/issuing-$part.crl" ]
        curl -sS --fail -o "$WORK/tmp/$part.crl" "$(cdp_of "$one")"
        openssl crl -inform DER -in "$WORK/tmp/$part.crl" -CAfile "$WORK/ca.pem" -noout 2>&1 | grep -q 'verify OK'
        openssl crl -inform DER -in "$WORK/tmp/$part.crl" -out "$WORK/tmp/$part.pem"
        certtool --verify-crl --load-ca-certificate "$SITE/lib/scep/certs/ca-issuing.crt.pem" --infile "$WORK/tmp/$part.pem"
        openssl crl -inform DER -in "$WORK/tmp/$part.crl" -noout -text | grep -A2 'Issuing Distribution Point: critical' |
            grep -q "URI:$VA/CertEnroll/issuing-$part.crl"
        cmp "$WORK/tmp/$part.crl" "$SITE/lib/ca/crl/issuing-$part.crl"
        fetched "$one" OK
    done
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$VA/CertEnroll/issuing.crl")" = 404 ]
    [ ! -e "$SITE/lib/ca/crl/issuing.crl" ]
}

@test "a revocation is in the CRL that the certificate names, and OpenSSL takes no other for it" {
    local gone beside elsewhere
    gone=$(serial 2 1) beside=$(serial 2 2) elsewhere=$(serial 3 1)
    for one in "$gone" "$beside" "$elsewhere"; do export_cert "$one"; done
    chancery cert revoke "$gone" keyCompromise
    chancery crl export issuing --partition 2 >"$WORK/tmp/2.pem"
    chancery crl export issuing --partition 3 >"$WORK/tmp/3.pem"
    [ "$(judged "$gone" -CRLfile "$WORK/tmp/2.pem")" = $REVOKED ]
    [ "$(judged "$beside" -CRLfile "$WORK/tmp/2.pem")" = OK ]
    case $(judged "$elsewhere" -CRLfile "$WORK/tmp/2.pem") in 3 | 44) ;; *) false ;; esac # no CRL, or of another scope
    case $(judged "$gone" -CRLfile "$WORK/tmp/3.pem") in 3 | 44) ;; *) false ;; esac
    wait_for 10 fetched "$gone" $REVOKED
    fetched "$beside" OK
    fetched "$elsewhere" OK
    show --partition 2 | grep -q '"entries": "1"'
    show --partition 3 | grep -q '"entries": "0"'
    openssl ocsp -issuer "$SITE/lib/scep/certs/ca-issuing.crt.pem" -cert "$WORK/$gone.pem" -url "$VA/ocsp" -CAfile "$WORK/ca.pem" 2>&1 |
        grep -q ': revoked'
}

@test "administrators see all CRLs or one, and are told what there is not" {
    [ "$(show | python3 -c 'import json, sys; print([int(r["partition"]) for r in json.load(sys.stdin)])')" = '[1, 2, 3, 4]' ]
    [ "$(chancery crl show issuing | wc -l)" = 5 ]
    run chancery crl export issuing
    [ "$status" != 0 ]
    [[ $output == *"ca issuing has 4 CRLs; one of them is wanted: --partition 1 to 4"* ]]
    run chancery crl publish issuing --partition 5
    [ "$status" != 0 ]
    [[ $output == *"partition is 5, wanted: 1 to 4"* ]]
    run chancery crl show node --partition 1
    [ "$status" != 0 ]
    [[ $output == *"ca node has one complete CRL"* ]]
    chancery metrics | grep -q '^chancery_crl_next_update_timestamp_seconds{ca="issuing"} [1-9]'
}

@test "many revocations at once with ca killed meanwhile: each is in the CRL of its partition" {
    cut -d' ' -f2 "$WORK/serials" | sed -n '11,50p' >"$WORK/forty"
    # shellcheck disable=SC2016
    revoking() { as_user xargs -a "$WORK/forty" -P 10 -n 1 "$WORK/p/bin/chancery" --dir "$SITE" cert revoke >/dev/null 2>&1 || :; }
    revoking 3>&- &
    local asking=$!
    sleep 0.3
    kill -KILL "$(role_pid ca)" 2>/dev/null || true
    answers() { chancery status >/dev/null 2>&1; }
    wait_for 30 answers
    wait "$asking" || true
    revoking
    # The numbers, the files and what is in each CRL agree with the store and the journal.
    as_user "$SOURCE/tests/history/check" "$SITE" --running
    [ "$(show | python3 -c 'import json, sys; print(sum(int(r["entries"]) for r in json.load(sys.stdin)))')" -ge 40 ]
}

@test "the number of partitions, and the URL that certificates have, are fixed" {
    local was
    daemon_stop
    refused() { # TEXT
        run as_user timeout 20 "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
        [[ $output == *"$1"* ]] || { echo "$output"; false; }
    }
    conf_set 's/crl_partitions = 4/crl_partitions = 8/'
    refused 'ca issuing: crl_partitions is 8, and the certificates in its store name CRLs of 4; allowed is 4 for good'
    conf_set 's/crl_partitions = 8/crl_partitions = 4/'
    was=$(sed -n 's/ *cdp_urls = {"\(.*\)"}/\1/p' "$SITE/etc/chancery.conf")
    conf_set 's|cdp_urls = .*|cdp_urls = {"http://new.example/%p.crl"}|'
    refused "ca issuing: cdp_urls begins with \"http://new.example/%p.crl\" and has none of the URLs"
    conf_set "s|cdp_urls = .*|cdp_urls = {\"http://new.example/%p.crl\", \"$was\"}|"
    daemon_start
    # What was issued before has its CRL still, with one URL more in it.
    export_cert "$(serial 2 1)"
    chancery crl publish issuing >/dev/null
    wait_for 10 fetched "$(serial 2 1)" $REVOKED
    has_new_url() { curl -sS "$VA/CertEnroll/issuing-3.crl" | openssl crl -inform DER -noout -text | grep -q 'URI:http://new.example/3.crl'; }
    wait_for 10 has_new_url
    fetched "$(serial 3 1)" OK
}

@test "init refuses a number or a URL that does not go with it" {
    try() {
        run as_user "$WORK/p/bin/chancery" --dir "$WORK/tmp/other" init --root-passphrase-file "$WORK/passphrase" "$@"
        [ "$status" != 0 ]
    }
    try --crl-partitions 257
    [[ $output == *"--crl-partitions 257 is none of 1 to 256"* ]]
    try --crl-partitions 4 --cdp-url http://a.example/x.crl
    [[ $output == *"--crl-partitions is 4, and --cdp-url http://a.example/x.crl"* ]]
    try --cdp-url http://a.example/x-%p.crl
    [[ $output == *"--crl-partitions is 1, and --cdp-url http://a.example/x-%p.crl"* ]]
}
