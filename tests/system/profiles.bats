#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Profiles of the management service: a real site, by the command line.
load helper

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    cp -a "$SITE/lib" "$WORK/lib"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -out "$WORK/root.pem" -subj '/CN=Root' \
        -days 3650 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}
setup() { daemon_start; }
teardown() { # each test begins without a profile
    daemon_stop
    rm -rf "$SITE/lib/mdm"
    cp -a "$WORK/lib/mdm" "$SITE/lib/mdm"
}
teardown_file() { work_end; }

member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
lines() { python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
root_json() { # NAME PLATFORM
    python3 -c 'import json, sys; print(json.dumps({"name": sys.argv[1], "type": "trusted-certificate", "platform": sys.argv[2],
        "certificate": open(sys.argv[3]).read()}))' "$1" "$2" "$WORK/root.pem"
}
scep_json() { # NAME [MEMBER=JSON…]
    python3 -c '
import json, sys
profile = {"name": sys.argv[1], "type": "scep", "platform": "linux", "certificate_type": "device", "subject_name": "CN={{DeviceName}}",
    "key_usage": ["digitalSignature"], "key_size": 2048, "hash_algorithm": "SHA-2", "root_certificate": "Root", "renewal_threshold": 20,
    "extended_key_usage": [{"name": "Client Authentication", "oid": "1.3.6.1.5.5.7.3.2"}], "scep_server_urls": ["https://scep.example.org/scep"]}
for part in sys.argv[2:]:
    name, _, value = part.partition("=")
    profile[name] = json.loads(value)
print(json.dumps(profile))' "$@"
}
refused() { # STATUS TEXT COMMAND…
    run chancery "${@:3}"
    echo "$output"
    [ "$status" = "$1" ] && grep -q -F -- "$2" <<<"$output"
}

@test "profiles are saved version by version, and what is wrong is said at once" {
    root_json Root linux >"$WORK/tmp/root.json"
    scep_json 'Wi-Fi' >"$WORK/tmp/scep.json"
    refused 1 'root_certificate is "Root": there is no profile of that name' profile add -f "$WORK/tmp/scep.json"
    chancery profile add -f "$WORK/tmp/root.json"
    run chancery profile add -f "$WORK/tmp/scep.json"
    [ "$status" = 0 ]
    grep -q '^warning: root_certificate is "Root": not compared' <<<"$output"
    chancery profile list --type scep | grep -q 'Wi-Fi *1 *scep *linux'
    scep_json 'Wi-Fi' renewal_threshold=30 >"$WORK/tmp/scep.json"
    [ "$(chancery --json profile set wi-fi -f "$WORK/tmp/scep.json" 2>/dev/null | member version)" = 2 ]
    [ "$(chancery --json profile set wi-fi -f "$WORK/tmp/scep.json" 2>/dev/null | member version)" = 2 ]
    [ "$(chancery --json profile versions wi-fi | lines)" = 2 ]
    chancery profile versions wi-fi 1 | grep -q '"renewal_threshold": 20'
    chancery profile show wi-fi | grep -q '"root_certificate": "Root"'
    scep_json 'Wi-Fi' renewal_threshold=0 key_size=2047 >"$WORK/tmp/wrong.json"
    run chancery profile set wi-fi -f "$WORK/tmp/wrong.json"
    [ "$status" = 1 ]
    grep -q 'key_size is "2047": must be 1024, 2048 or 4096' <<<"$output"
    grep -q '^renewal_threshold is "0"' <<<"$output"
    refused 1 'is the root certificate of Wi-Fi' profile delete root
    refused 2 'missing: -f FILE' profile set wi-fi
    refused 2 'value missing behind -f' profile set wi-fi -f
    refused 2 'given twice: -f' profile set wi-fi -f "$WORK/tmp/scep.json" -f "$WORK/tmp/scep.json"
    chancery profile delete wi-fi
    chancery profile delete root
    [ "$(chancery --json profile list | lines)" = 0 ]
}
@test "a preview says what a device would ask for, or why it would not" {
    root_json Root linux >"$WORK/tmp/root.json"
    scep_json 'Wi-Fi' >"$WORK/tmp/scep.json"
    chancery profile add -f "$WORK/tmp/root.json"
    chancery profile add -f "$WORK/tmp/scep.json"
    chancery device add linux --name lab-3
    chancery device add ios --name phone
    chancery profile preview Wi-Fi lab-3 | grep -q '^  subject: CN=lab-3$'
    chancery profile preview Wi-Fi phone | grep -q 'it would fail: device "phone" .* is of platform ios'
    [ "$(chancery --json profile preview Wi-Fi phone | member code)" = ERR_PROFILE_DEVICE ]
    refused 3 'there is no device nobody' profile preview Wi-Fi nobody
}
@test "profiles are assigned to groups, and doubts are warnings" {
    root_json Root linux >"$WORK/tmp/root.json"
    scep_json 'Wi-Fi' >"$WORK/tmp/scep.json"
    chancery profile add -f "$WORK/tmp/root.json"
    chancery profile add -f "$WORK/tmp/scep.json"
    chancery group add lab --kind device
    chancery group add old --kind device
    chancery device add linux --name lab-3
    run chancery assign add Wi-Fi lab
    [ "$status" = 0 ]
    grep -q '^warning: group is "lab": has no members' <<<"$output"
    grep -q '^warning: root_certificate is "Root": is not assigned to these groups of Wi-Fi: lab' <<<"$output"
    chancery group member add lab lab-3
    chancery group member add old lab-3
    [ -z "$(chancery assign add Root lab 2>&1)" ]
    chancery assign add Wi-Fi old --exclude
    refused 1 'has group old as exclude, so it cannot have it as include' assign add Wi-Fi old
    chancery assign list Wi-Fi | grep -q 'old *device *exclude'
    chancery assign list --group lab | grep -q 'Wi-Fi *scep *linux *include'
    refused 1 'is assigned to group lab' profile delete Wi-Fi
    chancery assign remove Wi-Fi lab
    refused 3 'Wi-Fi is not assigned to group lab' assign remove Wi-Fi lab
    [ "$(chancery --json assign list Wi-Fi | lines)" = 1 ]
}
@test "what reaches a device is shown with the group, and what does not with the reason" {
    root_json Root linux >"$WORK/tmp/root.json"
    scep_json 'Wi-Fi' >"$WORK/tmp/scep.json"
    chancery profile add -f "$WORK/tmp/root.json"
    chancery profile add -f "$WORK/tmp/scep.json"
    chancery group add lab --kind device
    chancery group add building --kind device
    chancery device add linux --name lab-3
    chancery group member add lab lab-3
    chancery group member add building lab --group
    [ "$(chancery --json device profiles lab-3 | lines)" = 0 ]
    chancery assign add Wi-Fi building
    chancery device profiles lab-3 | grep -q 'Wi-Fi *1 *scep *root *its root certificate'
    chancery assign add Root lab
    chancery device profiles lab-3 | grep -q 'Wi-Fi *1 *scep *reaches *by device group building'
    chancery assign add Wi-Fi lab --exclude
    chancery device profiles lab-3 | grep -q 'Wi-Fi *1 *scep *excluded *excluded by device group lab'
    refused 3 'there is no device nobody' device profiles nobody
}
