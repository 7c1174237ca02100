#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A site of all platforms, ten profiles, 200 users and 1,000 devices, of which fifty come: each ends with exactly the certificate that the
# preview told of. And for one challenge every change of one field of the request: none gets a certificate, and the log says why.
# slow: fifty devices make their keys.
load helper

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    conf_add <<'E2'
endpoint "users" {
    validator = "managed"
    general_purpose_template = "SCEPUser"
}
E2
    daemon_start
    chancery authority add mdm --certificate "$SITE/lib/mdm/certs/signing-1.crt.pem" --issues 1000 \
        --templates SCEPDevice,SCEPDeviceSignature,SCEPDeviceEncryption,SCEPUser --suffixes dns:.example.org,upn:@example.org,email:@example.org
    # As on a Windows CA: without it the validity of a profile counts for nothing.
    chancery ca flags +EDITF_ATTRIBUTEENDDATE
    wait_for 20 grep -q 'challenges are encrypted to 1 certificates of ca' "$WORK/daemon.log"
}
teardown_file() { work_end; }
setup() {
    ports_read
    FLEET=$WORK/tmp/fleet MDM=https://localhost:$(port_of https mdm)
    export FLEET MDM SOURCE
}

device() { python3 "$SOURCE/tools/device.py" "$FLEET/$1" "$MDM" "$WORK/ca.pem" "${@:2}"; }
serials() { seq -f 'S%g' 0 49; }
platform_of() { # SERIAL, of one that comes
    local platforms=(android android-enterprise ios linux windows-10)
    echo "${platforms[$((${1#S} % 5))]}"
}
come() { # SERIAL: what one device does, told what it would get before
    local platform
    platform=$(platform_of "$1")
    chancery profile preview "Scep $platform" "$1" >"$FLEET/$1.preview"
    device "$1" enrol "$(chancery token add --device "$1" | sed -n 's/^token  *//p')" "{\"platform\": \"$platform\", \"serial\": \"$1\"}" \
        >"$FLEET/$1.log" && device "$1" obey >>"$FLEET/$1.log"
}
states() { chancery --json deployment list --limit 1000 ${1:+--profile "$1"} | python3 -c 'import collections, json, sys
print(sorted(collections.Counter(d["state"] for d in json.load(sys.stdin)).items()))'; }
installed_are() { [ "$(chancery --json deployment list --state installed --limit 1000 | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = "$1" ]; }

exact_is_issued() { chancery deployment list --profile Exact --state issued | grep -q '^M1 '; }

@test "users and devices are imported, profiles of five platforms saved and assigned to nested groups" {
    mkdir "$FLEET"
    python3 "$SOURCE/tests/system/fleet.py" make "$FLEET" "$SITE/lib/scep/certs/ca-issuing-root.crt.pem" "$HTTP"
    chmod -R a+rX "$FLEET"
    chancery user import "$FLEET/users.csv" | grep -q '^added *200'
    chancery device import "$FLEET/devices.json" | grep -q '^added *1000'
    local file group number
    for file in "$FLEET"/[12]-*.json; do chancery profile add -f "$file"; done
    [ "$(chancery --json profile list | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = 10 ]
    chancery group add all --kind user
    for group in north south; do
        chancery group add $group --kind user
        chancery group member add all $group --group
    done
    for number in $(seq 0 2 49); do
        chancery group member add north "user-$number@example.org"
        chancery group member add south "user-$((number + 1))@example.org"
    done
    for file in "$FLEET"/1-*.json; do
        group=$(basename "${file#*/1-}" .json)
        chancery assign add "Root ${group#1-}" all
        chancery assign add "Scep ${group#1-}" all
    done
}
@test "fifty devices of five platforms enrol, check in, enrol over SCEP and are installed, each with what the preview said" {
    local since days
    since=$(date +%s)
    days=$(chancery template show SCEPDevice | sed -n 's/^validity  *\([0-9]*\)d$/\1/p')
    export -f come chancery as_user device platform_of
    export BUILD RUN_AS
    serials | xargs -P 3 -I '{}' bash -c 'come "{}" || { cat "$FLEET/{}.log"; exit 1; }' || { daemon_log | grep -v ' info ' | tail -n 5; return 1; }
    wait_for 30 installed_are 100 || { states; return 1; }
    python3 "$SOURCE/tests/system/fleet.py" compare "$FLEET" "$since" "$days" >"$FLEET/compared" || { cat "$FLEET/compared"; return 1; }
    grep -qx 'compared 50' "$FLEET/compared"
    [ "$(chancery request list --status issued --limit 1000 | grep -c ' endpoint/\(managed\|users\) ')" = 50 ]
}
@test "one challenge, and every change of one field of the request: none gets a certificate, and ca's log has both values" {
    local profile item key challenge before
    cat >"$FLEET/exact.json" <<E3
{"name": "Exact", "type": "scep", "platform": "linux", "certificate_type": "device", "subject_name": "CN={{Device_Serial}},OU=Sales,O=Example",
 "subject_alternative_names": ["DNS = m1.example.org", "DNS = second.example.org"], "key_usage": ["digitalSignature", "keyEncipherment"],
 "key_size": 2048, "hash_algorithm": "SHA-2", "root_certificate": "Root linux", "renewal_threshold": 20,
 "extended_key_usage": [{"name": "Client Authentication", "oid": "1.3.6.1.5.5.7.3.2"}], "scep_server_urls": ["$URL/managed"]}
E3
    chancery profile add -f "$FLEET/exact.json"
    chancery group add exact --kind device
    chancery device add linux --serial M1 --name M1
    chancery group member add exact M1
    chancery assign add 'Root linux' exact
    chancery assign add Exact exact
    device M1 enrol "$(chancery token add --device M1 | sed -n 's/^token  *//p')" '{"platform": "linux", "serial": "M1"}'
    item=$(device M1 checkin | python3 -c 'import json, sys
print(json.dumps(json.loads(sys.stdin.read().split(" ", 1)[1])["do"][1]))')
    profile=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["profile"])' "$item")
    openssl genrsa -traditional -out "$FLEET/M1/scep.key" 2048 2>/dev/null
    key=$(openssl pkey -in "$FLEET/M1/scep.key" -pubout -outform DER | sha256sum | cut -d' ' -f1)
    challenge=$(device M1 post /device/v1/challenge "{\"profile\": \"$profile\", \"key\": \"$key\"}" | python3 -c 'import json, sys
print(json.loads(sys.stdin.read().split(" ", 1)[1])["challenge"])')
    before=$(certificate_count)
    python3 "$SOURCE/tests/system/mutations.py" "$FLEET/M1" "$URL/managed" "$WORK/ca.pem" "$item" "$challenge" \
        "$SITE/log/ca/CertificateRegistrationPoint.log" "$WORK/daemon.log"
    [ "$(certificate_count)" = $((before + 1)) ]
    wait_for 20 exact_is_issued
}
