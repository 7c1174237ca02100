#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The HTTP front of the real daemon: limits at the limit and one past, statuses, pages, and malformed requests.
load helper

setup_file() {
    work_begin
    site_make --validator one-time
    daemon_start
}
teardown_file() { work_end; }

raw() { # prints the status of a raw request given on standard input, and "closed" when the server ends the connection
    python3 "$SOURCE/tests/system/raw_http.py" "$HTTP"
}
status() { curl -sS -o "$WORK/body" -w '%{http_code}' "$@"; }
long_url() { # a target of exactly N bytes
    python3 -c 'import sys; p = "/scep?operation=GetCACaps&message="; print(p + "a" * (int(sys.argv[1]) - len(p)), end="")' "$1"
}
get_target() { printf 'GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$1" | raw; }

@test "a URL of 65,534 bytes works and one of 65,535 gets 414" {
    [ "$(get_target "$(long_url 65534)")" = "200 closed" ]
    [ "$(get_target "$(long_url 65535)")" = "414 closed" ]
}
@test "a header line at its limit works, one past it gets 431" {
    line() { python3 -c 'import sys; n = int(sys.argv[1]); print("GET /scep?operation=GetCACaps HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: " + "a" * (n - len("X-Long: ")) + "\r\n\r\n", end="")' "$1" | raw; }
    [ "$(line 16384)" = "200 closed" ]
    [ "$(line 16385)" = "431 closed" ]
}
@test "as many header lines as the limit work, one more gets 431" {
    lines() { python3 -c 'import sys; n = int(sys.argv[1]); print("GET /scep?operation=GetCACaps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + "".join(f"X-{i}: a\r\n" for i in range(n - 2)) + "\r\n", end="")' "$1" | raw; }
    [ "$(lines 100)" = "200 closed" ]
    [ "$(lines 101)" = "431 closed" ]
}
@test "a body past the limit gets 413 before it is sent" {
    printf 'POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n' | raw | grep -qx '413 closed'
    printf 'POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n' | raw | grep -qx '413 closed'
    [ "$(head -c 65536 /dev/zero | curl -sS -o /dev/null -w '%{http_code}' --data-binary @- "$URL?operation=PKIOperation")" = 400 ]
}
@test "any Transfer-Encoding gets 411 and the connection is closed" {
    printf 'POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' | raw | grep -qx '411 closed'
    printf 'POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc' | raw | grep -qx '411 closed'
}
@test "malformed and smuggling requests are refused and closed" {
    python3 "$SOURCE/tests/system/smuggling.py" "$HTTP"
}
@test "all the paths of NDES answer, without regard to case or a final slash" {
    for path in /certsrv/mscep/mscep.dll /certsrv/mscep/mscep.dll/pkiclient.exe /certsrv/mscep /cgi-bin/pkiclient.exe /scep \
        /scep/pkiclient.exe /CertSrv/MSCEP/mscep.dll/PKIClient.exe /certsrv/mscep/mscep.dll/ /SCEP/; do
        [ "$(status "http://127.0.0.1:$HTTP$path?operation=GetCACaps&message=default")" = 200 ]
    done
    [ "$(status "http://127.0.0.1:$HTTP/nothing/here")" = 404 ]
    [ "$(status "http://127.0.0.1:$HTTP/scep/../etc/passwd?operation=GetCACaps" --path-as-is)" = 404 ]
}
@test "without operation there is the information page; another method is 405" {
    [ "$(status "$URL")" = 200 ]
    grep -q '<title>Network Device Enrollment Service</title>' "$WORK/body"
    grep -q mscep_admin "$WORK/body"
    [ "$(status -X DELETE "$URL")" = 405 ]
    [ "$(status "$URL?operation=Nonsense")" = 400 ]
    [ "$(status "$URL?operation=GetNextCACert")" = 404 ]
}
@test "GetCACaps says what is true, literally as text/plain" {
    curl -sS -D "$WORK/head" -o "$WORK/body" "$URL?operation=GetCACaps"
    grep -qix $'content-type: text/plain\r' "$WORK/head"
    for capability in AES POSTPKIOperation SHA-256 SHA-512 SCEPStandard; do grep -qx $capability <(tr -d '\r' <"$WORK/body"); done
    for capability in DES3 SHA-1 MD5; do ! grep -qx $capability <(tr -d '\r' <"$WORK/body"); done
}
@test "GetCACert has the shape of NDES: both RA certificates, the issuing CA, no root" {
    curl -sS -D "$WORK/head" -o "$WORK/body" "$URL?operation=GetCACert&message=ca"
    grep -qix $'content-type: application/x-x509-ca-ra-cert\r' "$WORK/head"
    openssl pkcs7 -inform DER -in "$WORK/body" -print_certs -noout >"$WORK/certs"
    [ "$(grep -c ^subject "$WORK/certs")" = 3 ]
    not grep 'subject.*Root CA' "$WORK/certs"
    certtool --p7-info --inder --infile "$WORK/body" | grep -q 'Number of certificates: 3'
}
@test "https serves TLS 1.2 and 1.3, refuses 1.1, and never asks for a client certificate" {
    [ "$(status --cacert "$WORK/ca.pem" --tlsv1.3 "$URLS?operation=GetCACaps")" = 200 ]
    [ "$(status --cacert "$WORK/ca.pem" --tlsv1.2 --tls-max 1.2 "$URLS?operation=GetCACaps")" = 200 ]
    run openssl s_client -connect "127.0.0.1:$HTTPS" -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null
    [ "$status" != 0 ]
    openssl s_client -connect "127.0.0.1:$HTTPS" -servername localhost </dev/null 2>&1 | grep -q 'No client certificate CA names sent'
}
@test "HTTP/1.0 without Host works, and Expect: 100-continue is answered" {
    printf 'GET /scep?operation=GetCACaps HTTP/1.0\r\n\r\n' | raw | grep -qx '200 closed'
    [ "$(status -H 'Expect: 100-continue' --data-binary abc "$URL?operation=PKIOperation")" = 400 ]
}
@test "the access log has the fields of IIS, and no message in it" {
    curl -sS -o /dev/null -A 'Mozilla/4.0 (compatible; Win32; NDES client)' "http://127.0.0.1:$HTTP/certsrv/mscep/mscep.dll/pkiclient.exe?operation=GetCACaps&message=default"
    local log=$SITE/log/scep/access.log
    grep -q '^#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes time-taken$' "$log"
    grep -E "^[0-9-]{10} [0-9:]{8} 127\.0\.0\.1 GET /certsrv/mscep/mscep\.dll/pkiclient\.exe operation=GetCACaps&message=default $HTTP - 127\.0\.0\.1 Mozilla/4\.0\+\(compatible;\+Win32;\+NDES\+client\) - 200 0 0 [0-9]+ [0-9]+$" "$log"
    # Rotated away, it is opened again on the signal.
    as_user mv "$log" "$log.1"
    kill -HUP "$(daemon_pid)"
    wait_for 10 test -f "$log"
    curl -sS -o /dev/null "$URL?operation=GetCACaps"
    wait_for 10 grep -q GetCACaps "$log"
}
