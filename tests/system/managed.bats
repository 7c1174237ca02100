#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Managed enrolment through the real daemon: challenges of a management service, whose signing certificate is pinned, and the log
# that the guides tell administrators to read.
load helper

setup_file() {
    work_begin
    cp "$BUILD/tests/support/challenge-maker" "$WORK/p/bin/"
    site_make
    conf_add <<'E2'
endpoint "managed" {
    validator = "managed"
    general_purpose_template = "SCEPDevice"
}
E2
    daemon_start
    get_ca "$URL/managed" "$WORK/ra"
    signer_make mdm
    chancery authority add mdm --templates SCEPDevice --suffixes dns:.example.net --device 100 --certificate "$WORK/mdm.crt"
}
teardown_file() { work_end; }
setup() {
    ports_read
    T=$(as_user mktemp -d "$WORK/tmp/t.XXXXXX")
    chmod 755 "$T"
    CRP="$SITE/lib/ca/certs/crp-1.crt.pem"
    LOG="$SITE/log/ca/CertificateRegistrationPoint.log"
}

maker() { as_user "$WORK/p/bin/challenge-maker" "$@"; }
signer_make() { # NAME
    as_user touch "$WORK/tmp/$1.key"
    as_user rm "$WORK/tmp/$1.key"
    maker signer --key "$WORK/tmp/$1.key" --cert "$WORK/tmp/$1.crt"
    cp "$WORK/tmp/$1.key" "$WORK/tmp/$1.crt" "$WORK/"
    chmod 644 "$WORK/$1".*
}
challenge() { # SIGNER OPTIONS…: into $CHALLENGE, and what such a request asks for into $T/extensions
    local signer=$1
    shift
    CHALLENGE=$(maker seal --key "$WORK/$signer.key" --cert "$WORK/$signer.crt" --crp "$CRP" --extensions-out "$T/extensions" "$@")
}
ask() { # NAME OPTIONS…: a request of its own key, posted
    local name=$1
    shift
    shape build --ra "$WORK/ra/encryption.pem" --key "$T/$name.key" --out "$T/$name.message" --challenge "$CHALLENGE" \
        --extensions "$T/extensions" "$@"
    post_again "$name"
}
post_again() {
    [ "$(post "$URL/managed" "$T/$1.message" "$T/$1.answer")" = 200 ]
    as_user touch "$T/$1.pem"
    chmod a+rw "$T/$1.answer"
    shape open --in "$T/$1.answer" --key "$T/$1.key" --out "$T/$1.pem" | tee "$T/said"
}
says() { grep -qx "$1" "$T/said" || { cat "$T/said"; daemon_log | tail -n 3; return 1; }; }
refused() { says "pkiStatus: 2" && says "failInfo: 2"; }
plugin_logged() { # the last lines of the plugin log
    tail -n $# "$SITE/log/scep/NDESPlugin.log" >"$T/plugin"
    for line in "$@"; do grep -q "^20.*Z tx=.* endpoint=managed $line\$" "$T/plugin" || { cat "$T/plugin"; return 1; }; done
}
logged() { grep -qF -- "$1" "$LOG" || { cat "$LOG"; return 1; }; }

@test "the first start makes the CRP's key, which nobody else reads, and the status tells its end" {
    [ "$(stat -c %a "$SITE/lib/ca/keys/crp-1.key.pem")" = 400 ]
    openssl x509 -in "$CRP" -noout -ext keyUsage | grep -q 'Key Agreement'
    openssl verify -CAfile "$CRP" -partial_chain "$CRP"
    chancery status | grep -q 'crp_generation=1 crp_not_after='
    chancery --json remind --within 400d | grep -q '"crp"'
}
@test "a challenge gives the certificate that it expects, and the log says so in the guides' words" {
    challenge mdm --subject 'CN=device-1,O=Example' --san dns:device-1.example.net
    ask one --subject 'CN=device-1,O=Example'
    says "pkiStatus: 0"
    openssl verify -CAfile "$WORK/ca.pem" "$T/one.pem"
    openssl x509 -in "$T/one.pem" -noout -subject -nameopt RFC2253 | grep -qx 'subject=O=Example,CN=device-1'
    openssl x509 -in "$T/one.pem" -noout -ext subjectAltName | grep -q 'DNS:device-1.example.net'
    [ "$(stat -c %a "$LOG")" = 640 ]
    logged 'VerifyRequest Started.'
    logged 'Validation Phase 1 finished with status True.'
    logged 'Validation Phase 3 finished with status True.'
    grep -qE '^20[0-9T:-]+Z tx=[0-9A-Za-z]+ peer=127\.0\.0\.1 VerifyRequest Finished with status True$' "$LOG"
    chancery request list --status issued | grep -q 'endpoint/managed'
    plugin_logged 'Calling VerifyRequest ...' 'Sending request to certificate registration point.' 'Verify challenge returns true' \
        'Exiting VerifyRequest with 0x0' 'Calling Notifyrequest ...' 'Exiting Notify with 0x0'
}
@test "a request for another name is refused; log and list have both" {
    challenge mdm --subject 'CN=device-2,O=Example' --san dns:device-2.example.net
    ask two --subject 'CN=administrator,O=Example'
    refused
    logged 'Subject Name in CSR <CN=administrator> and challenge <CN=device-2> do not match'
    logged 'Validation Phase 3 finished with status False.'
    logged 'VerifyRequest Finished with status False'
    chancery request list --status failed | grep -q 'ERR_SUBJECT_MISMATCH'
    plugin_logged 'Calling VerifyRequest ...' 'Sending request to certificate registration point.' 'Verify challenge returns false' \
        'Exiting VerifyRequest with 0x0'
}
@test "a challenge is used once, by whoever came first, also after a restart" {
    challenge mdm --subject CN=device-3 --san dns:device-3.example.net
    ask three --subject CN=device-3
    says "pkiStatus: 0"
    daemon_stop
    daemon_start
    ask other --subject CN=device-3
    refused
    daemon_log | grep -q 'ERR_CHALLENGE_USED.*the challenge was used by request'
    cp "$T/three.pem" "$T/before.pem"
    post_again three
    says "pkiStatus: 0"
    cmp "$T/three.pem" "$T/before.pem"
}
@test "names outside the authority's limits are refused, whatever the challenge says" {
    challenge mdm --subject CN=device-4 --san dns:device-4.example.org
    ask four --subject CN=device-4
    refused
    chancery request list --status failed | grep -q 'ERR_AUTHORITY_LIMIT'
}
@test "an expired challenge is refused" {
    challenge mdm --subject CN=device-5 --san dns:device-5.example.net --lifetime 1
    sleep 2
    ask five --subject CN=device-5
    refused
    logged 'Validation Phase 1 finished with status False.'
    logged 'challenge expired at'
}
@test "another signer counts only once the administrator has pinned it, and then alone" {
    signer_make next
    challenge next --subject CN=device-6 --san dns:device-6.example.net
    ask six --subject CN=device-6
    refused
    run chancery authority set mdm --certificate "$WORK/next.key"
    [ "$status" -ne 0 ]
    chancery authority set mdm --certificate "$WORK/next.crt" | grep -qE '^signer +[0-9A-F]{64}$'
    post_again six
    says "pkiStatus: 0"
    challenge mdm --subject CN=device-7 --san dns:device-7.example.net
    ask seven --subject CN=device-7
    refused
    logged 'none of the 1 pinned ones'
    chancery authority set mdm --certificate "$WORK/mdm.crt"
    post_again seven
    says "pkiStatus: 0"
}
@test "SIGHUP opens the log anew, and what cannot be written refuses nobody" {
    as_user mv "$LOG" "$LOG.1"
    kill -HUP "$(daemon_pid)"
    wait_for 10 test -f "$LOG"
    challenge mdm --subject CN=device-8 --san dns:device-8.example.net
    ask eight --subject CN=device-8
    says "pkiStatus: 0"
    logged 'VerifyRequest Finished with status True'
    as_user mv "$LOG" "$LOG.2"
    as_user mkdir "$LOG"
    kill -HUP "$(daemon_pid)"
    wait_for 10 grep -q 'cannot open CRP log' "$WORK/daemon.log"
    challenge mdm --subject CN=device-8b --san dns:device-8b.example.net
    ask eight-b --subject CN=device-8b
    says "pkiStatus: 0"
    as_user rmdir "$LOG"
    as_user mv "$LOG.2" "$LOG"
}
@test "a site of before there was a CRP gets its key by a start" {
    daemon_stop
    as_user rm -f "$SITE"/lib/ca/keys/crp-* "$SITE"/lib/ca/certs/crp-*
    daemon_start
    challenge mdm --subject CN=device-9 --san dns:device-9.example.net
    ask nine --subject CN=device-9
    says "pkiStatus: 0"
}
