#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# From a profile to an installed certificate: a site with the management service, devices that enrol, check in, get their challenge and
# enrol over real SCEP, by clients that nobody here wrote.
load helper

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    # micromdm's scepclient, which takes a request that openssl made (docs/decisions/005).
    conf_add <<'E2'
endpoint "legacy" {
    validator = "managed"
    general_purpose_template = "SCEPDevice"
    signature_template = "SCEPDeviceSignature"
    ra = "combined"
    allow_sha1 = true
    allow_des = true
}
E2
    daemon_start
    chancery authority add mdm --certificate "$SITE/lib/mdm/certs/signing-1.crt.pem" \
        --templates SCEPDevice,SCEPDeviceSignature,SCEPDeviceEncryption --suffixes dns:.example.org,upn:@example.org
    wait_for 20 grep -q 'challenges are encrypted to 1 certificates of ca' "$WORK/daemon.log"
    get_ca "http://127.0.0.1:$HTTP/scep/managed" "$WORK/ra"
    chancery user add anna@example.org
    chancery group add staff --kind user
    chancery group member add staff anna@example.org
    chancery group add lab --kind device
    local platform
    for platform in linux ios; do
        root_json "Root $platform" "$platform" >"$WORK/tmp/root.json"
        chancery profile add -f "$WORK/tmp/root.json"
    done
    scep_json Kiosk linux legacy 'CN={{Device_Serial}}' subject_alternative_names='["DNS = {{Device_Serial}}.example.org"]' \
        >"$WORK/tmp/kiosk.json"
    scep_json Phone ios legacy 'CN={{Device_Serial}}' >"$WORK/tmp/phone.json"
    chancery profile add -f "$WORK/tmp/kiosk.json"
    chancery profile add -f "$WORK/tmp/phone.json"
    chancery assign add 'Root linux' lab
    chancery assign add Kiosk lab
    chancery assign add 'Root ios' staff
    chancery assign add Phone staff
}
teardown_file() { work_end; }
setup() { ports_read; }

root_json() { # NAME PLATFORM
    python3 -c 'import json, sys; print(json.dumps({"name": sys.argv[1], "type": "trusted-certificate", "platform": sys.argv[2],
        "certificate": open(sys.argv[3]).read()}))' "$1" "$2" "$SITE/lib/scep/certs/ca-issuing-root.crt.pem"
}
scep_json() { # NAME PLATFORM ENDPOINT SUBJECT [MEMBER=JSON…]
    python3 -c '
import json, sys
name, platform, endpoint, subject = sys.argv[2:6]
profile = {"name": name, "type": "scep", "platform": platform, "certificate_type": "device", "subject_name": subject,
    "key_usage": ["digitalSignature", "keyEncipherment"], "key_size": 2048, "root_certificate": "Root " + platform, "renewal_threshold": 20,
    "extended_key_usage": [{"name": "Client Authentication", "oid": "1.3.6.1.5.5.7.3.2"}],
    "scep_server_urls": ["http://127.0.0.1:%s/scep/%s" % (sys.argv[1], endpoint)]}
if platform == "linux":
    profile["hash_algorithm"] = "SHA-2"
for part in sys.argv[6:]:
    member, _, value = part.partition("=")
    profile[member] = json.loads(value)
print(json.dumps(profile))' "$HTTP" "$@"
}
device() { # FOLDER COMMAND…: see tools/device.py; the answer's body is in $ANSWER
    local said
    said=$(python3 "$SOURCE/tools/device.py" "$WORK/tmp/$1" "https://localhost:$(port_of https mdm)" "$WORK/ca.pem" "${@:2}")
    STATUS=${said%% *} ANSWER=${said#* }
    echo "$said" | cut -c1-600
}
value() { python3 -c 'import json, sys; v = eval("a" + sys.argv[1], {"a": json.loads(sys.argv[2])}); print(v if isinstance(v, str) else json.dumps(v))' "$1" "$ANSWER"; }
enrolled() { # FOLDER PLATFORM SERIAL [OPTIONS of token add…]
    device "$1" enrol "$(chancery --json token add "${@:4}" | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')" \
        "{\"platform\": \"$2\", \"serial\": \"$3\", \"name\": \"$3\"}"
    [ "$STATUS" = 201 ]
    DEVICE=$(value '["device"]')
}
kiosk() { # FOLDER SERIAL: enrolled, in the group, and with its orders
    enrolled "$1" linux "$2"
    chancery group member add lab "$2"
    device "$1" checkin
    [ "$(value '["do"][0]["type"]')" = trusted-certificate ]
    [ "$(value '["do"][1]["type"]')" = scep ]
    PROFILE=$(value '["do"][1]["profile"]') SUBJECT=$(value '["do"][1]["subject"]')
}
challenged() { # FOLDER: a key, and a challenge for it
    local dir=$WORK/tmp/$1 key
    openssl genrsa -traditional -out "$dir/scep.key" 2048 2>/dev/null
    key=$(openssl pkey -in "$dir/scep.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)
    device "$1" post /device/v1/challenge "{\"profile\": \"$PROFILE\", \"key\": \"$key\"}"
    [ "$STATUS" = 200 ]
    CHALLENGE=$(value '["challenge"]') SCEP_URL=$(value '["scep_server_urls"][0]')
}
request_made() { # FOLDER SUBJECT EXTENSION…: by openssl, with the challenge in it
    local dir=$WORK/tmp/$1
    cat >"$dir/request.cnf" <<E3
[req]
prompt = no
distinguished_name = name
attributes = attributes
req_extensions = extensions
[name]
CN = ${2#CN=}
[attributes]
challengePassword = $CHALLENGE
[extensions]
keyUsage = critical,digitalSignature,keyEncipherment
$(printf '%s\n' "${@:3}")
E3
    openssl req -new -config "$dir/request.cnf" -key "$dir/scep.key" -out "$dir/csr.pem"
}
scep_run() { # FOLDER
    local dir=$WORK/tmp/$1 fingerprint
    fingerprint=$(openssl x509 -in "$SITE/lib/scep/certs/default-combined-1.crt.pem" -outform DER | sha256sum | cut -d' ' -f1)
    rm -rf "$dir.scep"
    as_user mkdir -p "$dir.scep"
    as_user sh -c 'cat >"$1"' sh "$dir.scep/key.pem" <"$dir/scep.key"
    as_user sh -c 'cat >"$1"' sh "$dir.scep/csr.pem" <"$dir/csr.pem"
    (cd "$dir.scep" && as_user env SSL_CERT_FILE="$WORK/ca.pem" scepclient -server-url "$SCEP_URL" -private-key "$dir.scep/key.pem" \
        -certificate "$dir.scep/cert.pem" -challenge "$CHALLENGE" -ca-fingerprint "$fingerprint" >"$dir.scep/log" 2>&1)
}
scep_enrolled() {
    scep_run "$1" || { cat "$WORK/tmp/$1.scep/log"; daemon_log | tail -n 20; return 1; }
    openssl verify -CAfile "$WORK/ca.pem" "$WORK/tmp/$1.scep/cert.pem"
}
report() { # CERTIFICATE: what a device says that has the root and this
    local thumbprint key root
    thumbprint=$(openssl x509 -in "$1" -outform DER | sha256sum | cut -d' ' -f1)
    key=$(openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
    root=$(openssl x509 -in "$SITE/lib/scep/certs/ca-issuing-root.crt.pem" -outform DER | sha256sum | cut -d' ' -f1)
    printf '{"installed": [{"thumbprint": "%s", "key": "%s", "profile": "%s"}, {"thumbprint": "%s", "key": "%s", "profile": null}]}' \
        "$thumbprint" "$key" "$PROFILE" "$root" "$root"
}
state() { # SERIAL PROFILE
    chancery --json deployment list --device "$1" --profile "$2" | python3 -c 'import json, sys; print(*[d["state"] for d in json.load(sys.stdin)])'
}
state_is() { [ "$(state "$1" "$2")" = "$3" ]; }

@test "a device gets its root and its request, enrols over SCEP with its challenge, and is reported as installed" {
    kiosk one K1
    state_is K1 Kiosk delivered
    challenged one
    request_made one "$SUBJECT" extendedKeyUsage=clientAuth subjectAltName=DNS:K1.example.org
    scep_enrolled one
    wait_for 20 state_is K1 Kiosk issued
    device one checkin "$(report "$WORK/tmp/one.scep/cert.pem")"
    [ "$(value '["do"]')" = '[]' ]
    state_is K1 Kiosk installed
    state_is K1 'Root linux' installed
    # Exactly what the preview said.
    chancery profile preview Kiosk K1 >"$WORK/tmp/preview"
    local cert=$WORK/tmp/one.scep/cert.pem
    grep -qx "  subject: $(openssl x509 -in "$cert" -noout -subject -nameopt RFC2253 | cut -d= -f2-)" "$WORK/tmp/preview"
    grep -qx '  subject alternative names: dns:K1.example.org' "$WORK/tmp/preview"
    [ "$(openssl x509 -in "$cert" -noout -ext subjectAltName | tail -n 1 | tr -d ' ')" = DNS:K1.example.org ]
    openssl x509 -in "$cert" -noout -ext keyUsage | grep -qx ' *Digital Signature, Key Encipherment'
    openssl x509 -in "$cert" -noout -ext extendedKeyUsage | grep -qx ' *TLS Web Client Authentication'
    chancery request list --status issued | grep -q 'endpoint/legacy'
    # And nothing of the challenge is in mdm's store or the log.
    not grep -a -q -F "${CHALLENGE:100:60}" "$SITE/lib/mdm/store.db" "$SITE/lib/mdm/store.db-wal" "$WORK/daemon.log"
}
@test "a challenge is for the key that was named, whoever has it" {
    kiosk thief K2
    challenged thief
    openssl genrsa -traditional -out "$WORK/tmp/thief/scep.key" 2048 2>/dev/null
    request_made thief "$SUBJECT" extendedKeyUsage=clientAuth subjectAltName=DNS:K2.example.org
    not scep_run thief
    daemon_log | grep -q 'ERR_REGISTERED_KEY'
    wait_for 20 state_is K2 Kiosk error
    chancery --json deployment list --device K2 --profile Kiosk | grep -q '"code": "ERR_REGISTERED_KEY"'
}
@test "a platform that gets its challenge with the order enrols without naming purposes, for a user's group" {
    enrolled phone ios P1 --user anna@example.org
    device phone checkin
    PROFILE=$(value '["do"][1]["profile"]') CHALLENGE=$(value '["do"][1]["challenge"]') SCEP_URL=$(value '["do"][1]["scep_server_urls"][0]')
    openssl genrsa -traditional -out "$WORK/tmp/phone/scep.key" 2048 2>/dev/null
    request_made phone "$(value '["do"][1]["subject"]')"
    scep_enrolled phone
    wait_for 20 state_is P1 Phone issued
    device phone checkin "$(report "$WORK/tmp/phone.scep/cert.pem")"
    state_is P1 Phone installed
    openssl x509 -in "$WORK/tmp/phone.scep/cert.pem" -noout -ext extendedKeyUsage | grep -qx ' *TLS Web Client Authentication'
}
@test "ca stopped: devices check in and get challenges, and nothing is lost" {
    local ca
    ca=$(role_pid ca)
    kill -STOP "$ca"
    kiosk four K4
    challenged four
    kill -CONT "$ca"
    request_made four "$SUBJECT" extendedKeyUsage=clientAuth subjectAltName=DNS:K4.example.org
    scep_enrolled four
    wait_for 30 state_is K4 Kiosk issued
}
@test "mdm stopped: a challenge that is good still enrols, and mdm hears of it later" {
    kiosk five K5
    challenged five
    request_made five "$SUBJECT" extendedKeyUsage=clientAuth subjectAltName=DNS:K5.example.org
    local mdm
    mdm=$(role_pid mdm)
    kill -STOP "$mdm"
    scep_enrolled five
    kill -CONT "$mdm"
    wait_for 30 state_is K5 Kiosk issued
}
@test "taken out of the group: the challenge ends at once, the certificate is revoked and removed" {
    kiosk six K6
    challenged six
    request_made six "$SUBJECT" extendedKeyUsage=clientAuth subjectAltName=DNS:K6.example.org
    chancery group member remove lab K6
    wait_for 20 grep -q 'authorisations ended count=1 ca=issuing by=mdm' "$WORK/daemon.log"
    not scep_run six
    daemon_log | grep -q 'ERR_NOT_TARGETED'
    # With a certificate: K1's, which stays away.
    chancery group member remove lab K1
    device one checkin "$(report "$WORK/tmp/one.scep/cert.pem")"
    [ "$(value '["do"][0]["action"]')" = remove ]
    wait_for 20 state_is K1 Kiosk revoked
    chancery cert list --status revoked | grep -qi "$(openssl x509 -in "$WORK/tmp/one.scep/cert.pem" -noout -serial | cut -d= -f2)"
    device one checkin '{"installed": []}'
    [ "$(value '["do"]')" = '[]' ]
    state_is K1 Kiosk removed
}
