#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Messages of the shapes that devices send, whole and broken, against the real daemon.
load helper

setup_file() {
    work_begin
    site_make --validator static
    conf_add <<'E2'
endpoint "once" {
    validator = "one-time"
    general_purpose_template = "SCEPDevice"
    challenge_lifetime = 60
    challenges_outstanding = 3
}
endpoint "ios" {
    validator = "static"
    general_purpose_template = "SCEPDevice"
    allow_3des = true
}
endpoint "hands" {
    validator = "manual"
    general_purpose_template = "SCEPDevice"
    pending_max = 2
}
endpoint "slotless" {
    validator = "static"
    signature_template = "SCEPDeviceSignature"
}
E2
    for name in default slotless; do printf 'open sesame\n' | chancery password set $name; done
    LONG=$(head -c 5000 /dev/zero | tr '\0' A)
    export LONG
    chancery password set ios <<<"$LONG"
    daemon_start
    get_ca "$URL" "$WORK/ra"
}
teardown_file() { work_end; }
setup() {
    ports_read
    T=$(as_user mktemp -d "$WORK/tmp/t.XXXXXX")
    chmod 755 "$T"
}

build() { shape build --ra "$WORK/ra/encryption.pem" --key "$T/key.pem" --out "$T/message" "$@"; }
answer() { # URL: prints what the CertRep says
    [ "$(post "$1" "$T/message" "$T/answer")" = 200 ]
    as_user touch "$T/cert.pem"
    chmod a+rw "$T/answer"
    shape open --in "$T/answer" --key "$T/key.pem" --out "$T/cert.pem" | tee "$T/said"
}
says() { grep -qx "$1" "$T/said" || { cat "$T/said"; daemon_log | tail -n 3; return 1; }; }
refused() { # URL FAILINFO: FAILURE, and nothing issued
    local before
    before=$(certificate_count)
    answer "$1"
    says "pkiStatus: 2" && says "failInfo: $2"
    [ "$(certificate_count)" = "$before" ]
}
issued() { answer "$1" && says "pkiStatus: 0" && openssl verify -CAfile "$WORK/ca.pem" "$T/cert.pem"; }

@test "a plain message gets its certificate" {
    build --challenge 'open sesame'
    issued "$URL"
}
@test "a Windows-shaped message (RSA-OAEP, AES-256) gets its certificate" {
    build --shape windows --challenge 'open sesame' --subject 'CN=windows-1'
    issued "$URL"
}
@test "RSA-OAEP with SHA-1, as older Windows sends it, gets its certificate" {
    build --shape windows --oaep-digest SHA-1 --challenge 'open sesame' --subject 'CN=windows-2'
    issued "$URL"
}
@test "the iOS shape (BER in both layers, SHA-512, 3DES, 5 kB challenge) by GET gets its certificate where 3DES is allowed" {
    build --shape ios --subject 'CN=iphone-1' --challenge "$LONG"
    local query
    query=$(base64 -w0 "$T/message" | sed 's/+/%2B/g; s/=/%3D/g')
    printf 'url = "%s/ios?operation=PKIOperation&message=%s"\n' "$URL" "$query" >"$T/curl"
    [ "$(curl -sS -K "$T/curl" -o "$T/answer" -w '%{http_code}')" = 200 ]
    chmod a+r "$T/answer"
    shape open --in "$T/answer" --key "$T/key.pem" --out "$T/cert.pem" | tee "$T/said"
    says "pkiStatus: 0"
    openssl verify -CAfile "$WORK/ca.pem" "$T/cert.pem"
    daemon_log | grep -q 'DES-EDE3\|3DES'
}
@test "the iOS shape is refused with badAlg where 3DES is not allowed" {
    build --shape ios --challenge 'open sesame'
    refused "$URL" 0
}
@test "the same request again gets the same bytes; the same key with another request does not" {
    build --challenge 'open sesame' --subject 'CN=again' --seed one
    issued "$URL"
    cp "$T/cert.pem" "$T/first.pem"
    build --challenge 'open sesame' --subject 'CN=again' --seed one
    issued "$URL"
    cmp "$T/first.pem" "$T/cert.pem"
    # Another name for a key that is certified already is nobody's (security rule A14).
    build --challenge 'open sesame' --subject 'CN=another' --seed two
    refused "$URL" 2
}
@test "the same key and name in another request get another certificate" {
    build --challenge "$(chancery password new once)" --subject 'CN=renewed' --seed one
    issued "$URL/once"
    cp "$T/cert.pem" "$T/first.pem"
    build --challenge "$(chancery password new once)" --subject 'CN=renewed' --seed one
    issued "$URL/once"
    [ "$(openssl x509 -in "$T/first.pem" -noout -pubkey)" = "$(openssl x509 -in "$T/cert.pem" -noout -pubkey)" ]
    [ "$(openssl x509 -in "$T/first.pem" -noout -serial)" != "$(openssl x509 -in "$T/cert.pem" -noout -serial)" ]
}
@test "a wrong challenge is refused" { build --challenge 'open sesam'; refused "$URL" 2; }
@test "a missing challenge is refused" { build --no-challenge; refused "$URL" 2; }
@test "an empty challenge is refused" { build --challenge ''; refused "$URL" 2; }
@test "a one-time challenge works once" {
    local challenge
    challenge=$(chancery password new once)
    build --challenge "$challenge" --subject 'CN=once-1'
    issued "$URL/once"
    rm "$T/key.pem"
    build --challenge "$challenge" --subject 'CN=once-2'
    refused "$URL/once" 2
    daemon_log | grep -q ERR_CHALLENGE_USED
}
@test "a one-time challenge of one endpoint is nothing at another" {
    local challenge
    challenge=$(chancery password new once)
    build --challenge "$challenge" --subject 'CN=once-3'
    refused "$URL" 2
}
@test "an expired challenge is refused" {
    local challenge
    challenge=$(chancery password new once)
    # Its time is moved, not the test's: the store says that it ended.
    daemon_stop
    as_user sqlite3 "$SITE/lib/ca/store.db" "UPDATE challenge SET expires_at = CAST(strftime('%s', 'now') AS INTEGER) - 10"
    daemon_start
    build --challenge "$challenge" --subject 'CN=late'
    refused "$URL/once" 2
    daemon_log | grep -q ERR_CHALLENGE_EXPIRED
}
@test "no more one-time challenges than the endpoint allows" {
    chancery password new once
    chancery password new once
    chancery password new once
    run chancery password new once
    [ "$status" = 1 ]
    [[ $output == *3* ]]
}
@test "no recipient of ours is refused" {
    build --challenge 'open sesame' --recipient-none
    refused "$URL" 1 || refused "$URL" 2
}
@test "our recipient twice is refused" {
    build --challenge 'open sesame' --recipient-twice
    refused "$URL" 1 || refused "$URL" 2
}
@test "a bad CMS signature is refused" { build --challenge 'open sesame' --break cms-signature; refused "$URL" 1; }
@test "a bad CSR signature is refused" { build --challenge 'open sesame' --break csr-signature; refused "$URL" 1; }
@test "a CSR key other than the signer's is refused" {
    build --challenge 'open sesame' --other-signer-key
    local before
    before=$(certificate_count)
    [ "$(post "$URL" "$T/message" "$T/answer")" = 200 ]
    chmod a+r "$T/answer"
    shape open --in "$T/answer" --key "$T/key.pem" --out "$T/cert.pem" | tee "$T/said" || true
    says "pkiStatus: 2"
    [ "$(certificate_count)" = "$before" ]
}
@test "every other messageType is refused" {
    for type in 0 1 3 16 18 23 99 190; do
        build --challenge 'open sesame' --message-type $type
        refused "$URL" 2
    done
}
@test "an unset template slot refuses and names itself" {
    build --challenge 'open sesame'
    refused "$URL/slotless" 2
    daemon_log | grep -q 'general_purpose_template'
}
@test "manual approval: pending, approved, and then the same request gets its certificate" {
    build --no-challenge --subject 'CN=waits' --seed waits
    answer "$URL/hands"
    says "pkiStatus: 3"
    local id
    id=$(chancery --json request list --disposition pending | python3 -c 'import json, sys; print(next(v for k, v in json.load(sys.stdin)[0].items() if "id" in k.lower()))')
    chancery request approve "$id"
    issued "$URL/hands"
    run chancery request deny "$id" 'too late'
    [ "$status" = 1 ]
    [[ $output == *"request $id is issued, not pending"* ]]
}
@test "what is asked wrongly of a request says what was given and what is allowed" {
    wrong() { # STATUS WORDS COMMAND...
        run chancery "${@:3}"
        [ "$status" = "$1" ]
        [[ $output == *"$2"* ]]
    }
    for verb in show approve deny resubmit; do
        wrong 2 'id is "0", allowed: 1 to 9223372036854775807' request $verb 0
        wrong 2 'id is "99999999999999999999", allowed: 1 to' request $verb 99999999999999999999
        wrong 2 'unexpected -1' request $verb -1
        wrong 2 'operand missing' request $verb
        wrong 3 'has no request 987654321' request $verb 987654321
    done
    wrong 2 'the reason has 401 bytes, limit 400' request deny 1 "$(printf '%0401d' 0)"
    wrong 2 'status is "broken", allowed: issued pending denied failed sealing' request list --status failed,broken
    wrong 2 'limit is "1001", allowed: 1 to 1000' request list --status failed --limit 1001
}
@test "manual approval: denied stays denied, and the number that waits is limited" {
    build --no-challenge --subject 'CN=denied' --seed denied
    answer "$URL/hands"
    says "pkiStatus: 3"
    local id
    id=$(chancery --json request list --disposition pending | python3 -c 'import json, sys; print(next(v for k, v in json.load(sys.stdin)[0].items() if "id" in k.lower()))')
    chancery request deny "$id" 'not ours'
    refused "$URL/hands" 2
    for n in 1 2; do
        rm -f "$T/key.pem"
        build --no-challenge --subject "CN=queue-$n"
        answer "$URL/hands"
        says "pkiStatus: 3"
    done
    rm -f "$T/key.pem"
    build --no-challenge --subject 'CN=queue-3'
    refused "$URL/hands" 2
}
@test "the four decryption failures give one answer, time, nonce and signature aside" {
    local way shown=
    for way in padding length key content; do
        rm -f "$T/key.pem"
        build --challenge 'open sesame' --break $way --tx SAMETRANSACTION --seed same
        refused "$URL" 1
        openssl cms -cmsout -print -inform DER -in "$T/answer" -noout 2>/dev/null |
            sed '/senderNonce\|2\.16\.840\.1\.113733\.1\.9\.5)/,/^ *object/d; /recipientNonce/,/^ *object/d; /signature:/,$d; /messageDigest/,/^ *object/d; /UTCTIME/d; /OCTET STRING/,/^ *object/d' >"$T/$way.text"
        wc -c <"$T/answer" >>"$T/$way.text"
        cp "$T/said" "$T/$way.said"
    done
    for way in length key content; do
        cmp "$T/padding.text" "$T/$way.text"
        diff <(grep -v -i nonce "$T/padding.said") <(grep -v -i nonce "$T/$way.said")
    done
}
@test "garbage is refused without a CertRep and without harm" {
    head -c 3000 /dev/urandom >"$T/message"
    [ "$(post "$URL" "$T/message" "$T/answer")" = 400 ]
    build --challenge 'open sesame' --subject 'CN=after-garbage'
    issued "$URL"
}
@test "no challenge is in any log, in the store or on a page" {
    local canary=CANARY7d0c1e
    printf '%s\n' "$canary" | chancery password set default
    kill -HUP "$(daemon_pid)"
    sleep 1
    build --challenge "$canary" --subject 'CN=canary'
    issued "$URL"
    build --challenge "${canary}x" --subject 'CN=canary'
    refused "$URL" 2
    not grep -r -a -l "$canary" "$SITE/lib" "$SITE/log" "$WORK/daemon.log"
    printf 'open sesame\n' | chancery password set default
    kill -HUP "$(daemon_pid)"
    sleep 1
}
@test "revoked: the same request again is refused" {
    build --challenge 'open sesame' --subject 'CN=revoked' --seed revoked
    issued "$URL"
    chancery cert revoke "$(openssl x509 -in "$T/cert.pem" -noout -serial | cut -d= -f2)" keyCompromise
    refused "$URL" 2
}
