#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# CertificateRegistrationSvc: another SCEP server, here curl, asks our certificate registration point with a client certificate. Requests
# are OpenSSL's, challenges those of a management service, certificates those of a CA that is not ours.
load helper

setup_file() {
    work_begin
    cp "$BUILD/tests/support/challenge-maker" "$WORK/p/bin/"
    site_make
    conf_add <<'E2'
endpoint "managed" {
    validator = "managed"
    general_purpose_template = "SCEPDevice"
}
E2
    conf_set 's/^scep {/&\n    crp_listen = {"127.0.0.1:0"}\n    crp_clients = {"ndes1.example.net", "NDES2.example.net"}/'
    conf_set "s|^    crp_clients = .*|&\n    crp_client_ca = \"clients\"|"
    mkdir "$WORK/x"
    cd "$WORK/x" || return
    for ca in adcs stranger; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$ca CA" -keyout "$ca.key" -out "$ca.pem" 2>"$ca.log"
    done
    client ndes1 adcs ndes1.example.net
    client ndes2 adcs ndes2.example.net
    client other adcs ndes9.example.net
    client wrongca stranger ndes1.example.net
    client expired adcs ndes1.example.net clientAuth -days -1
    client server adcs ndes1.example.net serverAuth
    client any adcs ndes1.example.net anyExtendedKeyUsage
    client none adcs ndes1.example.net ''
    subject_only cn /CN=ndes1.example.net
    subject_only two /CN=ndes1.example.net/CN=administrator
    cat adcs.pem "$SITE/lib/scep/certs/ca-issuing.crt.pem" | as_user sh -c 'cat >"$1"' sh "$SITE/lib/scep/certs/clients.crt.pem"
    daemon_start
    as_user "$WORK/p/bin/challenge-maker" signer --key "$WORK/tmp/mdm.key" --cert "$WORK/tmp/mdm.crt"
    cp "$WORK/tmp/mdm.key" "$WORK/tmp/mdm.crt" "$WORK/"
    chmod 644 "$WORK"/mdm.*
    chancery authority add mdm --templates SCEPDevice --suffixes dns:.example.net --device 100 --certificate "$WORK/mdm.crt"
    openssl genrsa -out "$WORK/x/device.key" 2048
    chmod -R a+rX "$WORK/x"
}
teardown_file() { work_end; }
setup() {
    ports_read
    CRS=https://localhost:$(port_of crp scep)/CertificateRegistrationSvc/Certificate
    T=$(mktemp -d "$WORK/tmp/t.XXXXXX")
    LOG="$SITE/log/ca/CertificateRegistrationPoint.log"
    cd "$WORK/x" || return
}

client() { # FILE CA NAME [EKU [OPTIONS…]]: a client certificate with a DNS name; EKU empty: without that extension
    local file=$1 ca=$2 name=$3 eku=${4-clientAuth}
    shift 3
    [ $# = 0 ] || shift
    printf 'subjectAltName=DNS:%s\n%s\n' "$name" "${eku:+extendedKeyUsage=$eku}" >"$file.ext"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=anything -keyout "$file.key" -out "$file.csr" 2>"$file.log"
    openssl x509 -req -in "$file.csr" -CA "$ca.pem" -CAkey "$ca.key" -days 2 -extfile "$file.ext" "$@" -out "$file.pem" 2>>"$file.log"
}
subject_only() { # FILE SUBJECT
    printf 'extendedKeyUsage=clientAuth\n' >"$1.ext"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>"$1.log"
    openssl x509 -req -in "$1.csr" -CA adcs.pem -CAkey adcs.key -days 2 -extfile "$1.ext" -out "$1.pem" 2>>"$1.log"
}
challenge() { # OPTIONS…: into $CHALLENGE
    CHALLENGE=$(as_user "$WORK/p/bin/challenge-maker" seal --key "$WORK/mdm.key" --cert "$WORK/mdm.crt" --crp "$SITE/lib/ca/certs/crp-1.crt.pem" "$@")
}
request() { # FILE SUBJECT SAN [NOTE]: a PKCS#10 that carries the challenge; NOTE makes it another content
    printf '%s\n' '[req]' 'prompt=no' 'distinguished_name=dn' 'attributes=attributes' 'req_extensions=extensions' '[dn]' "CN=$2" \
        '[attributes]' "challengePassword=$CHALLENGE" "${4:+unstructuredName=$4}" '[extensions]' "subjectAltName=DNS:$3" \
        'extendedKeyUsage=clientAuth' 'keyUsage=digitalSignature,keyEncipherment' >"$T/$1.conf"
    openssl req -new -key "$WORK/x/device.key" -config "$T/$1.conf" -outform DER -out "$T/$1.csr"
    printf '{"pkcs10":"%s","signingCert":null,"template":"NDESGebruiker","transactionId":"%s"}' "$(base64 -w0 "$T/$1.csr")" "${TRANSACTION:-251E59}" \
        >"$T/$1.json"
}
fresh() { # NAME: a challenge and the request that it expects
    challenge --subject "CN=$1" --san "dns:$1.example.net"
    request "$1" "$1" "$1.example.net"
}
ask() { # CLIENT METHOD-PATH FILE [OPTIONS…]: the status; the body into $T/body, the head into $T/head
    local with=(--cert "$1.pem" --key "$1.key") path=$2 file=$3
    [ "$1" != - ] || with=()
    shift 3
    : >"$T/body"
    curl -sS --cacert "$WORK/ca.pem" "${with[@]}" -H 'Content-Type: application/json' -A NDES_Plugin --data-binary "@$file" -o "$T/body" -D "$T/head" \
        -w '%{http_code}' "$@" "$CRS/$path"
}
verify() { # CLIENT FILE EXPECTED
    local status
    status=$(ask "$1" VerifyRequest "$T/$2.json")
    [ "$status $(cat "$T/body")" = "201 $3" ] || { echo "$status $(cat "$T/body")"; tail -n 4 "$LOG"; daemon_log | tail -n 3; return 1; }
}
notice() { # FILE DISPOSITION HRESULT [CERTIFICATE]: the body of a Notify
    local certificate=null
    [ -z "${4-}" ] || certificate="\"$(openssl x509 -in "$4" -outform DER | base64 -w0)\""
    printf '{"challenge":"%s","transactionId":"%s","disposition":%s,"hResult":%s,"certificate":%s}' "$CHALLENGE" "${TRANSACTION:-251E59}" "$2" "$3" \
        "$certificate" >"$T/$1.json"
}
issue() { # FILE: what the other CA makes of the request
    openssl req -inform DER -in "$T/$1.csr" -out "$T/$1.p10"
    openssl x509 -req -in "$T/$1.p10" -CA adcs.pem -CAkey adcs.key -days 2 -out "$T/$1.pem" 2>"$T/$1.log"
}
logged() { grep -qF -- "$1" "$LOG" || { tail -n 20 "$LOG"; return 1; }; }
said() { daemon_log | grep -qE -- "$1" || { daemon_log | tail -n 5; return 1; }; }

@test "a request that is what its challenge expects is true, as 201 with the bare word; twice, too" {
    fresh device-1
    verify ndes1 device-1 true
    grep -qi '^content-type: application/json; charset=utf-8' "$T/head"
    [ "$(wc -c <"$T/body")" = 4 ]
    verify ndes1 device-1 true
    grep -qE '^20[0-9T:-]+Z tx=251E59 peer=127\.0\.0\.1 server=ndes1\.example\.net VerifyRequest Started\.$' "$LOG"
    logged 'Validation Phase 1 finished with status True.'
    logged 'Validation Phase 3 finished with status True.'
    logged 'VerifyRequest Finished with status True'
    grep -qE 'POST /CertificateRegistrationSvc/Certificate/VerifyRequest txid=251E59 .* NDES_Plugin .* 201 0 0 ' "$SITE/log/scep/crp.log"
    not test -e "$SITE/log/scep/NDESPlugin.log" || not grep -q VerifyRequest "$SITE/log/scep/NDESPlugin.log"
}
@test "the status counts them, and has the end of the listener's certificate" {
    chancery status | grep -qE 'crp_verified=2 crp_refused=0 crp_notified=0'
    chancery status | grep -q 'tls_not_after=20'
}
@test "a changed request, an expired challenge, and one without a challenge are false; the log has both values" {
    challenge --subject CN=device-2 --san dns:device-2.example.net
    request two administrator device-2.example.net
    verify ndes1 two false
    [ "$(wc -c <"$T/body")" = 5 ]
    logged 'Subject Name in CSR <CN=administrator> and challenge <CN=device-2> do not match'
    logged 'VerifyRequest Finished with status False'
    request two device-2 device-3.example.net
    verify ndes1 two false
    logged 'device-3.example.net'
    challenge --subject CN=device-2 --san dns:device-2.example.net --lifetime 1
    request two device-2 device-2.example.net
    sleep 2
    verify ndes1 two false
    logged 'challenge expired at'
    CHALLENGE=secret
    request two device-2 device-2.example.net
    verify ndes1 two false
    challenge --subject CN=device-2 --san dns:device-2.example.org
    request two device-2 device-2.example.org
    verify ndes1 two false
    logged 'ERR_AUTHORITY_LIMIT'
    chancery request refused | grep -q 'CertificateRegistrationSvc.*ERR_AUTHORITY_LIMIT'
}
@test "a used challenge is false: for another content, transaction or server, and where our own service used it" {
    fresh device-4
    verify ndes1 device-4 true
    request other device-4 device-4.example.net note
    verify ndes1 other false
    logged 'this one is of another content'
    TRANSACTION=251E5A request later device-4 device-4.example.net
    verify ndes1 later false
    verify ndes2 device-4 false
    logged 'this one is of another server'
    challenge --subject CN=device-5 --san dns:device-5.example.net
    request five device-5 device-5.example.net
    get_ca "$URL/managed" "$WORK/ra"
    as_user "$WORK/p/bin/challenge-maker" seal --key "$WORK/mdm.key" --cert "$WORK/mdm.crt" --crp "$SITE/lib/ca/certs/crp-1.crt.pem" --subject CN=device-5 \
        --san dns:device-5.example.net --extensions-out "$WORK/tmp/extensions" >"$T/unused"
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/five.key" --out "$WORK/tmp/five.message" --challenge "$CHALLENGE" \
        --extensions "$WORK/tmp/extensions" --subject CN=device-5
    [ "$(post "$URL/managed" "$WORK/tmp/five.message" "$T/five.answer")" = 200 ]
    verify ndes1 five false
    logged 'the challenge was used by request'
}
@test "a challenge that another server used is used at our own service" {
    fresh device-6
    verify ndes1 device-6 true
    as_user "$WORK/p/bin/challenge-maker" seal --key "$WORK/mdm.key" --cert "$WORK/mdm.crt" --crp "$SITE/lib/ca/certs/crp-1.crt.pem" --subject CN=device-6 \
        --san dns:device-6.example.net --extensions-out "$WORK/tmp/extensions" >"$T/unused"
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/six.key" --out "$WORK/tmp/six.message" --challenge "$CHALLENGE" \
        --extensions "$WORK/tmp/extensions" --subject CN=device-6
    [ "$(post "$URL/managed" "$WORK/tmp/six.message" "$T/six.answer")" = 200 ]
    said 'ERR_CHALLENGE_USED.*the challenge was used by request'
}
@test "Notify is 204 and closes the claim: the same request is false from then on" {
    fresh device-7
    verify ndes1 device-7 true
    issue device-7
    notice told 0 0 "$T/device-7.pem"
    [ "$(ask ndes1 Notify "$T/told.json")" = 204 ]
    [ ! -s "$T/body" ]
    [ "$(ask ndes1 Notify "$T/told.json")" = 204 ]
    logged 'Notify Started'
    logged 'Notify Finished.'
    verify ndes1 device-7 false
    chancery audit list --action notify | grep -q 'server/ndes1.example.net'
    grep -qE 'POST /CertificateRegistrationSvc/Certificate/Notify txid=251E59 .* 204 0 0 ' "$SITE/log/scep/crp.log"
    notice failed 2 -2146875375
    [ "$(ask ndes1 Notify "$T/failed.json")" = 409 ]
}
@test "a failure leaves the challenge to the same request; a certificate of another key is an alarm" {
    fresh device-8
    verify ndes1 device-8 true
    notice failed 2 -2146875375
    [ "$(ask ndes1 Notify "$T/failed.json")" = 204 ]
    said 'Notify disposition=2 hresult=0x80094811 '
    verify ndes1 device-8 true
    notice stolen 0 0 ndes1.pem
    [ "$(ask ndes1 Notify "$T/stolen.json")" = 409 ]
    said 'alarm: Notify refused error=ERR_REGISTERED_KEY'
}
@test "Notify of another's transaction, challenge or server finds nothing" {
    fresh device-9
    verify ndes1 device-9 true
    issue device-9
    notice right 0 0 "$T/device-9.pem"
    TRANSACTION=251E5A notice wrong 0 0 "$T/device-9.pem"
    [ "$(ask ndes1 Notify "$T/wrong.json")" = 404 ]
    [ "$(ask ndes2 Notify "$T/right.json")" = 404 ]
    challenge --subject CN=device-9
    notice wrong 0 0 "$T/device-9.pem"
    [ "$(ask ndes1 Notify "$T/wrong.json")" = 404 ]
    [ "$(ask ndes1 Notify "$T/right.json")" = 204 ]
}
@test "who has no certificate that counts gets 403, and the log says which it was" {
    fresh device-10
    refused() { # CLIENT LOG
        [ "$(ask "$1" VerifyRequest "$T/device-10.json")" = 403 ] && said "refused: CertificateRegistrationSvc, .*$2.* status=403" &&
            [ "$(ask "$1" Notify "$T/device-10.json")" = 403 ] && [ "$(ask "$1" Else "$T/device-10.json")" = 403 ]
    }
    refused - 'there is no client certificate'
    refused wrongca 'is not trusted: unable to get local issuer certificate'
    refused expired 'is not trusted: certificate has expired'
    refused server 'is not trusted: unsuitable certificate purpose'
    refused any 'is not trusted: unsuitable certificate purpose'
    refused none 'has not the extended key usage clientAuth'
    refused other 'ndes9.example.net.*none is in crp_clients'
    refused two 'none is in crp_clients'
    not grep -q 'CN=device-10' "$LOG"
    grep -q ' 403 7 0 ' "$SITE/log/scep/crp.log"
    grep -q ' 403 16 0 ' "$SITE/log/scep/crp.log"
    verify cn device-10 true
}
@test "a client certificate of our own CA counts until it is revoked" {
    openssl req -new -newkey rsa:2048 -nodes -subj /CN=ndes1.example.net -addext subjectAltName=DNS:ndes1.example.net -keyout "$T/own.key" -out "$T/own.csr" 2>"$T/log"
    chmod a+rX "$T" "$T/own.csr"
    chancery template new NDESClient --from WebServer eku=clientAuth
    chancery template publish NDESClient
    chancery right grant cli read,enroll --template NDESClient
    chancery request submit "$T/own.csr" --template NDESClient >"$T/submitted"
    chancery cert list | awk '/ndes1.example.net/ { print $1 }' | tail -n 1 >"$T/serial"
    chancery cert export "$(cat "$T/serial")" >"$T/own.pem"
    fresh device-11
    verify "$T/own" device-11 true
    chancery cert revoke "$(cat "$T/serial")" keyCompromise
    [ "$(ask "$T/own" VerifyRequest "$T/device-11.json")" = 403 ]
    said 'the client certificate is revoked: keyCompromise'
    grep -q ' 403 13 0 ' "$SITE/log/scep/crp.log"
}
@test "other methods, paths and bodies are refused, and TLS below 1.2" {
    fresh device-12
    for method in GET HEAD; do
        [ "$(curl -sS --cacert "$WORK/ca.pem" --cert ndes1.pem --key ndes1.key -m 10 -I -X "$method" -D "$T/head" -o "$T/out" -w '%{http_code}' "$CRS/VerifyRequest")" = 405 ]
        grep -qi '^allow: POST' "$T/head"
    done
    [ "$(ask ndes1 VerifyRequest "$T/device-12.json" -X DELETE)" = 405 ]
    [ "$(ask ndes1 GenerateChallenge "$T/device-12.json")" = 404 ]
    [ "$(ask ndes1 verifyrequest/ "$T/device-12.json")" = 201 ]
    head -c 70000 /dev/zero | tr '\0' 'A' >"$T/large"
    [ "$(ask ndes1 VerifyRequest "$T/large")" = 413 ]
    bad() { # BODY LOG
        printf '%s' "$1" >"$T/bad"
        [ "$(ask ndes1 "${3:-VerifyRequest}" "$T/bad")" = 400 ] && said "refused: CertificateRegistrationSvc, .*$2.* status=400"
    }
    bad '' 'the body is no JSON'
    bad '[]' 'the body is no JSON object'
    bad '{"pkcs10":"MIIB"' 'the body is no JSON'
    bad '{"pkcs10":"MIIB"}' 'the member transactionId is missing'
    bad '{"pkcs10":"MIIB","transactionId":"1","transactionId":"2"}' 'duplicate'
    bad '{"pkcs10":"%","transactionId":"1"}' 'pkcs10 is not base64'
    bad '{"pkcs10":"","transactionId":"1"}' 'pkcs10 has 0 octets'
    bad '{"pkcs10":"MIIB","transactionId":7}' 'transactionId is not a text'
    bad '{"pkcs10":"MIIB","transactionId":"1","challenge":"x"}' 'there is no member challenge'
    bad '{"challenge":"x","transactionId":"1","disposition":7,"hResult":0}' 'disposition is 7' Notify
    bad '{"challenge":"x","transactionId":"1","disposition":0,"hResult":0}' 'comes without a certificate' Notify
    bad '{"challenge":"x","transactionId":"1","disposition":2,"hResult":99999999999}' 'more than 32 bits' Notify
    printf '{"pkcs10":"MIIB","transactionId":"1"}' >"$T/short.json"
    verify ndes1 short false
    run openssl s_client -connect "127.0.0.1:$(port_of crp scep)" -tls1_1 -cipher 'ALL:@SECLEVEL=0' -cert ndes1.pem -key ndes1.key </dev/null
    [ "$status" -ne 0 ]
}
@test "nothing else is served there, and nothing of it elsewhere" {
    [ "$(ask ndes1 '../../scep?operation=GetCACaps' "$T" --path-as-is 2>/dev/null || true)" != 200 ]
    [ "$(curl -sS --cacert "$WORK/ca.pem" --cert ndes1.pem --key ndes1.key -o "$T/out" -w '%{http_code}' "https://localhost:$(port_of crp scep)/scep?operation=GetCACaps")" = 404 ]
    [ "$(curl -sS --cacert "$WORK/ca.pem" --cert ndes1.pem --key ndes1.key -d '{}' -o "$T/out" -w '%{http_code}' "https://localhost:$HTTPS/CertificateRegistrationSvc/Certificate/VerifyRequest")" = 404 ]
}
@test "a hundred servers at once with one challenge: one is true" {
    challenge --subject CN=device-13 --san dns:device-13.example.net
    for i in $(seq 100); do request "many-$i" device-13 device-13.example.net "note $i"; done
    local pids=()
    for i in $(seq 100); do
        curl -sS --cacert "$WORK/ca.pem" --cert ndes1.pem --key ndes1.key --data-binary "@$T/many-$i.json" -o "$T/many-$i.out" "$CRS/VerifyRequest" &
        pids+=($!)
    done
    wait "${pids[@]}"
    [ "$(cat "$T"/many-*.out | grep -o true | wc -l)" = 1 ]
    [ "$(cat "$T"/many-*.out | grep -o false | wc -l)" = 99 ]
}
@test "without ca it is 503, and nothing is lost" {
    fresh device-14
    kill -STOP "$(role_pid ca)"
    status=$(ask ndes1 VerifyRequest "$T/device-14.json" -m 40) || status=none
    kill -CONT "$(role_pid ca)"
    [ "$status" = 503 ]
    grep -qi '^retry-after: ' "$T/head"
    wait_for 20 verify ndes1 device-14 true
}
@test "a reload reads the clients' CA again, and one that cannot be read changes nothing" {
    fresh device-15
    as_user sh -c 'cp "$1" "$1.before"; echo nonsense >"$1"' sh "$SITE/lib/scep/certs/clients.crt.pem"
    kill -HUP "$(daemon_pid)"
    wait_for 10 said 'the CA of client certificates is not reloaded, the old one stays'
    verify ndes1 device-15 true
    cat stranger.pem | as_user sh -c 'cat >"$1"' sh "$SITE/lib/scep/certs/clients.crt.pem"
    kill -HUP "$(daemon_pid)"
    wait_for 10 trusted_no_more
    verify wrongca device-15 true # its name is the same: which CA vouches for it is the administrator's word
    as_user mv "$SITE/lib/scep/certs/clients.crt.pem.before" "$SITE/lib/scep/certs/clients.crt.pem"
    kill -HUP "$(daemon_pid)"
    wait_for 10 verify ndes1 device-15 true
}
trusted_no_more() { [ "$(ask ndes1 VerifyRequest "$T/device-15.json")" = 403 ]; }
@test "without a managed endpoint and without HTTPS for devices: the CRP log is there as soon as a server asks" {
    as_user cp "$SITE/etc/chancery.conf" "$SITE/etc/before"
    conf_set '/^endpoint "managed"/,/^}/d'
    conf_set 's/^    https_listen = .*/    https_listen = {}/'
    daemon_stop
    as_user rm "$LOG"
    daemon_start
    CRS=https://localhost:$(port_of crp scep)/CertificateRegistrationSvc/Certificate
    [ ! -e "$LOG" ]
    fresh device-16
    verify ndes1 device-16 true
    logged 'VerifyRequest Finished with status True'
    [ "$(stat -c %a "$LOG")" = 640 ]
    chancery status | grep -q 'tls_not_after=20' # of the only listener that has it
    chancery --json remind --within 4000d | grep -q '"tls"'
    as_user mv "$SITE/etc/before" "$SITE/etc/chancery.conf"
    daemon_stop
    daemon_start
}
@test "a configuration that lets nobody in, or trusts what is no CA, is refused" {
    refused_conf() { # SED TEXT
        as_user cp "$SITE/etc/chancery.conf" "$SITE/etc/before"
        conf_set "$1"
        run as_user "$WORK/p/sbin/chanceryd" -t -c "$SITE/etc/chancery.conf"
        as_user mv "$SITE/etc/before" "$SITE/etc/chancery.conf"
        [ "$status" -ne 0 ] && [[ "$output" == *"$2"* ]] || { echo "$output"; return 1; }
    }
    refused_conf '/crp_clients/d' 'crp_listen has an address, and crp_clients is empty'
    refused_conf '/crp_client_ca/d' 'crp_listen has an address, and crp_client_ca is empty'
    refused_conf 's/"ndes1.example.net"/"*.example.net"/' 'option crp_clients has "*.example.net"; allowed is a DNS name'
    refused_conf 's|crp_client_ca = .*|crp_client_ca = "../clients"|' 'option crp_client_ca is "../clients"; allowed are a-z'
    refused_conf 's|crp_client_ca = .*|crp_client_ca = "gone"|' "role scep needs $SITE/lib/scep/certs/gone.crt.pem"
    refused_conf 's|crp_client_ca = .*|&\n    crp_ca = "gone"|' 'option crp_ca is "gone"'
    daemon_stop
    as_user sh -c 'cat "$2" >>"$1"' sh "$SITE/lib/scep/certs/clients.crt.pem" "$WORK/x/ndes1.pem"
    as_user sh -c ': >"$1/daemon.log"' sh "$WORK"
    run as_user timeout 15 "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
    [[ "$output" == *"a certificate that is no CA's"* ]] || { echo "$output"; false; }
}
