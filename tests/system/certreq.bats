#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# certreq: from the policy file of the guides to a PKCS#12, with openssl and certtool as readers. A daemon runs where
# our own CA answers.
load helper

setup() {
    work_begin
    as_user sh -c 'umask 077; echo "correct horse battery" >"$1/pass"; echo "staple" >"$1/other"; echo "wrong" >"$1/wrong"' sh "$WORK/tmp"
    cd "$WORK/tmp" || return
}
teardown() {
    cd / && work_end
}

certreq() { as_user "$WORK/p/bin/chancery" "${json[@]}" certreq "$@"; }
policy() { # SUBJECT OUT: the guides' file, byte for byte but for the subject
    sed "s/Subject Name in CN format/$1/" "$SOURCE/tests/data/certreq/certreq.ini" | as_user tee "$2" >/dev/null
}
request() { # NAME: NAME.csr, NAME.csr.key.pem
    policy "C=NL,O=Example,CN=$1.example" "$1.ini"
    certreq -new "$1.ini" "$1.csr" --passphrase-file pass
}
ca_make() { # a foreign CA, as the one that answers in the guides: ca.pem, ca.key, root.pem
    as_user openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem -subj "/CN=Root" -days 30
    as_user openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.req -subj "/CN=Issuing"
    as_user sh -c 'echo basicConstraints=critical,CA:TRUE >ca.ext'
    as_user openssl x509 -req -in ca.req -CA root.pem -CAkey root.key -days 20 -extfile ca.ext -out ca.pem
}
answer() { # NAME: NAME.crt, issued from NAME.csr
    as_user openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -days 10 -out "$1.crt"
}

@test "the guides' file works as printed once its subject is filled in: openssl and certtool agree" {
    policy 'C=NL, O=Example, CN=ra.example' certreq.ini
    [ "$(diff "$SOURCE/tests/data/certreq/certreq.ini" certreq.ini | grep -c '^>')" = 1 ]
    certreq -new certreq.ini request.csr --passphrase-file pass >out
    grep -q '^no_effect .*MachineKeySet.*ProviderType' out
    [ "$(head -n 1 request.csr)" = "-----BEGIN NEW CERTIFICATE REQUEST-----" ]
    [ "$(stat -c %a request.csr.key.pem)" = 400 ]
    openssl req -in request.csr -verify -text -noout >text 2>&1
    grep -q 'verify OK' text
    grep -q 'Subject: C = NL, O = Example, CN = ra.example$' text
    grep -q 'Public-Key: (2048 bit)' text
    grep -A 1 'Key Usage: critical' text | grep -q 'Digital Signature, Key Encipherment$'
    grep -A 1 'Extended Key Usage' text | grep -q 'TLS Web Client Authentication$'
    certtool --crq-info --infile request.csr >text
    grep -q 'Self signature: verified' text
    grep -q 'Subject: CN=ra.example,O=Example,C=NL' text
    grep -q 'Subject Public Key Algorithm: RSA' text
    grep -q '(2048 bits)' text
    grep -q 'Digital signature' text
    grep -q 'Key encipherment' text
    grep -q 'TLS WWW Client' text
    openssl pkey -in request.csr.key.pem -passin file:pass -noout
    not openssl pkey -in request.csr.key.pem -passin file:wrong -noout 2>/dev/null
}
@test "the file as printed is refused by its placeholder, and nothing is written" {
    run certreq -new "$SOURCE/tests/data/certreq/certreq.ini" request.csr --passphrase-file pass
    [ "$status" = 1 ]
    [[ $output == *'line 6: Subject is still the placeholder "Subject Name in CN format"'* ]]
    [ ! -e request.csr ] && [ ! -e request.csr.key.pem ]
}
@test "what Notepad makes of the file is read: CRLF with UTF-16, and with a UTF-8 mark" {
    policy 'CN=ra.example' plain.ini
    sed 's/$/\r/' plain.ini | iconv -f UTF-8 -t UTF-16LE | { printf '\xff\xfe'; cat; } | as_user tee unicode.ini >/dev/null
    { printf '\xef\xbb\xbf'; sed 's/$/\r/' plain.ini; } | as_user tee utf8.ini >/dev/null
    local form
    for form in unicode utf8; do
        certreq -New "$form.ini" "$form.csr" --passphrase-file pass
        openssl req -in "$form.csr" -noout -subject | grep -q 'CN = ra.example'
    done
    certreq new utf8.ini again.csr --passphrase-file pass
}
@test "elliptic keys and names are asked for as the policy says, and JSON tells" {
    as_user tee ec.inf >/dev/null <<'END'
[NewRequest]
Subject = "CN=host.example"
KeyAlgorithm = ECDSA_P384
KeyUsage = 0x80
HashAlgorithm = sha384
[Extensions]
2.5.29.17 = "{text}"
_continue_ = "dns=host.example&"
_continue_ = "ipaddress=192.0.2.7"
END
    json=(--json)
    certreq -new ec.inf ec.csr --passphrase-file pass >out
    python3 -c 'import json, sys; r = json.load(sys.stdin); assert r["key_algorithm"] == "P-384" and r["no_effect"] == "HashAlgorithm", r' <out
    openssl req -in ec.csr -noout -text | grep -q 'DNS:host.example, IP Address:192.0.2.7'
    openssl req -in ec.csr -noout -text | grep -q 'ecdsa-with-SHA384'
}
@test "nothing is overwritten: neither a request nor a key" {
    request one
    cp one.csr before && cp one.csr.key.pem key-before
    run certreq -new one.ini one.csr --passphrase-file pass
    [ "$status" = 1 ]
    rm one.csr
    run certreq -new one.ini one.csr --passphrase-file pass
    [ "$status" = 1 ]
    [[ $output == *"one.csr.key.pem exists"* ]]
    cmp one.csr.key.pem key-before
    [ ! -e one.csr ]
}
@test "a request that cannot be written leaves no key behind" {
    policy 'CN=a' a.ini
    run certreq -new a.ini missing/a.csr --passphrase-file pass
    [ "$status" = 1 ]
    run certreq -new missing.ini b.csr --passphrase-file pass
    [ "$status" = 3 ]
    [ -z "$(find . -name '*.key.pem')" ]
}
@test "the passphrase is private, not empty, and may come from standard input" {
    policy 'CN=a' a.ini
    as_user sh -c 'echo open >shared; chmod 644 shared'
    run certreq -new a.ini a.csr --passphrase-file shared
    [ "$status" = 1 ]
    [[ $output == *mode* ]]
    run certreq -new a.ini a.csr </dev/null
    [ "$status" = 2 ]
    [[ $output == *"is empty"* ]]
    echo "from standard input" | certreq -new a.ini a.csr
    openssl pkey -in a.csr.key.pem -passin "pass:from standard input" -noout
    run certreq -new a.ini
    [ "$status" = 2 ]
}
@test "the answer and its key become a PKCS#12 that openssl and certtool open" {
    ca_make
    request ra
    answer ra
    as_user openssl crl2pkcs7 -nocrl -certfile root.pem -certfile ra.crt -certfile ca.pem -outform DER -out answer.p7b
    certreq -accept answer.p7b --out ra.pfx --passphrase-file pass --pfx-passphrase-file other >out
    grep -q '^certificates  *3$' out
    [ "$(stat -c %a ra.pfx)" = 400 ]
    chmod a+r ra.pfx
    openssl pkcs12 -in ra.pfx -passin file:other -info -nodes >opened 2>info
    grep -q 'MAC: sha256' info
    [ "$(grep -c 'PBES2, PBKDF2, AES-256-CBC, .*PRF hmacWithSHA256' info)" = 2 ]
    [ "$(grep -c 'BEGIN CERTIFICATE' opened)" = 3 ]
    [ "$(openssl pkey -in opened -pubout)" = "$(openssl x509 -in ra.crt -pubkey -noout)" ]
    [ "$(certtool --p12-info --inder --infile ra.pfx --password staple | grep -c 'BEGIN CERTIFICATE')" = 3 ]
    not openssl pkcs12 -in ra.pfx -passin file:pass -noout 2>/dev/null
    run certreq -accept answer.p7b --out ra.pfx --passphrase-file pass
    [ "$status" = 1 ]
    [[ $output == *"ra.pfx exists"* ]]
}
@test "every form of certificate file is accepted, and the chain is put in order" {
    ca_make
    request ra
    answer ra
    local all=(-certfile root.pem -certfile ca.pem -certfile ra.crt) form
    as_user openssl x509 -in ra.crt -outform DER -out form.cer
    as_user openssl crl2pkcs7 -nocrl "${all[@]}" -out form.p7
    as_user openssl crl2pkcs7 -nocrl "${all[@]}" -outform DER -out form.p7b
    as_user sh -c 'cat root.pem ca.pem ra.crt >form.pem'
    for form in cer p7 p7b pem; do
        certreq -accept "form.$form" --key ra.csr.key.pem --passphrase-file pass
        openssl x509 -in ra.csr.crt.pem -noout -subject | grep -q 'ra.example'
        [ "$form" = cer ] || [ "$(grep -c BEGIN ra.csr.crt.pem)" = 3 ]
        [ "$form" = cer ] || openssl verify -CAfile root.pem -untrusted ra.csr.crt.pem ra.csr.crt.pem
        rm -f ra.csr.crt.pem
    done
}
@test "a certificate of another key is refused and both key identifiers are named" {
    ca_make
    request ra
    request other
    answer other
    key_id() { openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform DER | tail -c +25 | openssl sha1 | sed 's/.*= *//' | tr a-f A-F; }
    run certreq -accept other.crt --key ra.csr.key.pem --passphrase-file pass --out x.pfx
    [ "$status" = 1 ]
    [[ $output == *"it has the key identifier $(key_id other.crt), the key has "* ]]
    [ ! -e x.pfx ]
    certreq -accept other.crt --passphrase-file pass # finds the key by its request
    [ -e other.csr.crt.pem ] && [ ! -e ra.csr.crt.pem ]
    run certreq -accept ca.pem --passphrase-file pass
    [ "$status" = 3 ]
    [[ $output == *"remedy: name the key of its request with --key FILE"* ]]
}
@test "a wrong passphrase, and a file that holds no certificate, are refused" {
    ca_make
    request ra
    answer ra
    run certreq -accept ra.crt --passphrase-file wrong
    [ "$status" = 1 ]
    run certreq -accept ra.csr --key ra.csr.key.pem --passphrase-file pass
    [ "$status" = 1 ]
    [[ $output == *"no PEM block of type CERTIFICATE or PKCS7"* ]]
    [ ! -e ra.csr.crt.pem ]
}
server_policy() { # NAME OUT
    as_user tee "$2" >/dev/null <<END
[NewRequest]
Subject = "CN=$1"
KeyLength = 2048
KeyUsage = 0xa0
[EnhancedKeyUsageExtension]
OID = 1.3.6.1.5.5.7.3.1
[Extensions]
2.5.29.17 = "{text}"
_continue_ = "dns=$1&"
_continue_ = "ipaddress=192.0.2.7"
END
}
@test "our own CA signs the request: -new, request submit, -accept, with names and purposes kept" {
    site_make
    daemon_start
    server_policy host.example server.inf
    certreq -new server.inf server.csr --passphrase-file pass
    chancery request submit server.csr --template WebServer --out server.crt >out
    grep -q '^disposition *issued$' out && grep -q '^certificate *server.crt$' out
    not grep -q BEGIN out
    certreq -accept server.crt --out server.pfx --passphrase-file pass
    openssl pkcs12 -in server.pfx -passin file:pass -nodes -out opened
    openssl x509 -in opened -noout -text >text
    grep -q 'DNS:host.example, IP Address:192.0.2.7' text
    grep -A 1 'Extended Key Usage' text | grep -q 'TLS Web Server Authentication$'
    [ "$(openssl pkey -in opened -pubout)" = "$(openssl req -in server.csr -pubkey -noout)" ]
    openssl verify -CAfile "$WORK/ca.pem" server.crt
    # The same again, in every form: the same certificate. Nothing is overwritten.
    as_user openssl req -in server.csr -outform DER -out server.der
    as_user openssl req -in server.csr -out server.pem
    grep -q 'BEGIN CERTIFICATE REQUEST' server.pem
    local form id serial
    for form in csr der pem; do
        chancery request submit "server.$form" --template WebServer --ca issuing >again
        cmp again server.crt
    done
    run chancery request submit server.csr --template WebServer --out server.crt
    [ "$status" = 1 ]
    [[ $output == *"server.crt exists"* ]]
    id=$(sed -n 's/^id  *//p' out) serial=$(sed -n 's/^serial  *//p' out)
    chancery request show "$id" | grep -q '^requester *cli$'
    chancery request export "$id" | python3 -c 'import json, sys, base64; sys.stdout.buffer.write(base64.b64decode(json.load(sys.stdin)["certificate"]))' |
        openssl x509 -inform DER | cmp - server.crt
    # It is revoked as any other, and then not handed out again.
    chancery cert revoke "$serial" superseded
    chancery crl export issuing | openssl crl -noout -text | grep -q "$serial"
    run chancery request submit server.csr --template WebServer
    [ "$status" = 1 ]
    [[ $output == *"which is revoked"* ]]
}
@test "what the template does not allow, what is no request and what waits is said, each with its exit status" {
    site_make
    daemon_start
    server_policy host.example server.inf
    certreq -new server.inf server.csr --passphrase-file pass
    run chancery request submit server.csr --template ClientAuthentication
    [ "$status" = 1 ]
    [[ $output == *"1.3.6.1.5.5.7.3.1 is asked for; template ClientAuthentication gives clientAuth"* ]]
    run chancery request submit server.csr --template OCSPResponseSigning
    [ "$status" = 1 ]
    [[ $output == *"only roles of the service may have"* ]]
    run chancery request submit server.csr --template NoSuch
    [ "$status" = 1 ]
    [[ $output == *"there is no template NoSuch"* ]]
    run chancery request submit server.inf --template WebServer
    [ "$status" = 1 ]
    [[ $output == *"malformed"* ]]
    run chancery request submit server.csr.key.pem --template WebServer
    [ "$status" = 1 ]
    [[ $output == *"no PEM block of type CERTIFICATE REQUEST"* ]]
    run chancery request submit server.csr
    [ "$status" = 2 ]
    [[ $output == *"--template is missing"* ]]
    chancery template set WebServer manager_approval=yes
    run chancery request submit server.csr --template WebServer
    [ "$status" = 5 ]
    [[ $output == *"waits for approval by somebody else"* ]]
    local id
    id=$(chancery --json request list --status pending | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')
    run chancery request approve "$id"
    [ "$status" = 1 ]
    [[ $output == *"cli asked for request $id"* ]]
    chancery right deny cli enroll --template WebServer
    server_policy other.example other.inf
    certreq -new other.inf other.csr --passphrase-file pass
    run chancery request submit other.csr --template WebServer
    [ "$status" = 1 ]
    [[ $output == *"cli lacks Enroll on template WebServer"* ]]
}
