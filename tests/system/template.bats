#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Templates over their whole life, with the real programs and real SCEP enrolments; site files; flags of a CA.
load helper

setup_file() {
    work_begin
    site_make --validator static
    conf_add <<'E2'
endpoint "wifi" {
    validator = "one-time"
    general_purpose_template = "Wifi"
    signature_template = "Wifi"
}
E2
    chancery password set default <<<'open sesame'
    # a slot names its template before the role starts: init's store has none of that name yet
    conf_set 's/"Wifi"/"SCEPUser"/'
    daemon_start
    chancery template new Wifi purpose=signature-and-encryption key_usage=digitalSignature,keyEncipherment validity=30d renewal=5d
    daemon_stop
    conf_set '/endpoint "wifi"/,$ s/"SCEPUser"/"Wifi"/'
    daemon_start
    get_ca "$URL" "$WORK/ra"
}
teardown_file() { work_end; }
setup() {
    ports_read
    T=$(as_user mktemp -d "$WORK/tmp/t.XXXXXX")
    chmod 755 "$T"
}

build() {
    rm -f "$T/key.pem"
    shape build --ra "$WORK/ra/encryption.pem" --key "$T/key.pem" --out "$T/message" "$@"
}
answer() { # URL: prints what the CertRep says
    [ "$(post "$1" "$T/message" "$T/answer")" = 200 ]
    as_user touch "$T/cert.pem"
    chmod a+rw "$T/answer"
    shape open --in "$T/answer" --key "$T/key.pem" --out "$T/cert.pem" >"$T/said"
}
says() { grep -qx "$1" "$T/said" || { cat "$T/said"; daemon_log | tail -n 3; return 1; }; }
issued() { answer "$1" && says "pkiStatus: 0" && openssl verify -CAfile "$WORK/ca.pem" "$T/cert.pem"; }
days_left() { # of the certificate, rounded
    python3 - "$(openssl x509 -in "$T/cert.pem" -noout -enddate | cut -d= -f2)" <<'E2'
import datetime, sys
end = datetime.datetime.strptime(sys.argv[1], "%b %d %H:%M:%S %Y %Z")
print(round((end - datetime.datetime.utcnow()).total_seconds() / 86400))
E2
}
field() { # COMMAND… FIELD: of the one record that it answers
    chancery --json "${@:1:$#-1}" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "${@: -1}"
}

@test "a template that is not published issues nothing, a published one does, until it is withdrawn" {
    build --challenge "$(chancery password new wifi)" --subject CN=early
    answer "$URL/wifi"
    says 'pkiStatus: 2'
    daemon_log | grep -q 'template Wifi is not published'
    chancery template publish Wifi
    build --challenge "$(chancery password new wifi)" --subject CN=first
    issued "$URL/wifi"
    [ "$(days_left)" = 30 ]
    chancery template set Wifi validity=10d
    [ "$(field template show Wifi version)" = 2 ]
    build --challenge "$(chancery password new wifi)" --subject CN=second
    issued "$URL/wifi"
    [ "$(days_left)" = 10 ]
    [ "$(field template show Wifi --version 1 validity)" = 30d ]
    chancery template unpublish Wifi
    build --challenge "$(chancery password new wifi)" --subject CN=late
    answer "$URL/wifi"
    says 'pkiStatus: 2'
    chancery template set Wifi validity=30d
}
@test "what cannot be is refused with the rule and both values, and exit status 1 or 2" {
    run chancery template set Wifi validity=2000d
    [ "$status" = 1 ]
    [[ $output == *"template property refused: template_set: template Wifi: validity is 2000d, wanted: at most the CA's validity_max, 1095d"* ]]
    not grep -e published -e slot <<<"$output"
    run chancery template set Wifi key_usage=sign
    [ "$status" = 1 ]
    [[ $output == *"template property refused: template_set: key_usage is \"sign\", wanted: names of key usages"* ]]
    run chancery template set Wifi nonsense=1
    [ "$status" = 2 ]
    [[ $output == *'no property "nonsense"'* ]]
    run chancery template set Wifi name=Other
    [ "$status" = 2 ]
    [[ $output == *'name is given twice'* ]]
    run chancery template set Wifi display_name=$'caf\xe9'
    [ "$status" = 2 ]
    [[ $output == *'no text in UTF-8'* ]]
    run chancery template new "Wi Fi"
    [ "$status" = 2 ]
    run chancery template delete Wifi
    [ "$status" = 1 ]
    [[ $output == *"endpoint wifi"* ]]
    run chancery template show NoSuch
    [ "$status" = 3 ]
    run chancery template set Wifi --expect-version 1 validity=5d
    [ "$status" = 1 ]
    [[ $output == *"expected was 1"* ]]
}
@test "a copy is deleted again, and a built-in one that was deleted stays so over a restart" {
    chancery template copy Wifi Other display_name="Another one"
    [ "$(field template show Other display_name)" = "Another one" ]
    [ "$(field template show Other published)" = no ]
    chancery template delete Other
    chancery template delete WebServer
    daemon_stop
    daemon_start
    run chancery template show WebServer
    [ "$status" = 3 ]
    run chancery template show Other
    [ "$status" = 3 ]
}
@test "an export that the disk does not take is no success" {
    local command
    to_full() { chancery "$@" >/dev/full; }
    for command in export 'template export SCEPDevice' 'template show SCEPDevice' 'template list'; do
        # shellcheck disable=SC2086
        run to_full $command
        [ "$status" = 1 ]
    done
}
@test "manager approval: the password is taken, the device waits, asks again, and gets what it met" {
    local password id
    chancery template set Wifi manager_approval=yes
    chancery template publish Wifi
    password=$(chancery password new wifi)
    build --challenge "$password" --subject CN=waits --tx waits
    answer "$URL/wifi"
    says 'pkiStatus: 3'
    cp "$T/key.pem" "$T/waits.key"
    cp "$T/message" "$T/waits.message"
    build --challenge "$password" --subject CN=thief --tx thief
    answer "$URL/wifi"
    says 'pkiStatus: 2'
    id=$(chancery --json request list --disposition pending | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')
    chancery template set Wifi validity=7d renewal=1d
    chancery request approve "$id"
    as_user cp "$T/waits.key" "$T/key.pem"
    cp "$T/waits.message" "$T/message"
    issued "$URL/wifi"
    [ "$(days_left)" = 30 ]
    [ "$(field request show "$id" template_version)" -lt "$(field template show Wifi version)" ]
    chancery template set Wifi manager_approval=no validity=30d renewal=5d
}
@test "an export is applied without a difference; a change is shown first, and done whole or not at all" {
    chancery export --out "$T/site.json"
    chancery apply -f "$T/site.json" | grep -qx 'nothing differs'
    python3 - "$T/site.json" "$T/new.json" "$T/bad.json" <<'E2'
import json, sys
site = json.load(open(sys.argv[1]))
wifi = next(t for t in site["templates"] if t["name"] == "Wifi")
wifi["validity"] = "20d"
site["templates"].append({"name": "Fresh", "published": True, "min_rsa_bits": 3072})
site["ca_flags"]["issuing"]["EDITF_ATTRIBUTEENDDATE"] = True
json.dump(site, open(sys.argv[2], "w"))
site["templates"].append({"name": "Wrong", "eku": "codeSigning"})
json.dump(site, open(sys.argv[3], "w"))
E2
    chmod a+r "$T"/*.json
    run chancery apply -f "$T/bad.json"
    [ "$status" = 1 ]
    [[ $output == *"template property refused: "*"allowed_eku"* ]]
    chancery apply -f "$T/new.json" --dry-run | grep 'Wifi.*validity.*30d.*20d'
    [ "$(field template show Wifi validity)" = 30d ]
    [ "$(field ca flags issuing EDITF_ATTRIBUTEENDDATE)" = off ]
    chancery apply -f "$T/new.json" | grep 'EDITF_ATTRIBUTEENDDATE.*off.*on'
    [ "$(field template show Wifi validity)" = 20d ]
    [ "$(field template show Fresh published)" = yes ]
    [ "$(field ca flags issuing EDITF_ATTRIBUTEENDDATE)" = on ]
    chancery apply -f "$T/new.json" | grep -qx 'nothing differs'
    chancery template export Fresh | python3 -c 'import json, sys; assert json.load(sys.stdin)["templates"][0]["min_rsa_bits"] == 3072'
    chancery apply -f "$T/site.json" --prune | grep 'remove.*Fresh'
    run chancery template show Fresh
    [ "$status" = 3 ]
}
@test "a site file with anything unknown in it is refused, with its place" {
    try() { # FILE-TEXT PATTERN
        as_user tee "$T/bad.json" <<<"$1" >/dev/null
        run chancery apply -f "$T/bad.json"
        [ "$status" = 2 ] || { echo "$1: $output"; return 1; }
        grep -qF -- "$2" <<<"$output" || { echo "$1: $output"; return 1; }
    }
    try '{"templates": [], "more": 1}' '$.more: unknown key'
    try '{"templates": [{"name": "A"}, {"name": "B", "validty": "1d"}]}' '$.templates[1].validty: unknown key'
    try '{"templates": [{"validity": "1d"}]}' '$.templates[0].name: wanted'
    try '{"templates": [{"name": "A", "validity": ["1d"]}]}' '$.templates[0].validity: wanted'
    try '{"templates": {"name": "A"}}' '$.templates: wanted: an array'
    try '{"ca_flags": {"issuing": {"EDITF_ATTRIBUTEENDDATE": "on"}}}' '$.ca_flags.issuing.EDITF_ATTRIBUTEENDDATE: wanted: true or false'
    try '{"templates": [], "templates": []}' 'duplicate'
    try '{"templates": [}' 'bad.json:1'
}
@test "EDITF_ATTRIBUTEENDDATE is switched at once, without a restart" {
    chancery ca flags +EDITF_ATTRIBUTEENDDATE | grep 'EDITF_ATTRIBUTEENDDATE *on'
    chancery ca flags issuing | grep 'EDITF_ATTRIBUTEENDDATE *on'
    daemon_stop
    daemon_start
    chancery ca flags | grep 'EDITF_ATTRIBUTEENDDATE *on'
    chancery ca flags issuing -EDITF_ATTRIBUTEENDDATE | grep 'EDITF_ATTRIBUTEENDDATE *off'
    run chancery ca flags +EDITF_NOSUCH
    [ "$status" = 2 ]
    run chancery ca flags nobody +EDITF_ATTRIBUTEENDDATE
    [ "$status" = 3 ]
}
@test "a slot that holds a display name keeps the role from starting, and is told the name" {
    daemon_stop
    cp "$SITE/etc/chancery.conf" "$WORK/good.conf"
    conf_set 's/"Wifi"/"SCEP device"/'
    run timeout 30 setpriv --reuid "$(id -u "$RUN_AS")" --clear-groups "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
    [ "$status" = 1 ]
    [[ $output == *"is the display name of the template SCEPDevice"* ]]
    as_user cp "$WORK/good.conf" "$SITE/etc/chancery.conf"
    daemon_start
}
