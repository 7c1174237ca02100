#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What an administrator is told who is new to the program, or whose service is down.
load helper

setup_file() {
    work_begin
    site_make
    daemon_start
}
teardown_file() { work_end; }
setup() { ports_read; }

# The headline, the sentence and the remedy of a refusal, in one line of text.
told() { # STATUS PATTERN COMMAND…
    local wanted=$1 pattern=$2
    shift 2
    run chancery "$@"
    [ "$status" = "$wanted" ] || { echo "status $status, wanted $wanted: $output"; return 1; }
    # shellcheck disable=SC2053
    [[ ${output//$'\n'/ } == $pattern ]] || { echo "wanted $pattern: $output"; return 1; }
}
within() { # SECONDS COMMAND…
    local limit=$1 began=$EPOCHREALTIME
    shift
    "$@" || return
    python3 -c 'import sys; took = float(sys.argv[2]) - float(sys.argv[1]); print("took", took); sys.exit(took > float(sys.argv[3]))' \
        "$began" "$EPOCHREALTIME" "$limit"
}

@test "a role that stands still is given up within seconds, by name, and the daemon's log is named" {
    local ca
    ca=$(role_pid ca)
    kill -STOP "$ca"
    within 9 told 4 '*ca *unreachable*scep *serving*signer *unreachable*2 of 4 roles do not answer, among them ca: status: peer does not answer hello*remedy: *journalctl -u chanceryd*' status
    within 9 told 4 '*role ca: cert_list: peer does not answer hello*remedy: *journalctl -u chanceryd*' cert list
    within 9 told 5 '*chancery_up{role="ca"} 0*chancery_up{role="scep"} 1*1 of 3 roles do not answer*' metrics
    kill -CONT "$ca"
    wait_for 20 chancery status
}
@test "a role that cannot start is given up within seconds" {
    local ca
    as_user mv "$SITE/lib/ca/store.db" "$SITE/lib/ca/away.db"
    ca=$(role_pid ca)
    kill -KILL "$ca"
    wait_for 20 gone "$ca"
    within 9 told 4 '*ca *unreachable*remedy: *journalctl*' status
    within 9 told 4 '*role ca: *remedy: *journalctl*' cert list
    as_user mv "$SITE/lib/ca/away.db" "$SITE/lib/ca/store.db"
    wait_for 30 chancery status
}
@test "another user is told who may ask" {
    [ "$(id -u)" = 0 ] || skip "not root"
    run setpriv --reuid daemon --regid daemon --clear-groups "$WORK/p/bin/chancery" --dir "$SITE" status
    [ "$status" = 1 ]
    [[ $output == *"only $RUN_AS or root may ask the role ca: this is uid $(id -u daemon)"*"remedy: run the command as that user, or as root"* ]]
    not grep -q 'remedy: .*status' <<<"$output"
    run setpriv --reuid daemon --regid daemon --clear-groups "$WORK/p/bin/chancery" --dir "$SITE" cert list
    [ "$status" = 1 ]
    [[ $output == *"only $RUN_AS or root may ask the role ca"* ]]
}
@test "init judges its options before it makes a key" {
    local at=$WORK/tmp/site
    as_user mkdir "$at"
    init() { as_user "$WORK/p/bin/chancery" --dir "$at" init --root-passphrase-file "$WORK/passphrase" --external-name localhost "$@"; }
    try() { # PATTERN OPTIONS…
        local pattern=$1
        shift
        run init "$@"
        [ "$status" = 2 ] && [[ $output == *"$pattern"* ]] || { echo "$status: $output"; return 1; }
        [ -z "$(find "$at" -mindepth 1)" ] || { find "$at"; return 1; }
    }
    run init --http 80
    [ -z "$(find "$at" -mindepth 1)" ]
    try 'option http_listen has "80"; allowed is ADDRESS:PORT' --http 80
    try 'option https_listen has "example.org:443"' --https example.org:443
    try 'option http_listen has "[::]:70000"' --va-http '[::]:70000'
    try '--external-name "a b" cannot be in a certificate' --external-name 'a b'
    try 'option site is "My Site"' --site 'My Site'
    try 'option ocsp_urls' --ocsp-url 'no url'
    try '--organisation' --organisation $'caf\xe9'
    init --http 127.0.0.1:0 --https 127.0.0.1:0 --va-http 127.0.0.1:0 --validator static >"$WORK/tmp/said"
    # What comes first is said first.
    [ "$(grep -o -e ^First -e ^Next "$WORK/tmp/said" | tr '\n' ' ')" = 'First Next ' ]
}
@test "every command says its own usage" {
    local noun verb
    chancery --help | sed -n 's/^  chancery \([a-z]*\)\( [a-z-]*\)\?.*/\1\2/p' >"$WORK/tmp/all"
    [ "$(wc -l <"$WORK/tmp/all")" -gt 45 ]
    while read -r noun verb; do
        # shellcheck disable=SC2086
        run chancery $noun $verb --help
        [ "$status" = 0 ] && [[ $output == "usage: chancery $noun"* ]] || { echo "$noun $verb: $output"; return 1; }
        [ "${#lines[@]}" -ge 2 ]
    done <"$WORK/tmp/all"
    run chancery template set --help
    [ "$output" = 'usage: chancery template set NAME [--expect-version N] PROPERTY=VALUE …
  change a template, which makes its next version' ]
    chancery template --help | grep -q '^  chancery template copy '
}
@test "what is no command, and what is wrong of one, is named with what there is" {
    told 2 '*there is no command ledger *chancery --help*' ledger list
    told 2 '*there is no command template sett *chancery template set NAME*' template sett
    told 2 '*chancery template: wrong usage: it needs one more word*chancery template list*' template
    told 2 '*wrong usage: operand missing *usage: chancery template show NAME \[--version N\]' template show
    told 2 '*wrong usage: unexpected --nonsense *usage: chancery cert list \[--ca CA\]*' cert list --nonsense
    told 2 '*unknown or incomplete option --nonsense *usage: chancery metrics \[--out FILE\]' metrics --nonsense
    told 2 '*0 operands given, 1 wanted *usage: chancery password set ENDPOINT*' password set
}
@test "a remedy fits what is refused" {
    # shellcheck disable=SC2016
    told 3 '*there is no configuration /nowhere/etc/chancery.conf *remedy: *--config FILE*--dir DIR*' --dir /nowhere status
    told 3 '*cannot open /nowhere.json*remedy: give the name of a file that is there' apply -f /nowhere.json
    chancery template copy SCEPDevice Mine
    told 1 '*changed meanwhile: *has version 1, expected was 7 *remedy: look at what it is now*' template set Mine --expect-version 7 validity=1d
    told 1 '*already there: *remedy: choose another name*' template copy SCEPDevice Mine
    told 1 '*not possible as things are: *SCEPDevice is the *of endpoint default *remedy: change first what the message names*' template delete SCEPDevice
    local serial
    serial=$(chancery --json cert list | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["serial"])')
    told 1 '*not possible as things are: *is not on hold*' cert release "$serial"
}
@test "serials and reasons are taken as other tools print them" {
    local serial
    serial=$(chancery --json cert list | python3 -c 'import json, sys; print(next(c["serial"] for c in json.load(sys.stdin) if c["template"] == "RegistrationAuthority"))')
    told 0 '*' cert show "0x${serial,,}"
    told 0 '*' cert show "$(sed 's/../&:/g; s/:$//' <<<"$serial")"
    told 0 '*' cert show "$(sed 's/../& /g; s/ $//' <<<"$serial")"
    told 2 '*"7" is no reason*' cert revoke "$serial" 7
    chancery cert revoke "$serial" 6
    chancery cert show "$serial" | grep -q 'reason *certificateHold'
    chancery cert revoke "$serial" 4
    chancery cert show "$serial" | grep -q 'reason *superseded'
}
@test "an RA renewal at its limit says what to move, and that helps" {
    for _ in 2 3 4 5 6 7; do chancery ra renew default --now >/dev/null; done
    told 1 "*has 7 generations already*move the oldest, $SITE/lib/scep/keys/default-\\*-1.key.pem, out of that folder, and reload the daemon*" ra renew default --now
    as_user mkdir "$WORK/tmp/old"
    as_user mv "$SITE"/lib/scep/keys/default-*-1.key.pem "$WORK/tmp/old"
    kill -HUP "$(daemon_pid)"
    renewed() { chancery ra renew default --now; }
    wait_for 20 renewed
}
@test "a backup taken while it runs, as docs/backup.md says, serves again" {
    local at=$WORK/tmp/backup
    as_user mkdir "$at"
    as_user cp -p "$SITE/lib/signer/journal" "$at/journal"
    chancery crl publish issuing # the store is newer than the journal
    as_user sqlite3 "$SITE/lib/ca/store.db" ".backup '$at/store.db'"
    as_user tar -C "$SITE" --exclude=etc/secrets --exclude='store.db*' --exclude=signer/journal -czpf "$at/rest.tar.gz" etc lib
    as_user tar -C "$SITE" -czpf "$at/secrets.tar.gz" etc/secrets
    tar -tzf "$at/rest.tar.gz" >"$WORK/tmp/list"
    not grep -e secrets/ -e store.db -e journal "$WORK/tmp/list"
    daemon_stop
    as_user rm -rf "$SITE/etc" "$SITE/lib"
    as_user tar -C "$SITE" -xzpf "$at/rest.tar.gz"
    as_user tar -C "$SITE" -xzpf "$at/secrets.tar.gz"
    as_user cp -p "$at/journal" "$SITE/lib/signer/journal"
    as_user cp "$at/store.db" "$SITE/lib/ca/store.db"
    as_user chmod 600 "$SITE/lib/ca/store.db"
    as_user "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf" -t
    daemon_start
    chancery crl publish issuing
    chancery status
    get_ca "$URL" "$WORK/tmp/ra"
    shape build --ra "$WORK/tmp/ra/encryption.pem" --key "$WORK/tmp/key.pem" --out "$WORK/tmp/message" --challenge "$(chancery password new default)"
    [ "$(post "$URL" "$WORK/tmp/message" "$WORK/tmp/answer")" = 200 ]
    chmod a+rw "$WORK/tmp/answer"
    as_user touch "$WORK/tmp/cert.pem"
    shape open --in "$WORK/tmp/answer" --key "$WORK/tmp/key.pem" --out "$WORK/tmp/cert.pem" | grep -qx 'pkiStatus: 0'
}
