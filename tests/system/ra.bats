#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# RA certificates renew themselves: new keys in service without a restart, while a device that fetched the old ones still enrols and
# is answered by the signature it knows; by hand, exported and imported.
load helper

setup() {
    work_begin
    site_make --validator static
    printf 'open sesame\n' | chancery password set default 2>/dev/null
    as_user sh -c 'umask 077; echo "ra passphrase for tests" >"$1"' sh "$WORK/tmp/ra.pass"
}
teardown() { work_end; }

enrols() { # NAME RA-FOLDER: with the RA certificate of that folder; $WORK/tmp/NAME.answer is the CertRep
    shape build --ra "$2/encryption.pem" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.msg" --challenge 'open sesame' --subject "CN=$1" --seed "$1"
    [ "$(post "$URL" "$WORK/tmp/$1.msg" "$WORK/$1.answer")" = 200 ]
    chmod a+r "$WORK/$1.answer"
    [ "$(shape open --in "$WORK/$1.answer" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.pem" | sed -n 's/^pkiStatus: //p')" = 0 ]
}
signed_by() { # NAME RA-FOLDER: the CertRep verifies with that folder's signature certificate
    openssl cms -verify -inform DER -in "$WORK/$1.answer" -certfile "$2/signature.pem" -nointern -noverify -binary -out /dev/null 2>/dev/null
}
current() { # USE FIELD
    chancery --json ra show | python3 -c '
import json, sys
print(next(row[sys.argv[2]] for row in json.load(sys.stdin) if row["use"] == sys.argv[1] and row["state"] == "current"))' "$1" "$2"
}

@test "RA certificates that are due are renewed by the running service, and devices with the old ones go on" {
    daemon_start
    get_ca "$URL" "$WORK/old"
    [ "$(current encryption generation)" = 1 ]
    daemon_stop
    # 730 days: with this they have been due since they were made.
    conf_set 's/^scep {/&\n ra_renew_before = 800/'
    daemon_start
    renewed() { [ "$(current encryption generation)" = 2 ]; }
    wait_for 30 renewed
    daemon_log | grep 'RA certificates renewed ra_set=default generation=2'
    daemon_stop
    conf_set 's/ra_renew_before = 800/ra_renew_before = 60/'
    daemon_start
    get_ca "$URL" "$WORK/new"
    not cmp -s "$WORK/old/encryption.pem" "$WORK/new/encryption.pem"
    [ "$(openssl x509 -in "$WORK/old/encryption.pem" -noout -subject)" = "$(openssl x509 -in "$WORK/new/encryption.pem" -noout -subject)" ]
    openssl verify -CAfile "$WORK/ca.pem" "$WORK/new/encryption.pem" "$WORK/new/signature.pem"
    enrols before "$WORK/old"
    signed_by before "$WORK/old"
    not signed_by before "$WORK/new"
    enrols after "$WORK/new"
    signed_by after "$WORK/new"
    not signed_by after "$WORK/old"
}

@test "chancery ra renew says what is not due, and renews at once with --now while devices enrol" {
    daemon_start
    get_ca "$URL" "$WORK/old"
    chancery ra renew
    [ "$(current encryption generation)" = 1 ]
    for i in 1 2 3 4 5 6; do enrols "beside-$i" "$WORK/old" || echo "$i" >>"$WORK/refused"; done 3>&- &
    local enrolling=$!
    chancery ra renew --now
    wait "$enrolling"
    [ ! -e "$WORK/refused" ]
    [ "$(current encryption generation)" = 2 ]
    [ "$(current signature generation)" = 2 ]
    get_ca "$URL" "$WORK/new"
    enrols after "$WORK/new"
    run chancery ra renew nobody --now
    [ "$status" = 3 ]
    [[ $output == *"no endpoint has the RA set nobody"* ]]
    # What it gave up writing to: everything but its keys and certificates.
    not grep -q ' refused by the sandbox' "$WORK/daemon.log"
}

@test "an RA set is exported under a passphrase and imported as a new generation, and nothing that does not fit" {
    daemon_start
    chancery ra export "$WORK/tmp/set" --passphrase-file "$WORK/tmp/ra.pass"
    as_user grep -q 'ENCRYPTED PRIVATE KEY' "$WORK/tmp/set/encryption.key.pem"
    chancery ra renew --now >/dev/null
    chancery ra import "$WORK/tmp/set" --passphrase-file "$WORK/tmp/ra.pass"
    [ "$(current encryption generation)" = 3 ]
    [ "$(current signature generation)" = 3 ]
    get_ca "$URL" "$WORK/ra"
    cmp <(openssl x509 -in "$WORK/ra/encryption.pem" -outform DER) <(as_user openssl x509 -in "$WORK/tmp/set/encryption.crt.pem" -outform DER)
    enrols device "$WORK/ra"
    # Another CA's certificate: refused, and nothing stays of it.
    as_user sh -c 'cd "$1" && rm -f signature.crt.pem && openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -subj /CN=other -days 9 \
        -addext keyUsage=digitalSignature -out signature.crt.pem 2>/dev/null && rm -f signature.key.pem &&
        openssl pkcs8 -topk8 -v2 aes-256-cbc -in other.key -passout file:../ra.pass -out signature.key.pem' sh "$WORK/tmp/set"
    run chancery ra import "$WORK/tmp/set" --passphrase-file "$WORK/tmp/ra.pass"
    [ "$status" = 1 ]
    [[ $output == *"the signature certificate was not issued by the endpoint's CA"* ]]
    # Judged before anything of it lies where scep would find it at its next start, and not by scep's reload.
    [[ $output != *reload* ]]
    for set in nobody ../../x; do
        run chancery ra import "$WORK/tmp/set" "$set" --passphrase-file "$WORK/tmp/ra.pass"
        [ "$status" = 3 ]
        [[ $output == *"no endpoint has the RA set $set"* ]]
    done
    [ ! -e "$SITE/lib/scep/keys/default-signature-4.key.pem" ]
    [ ! -e "$SITE/lib/scep/certs/default-encryption-4.crt.pem" ]
    enrols again "$WORK/ra"
    as_user sh -c 'umask 077; echo "another passphrase" >"$1"' sh "$WORK/tmp/wrong.pass"
    run chancery ra import "$WORK/tmp/set" --passphrase-file "$WORK/tmp/wrong.pass"
    [ "$status" = 1 ]
}

@test "a renewal that fails half way costs one certificate however often it is tried, breaks no start, and is gone on with" {
    daemon_start
    chancery right deny role/scep enroll --template CEPEncryption >/dev/null
    for _ in 1 2 3; do
        run chancery ra renew --now
        [ "$status" = 1 ]
        [[ $output == *"role/scep lacks Enroll on template CEPEncryption"* ]]
    done
    [ "$(chancery --json cert list | grep -c '"requester": "role/scep"')" = 1 ]
    chancery right grant role/scep enroll --template CEPEncryption >/dev/null
    # What is exported now is imported beside it, not over it.
    chancery ra export "$WORK/tmp/set" --passphrase-file "$WORK/tmp/ra.pass"
    chancery ra import "$WORK/tmp/set" --passphrase-file "$WORK/tmp/ra.pass"
    [ "$(current encryption generation)" = 3 ]
    chancery right deny role/scep enroll --template CEPEncryption >/dev/null
    run chancery ra renew --now
    [ "$status" = 1 ]
    daemon_stop
    daemon_start
    chancery right grant role/scep enroll --template CEPEncryption >/dev/null
    chancery ra renew --now >/dev/null
    [ "$(current encryption generation)" = 4 ]
    [ "$(current signature generation)" = 4 ]
    get_ca "$URL" "$WORK/ra"
    enrols device "$WORK/ra"
}

state_of() { # USE GENERATION; nothing when it has no key any more
    chancery --json ra show | python3 -c '
import json, sys
print(next((row["state"] for row in json.load(sys.stdin) if row["use"] == sys.argv[1] and row["generation"] == sys.argv[2]), ""))' "$1" "$2"
}
@test "RA certificates that are revoked are renewed at once; a compromised key is gone, another one still decrypts, and a hold changes nothing" {
    daemon_start
    get_ca "$URL" "$WORK/old"
    serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
    chancery cert revoke "$(serial "$WORK/old/encryption.pem")" superseded
    chancery ra renew # as the service does each minute by itself
    [ "$(state_of encryption 2)" = current ]
    daemon_log | grep "alarm: RA certificate is revoked ra_set=default generation=1 serial=$(serial "$WORK/old/encryption.pem") reason=superseded"
    [ "$(state_of encryption 1)" = revoked ]
    [ "$(state_of signature 1)" = previous ]
    enrols before "$WORK/old"
    get_ca "$URL" "$WORK/new"
    enrols after "$WORK/new"
    chancery cert revoke "$(serial "$WORK/new/encryption.pem")" keyCompromise
    chancery cert revoke "$(serial "$WORK/new/signature.pem")" certificateHold
    chancery ra renew
    [ "$(state_of encryption 3)" = current ]
    [ -z "$(state_of encryption 2)" ]
    [ ! -e "$SITE/lib/scep/keys/default-encryption-2.key.pem" ]
    [ "$(state_of signature 2)" = held ]
    not enrols compromised "$WORK/new"
    get_ca "$URL" "$WORK/newest"
    enrols newest "$WORK/newest"
    # On hold: it is told, and goes on, for it may be released.
    chancery cert revoke "$(serial "$WORK/newest/signature.pem")" certificateHold
    chancery ra renew
    chancery status | grep -q 'state=RA certificate on hold'
    [ "$(state_of encryption 3)" = current ]
    enrols held "$WORK/newest"
}
