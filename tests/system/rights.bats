#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Rights, as an administrator changes them while the daemon runs.
load helper

setup_file() {
    work_begin
    site_make --validator static
    printf 'open sesame\n' | chancery password set default 2>/dev/null
    daemon_start
    get_ca "$URL" "$WORK/ra"
}
teardown_file() { work_end; }

enrol() { # NAME: how it ended
    "$BUILD/bench/scep-load" prepare --ca-dir "$WORK/ra" --out "$WORK/m-$1" -n 1 --challenge 'open sesame' >/dev/null
    "$BUILD/bench/scep-load" run "$WORK/m-$1" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/a-$1" -c 1 >/dev/null || true
    chancery --json request list --limit 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["disposition"])'
}

@test "an endpoint has the templates of its slots, until Enroll is taken away, and again when it is given back" {
    [ "$(enrol one)" = issued ]
    for template in SCEPDevice SCEPDeviceSignature SCEPDeviceEncryption; do
        chancery right revoke endpoint/default enroll --template "$template"
    done
    [ "$(enrol two)" = failed ]
    chancery request list --limit 1 | grep 'endpoint/default lacks Enroll on template SCEPDevice'
    chancery --json right list | grep -q '"principal": "endpoint/default"'
    chancery right grant 'endpoint/*' enroll --template SCEPDevice
    chancery right grant endpoint/default enroll,read --template SCEPDevice
    [ "$(enrol three)" = issued ]
}

@test "cli keeps Manage CA, and loses at once what it takes from itself" {
    run chancery right revoke cli manage
    [ "$status" = 1 ]
    [[ "$output" == *"Manage CA"* ]]
    chancery right deny cli read
    run chancery cert list
    [ "$status" = 1 ]
    [[ "$output" == *"cli lacks Read on ca issuing"* ]]
    chancery right grant cli read
    chancery cert list
}

@test "who decided what is read by the audit trail, in pages, and not without the right" {
    chancery right deny admin/auditor read
    chancery audit list --action right_deny --actor cli --limit 1 >"$WORK/trail"
    grep -q 'cli  *right_deny  *admin/auditor ca  *read ' "$WORK/trail"
    run chancery audit list --limit 1
    [[ $output == *"go on with --before "* ]]
    chancery --json audit list --since 1h | python3 -c '
import json, sys
rows = json.load(sys.stdin)
assert [int(r["id"]) for r in rows] == sorted((int(r["id"]) for r in rows), reverse=True) and all(r["ca"] == "issuing" for r in rows), rows'
    chancery template set WebServer validity=100d
    chancery audit list --of templates | grep -q 'cli  *template_set  *template WebServer version 2 '
    run chancery audit list --since yesterday
    [ "$status" = 2 ]
    chancery right revoke cli audit
    run chancery audit list
    [ "$status" = 1 ]
    [[ $output == *"cli lacks Audit on ca issuing"* ]]
    chancery right grant cli audit
}
@test "a right on two templates at once is refused, and not given on the first alone" {
    run chancery right deny endpoint/default enroll --template SCEPDevice --template SCEPUser
    [ "$status" = 2 ]
    [[ "$output" == *"template is given twice"* ]]
    run chancery --json right list
    [[ "$output" != *'"denied": "enroll"'* ]]
}

@test "an authority's limits are added, shown, changed one by one, and removed; what can't be one is refused" {
    chancery authority add mdm --templates SCEPDevice --suffixes dns:.example.net --issues 7
    chancery authority show mdm | grep -E '^suffixes +dns:.example.net$'
    chancery authority set mdm --denied 'admin*'
    chancery --json authority list | python3 -c '
import json, sys
(it,) = json.load(sys.stdin)
assert (it["name"], it["templates"], it["denied"], it["eku"], it["issues"]) == ("mdm", "SCEPDevice", "admin*", "clientAuth", "7"), it'
    chancery right list | grep -q 'authority/mdm'
    run chancery authority add mdm
    [ "$status" != 0 ]
    [[ "$output" == *"mdm"* ]]
    run chancery authority set mdm --suffixes example.net
    [ "$status" != 0 ]
    [[ "$output" == *'KIND:SUFFIX'* ]]
    run chancery authority set mdm --templates NoSuch
    [ "$status" != 0 ]
    [[ "$output" == *NoSuch* ]]
    run chancery authority set mdm --issues -1
    [ "$status" != 0 ]
    chancery authority remove mdm
    run chancery authority show mdm
    [ "$status" != 0 ]
}
