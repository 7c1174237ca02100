#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# runs beside the others: it mostly waits for answers to age
# The validation authority as clients that nobody here wrote see it: OpenSSL, GnuTLS, curl and nginx.
load helper

setup_file() {
    work_begin
    site_make --validator static
    conf_set 's/^va {/&\n    poll_interval = 1/'
    printf 'open sesame\n' | chancery password set default 2>/dev/null
    daemon_start
    get_ca "$URL" "$WORK/ra"
    ISSUING=$SITE/lib/scep/certs/ca-issuing.crt.pem
    export ISSUING
    wait_for 20 has_responder
    enrol good
    enrol bad
    enrol late
    chancery cert revoke "$(serial_of bad)" keyCompromise
}
teardown_file() { work_end; }

enrol() { # NAME: tmp/NAME.key, tmp/NAME.pem
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.m" --challenge 'open sesame' \
        --subject "CN=$1.example"
    [ "$(post "$URL" "$WORK/tmp/$1.m" "$WORK/tmp/$1.a")" = 200 ]
    chmod a+r "$WORK/tmp/$1.a"
    shape open --in "$WORK/tmp/$1.a" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.crt" >/dev/null
    openssl x509 -inform DER -in "$WORK/tmp/$1.crt" -out "$WORK/tmp/$1.pem" 2>/dev/null || cp "$WORK/tmp/$1.crt" "$WORK/tmp/$1.pem"
}
serial_of() { openssl x509 -in "$WORK/tmp/$1.pem" -noout -serial | cut -d= -f2; }
va_status() { chancery --json status | python3 -c 'import json, sys; print([r["detail"] for r in json.load(sys.stdin) if r["role"] == "va"][0])'; }
has_responder() { va_status | grep -q 'ca=issuing ocsp_not_after=20'; }
ocsp() { # NAME [OPTIONS]: what openssl says, which must verify
    local name=$1
    shift
    openssl ocsp "$@" -issuer "$ISSUING" -cert "$WORK/tmp/$name.pem" -url "$VA/ocsp" -CAfile "$WORK/ca.pem" >"$WORK/tmp/said" 2>&1 || { cat "$WORK/tmp/said"; return 1; }
    grep -q '^Response verify OK' "$WORK/tmp/said" || { cat "$WORK/tmp/said"; return 1; }
    sed -n "s/.*$name.pem: //p" "$WORK/tmp/said"
}
said() { [ "$(ocsp "$1" -no_nonce)" = "$2" ]; }
request() { # NAME: tmp/NAME.ocsp
    openssl ocsp -issuer "$ISSUING" -cert "$WORK/tmp/$1.pem" -no_nonce -reqout "$WORK/tmp/$1.ocsp" >/dev/null 2>&1
}
crl_has() { curl -sS "$VA/CertEnroll/issuing.crl" | openssl crl -inform DER -noout -text | grep -q "$(serial_of "$1")"; }
get_url() { # NAME: the URL of its GET request
    request "$1"
    python3 -c 'import base64, sys, urllib.parse; print(sys.argv[2] + "/" + urllib.parse.quote(base64.b64encode(open(sys.argv[1], "rb").read()), safe=""))' \
        "$WORK/tmp/$1.ocsp" "$VA/ocsp"
}
client() { python3 "$SOURCE/tests/system/ocsp.py" "$1" "${VA#http://}" "$WORK/tmp/$2.ocsp" "${@:3}"; }

@test "certificates point to what va serves" {
    local text
    text=$(openssl x509 -in "$WORK/tmp/good.pem" -noout -text)
    grep -q "OCSP - URI:$VA/ocsp" <<<"$text"
    for url in $(sed -n 's/.*URI:\(.*CertEnroll.*\)/\1/p' <<<"$text"); do curl -sS --fail -o "$WORK/tmp/$(basename "$url")" "$url"; done
    openssl crl -inform DER -in "$WORK/tmp/issuing.crl" -CAfile "$WORK/ca.pem" -noout 2>&1 | grep -q 'verify OK'
    [ "$(openssl x509 -inform DER -in "$WORK/tmp/issuing.crt" -noout -fingerprint)" = "$(openssl x509 -in "$ISSUING" -noout -fingerprint)" ]
    text=$(openssl x509 -in "$ISSUING" -noout -text)
    for url in $(sed -n 's/.*URI:\(.*CertEnroll.*\)/\1/p' <<<"$text"); do curl -sS --fail -o "$WORK/tmp/$(basename "$url")" "$url"; done
    openssl verify -crl_check_all -CAfile "$WORK/ca.pem" -CRLfile <(
        openssl crl -inform DER -in "$WORK/tmp/issuing.crl"
        openssl crl -inform DER -in "$WORK/tmp/root.crl"
    ) "$WORK/tmp/good.pem"
    [ "$(openssl x509 -inform DER -in "$WORK/tmp/root.crt" -noout -fingerprint)" = "$(openssl x509 -in "$SITE/root/root-1.crt.pem" -noout -fingerprint)" ]
}

@test "OpenSSL and GnuTLS believe what is said of a good, a revoked and an unknown certificate" {
    [ "$(ocsp good)" = good ] # with a nonce
    [ "$(ocsp good -no_nonce)" = good ]
    [ "$(ocsp good -sha256)" = good ]
    wait_for 20 said bad revoked
    [ "$(ocsp bad)" = revoked ]
    grep -q 'Reason: keyCompromise' "$WORK/tmp/said"
    openssl ocsp -issuer "$ISSUING" -serial 0x123456789 -url "$VA/ocsp" -CAfile "$WORK/ca.pem" 2>&1 | grep -q ': unknown'
    ask() { ocsptool --ask="$VA/ocsp" --load-issuer "$ISSUING" --load-cert "$WORK/tmp/$1.pem" --load-trust "$WORK/ca.pem" 2>&1; }
    ask good >"$WORK/tmp/gnutls"
    grep -q 'Certificate Status: good' "$WORK/tmp/gnutls"
    grep -q 'Verifying OCSP Response: Success' "$WORK/tmp/gnutls"
    ask bad >"$WORK/tmp/gnutls"
    grep -q 'Certificate Status: revoked' "$WORK/tmp/gnutls"
    grep -q 'Verifying OCSP Response: Success' "$WORK/tmp/gnutls"
}

@test "the answer's signer is delegated by the CA itself, and not the CA" {
    ocsp good -respout "$WORK/tmp/answer" >/dev/null
    openssl ocsp -respin "$WORK/tmp/answer" -text -noverify | sed -n '/BEGIN/,/END/p' >"$WORK/tmp/signer.pem"
    openssl verify -CAfile "$WORK/ca.pem" "$WORK/tmp/signer.pem"
    openssl x509 -in "$WORK/tmp/signer.pem" -noout -ext extendedKeyUsage | grep -q 'OCSP Signing'
    openssl x509 -in "$WORK/tmp/signer.pem" -noout -text | grep -q 'OCSP No Check'
    [ "$(stat -c %a "$SITE/lib/va/keys/ocsp-issuing-1.key.pem")" = 400 ]
    grep -q 'BEGIN ENCRYPTED PRIVATE KEY' "$SITE/lib/va/keys/ocsp-issuing-1.key.pem"
}

@test "ten thousand random serials are never good" {
    request good
    client never-good good 10000
    [ "$(va_status | sed -n 's/.*ca=issuing.* cached=\([0-9]*\) ca=node.*/\1/p')" -le 10 ]
    said good good
}
@test "wrong issuer hashes are unauthorized" {
    request good
    client wrong-issuer good
}
@test "nonces of 1 to 128 octets come back, none and 129 are malformed" {
    request good
    client nonces good >"$WORK/tmp/nonces"
    [ "$(wc -l <"$WORK/tmp/nonces")" = 130 ]
    [ "$(grep -c ' successful same$' "$WORK/tmp/nonces")" = 128 ]
    grep -qx '0 malformedRequest none' "$WORK/tmp/nonces"
    grep -qx '129 malformedRequest none' "$WORK/tmp/nonces"
}
@test "requests that are broken are never answered with good" {
    request good
    client malformed good
}

@test "GET works encoded and plain, with a slash too many, and from HTTP/1.0 without Host" {
    local url plain
    url=$(get_url good)
    plain=$VA/ocsp/$(base64 -w0 "$WORK/tmp/good.ocsp")
    for at in "$url" "$plain" "$VA/OCSP//$(base64 -w0 "$WORK/tmp/good.ocsp")"; do
        curl -sS --fail --path-as-is "$at" -o "$WORK/tmp/answer"
        openssl ocsp -respin "$WORK/tmp/answer" -issuer "$ISSUING" -cert "$WORK/tmp/good.pem" -CAfile "$WORK/ca.pem" 2>&1 | grep -q 'good.pem: good'
    done
    printf 'GET /ocsp/%s HTTP/1.0\r\n\r\n' "$(base64 -w0 "$WORK/tmp/good.ocsp")" |
        python3 "$SOURCE/tests/system/raw_http.py" "${VA##*:}" | grep -q '^200'
    printf 'POST /ocsp HTTP/1.0\r\nContent-Length: %d\r\n\r\n' "$(stat -c %s "$WORK/tmp/good.ocsp")" | cat - "$WORK/tmp/good.ocsp" |
        python3 "$SOURCE/tests/system/raw_http.py" "${VA##*:}" | grep -q '^200'
}

header() { sed -n "s/^$1: \(.*\)\r\$/\1/p" "$WORK/tmp/head"; }
@test "answers say how long they may be kept, and are not sent again to who has them" {
    local url etag
    url=$(get_url good)
    said good good
    curl -sS -D "$WORK/tmp/head" -o "$WORK/tmp/answer" "$url"
    [ "$(header Content-Type)" = application/ocsp-response ]
    [ "$(header ETag)" = "\"$(sha1sum "$WORK/tmp/answer" | cut -d' ' -f1 | tr a-f A-F)\"" ]
    [ "$(header Cache-Control)" = 'public, no-transform, must-revalidate, max-age=3600' ]
    etag=$(header ETag)
    openssl ocsp -respin "$WORK/tmp/answer" -text -noverify >"$WORK/tmp/text"
    same_time() { [ "$(date -u -d "$1" +%s)" = "$(date -u -d "$2" +%s)" ]; }
    same_time "$(header Last-Modified)" "$(sed -n 's/.*This Update: //p' "$WORK/tmp/text")"
    same_time "$(header Expires)" "$(sed -n 's/.*Next Update: //p' "$WORK/tmp/text")"
    [ "$(curl -sS -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "$url")" = 304 ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' -H "If-Modified-Since: $(header Last-Modified)" "$url")" = 304 ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' -H 'If-None-Match: "other"' "$url")" = 200 ]
    [ "$(curl -sS -I "$url" | grep -c -i '^content-length: [1-9]')" = 1 ]
    # Errors and answers to a nonce are nobody else's.
    curl -sS -D "$WORK/tmp/head" -o /dev/null "$VA/ocsp/AAAA"
    [ "$(header Cache-Control)" = no-store ]
    openssl ocsp -issuer "$ISSUING" -cert "$WORK/tmp/good.pem" -reqout "$WORK/tmp/nonce.ocsp" >/dev/null 2>&1
    curl -sS -D "$WORK/tmp/head" -o /dev/null --data-binary "@$WORK/tmp/nonce.ocsp" "$VA/ocsp"
    [ "$(header Cache-Control)" = no-store ]
}
@test "a CRL says how long it may be kept, and is not sent again to who has it" {
    curl -sS -D "$WORK/tmp/head" -o "$WORK/tmp/crl" "$VA/CertEnroll/issuing.crl"
    [ "$(header Content-Type)" = application/pkix-crl ]
    [ "$(date -u -d "$(header Expires)" +%s)" = "$(date -u -d "$(openssl crl -inform DER -in "$WORK/tmp/crl" -noout -nextupdate | cut -d= -f2)" +%s)" ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' -H "If-None-Match: $(header ETag)" "$VA/certenroll/ISSUING.crl")" = 304 ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' "$VA/CertEnroll/other.crl")" = 404 ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' "$VA/CertEnroll/issuing+.crl")" = 404 ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' "$VA/CertEnroll/..%2f..%2fetc%2fchancery.conf")" = 404 ]
    [ "$(curl -sS -o /dev/null -w '%{http_code}' --data x "$VA/CertEnroll/issuing.crl")" = 405 ]
}

@test "a revocation is in answers that were good, and in the CRL, within seconds" {
    local began=$SECONDS
    said late good
    chancery cert revoke "$(serial_of late)" superseded
    wait_for 30 said late revoked
    wait_for 30 crl_has late
    [ $((SECONDS - began)) -lt 60 ]
}

@test "an OCSP certificate that is revoked signs nothing more: another key takes its place within seconds" {
    local serial
    signer() { openssl x509 -in "$(printf '%s\n' "$SITE"/lib/va/certs/ocsp-issuing-*.crt.pem | sort -V | tail -n 1)" -noout -serial | cut -d= -f2; }
    serial=$(signer)
    chancery cert revoke "$serial" keyCompromise
    wait_for 20 grep -q "alarm: OCSP certificate is revoked, another key is made ca=issuing serial=$serial" "$WORK/daemon.log"
    wait_for 20 said good good
    [ "$(signer)" != "$serial" ]
    said bad revoked
    [ "$(chancery --json cert show "$(signer)" | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])')" = valid ]
}

@test "the root's next CRL is made with its key and served without a restart" {
    local before
    before=$(curl -sS "$VA/CertEnroll/root.crl" | openssl crl -inform DER -noout -crlnumber)
    chancery crl renew-root --root-dir "$SITE/root" --root-passphrase-file "$WORK/passphrase"
    newer() { [ "$(curl -sS "$VA/CertEnroll/root.crl" | openssl crl -inform DER -noout -crlnumber)" != "$before" ]; }
    wait_for 20 newer
    curl -sS "$VA/CertEnroll/root.crl" | openssl crl -inform DER -CAfile "$WORK/ca.pem" -noout 2>&1 | grep -q 'verify OK'
    echo wrong >"$WORK/wrong"
    chmod 600 "$WORK/wrong"
    [ "$(id -un)" = "$RUN_AS" ] || chown "$RUN_AS:" "$WORK/wrong"
    not chancery crl renew-root --root-dir "$SITE/root" --root-passphrase-file "$WORK/wrong"
}

@test "a restart of va loses nothing but its cache" {
    local old
    old=$(role_pid va)
    kill -KILL "$old"
    wait_for 20 gone "$old"
    wait_for 20 said good good
    [ "$(role_pid va)" != "$old" ]
    daemon_log | grep -q 'OCSP certificate loaded ca=issuing generation=2' # the first is revoked
    wait_for 20 said bad revoked
}

nginx_run() { # one with client certificates and our CRLs, one that asks OCSP
    mkdir -p "$WORK/nginx"
    wait_for 20 crl_has bad
    for name in issuing root; do curl -sS "$VA/CertEnroll/$name.crl" | openssl crl -inform DER; done >"$WORK/nginx/crl.pem"
    cat >"$WORK/nginx/nginx.conf" <<CONF
pid $WORK/nginx/pid;
error_log $WORK/nginx/error.log info;
daemon on;
$([ "$(id -u)" != 0 ] || echo "user root;")
events {}
http {
    access_log off;
    client_body_temp_path $WORK/nginx/body; proxy_temp_path $WORK/nginx/proxy; fastcgi_temp_path $WORK/nginx/fastcgi;
    uwsgi_temp_path $WORK/nginx/uwsgi; scgi_temp_path $WORK/nginx/scgi;
    ssl_certificate $SITE/lib/scep/certs/tls-1.crt.pem;
    ssl_certificate_key $WORK/nginx/key.pem;
    ssl_verify_client on;
    ssl_verify_depth 2;
    ssl_client_certificate $WORK/ca.pem;
    server { listen 127.0.0.1:$1 ssl; ssl_crl $WORK/nginx/crl.pem; location / { return 200 in; } }
    server { listen 127.0.0.1:$2 ssl; ssl_ocsp leaf; ssl_ocsp_responder http://127.0.0.1:${VA##*:}/ocsp; location / { return 200 in; } }
}
CONF
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/nginx/key.pem" -out "$WORK/nginx/cert.pem" -subj /CN=localhost -days 2 2>/dev/null
    sed -i "s,$SITE/lib/scep/certs/tls-1.crt.pem,$WORK/nginx/cert.pem," "$WORK/nginx/nginx.conf"
    nginx -c "$WORK/nginx/nginx.conf" -p "$WORK/nginx" 3>&-
}
enters() { # NAME PORT
    [ "$(curl -sS --cacert "$WORK/nginx/cert.pem" --cert "$WORK/tmp/$1.pem" --key "$WORK/tmp/$1.key" "https://localhost:$2/" 2>/dev/null)" = in ]
}
@test "nginx lets the good one in and keeps the revoked one out, by our CRLs and by our OCSP" {
    local by_crl by_ocsp
    by_crl=$(free_port)
    by_ocsp=$(free_port)
    chmod a+r "$WORK"/tmp/*.key
    nginx_run "$by_crl" "$by_ocsp"
    result=0
    enters good "$by_crl" || result=1
    ! enters bad "$by_crl" || result=2
    enters good "$by_ocsp" || result=3
    ! enters bad "$by_ocsp" || result=4
    kill "$(cat "$WORK/nginx/pid")"
    [ "$result" = 0 ] || { echo "result $result"; cat "$WORK/nginx/error.log"; return 1; }
}

# The last two: they leave the site behind as they need it.
@test "while ca does not answer, cached answers are given until their nextUpdate, and then tryLater" {
    local ca
    daemon_stop
    conf_set 's/^va {/&\n    ocsp_validity = 10/'
    daemon_start
    request good
    request bad
    wait_for 20 said good good
    ca=$(role_pid ca)
    kill -STOP "$ca"
    [ "$(client status good)" = 'successful good' ]
    wait_for 20 grep -q 'what is served is the last' "$WORK/daemon.log"
    [ "$(client status bad)" = tryLater ]
    later() { [ "$(client status good)" = tryLater ]; }
    wait_for 30 later
    [ "$(curl -sS -o /dev/null -w '%{http_code}' "$VA/CertEnroll/issuing.crl")" = 200 ]
    kill -CONT "$ca"
    wait_for 20 said good good
    wait_for 20 said bad revoked
}
@test "the OCSP certificate renews itself at half of its life" {
    daemon_stop
    sqlite3 "$SITE/lib/ca/store.db" "UPDATE template SET validity_s = 40 WHERE name LIKE 'OCSP%'"
    conf_set 's/^ca "issuing" {/&\n    backdate = 0/'
    rm -f "$SITE"/lib/va/keys/ocsp-* "$SITE"/lib/va/certs/ocsp-*
    daemon_start
    wait_for 20 said good good
    wait_for 60 grep -q 'OCSP certificate renewed ca=issuing generation=2' "$WORK/daemon.log"
    said good good
    wait_for 60 grep -q 'OCSP certificate renewed ca=issuing generation=3' "$WORK/daemon.log"
    said good good
    [ ! -e "$SITE/lib/va/keys/ocsp-issuing-1.key.pem" ]
    [ -e "$SITE/lib/va/keys/ocsp-issuing-2.key.pem" ]
    not grep 'not renewed' "$WORK/daemon.log"
}
