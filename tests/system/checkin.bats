#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Devices of the management service, over real TLS: they enrol with a token, check in with their certificate, and renew it.
load helper

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    daemon_start
}
teardown_file() { work_end; }

member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
device() { # FOLDER COMMAND…: see tools/device.py
    python3 "$SOURCE/tools/device.py" "$WORK/tmp/$1" "https://localhost:$(port_of https mdm)" "$WORK/ca.pem" "${@:2}"
}
token() { chancery --json token add "$@" | member token; }
status_of() { [ "${output%% *}" = "$1" ] || { echo "$output"; return 1; }; }
answered() { member "$1" <<<"${output#* }"; }

@test "a device enrols with a token, checks in with its certificate, and is in the directory as what it says" {
    chancery user add anna@example.org
    run device phone enrol "$(token --user anna@example.org)" '{"platform": "android", "serial": "S1", "name": "phone"}'
    status_of 201
    local id
    id=$(answered device)
    [ "$(chancery --json device show S1 | member id)" = "$id" ]
    [ "$(chancery --json device show S1 | member owner)" = "$(chancery --json user show anna@example.org | member id)" ]
    # Its certificate says what docs/device-protocol.md says.
    openssl x509 -in "$WORK/tmp/phone/device.pem" -noout -text >"$WORK/tmp/text"
    grep -q "Subject: CN = $id" "$WORK/tmp/text"
    grep -q "URI:chancery://default/device/$id\$" "$WORK/tmp/text"
    grep -q 'TLS Web Client Authentication$' "$WORK/tmp/text"
    grep -q 'CA:FALSE' "$WORK/tmp/text"
    for TLS in 1.2 1.3; do
        export TLS
        run device phone checkin '{"device": {"name": "phone-8"}}'
        status_of 200
        [ "$(answered state) $(answered poll_after_s) $(answered renew) $(answered 'do')" = 'enrolled 180 False []' ]
    done
    unset TLS
    [ "$(chancery --json device show S1 | member name)" = phone-8 ]
    # Over a restart it is still known: the device CA was made once.
    daemon_stop
    daemon_start
    run device phone checkin
    status_of 200
    [ -e "$SITE/lib/mdm/keys/device-ca-1.key.pem" ] && [ ! -e "$SITE/lib/mdm/keys/device-ca-2.key.pem" ]
}
@test "RSA keys enrol, weak ones and other kinds do not, and leave the token its use" {
    local token
    token=$(token)
    KEY='RSA -pkeyopt rsa_keygen_bits:1024' run device rsa enrol "$token" '{"platform": "linux"}'
    status_of 422
    grep -q 'ERR_WEAK_KEY' <<<"$output"
    KEY='EC -pkeyopt ec_paramgen_curve:P-384' run device rsa enrol "$token" '{"platform": "linux"}'
    status_of 422
    KEY='RSA -pkeyopt rsa_keygen_bits:2048' run device rsa enrol "$token" '{"platform": "linux"}'
    status_of 201
    run device rsa checkin
    status_of 200
}
@test "who has no certificate of the device CA is nobody, whatever else they have" {
    device laptop enrol "$(token)" '{"platform": "linux", "serial": "L1"}'
    run env CERT=none python3 "$SOURCE/tools/device.py" "$WORK/tmp/laptop" "https://localhost:$(port_of https mdm)" "$WORK/ca.pem" checkin
    status_of 403
    # One of a CA with the same name, naming an enrolled device.
    local id
    id=$(chancery --json device show L1 | member id)
    (cd "$WORK/tmp" &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=Chancery Device CA' -keyout fake.key -out fake.pem &&
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$id" -keyout forged.key -out forged.csr &&
        printf 'extendedKeyUsage=clientAuth\nsubjectAltName=URI:chancery://default/device/%s\n' "$id" >forged.ext &&
        openssl x509 -req -in forged.csr -CA fake.pem -CAkey fake.key -CAcreateserial -days 1 -extfile forged.ext -out forged.crt &&
        cat forged.crt forged.key >forged.pem) 2>/dev/null
    CERT="$WORK/tmp/forged.pem" run device laptop checkin
    status_of 403
    daemon_log | grep -q 'a device without a certificate that counts peer=127.0.0.1 reason="'
    # A device's certificate opens nothing of the administrators'.
    run curl -sS --cacert "$WORK/ca.pem" --cert "$WORK/tmp/laptop/device.pem" --key "$WORK/tmp/laptop/key.pem" -o /dev/null -w '%{http_code}' \
        "https://localhost:$(port_of admin mdm)/api/v1/users"
    [ "$output" = 401 ]
    run device laptop post /api/v1/users '{"upn": "a@b"}'
    status_of 404
}
@test "a token is one answer when it is wrong, and is gone when it is used, revoked or another's" {
    local token
    token=$(token --note fleet --uses 2)
    run device a enrol "$token" '{"platform": "ios", "serial": "F1"}'
    status_of 201
    chancery token list | grep -q 'fleet .* 1 '
    not grep -q "$token" <<<"$(chancery --json token list)"
    chancery token revoke fleet
    run device b enrol "$token" '{"platform": "ios", "serial": "F2"}'
    status_of 403
    local answer=${output#* }
    run device b enrol 00112233445566778899aabbccddeeff '{"platform": "ios", "serial": "F2"}'
    [ "${output#* }" = "$answer" ]
    # The serial number of another's device is no way to it.
    run device b enrol "$(token)" '{"platform": "ios", "serial": "F1"}'
    status_of 409
    run device b enrol "$(token --device F1)" '{"platform": "ios", "serial": "F1"}'
    status_of 201
    run device a checkin
    status_of 403
    run device b checkin
    status_of 200
    # No token is in the store or in the log.
    not grep -a -q "$token" "$SITE/lib/mdm/store.db" "$SITE/lib/mdm/store.db-wal" "$WORK/daemon.log"
}
@test "a certificate is renewed by the one before it, which counts until the next is used" {
    device tablet enrol "$(token)" '{"platform": "android", "serial": "T1"}'
    cat "$WORK/tmp/tablet/device.pem" "$WORK/tmp/tablet/key.pem" >"$WORK/tmp/before.pem"
    run device tablet renew
    status_of 201
    CERT="$WORK/tmp/before.pem" run device tablet checkin
    status_of 200
    run device tablet checkin
    status_of 200
    CERT="$WORK/tmp/before.pem" run device tablet checkin
    status_of 403
}
@test "a device that is retired is told so, and nothing else" {
    device old enrol "$(token)" '{"platform": "macos", "serial": "M1"}'
    chancery device retire M1
    run device old checkin '{"device": {"name": "ghost"}}'
    [ "$output" = '200 {"state":"retired"}' ]
    [ "$(chancery --json device list --serial M1 | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["name"])')" = None ]
}
# The last one: so many wrong tokens, and this address is not heard for an hour.
@test "a hundred at once with a token of five uses are five devices" {
    local token i
    token=$(token --uses 5)
    for i in $(seq 100); do
        printf '{"token": "%s", "csr": "@", "device": {"platform": "linux", "serial": "C%d"}}\n' "$token" "$i"
    done >"$WORK/tmp/crowd"
    mkdir -p "$WORK/tmp/crowd.d"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout "$WORK/tmp/crowd.key" -outform DER -out "$WORK/tmp/crowd.csr" 2>/dev/null
    sed -i "s|@|$(base64 -w0 "$WORK/tmp/crowd.csr")|" "$WORK/tmp/crowd"
    split -l 1 -d -a 3 "$WORK/tmp/crowd" "$WORK/tmp/crowd.d/"
    # shellcheck disable=SC2046
    curl -sS -Z --parallel-max 100 --cacert "$WORK/ca.pem" $(for i in "$WORK"/tmp/crowd.d/*; do
        printf '%s ' --next -sS --cacert "$WORK/ca.pem" -H Content-Type:application/json --data-binary "@$i" -o /dev/null -w '%{http_code}\n' \
            "https://localhost:$(port_of https mdm)/device/v1/enrol"
    done | sed 's/--next//') >"$WORK/tmp/statuses"
    [ "$(grep -c 201 "$WORK/tmp/statuses")" = 5 ]
    run device late enrol "$(token)" '{"platform": "linux", "serial": "late"}'
    status_of 429
    [ "$(chancery --json device list --platform linux | python3 -c 'import json, sys; print(sum(1 for d in json.load(sys.stdin) if (d["serial"] or "").startswith("C")))')" = 5 ]
}
