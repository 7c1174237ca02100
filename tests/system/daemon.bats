#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# runs beside the others: it mostly waits for roles to end and to come back
# The supervisor: starting, refusing to start, restarting, reloading, stopping; in user mode and, as root, in system mode.
load helper

setup() { work_begin; }
teardown() { work_end; }

enrol() { # URL CHALLENGE NAME
    [ -f "$WORK/ra/encryption.pem" ] || get_ca "$URL" "$WORK/ra"
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/$3.key" --out "$WORK/tmp/$3.msg" --challenge "$2" --subject "CN=$3"
    [ "$(post "$1" "$WORK/tmp/$3.msg" "$WORK/$3.answer")" = 200 ]
    chmod a+r "$WORK/$3.answer"
    shape open --in "$WORK/$3.answer" --key "$WORK/tmp/$3.key" --out "$WORK/tmp/$3.pem" | grep -qx 'pkiStatus: 0'
}
judged() { # PATTERN: so chanceryd -t refuses; without one it has nothing to say
    run setpriv --reuid "$(id -u "$RUN_AS")" --clear-groups "$WORK/p/sbin/chanceryd" -t -c "$SITE/etc/chancery.conf"
    [ "$status" = $(($# > 0)) ] && grep -q -- "${1-}" <<<"$output" && { [ $# -gt 0 ] || [ -z "$output" ]; } || { echo "$output"; return 1; }
}
refuses_to_start() { # PATTERN: within a few seconds, with status 1 and one line that says why
    run timeout 30 setpriv --reuid "$(id -u "$RUN_AS")" --clear-groups "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
    [ "$status" = 1 ]
    grep -q -- "$1" <<<"$output" || { echo "$output"; return 1; }
}

@test "an endpoint without a validator: the daemon refuses to start and says so" {
    site_make
    conf_set '/validator/d'
    refuses_to_start 'endpoint "default".*has no validator'
}
@test "a static endpoint without its password refuses to start and names the remedy" {
    site_make --validator static
    refuses_to_start 'chancery password set default'
}
@test "an unknown option, a value out of bounds and a missing CA are refused with file and line" {
    site_make
    cp "$SITE/etc/chancery.conf" "$WORK/good.conf"
    conf_set 's/^site = .*/&\nnonsense = 1/'
    refuses_to_start 'chancery.conf:[0-9]*.*nonsense'
    as_user cp "$WORK/good.conf" "$SITE/etc/chancery.conf"
    conf_set 's/^site = .*/&\nworkers = 100000/'
    refuses_to_start 'workers.*100000.*512'
    as_user cp "$WORK/good.conf" "$SITE/etc/chancery.conf"
    conf_set 's/ca = "issuing"/ca = "gone"/'
    refuses_to_start 'gone'
}
@test "a missing RA key, and a wrong unlock secret, refuse to start and name the file" {
    site_make
    as_user mv "$SITE/lib/scep/keys/default-encryption-1.key.pem" "$WORK/tmp/"
    refuses_to_start 'default-encryption'
    as_user mv "$WORK/tmp/default-encryption-1.key.pem" "$SITE/lib/scep/keys/"
    as_user sh -c 'chmod 600 "$1"; head -c 32 /dev/zero | od -An -v -tx1 | tr -d " \n" >"$1"; chmod 400 "$1"' sh "$SITE/etc/secrets/signer/unlock"
    refuses_to_start 'ca-.*key.pem'
}
@test "a key or secret that others may read is refused" {
    site_make
    as_user chmod 444 "$SITE/etc/secrets/ca/unlock"
    refuses_to_start 'mode'
}
@test "chanceryd -t refuses what would not start, and says what a role misses" {
    local file
    site_make --validator static
    judged 'role ca needs .*/static-default: No such file.*chancery password set default'
    echo secret | chancery password set default
    judged
    for file in lib/scep/keys/default-signature-1.key.pem lib/scep/keys/tls-1.key.pem lib/scep/certs/tls-1.crt.pem lib/signer/keys/ca-issuing-1.key.pem \
        lib/ca/certs/ca-issuing.crt.pem etc/secrets/ca/challenge-key etc/secrets/va/unlock; do
        as_user mv "$SITE/$file" "$WORK/tmp/away"
        judged "role .* needs .*${file##*/}: No such file"
        as_user mv "$WORK/tmp/away" "$SITE/$file"
    done
    as_user chmod 000 "$SITE/lib/scep/keys/default-signature-1.key.pem"
    judged 'default-signature-1.key.pem, which uid .* cannot read'
    as_user chmod 440 "$SITE/lib/scep/keys/default-signature-1.key.pem"
    judged 'default-signature-1.key.pem, which has mode 440'
    as_user chmod 400 "$SITE/lib/scep/keys/default-signature-1.key.pem"
    judged
    conf_set 's/^site = .*/&\nroles = {"ca", "scep", "va"}/'
    judged 'role ca needs role signer'
    conf_set '/^roles = /d'
    conf_set 's/^    http_listen = .*/    http_listen = {"localhost:80"}/'
    judged 'localhost:80.*in numbers'
}
@test "init never overwrites a site, and recognises an interrupted one" {
    site_make
    run site_make
    [ "$status" = 1 ]
    [[ $output == *"exists"* ]]
    as_user rm "$SITE/etc/chancery.conf"
    run site_make
    [ "$status" = 1 ]
    [[ $output == *"interrupted"* ]]
}
@test "init makes every kind of CA key, and each one issues" {
    local kind
    for kind in RSA-2048 P-384; do
        SITE=$WORK/$kind
        as_user mkdir "$SITE" 2>/dev/null || { mkdir "$SITE"; chown "$RUN_AS:" "$SITE"; }
        rm -rf "$WORK/ra"
        site_make --ca-key $kind
        daemon_start
        enrol "$URL" "$(chancery password new default)" "dev-$kind"
        openssl verify -CAfile "$WORK/ca.pem" "$WORK/tmp/dev-$kind.pem"
        certtool --verify --load-ca-certificate "$WORK/ca.pem" --infile "$WORK/tmp/dev-$kind.pem"
        daemon_stop
    done
}
@test "init points certificates to the validation authority, or where it is told" {
    site_make --va-http '[::]:80' --external-name pki.example
    has() { grep -qF "$1" "$SITE/etc/chancery.conf"; }
    has 'cdp_urls = {"http://pki.example/CertEnroll/issuing.crl"}'
    has 'aia_urls = {"http://pki.example/CertEnroll/issuing.crt"}'
    has 'ocsp_urls = {"http://pki.example/ocsp"}'
    openssl x509 -in "$SITE/lib/ca/certs/ca-issuing.crt.pem" -noout -text | grep -q 'URI:http://pki.example/CertEnroll/root.crl'
    SITE=$WORK/told
    as_user mkdir "$SITE" 2>/dev/null || { mkdir "$SITE"; chown "$RUN_AS:" "$SITE"; }
    site_make --va-http 192.0.2.1:8081 --cdp-url http://crl.example/a.crl --external-name pki.example
    has 'cdp_urls = {"http://crl.example/a.crl"}'
    has 'aia_urls = {"http://pki.example:8081/CertEnroll/issuing.crt"}'
    SITE=$WORK/off
    as_user mkdir "$SITE" 2>/dev/null || { mkdir "$SITE"; chown "$RUN_AS:" "$SITE"; }
    site_make --va-http off --ocsp-url http://ocsp.example
    has 'ocsp_urls = {"http://ocsp.example"}'
    not has 'cdp_urls'
    not has 'aia_urls'
    not grep -q CertEnroll <(openssl x509 -in "$SITE/lib/ca/certs/ca-issuing.crt.pem" -noout -text)
}
@test "a second daemon on the same site is refused" {
    site_make
    daemon_start
    refuses_to_start 'another chanceryd'
    enrol "$URL" "$(chancery password new default)" still
}
@test "each role that is killed comes back and the service goes on" {
    site_make
    daemon_start
    local role old
    for role in scep va ca signer; do
        old=$(role_pid $role)
        kill -KILL "$old"
        wait_for 20 gone "$old"
        answers() { chancery status >/dev/null 2>&1 && enrol "$URL" "$(chancery password new default)" "after-$role"; }
        wait_for 30 answers
        [ "$(role_pid $role)" != "$old" ]
    done
    daemon_log | grep -q 'role died role=signer signal=9'
}
@test "the roles end when the supervisor is killed, and a new one serves" {
    site_make
    daemon_start
    local pids pid
    pids=$(pgrep -P "$(daemon_pid)")
    [ "$(wc -w <<<"$pids")" = 4 ]
    kill -KILL "$(daemon_pid)"
    daemon_start # at once, as a service manager would: the roles may still be ending
    for pid in $pids; do wait_for 10 gone "$pid"; done
    enrol "$URL" "$(chancery password new default)" reborn
}
@test "SIGTERM finishes what is in flight and ends with status 0" {
    site_make
    daemon_start
    get_ca "$URL" "$WORK/ra"
    local n pids=() statuses=
    for n in 1 2 3 4 5 6; do
        shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/f$n.key" --out "$WORK/tmp/f$n.msg" --challenge "$([ $n -lt 5 ] && chancery password new default)" --subject "CN=flight-$n"
    done
    for n in 1 2 3 4; do
        post "$URL" "$WORK/tmp/f$n.msg" "$WORK/f$n.answer" >"$WORK/f$n.status" 2>/dev/null &
        pids+=($!)
    done
    kill -TERM "$(daemon_pid)"
    for n in "${pids[@]}"; do wait "$n" || true; done
    wait_for 30 gone "$(daemon_pid)"
    # Whoever was accepted has a whole answer; nobody has half of one.
    for n in 1 2 3 4; do
        case $(cat "$WORK/f$n.status") in
        200) chmod a+r "$WORK/f$n.answer"; shape open --in "$WORK/f$n.answer" --key "$WORK/tmp/f$n.key" --out "$WORK/tmp/f$n.pem" | grep -q 'pkiStatus: 0' ;;
        503 | 000) ;;
        *) cat "$WORK/f$n.status"; return 1 ;;
        esac
    done
    daemon_log | grep -q ' chanceryd stopped'
    daemon_log | grep -q 'role ended role=signer exit=0' || { daemon_log; return 1; }
}
@test "a role that is told to stop again and again still ends in good order" {
    site_make
    daemon_start
    local pid
    pid=$(role_pid signer)
    while kill -TERM "$pid" 2>/dev/null; do :; done
    # The ca that misses it may be noticed first.
    wait_for 10 grep -q 'role \(died\|ended\) role=signer exit=' "$WORK/daemon.log"
    daemon_log | grep -q 'role \(died\|ended\) role=signer exit=0' || { daemon_log; return 1; }
}
@test "SIGHUP reloads what can be reloaded; a bad configuration changes nothing" {
    site_make
    daemon_start
    conf_set 's/validator = "one-time"/&\n    allow_3des = true/'
    kill -HUP "$(daemon_pid)"
    caps() { curl -sS "$URL?operation=GetCACaps" | grep -q DES3; }
    wait_for 10 caps
    conf_set 's/allow_3des = true/allow_3des = "perhaps"/'
    kill -HUP "$(daemon_pid)"
    wait_for 10 grep -q 'reload refused' "$WORK/daemon.log"
    caps
    conf_set 's/allow_3des = "perhaps"/allow_3des = true/'
    enrol "$URL" "$(chancery password new default)" reloaded
}
@test "SIGHUP names what it does not apply, and nothing when it applies all" {
    site_make
    daemon_start
    conf_set 's/validator = "one-time"/&\n    allow_3des = true/'
    kill -HUP "$(daemon_pid)"
    wait_for 10 grep -q 'reloaded endpoints' "$WORK/daemon.log"
    ! grep 'needs a restart' "$WORK/daemon.log" || return 1
    conf_set 's/^site = .*/&\nworkers = 7/'
    as_user sh -c 'printf "endpoint \"second\" {\n    validator = \"manual\"\n    paths = {\"/second\"}\n}\n" >>"$1"' sh "$SITE/etc/chancery.conf"
    kill -HUP "$(daemon_pid)"
    wait_for 10 grep -q 'reload does not apply what needs a restart of chanceryd: workers, endpoint "second" (new)' "$WORK/daemon.log"
    [ "$(grep -c 'needs a restart' "$WORK/daemon.log")" = 1 ]
}
@test "reloads during the start end nobody" {
    site_make
    daemon_start &
    local starting=$! n
    wait_for 20 test -s "$WORK/daemon.log" # it runs, and is not the shell any more that a hangup ends
    for n in $(seq 60); do
        kill -HUP "$(daemon_pid)" 2>/dev/null || true
        sleep 0.01
    done
    wait "$starting" || true
    wait_for 30 serving
    ports_read
    not grep -q 'role died' "$WORK/daemon.log"
    enrol "$URL" "$(chancery password new default)" storm
}
@test "a journal that is gone keeps the signer from starting" {
    site_make
    as_user rm "$SITE/lib/signer/journal"
    refuses_to_start 'journal.*is missing'
}
@test "a store that is gone is not replaced by an empty one" {
    site_make
    as_user mv "$SITE/lib/ca/store.db" "$SITE/lib/ca/away.db"
    refuses_to_start 'the store .*/lib/ca/store.db is missing.*restore it from the backup'
    [ ! -e "$SITE/lib/ca/store.db" ]
    as_user mv "$SITE/lib/ca/away.db" "$SITE/lib/ca/store.db"
    daemon_start
}
@test "root may set the password of a site that another user runs" {
    [ "$(id -u)" = 0 ] || skip "not root"
    site_make
    conf_set 's/validator = "one-time"/validator = "static"/'
    printf 'open sesame\n' | "$WORK/p/bin/chancery" --dir "$SITE" password set default
    daemon_start
    enrol "$URL" 'open sesame' static
}
@test "the service manager is told when it serves" {
    site_make
    as_user python3 -c '
import os, socket, subprocess, sys
path = sys.argv[1] + "/notify"
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
s.settimeout(30)
daemon = subprocess.Popen([sys.argv[1] + "/p/sbin/chanceryd", "-c", sys.argv[2] + "/etc/chancery.conf"], env=dict(os.environ, NOTIFY_SOCKET=path))
try:
    assert b"READY=1" in s.recv(4096)
    daemon.terminate()
    assert b"STOPPING=1" in s.recv(4096)
    assert daemon.wait(30) == 0
finally:
    daemon.kill()
' "$WORK" "$SITE"
}
@test "root keys are not in reach of the daemon: they are only under a passphrase, apart" {
    site_make
    openssl pkey -in "$SITE/root/root-1.key.pem" -passin "file:$WORK/passphrase" -noout
    run openssl pkey -in "$SITE/root/root-1.key.pem" -passin pass:wrong -noout
    [ "$status" != 0 ]
    openssl asn1parse -in "$SITE/root/root-1.key.pem" | grep -q ':scrypt'
    [ "$(stat -c %a "$SITE/root")" = 700 ]
    [ "$(stat -c %a "$SITE/root/root-1.key.pem")" = 400 ]
    as_user mv "$SITE/root" "$WORK/tmp/offline"
    daemon_start
    enrol "$URL" "$(chancery password new default)" rootless
}
@test "no role can be dumped, and ca and signer hold no network socket" {
    site_make
    daemon_start
    local role pid
    for role in signer ca scep va; do
        pid=$(role_pid $role)
        grep -q '^NoNewPrivs:.*1' "/proc/$pid/status"
        grep -q '^Max core file size *0 ' "/proc/$pid/limits"
        [ "$(stat -c %U "/proc/$pid/maps")" = root ]
    done
    for role in signer ca; do
        pid=$(role_pid $role)
        if [ "$(id -u)" = 0 ]; then
            ls -l "/proc/$pid/fd" | grep -o 'socket:\[[0-9]*\]' | tr -d 'a-z:[]' >"$WORK/sockets"
            awk 'NR > 1 { print $10 }' /proc/net/tcp /proc/net/tcp6 >"$WORK/network"
            [ -s "$WORK/sockets" ]
            not grep -q -x -F -f "$WORK/sockets" "$WORK/network"
        fi
    done
}
@test "system mode: one user per role, sockets for two, and nobody else's keys in reach" {
    [ "$(id -u)" = 0 ] || skip "system mode needs root"
    systemd-sysusers "$SOURCE/packaging/chancery.sysusers"
    sitef() { "$WORK/p/bin/chancery" --dir "$SITE" "$@"; }
    chown -R root: "$WORK"
    echo "correct horse battery" >"$WORK/passphrase"
    chmod 600 "$WORK/passphrase"
    sitef init --mode system --http 127.0.0.1:0 --https 127.0.0.1:0 --va-http 127.0.0.1:0 --external-name localhost --root-passphrase-file "$WORK/passphrase"
    cat "$SITE/lib/scep/certs/ca-issuing.crt.pem" "$SITE/lib/scep/certs/ca-issuing-root.crt.pem" >"$WORK/ca.pem"
    "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf" 2>"$WORK/daemon.log" 3>&- &
    echo $! >"$WORK/daemon.pid"
    wait_for 30 serving || { daemon_log; return 1; }
    HTTP=$(port_of http scep)
    URL=http://127.0.0.1:$HTTP/scep
    local role
    for role in signer ca scep va; do
        [ "$(stat -c %U "/proc/$(role_pid $role)")" = "chancery-$role" ] || [ "$(ps -o user:32= -p "$(role_pid $role)" | tr -d ' ')" = "chancery-$role" ]
        not setpriv --reuid nobody --clear-groups cat "$SITE/etc/secrets/$role/unlock" 2>/dev/null
    done
    curl -sS --fail "http://127.0.0.1:$(port_of http va)/CertEnroll/root.crl" | openssl crl -inform DER -CAfile "$WORK/ca.pem" -noout
    wait_for 20 test -f "$SITE/lib/va/certs/ocsp-issuing-1.crt.pem"
    not setpriv --reuid chancery-scep --regid chancery-scep --clear-groups ls "$SITE/lib/va/keys" 2>/dev/null
    not setpriv --reuid chancery-scep --regid chancery-scep --clear-groups ls "$SITE/lib/signer/keys" 2>/dev/null
    not setpriv --reuid chancery-scep --regid chancery-scep --clear-groups cat "$SITE/lib/ca/store.db" 2>/dev/null
    not setpriv --reuid nobody --clear-groups ls "$SITE/run/ca-scep/" 2>/dev/null
    RUN_AS=root get_ca "$URL" "$WORK/ra"
    chmod 777 "$WORK/tmp"
    local challenge
    challenge=$(sitef password new default)
    "$WORK/p/bin/scep-shape" build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/k" --out "$WORK/tmp/m" --challenge "$challenge"
    [ "$(post "$URL" "$WORK/tmp/m" "$WORK/tmp/a")" = 200 ]
    "$WORK/p/bin/scep-shape" open --in "$WORK/tmp/a" --key "$WORK/tmp/k" --out "$WORK/tmp/c" | grep -qx 'pkiStatus: 0'
    openssl verify -CAfile "$WORK/ca.pem" "$WORK/tmp/c"
}
