#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The directory of the management service: a real site, by the command line and over HTTPS.
load helper

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    cp -a "$SITE/lib" "$WORK/lib"
}
setup() { daemon_start; }
teardown() { # each test begins with an empty directory
    daemon_stop
    rm -rf "$SITE/lib/mdm"
    cp -a "$WORK/lib/mdm" "$SITE/lib/mdm"
    conf_set '/^    store = /d'
}
teardown_file() { work_end; }

member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
admin() { curl -sS --cacert "$WORK/ca.pem" "https://localhost:$(port_of admin mdm)$1" "${@:2}"; }
lines() { python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
refused() { # STATUS TEXT COMMAND…
    run chancery "${@:3}"
    echo "$output"
    [ "$status" = "$1" ] && grep -q -F -- "$2" <<<"$output"
}

@test "users, groups and devices are made, shown, changed and deleted" {
    chancery user add Anna@example.org --name 'Müller, Anna' --sam-name 'EXAMPLE\anna' --sid S-1-5-21-1-2-3-500
    chancery user list | grep -q 'Anna@example.org *Müller, Anna *true *local'
    [ "$(chancery --json user show ANNA@EXAMPLE.ORG | member sam_name)" = 'EXAMPLE\anna' ]
    chancery user set anna@example.org --email anna@example.org --name ''
    [ "$(chancery --json user show anna@example.org | member name)" = None ]
    chancery user disable anna@example.org
    [ "$(chancery --json user list --enabled false | lines)" = 1 ]
    chancery user enable anna@example.org
    chancery device add windows-10 --name PC7 --serial S7 --owner anna@example.org --ownership company --domain-joined true --fqdn pc7.example.org
    [ "$(chancery --json device show S7 | member owner)" = "$(chancery --json user show anna@example.org | member id)" ]
    chancery group add staff --kind user
    chancery group add all --kind user --description 'everybody'
    chancery group member add all staff --group
    chancery group member add staff anna@example.org
    [ "$(chancery --json user groups anna@example.org | lines)" = 2 ]
    chancery group members staff | grep -q Anna@example.org
    chancery group member remove staff anna@example.org
    [ "$(chancery --json group members staff | lines)" = 0 ]
    refused 1 'retire it first' device delete PC7
    [ "$(chancery --json device retire PC7 | member state)" = retired ]
    chancery device delete PC7
    chancery user delete anna@example.org
    chancery group delete staff
    [ "$(chancery --json user list --deleted | lines)" = 1 ]
    refused 3 'there is no user anna@example.org' user show anna@example.org
    # The role tells of itself as the others do, and what was done is in the store after a restart.
    chancery status | grep -q '^mdm *serving *users=0 groups=1 devices=0'
    daemon_stop
    daemon_start
    [ "$(chancery --json group list | lines)" = 1 ]
}
@test "what is wrong is refused by name, with both values" {
    chancery user add anna@example.org
    refused 1 'upn "ANNA@EXAMPLE.ORG" is that of another user' user add ANNA@EXAMPLE.ORG
    chancery user add 'jäger@example.org'
    refused 1 'is that of another user' user add 'JÄGER@example.org'
    refused 1 'upn is "x"; allowed is a user principal name' user add x
    refused 1 'sid is "x"; allowed' user set anna@example.org --sid x
    refused 1 'name is "' user set anna@example.org --name $'two\nlines'
    refused 1 "are 256 octets, and these are 300" user set anna@example.org --name "$(printf '%300s' x)"
    refused 1 'platform is "iOS"; allowed is android' device add iOS
    refused 1 'owner: there is no user nobody@example.org' device add ios --owner nobody@example.org
    refused 1 'kind is not there' group add staff
    chancery group add staff --kind user
    chancery group add phones --kind device
    chancery group add deep --kind user
    refused 3 'there is no device anna@example.org' group member add phones anna@example.org
    refused 1 'is a device group, and staff is a group of users' group member add staff phones --group
    chancery group member add staff deep --group
    refused 1 'with this it would be in itself' group member add deep staff --group
    refused 1 'with this it would be in itself' group member add deep deep --group
    # SQL is text.
    chancery user add "x'--@example.org" --name "'; DROP TABLE directory_user; --" --sam-name '" OR 1=1'
    [ "$(chancery --json user show "x'--@example.org" | member name)" = "'; DROP TABLE directory_user; --" ]
    refused 3 'there is no user' user show "' OR '1'='1"
    [ "$(chancery --json user list | lines)" = 3 ]
    # An attribute's value cannot move the administrator's cursor, and an argument is UTF-8.
    refused 2 'no text in UTF-8' user set anna@example.org --name $'\xff'
}
@test "an option that is given twice is refused, and so is what is no option" {
    chancery user add anna@example.org
    run chancery user set anna@example.org --name a --name b
    [ "$status" = 2 ]
    grep -q 'given twice: --name' <<<"$output"
    refused 2 'given twice: --enabled' user list --enabled true --enabled false
    refused 2 'unexpected --nonsense' user set anna@example.org --nonsense x
    refused 2 'unexpected other' user show anna@example.org other
    refused 2 'operand missing' user show
    refused 2 'value missing behind --name' user set anna@example.org --name
    refused 2 'nothing to change' user set anna@example.org
    refused 2 'neither add nor remove' group member anna@example.org
    [ "$(chancery --json user show anna@example.org | member name)" = None ]
}
@test "nobody gets in over HTTPS but to the documentation, and devices' listener has nothing of the administrators'" {
    admin /api/v1/openapi.json >"$WORK/tmp/openapi"
    [ "$(member openapi <"$WORK/tmp/openapi")" = 3.0.3 ]
    local method target
    for target in /api/v1/users /api/v1/devices/x/retire /api/v1/audit /api/v1/nothing / '/api/v1/users?limit=1'; do
        for method in GET POST PUT PATCH DELETE; do
            [ "$(admin "$target" -X "$method" -H 'Content-Type: application/json' -d '{"upn":"a@b"}' -o "$WORK/tmp/a" -w '%{http_code}')" = \
                "$([ $method = GET ] || [ $method = DELETE ] && echo 400 || echo 401)" ]
        done
        [ "$(admin "$target" -o "$WORK/tmp/a" -w '%{http_code}')" = 401 ]
        [ "$(member code <"$WORK/tmp/a")" = ERR_SIGN_IN ]
        [ "$(admin "$target" -X DELETE -o /dev/null -w '%{http_code}')" = 401 ]
    done
    admin /api/v1/users -u admin:admin -o /dev/null -w '%{http_code}' | grep -qx 401
    admin /api/v1/users -H 'Authorization: Bearer x' -D - -o /dev/null | grep -qi '^www-authenticate: bearer'
    [ "$(chancery --json user list | lines)" = 0 ]
    # The listener that devices come to.
    [ "$(curl -sS --cacert "$WORK/ca.pem" -o /dev/null -w '%{http_code}' "https://localhost:$(port_of https mdm)/api/v1/openapi.json")" = 404 ]
    [ "$(curl -sS --cacert "$WORK/ca.pem" -o /dev/null -w '%{http_code}' -X DELETE "https://localhost:$(port_of https mdm)/api/v1/users/x")" = 405 ]
    # Each has an access log, and neither is in the other's.
    grep -q '/api/v1/users' "$SITE/log/mdm/admin.log"
    grep -q '/api/v1/openapi.json' "$SITE/log/mdm/access.log"
    not grep -q '/api/v1/audit' "$SITE/log/mdm/access.log"
}
@test "a file is imported whole or not at all, and its errors name line and column" {
    printf '\xef\xbb\xbfupn,name,enabled\r\nanna@example.org,"Müller, Anna",\r\nbert@example.org,,false\r\n' >"$WORK/tmp/users.csv"
    chmod a+r "$WORK/tmp/users.csv"
    chancery user import "$WORK/tmp/users.csv" --dry-run | grep -q '^added *2'
    [ "$(chancery --json user list | lines)" = 0 ]
    [ "$(chancery --json user import "$WORK/tmp/users.csv" | member added)" = 2 ]
    [ "$(chancery --json user show anna@example.org | member name)" = 'Müller, Anna' ]
    refused 1 'line 2: upn "anna@example.org" is that of another user' user import "$WORK/tmp/users.csv"
    printf 'platform,serial,owner\nios,S1,anna@example.org\nios,S2,nobody@example.org\n' >"$WORK/tmp/devices.csv"
    refused 1 'line 3: owner: there is no user nobody@example.org' device import "$WORK/tmp/devices.csv"
    printf 'platform,imei\nios,490154203237518\nios,12\n' >"$WORK/tmp/devices.csv"
    refused 1 'line 3, column 2: imei is "12"; allowed are 14 to 16 digits' device import "$WORK/tmp/devices.csv"
    printf 'platform,name\nios,M\xfcller\n' >"$WORK/tmp/devices.csv"
    refused 1 'line 2 is not UTF-8' device import "$WORK/tmp/devices.csv"
    printf 'platform,name\nios,a\0b\n' >"$WORK/tmp/devices.csv"
    refused 1 'line 2 is not UTF-8 without NUL' device import "$WORK/tmp/devices.csv"
    [ "$(chancery --json device list | lines)" = 0 ]
    echo '[{"platform":"linux","name":"a"},{"platform":"linux","name":"b","domain_joined":false}]' >"$WORK/tmp/devices.json"
    chancery device import "$WORK/tmp/devices.json" | grep -q '^added *2'
    echo '[{"platform":"linux"},{"platform":"linux","nonsense":1}]' >"$WORK/tmp/devices.json"
    refused 1 'item 2: a device has no member nonsense' device import "$WORK/tmp/devices.json"
    [ "$(chancery --json device list | lines)" = 2 ]
    chancery --json device list >"$WORK/tmp/all.json" # what is listed has the service's own attributes, which nobody else sets
    chmod a+r "$WORK/tmp/all.json"
    refused 1 'item 1: id is set by the service' device import "$WORK/tmp/all.json"
}
@test "a kill in the middle of an import leaves nothing of it, and the same file is imported afterwards" {
    python3 - "$WORK/tmp/many.csv" <<'PY'
import sys
with open(sys.argv[1], "w") as out:
    out.write("platform,serial,name\n")
    out.writelines(f"ios,S{n},phone {n}\n" for n in range(20000))
PY
    chmod a+r "$WORK/tmp/many.csv"
    local round importer
    for round in 1 2 3; do
        chancery device import "$WORK/tmp/many.csv" >"$WORK/tmp/out" 2>&1 3>&- &
        importer=$!
        sleep "0.$((round * 2))"
        kill -KILL "$(role_pid mdm)"
        wait "$importer" && status=0 || status=$?
        back() { chancery status | grep -q '^mdm *serving'; }
        wait_for 20 back
        if [ $status = 0 ]; then break; fi # it was faster
        grep -E '^mdm *serving *users=0 groups=0 devices=(0|20000) ' <(chancery status)
        if chancery status | grep -q 'devices=20000'; then break; fi # done, and not told any more
    done
    chancery status | grep -q 'devices=20000' || chancery device import "$WORK/tmp/many.csv" | grep -q '^added *20000'
    chancery status | grep -q 'devices=20000'
    refused 1 'line 2: serial "S0" is that of the enrolled device' device import "$WORK/tmp/many.csv"
    # All pages of them, each once.
    chancery --json device list >"$WORK/tmp/all"
    python3 -c 'import json, sys; all = json.load(open(sys.argv[1])); assert len({d["id"] for d in all}) == len(all) == 20000' "$WORK/tmp/all"
    [ "$(chancery --json device list --limit 1500 2>/dev/null | lines)" = 1500 ]
}
@test "of many who add at once each is told what became of it" {
    local n pids=()
    for n in $(seq 40); do
        chancery user add "u$((n % 20))@example.org" >"$WORK/tmp/o$n" 2>&1 3>&- &
        pids+=($!)
    done
    for n in "${pids[@]}"; do wait "$n" || true; done
    [ "$(chancery --json user list | lines)" = 20 ]
    [ "$(cat "$WORK"/tmp/o* | grep -c 'is that of another user')" = 20 ]
}
@test "a directory that was lost is not begun anew" {
    chancery user add anna@example.org
    daemon_stop
    mv "$SITE/lib/mdm/store.db" "$WORK/tmp/store.db"
    run timeout 60 setpriv --reuid "$(id -u "$RUN_AS")" --clear-groups "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
    [ "$status" = 1 ]
    grep -q 'error mdm cannot start: the database is a new one without a name.*restore it from the backup' <<<"$output"
    rm -f "$SITE"/lib/mdm/store.db*
    mv "$WORK/tmp/store.db" "$SITE/lib/mdm/store.db"
    daemon_start
    chancery user show anna@example.org
}
@test "a site without the management service is as before" {
    daemon_stop
    conf_set 's/^roles = .*/roles = {"signer", "ca", "scep", "va"}/'
    conf_set '/^mdm {/,/^}/d'
    daemon_start
    chancery status | not grep -q '^mdm'
    refused 4 'cannot connect' user list
    conf_set 's/^roles = .*/roles = {"signer", "ca", "scep", "va", "mdm"}/'
    conf_add <<<'mdm { https_listen = {"127.0.0.1:0"} admin_listen = {"127.0.0.1:0"} }'
}
