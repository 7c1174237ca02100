#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The sandbox of each role: its double (tests/double) is staged in the role's place, and tries what somebody who captured it would.
# ./check runs this against the build with sanitizers, and again against a plain one, whose policy is the one that users get.
load helper

setup_file() { # one site for all in user mode
    work_begin
    site_make --ca-key RSA-2048 --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    mkdir "$WORK/release"
    cp "$WORK"/p/libexec/chancery/* "$WORK/release/"
}
teardown() {
    daemon_stop
    cut -d' ' -f1 "$WORK"/out/bystander-* | xargs -r kill || true
    rm -rf "$WORK/out"
    find "$SITE" '(' -name 'decoy*' -o -name '*.moved' -o -name made -o -name moved -o -name link -o -name symlink -o -name program \
        -o -name 'by-*' ')' -delete
    rm -rf "$WORK"/p/libexec/chancery/* "$WORK/ra" "$WORK"/tmp/*
    cp "$WORK"/release/* "$WORK/p/libexec/chancery/"
}
teardown_file() { work_end; }

stage_doubles() {
    local role
    for role in signer ca scep va mdm; do cp "$BUILD/tests/double/double-$role" "$WORK/p/libexec/chancery/chancery-$role"; done
    chmod -R a+rX "$WORK/p"
}
# What the tries read, change and remove: nothing that the service needs.
decoys_make() {
    local role other
    mkdir "$WORK/out"
    for role in signer ca scep va mdm; do
        touch "$SITE/lib/$role/decoy" "$SITE/lib/$role/decoy."{own,left,right,signer,ca,scep,va,mdm,unlink-signer,unlink-ca,unlink-scep,unlink-va,unlink-mdm}
        chmod 600 "$SITE/lib/$role/decoy"*
        chown --reference="$SITE/lib/$role" "$SITE/lib/$role/decoy"*
        mkdir "$WORK/out/folder-$role"
    done
    chmod 777 "$WORK/out"
    [ "$1" != user ] || chown -R "$RUN_AS:" "$WORK/out"
}
bystanders_start() { # RUNNER…
    local role
    for role in signer ca scep va mdm; do
        "$@" python3 "$SOURCE/tests/system/sandbox_bystander.py" "$WORK/out/bystander-$role" 3>&- &
        wait_for 10 test -f "$WORK/out/bystander-$role"
    done
}
# ROLE EXPECTED VERDICT PLAIN NAME ERRNO
column() { awk -F'\t' "$1" "$WORK"/out/*.report; }
wrongs() { # what was done and must not be, and what was not done and must be
    column '$2 == "forbidden" && $3 != "refused" && $3 != "killed" || $2 == "allowed" && $3 != "done" || $3 ~ /hung|crashed|unconfined/'
}
reports_are_whole() {
    local role forbidden killed
    for role in signer ca scep va mdm; do
        forbidden=$(column "\$1 == \"$role\" && \$2 == \"forbidden\"" | wc -l)
        killed=$(column "\$1 == \"$role\" && \$3 == \"killed\"" | wc -l)
        echo "$role: $forbidden forbidden tries, $killed of them ended the process" >&3
        [ "$forbidden" -ge 200 ]
        [ "$(column "\$1 == \"$role\" && \$2 == \"allowed\"" | wc -l)" -ge 3 ]
    done
}
still_serves() {
    get_ca "$URL" "$WORK/ra"
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/k" --out "$WORK/tmp/m" --challenge "$(chancery password new default)"
    [ "$(post "$URL" "$WORK/tmp/m" "$WORK/tmp/a")" = 200 ]
    chmod a+r "$WORK/tmp/a"
    shape open --in "$WORK/tmp/a" --key "$WORK/tmp/k" --out "$WORK/tmp/c" | grep -qx 'pkiStatus: 0'
}

@test "user mode: nothing that a captured role must not do succeeds, and the service goes on" {
    stage_doubles
    decoys_make user
    bystanders_start as_user
    export CHANCERY_DOUBLE=$WORK/out,on
    daemon_start
    wrongs
    [ -z "$(wrongs)" ]
    reports_are_whole
    still_serves
    daemon_log | grep -q 'user mode'
    not grep 'role died' "$WORK/daemon.log"
}
@test "user mode: without the sandbox the same tries succeed, so that this test can fail" {
    stage_doubles
    decoys_make user
    bystanders_start as_user
    export CHANCERY_DOUBLE=$WORK/out,off
    daemon_start
    local wrong
    wrong=$(column '$4 == "plain" && $3 != "done"')
    [ -z "$wrong" ] || { echo "$wrong"; return 1; }
    [ "$(column '$4 == "plain" && $1 == "scep"' | wc -l)" -ge 80 ]
    # Most kernel calls meet the supervisor's own filter; these few met nothing.
    [ "$(column '$5 == "kernel call" && $1 == "scep" && $3 == "done"' | wc -l)" -ge 8 ]
    [ "$(column '$5 == "socket of a family" && $1 == "scep" && $3 == "done"' | wc -l)" -ge 4 ]
}
@test "the programs that users get have no double in them, and are confined on every thread" {
    local role task
    for role in signer ca scep va mdm; do
        not grep -q -a CHANCERY_DOUBLE "$WORK/p/libexec/chancery/chancery-$role"
        nm "$BUILD/$role/chancery-$role" >"$WORK/symbols"
        grep -q role_confine "$WORK/symbols"
        not grep -e __wrap_ -e ' tries_' "$WORK/symbols"
        grep -q -a CHANCERY_DOUBLE "$BUILD/tests/double/double-$role"
    done
    daemon_start
    for role in signer ca scep va mdm; do
        for task in /proc/"$(role_pid $role)"/task/*; do
            grep -qx 'Seccomp:.2' "$task/status"
            grep -qx 'NoNewPrivs:.1' "$task/status"
            grep -qx 'CapEff:.0*' "$task/status"
        done
    done
    grep -qx 'Seccomp:.2' "/proc/$(daemon_pid)/status"
    grep -qx 'NoNewPrivs:.1' "/proc/$(daemon_pid)/status"
    chancery --json status | grep -q 'sandbox=landlock-[0-9]*,seccomp'
}
@test "a role that its sandbox ended is named in the log, and comes back" {
    daemon_start
    local old
    old=$(role_pid scep)
    kill -SYS "$old" # what the kernel sends for a forbidden call
    wait_for 20 gone "$old"
    daemon_log | grep 'error chanceryd sandbox ended role=scep'
    daemon_log | grep 'role died role=scep signal=31 sandbox=forbidden-system-call'
    back() { curl -sS "$URL?operation=GetCACaps" | grep -q AES; }
    wait_for 20 back
    [ "$(role_pid scep)" != "$old" ]
}
@test "a reload reaches every role in its sandbox" {
    daemon_start
    kill -HUP "$(daemon_pid)"
    all() { [ "$(daemon_log | grep -c ' reloaded$')" = 5 ]; }
    wait_for 20 all || { daemon_log; return 1; }
    ! daemon_log | grep 'reload refused' || return 1
}
@test "no role holds a descriptor of another's files" {
    [ "$(id -u)" = 0 ] || skip "a role's descriptors are for root to see"
    daemon_start
    local role held
    for role in signer ca scep va mdm; do
        held=$(find "/proc/$(role_pid $role)/fd" -type l -printf '%l\n' | grep "^$SITE" || true)
        not grep -v -e "^$SITE/lib/$role/" -e "^$SITE/log/$role/" -e '^$' <<<"$held"
    done
    [ "$(find "/proc/$(role_pid signer)/fd" -type l -printf '%l\n' | grep -c "^$SITE")" = 1 ] # the journal
}
@test "the service manager's unit gives the daemon what it needs, and not much more" {
    cp "$SOURCE/packaging/chanceryd.service" "$WORK/chanceryd.service"
    systemd-analyze security --offline=true --threshold=30 "$WORK/chanceryd.service" >/dev/null
    # Debian 12's systemd has no group of the calls that a process confines itself with.
    local call
    for call in seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self; do
        grep -q "^SystemCallFilter=@system-service.* $call" "$WORK/chanceryd.service"
    done
}
@test "private keys lie in locked memory, the CA's in the signer alone" {
    [ "$(id -u)" = 0 ] || skip "another process's memory is for root to read"
    daemon_start
    still_serves
    curl -sS --cacert "$WORK/ca.pem" "$URLS?operation=GetCACaps" -o /dev/null
    local ca_key="$SITE/lib/signer/keys/ca-issuing-1.key.pem" role
    scan() { python3 "$SOURCE/tests/system/key_scan.py" "$(role_pid "$1")" "$2" "$SITE/etc/secrets/$3/unlock"; }
    locked() { # ROLE KEY: found, and nowhere else than in locked memory
        local found
        found=$(scan "$1" "$2" "$1")
        grep -q ' locked ' <<<"$found"
        not grep -v ' locked ' <<<"$found"
    }
    locked signer "$ca_key"
    locked scep "$SITE/lib/scep/keys/default-encryption-1.key.pem"
    locked scep "$SITE/lib/scep/keys/default-signature-1.key.pem"
    locked scep "$SITE/lib/scep/keys/tls-1.key.pem"
    locked mdm "$SITE/lib/mdm/keys/tls-1.key.pem"
    wait_for 20 test -f "$SITE/lib/va/certs/ocsp-issuing-1.crt.pem"
    locked va "$SITE/lib/va/keys/ocsp-issuing-1.key.pem"
    for role in ca scep va mdm; do
        [ -z "$(scan $role "$ca_key" signer)" ]
        [ "$(awk '/^VmLck/ { print $2 }' "/proc/$(role_pid $role)/status")" -ge 4096 ]
    done
    [ -z "$(find "$WORK" -name 'core*')" ]
}
@test "without the right to lock memory the service warns, and serves" {
    ulimit -l 0
    daemon_start
    daemon_log | grep -q 'warn signer the key heap of .* cannot be locked'
    still_serves
}
@test "a kernel without Landlock: a loud warning at the start and in status, and the service serves" {
    cp "$BUILD/tests/double/no-landlock" "$WORK/p/bin/"
    mv "$WORK/p/sbin/chanceryd" "$WORK/p/sbin/chanceryd.real"
    printf '#!/bin/sh\nexec "%s/p/bin/no-landlock" "%s/p/sbin/chanceryd.real" "$@"\n' "$WORK" "$WORK" >"$WORK/p/sbin/chanceryd"
    chmod 755 "$WORK/p/sbin/chanceryd"
    daemon_start
    mv -f "$WORK/p/sbin/chanceryd.real" "$WORK/p/sbin/chanceryd"
    local role
    for role in signer ca scep va mdm; do
        grep -q "error $role sandbox: this kernel has no Landlock" "$WORK/daemon.log"
        grep -qx 'Seccomp:.2' "/proc/$(role_pid $role)/status"
    done
    chancery status | grep -q 'sandbox=none,seccomp'
    still_serves
}
# Each of them has SQL of its own, which PostgreSQL reads more strictly than SQLite.
administrators_ask() {
    local serial id
    openssl req -new -newkey rsa:2048 -nodes -keyout "$WORK/tmp/own.key" -subj /CN=own.example -addext subjectAltName=DNS:own.example \
        -out "$WORK/tmp/own.csr" 2>/dev/null
    chmod a+r "$WORK/tmp/own.csr"
    chancery template copy WebServer Own >/dev/null
    chancery template publish Own >/dev/null
    chancery right grant cli enroll --template Own >/dev/null
    chancery request submit "$WORK/tmp/own.csr" --template Own | openssl x509 -noout -subject | grep -q own.example
    serial=$(chancery --json cert list --status valid --limit 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["serial"])')
    id=$(chancery --json request list --status issued,pending --limit 1 | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])')
    chancery request export "$id" | grep -q own.example
    chancery cert revoke "$serial" superseded >/dev/null
    chancery --json cert show "$serial" | grep -q superseded
    chancery cert list --expiring 900d >/dev/null
    chancery crl show issuing | grep -q '^number'
    chancery crl publish issuing >/dev/null
    [ "$(chancery --json audit list --since 1h --action revoke --actor cli --limit 1 | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = 1 ]
    chancery audit list --of templates | grep -q Own
    chancery export >"$WORK/tmp/site.json"
    grep -q '"Own"' "$WORK/tmp/site.json"
    chancery right list >/dev/null
    chancery metrics >/dev/null
}
@test "a store on PostgreSQL: ca reaches its server, and reaches it again after a restart; nobody else" {
    local bin port
    bin=$(echo /usr/lib/postgresql/*/bin)
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir "$WORK/pg"
    [ "$(id -un)" = "$RUN_AS" ] || chown "$RUN_AS:" "$WORK/pg"
    as_user "$bin/initdb" -D "$WORK/pg/data" -A trust -U chancery --no-sync >/dev/null
    server() { as_user "$bin/pg_ctl" -D "$WORK/pg/data" -w -o "-h 127.0.0.1 -p $port -k $WORK/pg -F" -l "$WORK/pg/log" "$@" >/dev/null 3>&-; }
    server start
    conf_set "s/^ca \"\(.*\)\" {/&\n    store = \"host=localhost port=$port dbname=postgres user=chancery\"/"
    daemon_start
    still_serves
    grep -qx 'Seccomp:.2' "/proc/$(role_pid ca)/status"
    administrators_ask
    server restart
    wait_for 20 still_serves
    daemon_stop
    # The same database emptied is not gone on with; one that is restored is.
    psql() { as_user "$bin/psql" -Xq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U chancery postgres -c "$1"; }
    psql 'ALTER SCHEMA chancery_ca RENAME TO kept'
    run timeout 30 setpriv --reuid "$(id -u "$RUN_AS")" --clear-groups "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
    [ "$status" = 1 ]
    grep -q 'the database is a new one without a name.*/lib/ca/database' <<<"$output"
    psql 'DROP SCHEMA chancery_ca CASCADE' 2>/dev/null
    psql 'ALTER SCHEMA kept RENAME TO chancery_ca'
    daemon_start
    still_serves
    daemon_stop
    server -m immediate stop
    conf_set '/^    store = /d'
    not grep 'role died' "$WORK/daemon.log"
}
system_site() { # as packaging installs it: root's supervisor, a user per role
    systemd-sysusers "$SOURCE/packaging/chancery.sysusers"
    SITE=$WORK/y
    mkdir "$SITE"
    RUN_AS=root
    echo "correct horse battery" >"$WORK/passphrase"
    chmod 600 "$WORK/passphrase"
    chancery init --mode system --http 127.0.0.1:0 --https 127.0.0.1:0 --va-http 127.0.0.1:0 --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0 --external-name localhost --root-passphrase-file "$WORK/passphrase" "$@"
    cat "$SITE/lib/scep/certs/ca-issuing.crt.pem" "$SITE/lib/scep/certs/ca-issuing-root.crt.pem" >"$WORK/ca.pem"
}
# The last: it leaves a site of its own behind.
@test "system mode: nothing that a captured role must not do succeeds, and the service goes on" {
    [ "$(id -u)" = 0 ] || skip "system mode needs root"
    system_site
    stage_doubles
    decoys_make system
    bystanders_start
    export CHANCERY_DOUBLE=$WORK/out,on
    daemon_start
    wrongs
    [ -z "$(wrongs)" ]
    reports_are_whole
    still_serves
    not grep 'role died' "$WORK/daemon.log"
}
