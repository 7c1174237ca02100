#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SCEP clients that nobody here wrote enrol against the real daemon; OpenSSL and GnuTLS judge what they got.
load helper

setup_file() {
    work_begin
    site_make --validator one-time
    conf_add <<'E2'
endpoint "static" {
    validator = "static"
    general_purpose_template = "SCEPDevice"
    signature_template = "SCEPDeviceSignature"
    encryption_template = "SCEPDeviceEncryption"
}
# Debian's scepclient signs with SHA-1 and encrypts with single DES whatever it is offered (docs/decisions/005), and verifies
# answers with the one certificate that its fingerprint names.
endpoint "legacy" {
    validator = "one-time"
    general_purpose_template = "SCEPDevice"
    ra = "combined"
    allow_sha1 = true
    allow_des = true
}
endpoint "legacy-static" {
    validator = "static"
    general_purpose_template = "SCEPDevice"
    ra = "combined"
    allow_sha1 = true
    allow_des = true
}
endpoint "manual" {
    validator = "manual"
    general_purpose_template = "SCEPDevice"
}
E2
    printf 'static secret\n' | chancery password set static
    printf 'static secret\n' | chancery password set legacy-static
    daemon_start
    get_ca "$URL" "$WORK/ra"
}
teardown_file() { work_end; }

# Both libraries accept the certificate and its chain.
verifies() { # CERTIFICATE
    openssl verify -CAfile "$WORK/ca.pem" "$1" &&
        certtool --verify --load-ca-certificate "$WORK/ca.pem" --infile "$1" >/dev/null
}
serial_of() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }

pki_enrol() { # URL CHALLENGE NAME [OPTIONS of pki…]
    local dir=$WORK/tmp/$3
    as_user mkdir -p "$dir"
    pki_quiet --gen --type rsa --size 2048 --outform pem | as_user tee "$dir/key.pem" >/dev/null
    with_trust pki --scep --url "$1" --in "$dir/key.pem" --dn "C=CH, O=Test, CN=$3" --san "$3.example.org" \
        --password "$2" --cacert-enc "$WORK/ra/encryption.pem" --cacert-sig "$WORK/ra/signature.pem" \
        --cacert "$WORK/ra/ca.pem" --cacert "$SITE/lib/scep/certs/ca-issuing-root.crt.pem" --outform pem "${@:4}" \
        >"$WORK/tmp/$3.pem" 2>"$WORK/tmp/$3.err" || {
        cat "$WORK/tmp/$3.err" "$WORK/daemon.log"
        return 1
    }
    verifies "$WORK/tmp/$3.pem"
}
scepclient_enrol() { # URL CHALLENGE NAME
    local dir=$WORK/tmp/$3 fingerprint
    as_user mkdir -p "$dir"
    fingerprint=$(openssl x509 -in "$SITE/lib/scep/certs/default-combined-1.crt.pem" -outform DER | sha256sum | cut -d' ' -f1)
    (cd "$dir" && as_user env SSL_CERT_FILE="$WORK/ca.pem" scepclient -server-url "$1" -challenge "$2" -private-key "$dir/key.pem" \
        -certificate "$dir/cert.pem" -cn "$3" -organization Test -ou Unit -country CH -ca-fingerprint "$fingerprint" \
        >"$dir/log" 2>&1) || {
        cat "$dir/log" "$WORK/daemon.log"
        return 1
    }
    verifies "$dir/cert.pem"
}
# certmonger itself, on a message bus of its own: it makes the pkiMessage and runs its scep-submit, whose last step forgets the
# CA file that it was given and looks in the system's.
certmonger_enrol() { # URL CHALLENGE NAME
    local dir=$WORK/tmp/$3
    as_user mkdir -p "$dir/home"
    # shellcheck disable=SC2016
    with_trust env HOME="$dir/home" dbus-run-session -- bash -c '
        cd "$1" || exit 1
        mkdir -p cas requests
        /usr/lib/certmonger/certmonger-session -n >certmonger.log 2>&1 &
        daemon=$!
        trap "kill $daemon" EXIT
        for _ in $(seq 100); do getcert list-cas -s >/dev/null 2>&1 && break; sleep 0.1; done
        getcert add-scep-ca -s -c chancery -u "$2" -R "$5" -N "$6" || exit 1
        getcert request -s -c chancery -k "$1/key.pem" -f "$1/cert.pem" -N "CN=$4,O=Test,C=CH" -D "$4.example.org" -L "$3" -w || true
        for _ in $(seq 60); do [ -s cert.pem ] && break; sleep 0.5; done
        [ -s cert.pem ] || { getcert list -s; cat certmonger.log; exit 1; }' \
        bash "$dir" "$1" "$2" "$3" "$SITE/lib/scep/certs/ca-issuing-root.crt.pem" "$WORK/ca.pem" || {
        cat "$WORK/daemon.log"
        return 1
    }
    verifies "$dir/cert.pem"
}

@test "strongSwan pki enrols with a one-time challenge over http" {
    pki_enrol "$URL" "$(chancery password new default)" pki-once-http
    openssl x509 -in "$WORK/tmp/pki-once-http.pem" -noout -subject -nameopt RFC2253 | grep -F 'CN=pki-once-http,O=Test,C=CH'
    openssl x509 -in "$WORK/tmp/pki-once-http.pem" -noout -ext subjectAltName | grep -F 'DNS:pki-once-http.example.org'
}
@test "strongSwan pki enrols with a static challenge over http" { pki_enrol "$URL/static" 'static secret' pki-static-http; }
@test "strongSwan pki enrols with a one-time challenge over https" {
    pki_enrol "$URLS" "$(chancery password new default)" pki-once-https
}
@test "strongSwan pki enrols with a static challenge over https" { pki_enrol "$URLS/static" 'static secret' pki-static-https; }

pending_id() { chancery --json request list --status pending | python3 -c 'import json, sys; print(*(r["id"] for r in json.load(sys.stdin)))'; }
waits() { [ -n "$(pending_id)" ]; }
# It polls in the name of the RA certificate that it was given.
pki_polls() { # URL CHALLENGE NAME
    local id pid
    pki_enrol "$1" "$2" "$3" --interval 1 --maxpolltime 60 3>&- &
    pid=$!
    wait_for 30 waits
    id=$(pending_id)
    wait_for 30 grep -q "poll pending.*request=$id\b" "$WORK/daemon.log" || { daemon_log; return 1; }
    chancery request approve "$id"
    wait "$pid"
    not waits
}
@test "strongSwan pki polls a manual endpoint until its request is approved" { pki_polls "$URL/manual" none pki-manual; }
@test "strongSwan pki polls where a template wants a manager's approval" {
    chancery template set SCEPDevice manager_approval=yes
    pki_polls "$URL/static" 'static secret' pki-approval
    chancery template set SCEPDevice manager_approval=no
}
@test "scepclient enrols with a one-time challenge over http" {
    scepclient_enrol "$URL/legacy" "$(chancery password new legacy)" scepclient-once-http
}
@test "scepclient enrols with a static challenge over http" {
    scepclient_enrol "$URL/legacy-static" 'static secret' scepclient-static-http
}
@test "scepclient enrols with a one-time challenge over https" {
    scepclient_enrol "$URLS/legacy" "$(chancery password new legacy)" scepclient-once-https
}
@test "scepclient enrols with a static challenge over https" {
    scepclient_enrol "$URLS/legacy-static" 'static secret' scepclient-static-https
}

@test "certmonger enrols with a one-time challenge over http" {
    certmonger_enrol "$URL" "$(chancery password new default)" certmonger-once-http
}
@test "certmonger enrols with a static challenge over http" { certmonger_enrol "$URL/static" 'static secret' certmonger-static-http; }
@test "certmonger enrols with a one-time challenge over https" {
    certmonger_enrol "$URLS" "$(chancery password new default)" certmonger-once-https
}
@test "certmonger enrols with a static challenge over https" {
    certmonger_enrol "$URLS/static" 'static secret' certmonger-static-https
}

@test "the certificate is what RFC 5280 and the template say" {
    local text
    text=$(openssl x509 -in "$WORK/tmp/pki-once-http.pem" -noout -text)
    grep -q 'Version: 3 (0x2)' <<<"$text"
    grep -A1 'X509v3 Key Usage: critical' <<<"$text" | grep -q 'Digital Signature, Key Encipherment'
    grep -A1 'X509v3 Extended Key Usage' <<<"$text" | grep -q 'TLS Web Client Authentication$'
    grep -q 'X509v3 Authority Key Identifier' <<<"$text"
    grep -q 'X509v3 Subject Key Identifier' <<<"$text"
    not grep -q 'CA:TRUE' <<<"$text"
    [[ $(serial_of "$WORK/tmp/pki-once-http.pem") =~ ^[0-9A-F]{32,40}$ ]]
    certtool --certificate-info --infile "$WORK/tmp/pki-once-http.pem" | grep -q 'TLS WWW Client'
}
@test "after cert revoke OpenSSL and GnuTLS both call it revoked, and others not" {
    local revoked=$WORK/tmp/pki-once-http.pem kept=$WORK/tmp/pki-static-http.pem
    chancery cert revoke "$(serial_of "$revoked")" keyCompromise
    chancery crl export issuing >"$WORK/crl.pem"
    openssl crl -in "$WORK/crl.pem" -CAfile "$WORK/ca.pem" -noout 2>&1 | grep -q 'verify OK'
    certtool --verify-crl --load-ca-certificate "$SITE/lib/scep/certs/ca-issuing.crt.pem" --infile "$WORK/crl.pem"
    run openssl verify -crl_check -CAfile "$WORK/ca.pem" -CRLfile "$WORK/crl.pem" "$revoked"
    [ "$status" != 0 ]
    [[ $output == *revoked* ]]
    openssl verify -crl_check -CAfile "$WORK/ca.pem" -CRLfile "$WORK/crl.pem" "$kept"
    run certtool --verify --load-ca-certificate "$WORK/ca.pem" --load-crl "$WORK/crl.pem" --infile "$revoked"
    [ "$status" != 0 ]
    [[ $output == *revoked* ]]
    certtool --verify --load-ca-certificate "$WORK/ca.pem" --load-crl "$WORK/crl.pem" --infile "$kept" >/dev/null
    certtool --crl-info --infile "$WORK/crl.pem" | grep -q 'Number (not critical)'
}
@test "revoking again changes nothing and says so, with another reason it is refused, an unknown serial is not found, an unknown reason is refused" {
    local serial when
    serial=$(serial_of "$WORK/tmp/pki-once-http.pem")
    when=$(chancery --json cert show "$serial")
    run chancery cert revoke "$serial" superseded
    [ "$status" = 1 ]
    [[ $output == *"is revoked for keyCompromise since 20"*"superseded is not put in its place"* ]]
    chancery cert revoke "$serial" keyCompromise | grep -q '^note  *was revoked already$'
    [ "$(chancery --json cert show "$serial")" = "$when" ]
    run chancery cert revoke 00112233445566778899AABBCCDDEEFF00 keyCompromise
    [ "$status" = 3 ]
    run chancery cert revoke "$serial" becauseISaySo
    [ "$status" != 0 ]
}
@test "every certificate and request can be listed, shown and exported, as text and as JSON" {
    local serial
    serial=$(serial_of "$WORK/tmp/pki-static-http.pem")
    chancery cert list | grep -q "$serial"
    chancery --json cert list | python3 -m json.tool >/dev/null
    chancery cert export "$serial" | cmp - "$WORK/tmp/pki-static-http.pem"
    chancery cert show "$serial" | grep -q 'CN=pki-static-http'
    chancery request list --disposition issued | grep -q "$serial"
    chancery request export "$(chancery --json request list --limit 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')" |
        python3 -c 'import base64, json, sys; assert base64.b64decode(json.load(sys.stdin)["request_info"])[0] == 0x30'
    chancery request refused
    for wrong in 'cert list --status bogus' 'request list --disposition bogus' 'cert list --limit abc' 'cert list --limit 1001'; do
        # shellcheck disable=SC2086
        run chancery $wrong
        [ "$status" = 2 ]
        [[ $output == *allowed* ]]
    done
    chancery template list | grep -q SCEPDevice
    chancery template show SCEPDevice | grep -q clientAuth
    chancery template export SCEPDevice | python3 -m json.tool >/dev/null
    chancery status | grep -q serving
    chancery status | grep -q '^signer  *serving  *journal_entries=[1-9].* clock=good .*ca=issuing key='
    chancery config show | grep -q validator
}
