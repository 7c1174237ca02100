#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The TLS certificates of the service's own listeners renew themselves: served without a restart, no connection refused; and what ca
# does not renew is said so.
load helper

FAKETIME_LIBRARY=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1

setup() { work_begin; }
teardown() { work_end; }

site_of() { # DAYS: made so many days ago
    local days=$1
    [ -e "$FAKETIME_LIBRARY" ] || skip "needs faketime"
    # The sanitizer wants to come first; it is there all the same.
    (
        chancery() {
            as_user env LD_PRELOAD="$FAKETIME_LIBRARY" FAKETIME="-$days"d FAKETIME_DONT_FAKE_MONOTONIC=1 \
                ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0" "$WORK/p/bin/chancery" --dir "$SITE" "$@"
        }
        site_make
    )
}
store() { as_user python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()' "$SITE/lib/ca/store.db" "$1"; }
shown() { # FIELD of the newest generation of scep
    chancery --json tls show scep | python3 -c 'import json, sys; rows = json.load(sys.stdin); rows = rows if isinstance(rows, list) else [rows]; print(rows[-1][sys.argv[1]])' "$1"
}
is_generation() { [ "$(shown generation)" = "$1" ]; }
served() { # serial of what the listener shows, which must verify
    openssl s_client -connect "127.0.0.1:$HTTPS" -servername localhost -verify_hostname localhost -verify_return_error -CAfile "$WORK/ca.pem" \
        </dev/null 2>/dev/null | openssl x509 -noout -serial | cut -d= -f2
}
clients() { # connects again and again, and on one connection goes on, until the file end is there; what failed is in $WORK/refused
    python3 - "$HTTPS" "$WORK/ca.pem" "$WORK/end" "$WORK/refused" <<'END'
import http.client, os, ssl, sys
port, ca, end, refused = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
path = '/scep?operation=GetCACaps'
connect = lambda: http.client.HTTPSConnection('localhost', int(port), context=context, timeout=20)
kept, count = connect(), 0
def ask(connection):
    connection.request('GET', path)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
try:
    ask(kept)
    first = kept.sock
    while not os.path.exists(end) or count < 20:
        ask(kept)
        assert kept.sock is first, 'the open connection was closed'
        fresh = connect()
        ask(fresh)
        fresh.close()
        count += 1
except Exception as error:
    open(refused, 'w').write(f'after {count}: {error!r}\n')
END
}

@test "a TLS certificate that comes near its end is renewed by the running service, with the same names" {
    site_of 340
    daemon_start
    wait_for 150 is_generation 2
    [ "$(shown state)" = current ]
    is_served() { [ "$(served)" = "$(shown serial)" ]; }
    wait_for 10 is_served
    local old=$SITE/lib/scep/certs/tls-1.crt.pem new=$SITE/lib/scep/certs/tls-2.crt.pem
    cmp <(openssl x509 -in "$old" -noout -subject -ext subjectAltName) <(openssl x509 -in "$new" -noout -subject -ext subjectAltName)
    not cmp <(openssl x509 -in "$old" -noout -pubkey) <(openssl x509 -in "$new" -noout -pubkey)
    daemon_log | grep 'TLS certificate renewed role=scep generation=2'
    chancery audit list --action tls_renew | grep -q 'role/scep'
    chancery cert list | grep -q 'role/scep .*WebServer\|WebServer .*role/scep'
    # What ends is another one now.
    chancery status | grep -o 'tls_not_after=[^ ]*' | grep -q "$(date -u -d "$(openssl x509 -in "$new" -noout -enddate | cut -d= -f2)" +%Y-%m-%d)"
    [ ! -e "$SITE/lib/scep/keys/tls-next.key.pem" ]
    not grep -q ' refused by the sandbox' "$WORK/daemon.log"
    daemon_stop
    daemon_start
    is_served
}

@test "chancery tls renew serves the new certificate at once, and no connection is refused" {
    site_make
    daemon_start
    clients 3>&- &
    local asking=$!
    sleep 1
    chancery tls renew scep
    is_generation 2
    is_served() { [ "$(served)" = "$(shown serial)" ]; }
    wait_for 10 is_served
    chancery tls renew
    is_generation 3
    # Generation 2 is there until it ends; the first one is not.
    [ -e "$SITE/lib/scep/keys/tls-2.key.pem" ]
    touch "$WORK/end"
    wait "$asking"
    [ ! -e "$WORK/refused" ] || { cat "$WORK/refused"; false; }
    chancery tls renew scep
    run chancery tls renew scep
    [ "$status" != 0 ]
    [[ $output == *"within a day, limit 3"* ]]
    run chancery tls renew va
    [ "$status" = 2 ]
    is_served
}

@test "a revoked TLS certificate is not renewed, and raises an alarm" {
    site_of 340
    store "UPDATE certificate SET status = 'revoked', reason = 1, revoked_at = issued_at, revoked_by = 'cli' WHERE template = 'WebServer'"
    daemon_start
    alarmed() { grep -q 'alarm: TLS certificate is revoked and is not renewed' "$WORK/daemon.log"; }
    wait_for 150 alarmed
    is_generation 1
    run chancery tls renew scep
    [ "$status" != 0 ]
    [[ $output == *"is revoked, and not renewed"* ]]
    [ ! -e "$SITE/lib/scep/keys/tls-next.key.pem" ]
}

@test "a certificate that an administrator asked for is not renewed, only warned of" {
    site_of 340
    store "UPDATE certificate SET requester = 'cli' WHERE template = 'WebServer'"
    daemon_start
    warned() { grep -q 'TLS certificate ends .* is not renewed by this service, put a new one in place: .* issued to cli' "$WORK/daemon.log"; }
    wait_for 150 warned
    [ "$(shown state)" = "not renewed by this service" ]
    is_generation 1
    [ -n "$(served)" ]
    chancery remind --within 30d | grep -q tls
}

@test "a site of an earlier version, whose certificate has no number, renews it, too" {
    site_of 340
    as_user mv "$SITE/lib/scep/certs/tls-1.crt.pem" "$SITE/lib/scep/certs/tls.crt.pem"
    daemon_start
    wait_for 150 is_generation 2
    [ -e "$SITE/lib/scep/certs/tls-2.crt.pem" ]
    is_served() { [ "$(served)" = "$(shown serial)" ]; }
    wait_for 10 is_served
}

@test "mdm, which is no authority here, renews the certificate of both its listeners" {
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    daemon_start
    chancery tls renew mdm
    local serial
    serial=$(openssl x509 -in "$SITE/lib/mdm/certs/tls-2.crt.pem" -noout -serial | cut -d= -f2)
    mdm_serves() { HTTPS=$(port_of https mdm) && [ "$(served)" = "$serial" ] && HTTPS=$(port_of admin mdm) && [ "$(served)" = "$serial" ]; }
    wait_for 10 mdm_serves
    [ "$(chancery --json tls show | grep -c '"generation"')" = 3 ]
    # scep's is of its own key: mdm's was not touched by it, nor the other way round.
    [ "$(shown generation)" = 1 ]
    not grep -q ' refused by the sandbox' "$WORK/daemon.log"
}

@test "while ca does not answer the old certificate is served, and the key of the try that failed is taken up" {
    site_make
    daemon_start
    local ca=$(pgrep -P "$(daemon_pid)" -f chancery-ca)
    kill -STOP "$ca"
    run chancery tls renew scep
    kill -CONT "$ca"
    [ "$status" != 0 ]
    is_generation 1
    [ -n "$(served)" ]
    local key=$SITE/lib/scep/keys/tls-next.key.pem
    as_user test -e "$key"
    local sum=$(as_user sha256sum "$key" | cut -d' ' -f1)
    renewed() { chancery tls renew scep; }
    wait_for 30 renewed
    [ "$(as_user sha256sum "$SITE/lib/scep/keys/tls-2.key.pem" | cut -d' ' -f1)" = "$sum" ]
    # ca had it issued once, however often it was asked.
    [ "$(chancery cert list | grep -c role/scep)" = 1 ]
}
