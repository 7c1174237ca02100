#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Users and groups from LDAP: a real OpenLDAP on loopback, with an account that may only read, in pages, over verified TLS.
# runs beside the others: it mostly waits
load helper

BASE=dc=example,dc=test
READER=cn=reader,$BASE

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    cp -a "$SITE/lib/mdm" "$WORK/mdm"
    certificates_make
    as_user mkdir "$WORK/db"
    slapd_conf
    as_user sh -c 'printf "reader password\n" >"$1"; chmod 0400 "$1"' sh "$SITE/etc/secrets/mdm/directory-corp.password"
    as_user cp -p "$SITE/etc/secrets/mdm/directory-corp.password" "$SITE/etc/secrets/mdm/directory-many.password"
    entries_write >"$WORK/tmp/entries.ldif"
    as_user /usr/sbin/slapadd -q -f "$WORK/slapd.conf" -l "$WORK/tmp/entries.ldif"
    cp -a "$WORK/db" "$WORK/db.first"
    LDAPS=$(free_port) LDAP=$(free_port)
    export LDAPS LDAP
}
setup() {
    slapd_start
    directory_conf corp "base = \"$BASE\"" 'user_filter = "(&(objectClass=inetOrgPerson)(!(ou=many)))"'
    daemon_start
    synced corp
}
teardown() { # each test begins with the same two
    daemon_stop
    slapd_stop
    [ ! -f "$WORK/double.pid" ] || kill "$(cat "$WORK/double.pid")" 2>/dev/null || true
    [ ! -f "$WORK/proxy.pid" ] || kill "$(cat "$WORK/proxy.pid")" 2>/dev/null || true
    rm -f "$WORK/double.pid" "$WORK/proxy.pid"
    rm -rf "$SITE/lib/mdm" "$WORK/db"
    cp -a "$WORK/mdm" "$SITE/lib/mdm"
    cp -a "$WORK/db.first" "$WORK/db"
    conf_set '/^# directories/,$d'
}
teardown_file() {
    slapd_stop
    work_end
}

certificates_make() {
    local name
    for name in ca other; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/$name.key" -out "$WORK/ldap-$name.pem" -subj "/CN=$name" -days 10 2>/dev/null
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/slapd.key" -out "$WORK/slapd.csr" -subj /CN=localhost 2>/dev/null
    openssl x509 -req -in "$WORK/slapd.csr" -CA "$WORK/ldap-ca.pem" -CAkey "$WORK/ca.key" -CAcreateserial -days 10 -out "$WORK/slapd.pem" \
        -extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
    chmod a+r "$WORK"/*.pem "$WORK/slapd.key"
}
slapd_conf() {
    cat >"$WORK/slapd.conf" <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload refint
moduleload ppolicy
pidfile $WORK/db/pid
TLSCACertificateFile $WORK/ldap-ca.pem
TLSCertificateFile $WORK/slapd.pem
TLSCertificateKeyFile $WORK/slapd.key
sockbuf_max_incoming_auth 8388608
# Nobody gets all of it but in pages.
sizelimit size.soft=200 size.hard=200 size.pr=200 size.prtotal=unlimited
database mdb
maxsize 268435456
suffix "$BASE"
rootdn "cn=admin,$BASE"
rootpw admin
directory $WORK/db
index objectClass,entryUUID,modifyTimestamp eq
access to attrs=userPassword by anonymous auth
access to * by dn.exact="$READER" read by * none
overlay refint
refint_attributes member
overlay ppolicy
CONF
    chmod a+r "$WORK/slapd.conf"
}
# 200 users, 20 groups of ten, each but the first with the one before it in it; and 1,200 users more.
entries_write() {
    python3 - "$BASE" <<'PY'
import sys
base = sys.argv[1]
def entry(dn, *lines):
    print(f"dn: {dn}", *lines, "", sep="\n")
entry(base, "objectClass: dcObject", "objectClass: organization", "o: example", "dc: example")
entry(f"cn=reader,{base}", "objectClass: organizationalRole", "objectClass: simpleSecurityObject", "cn: reader", "userPassword: reader password")
for ou in "people", "groups", "many":
    entry(f"ou={ou},{base}", "objectClass: organizationalUnit", f"ou: {ou}")
entry(f"ou=away,{base}", "objectClass: referral", "objectClass: extensibleObject", "ou: away", "ref: ldap://192.0.2.1/dc=elsewhere")  # is not gone after
def person(number, ou):
    entry(f"uid={ou[0]}{number},ou={ou},{base}", "objectClass: inetOrgPerson", f"uid: {ou[0]}{number}", f"cn: {ou} {number}", "sn: x", f"ou: {ou}",
          f"mail: {ou[0]}{number}@example.test", "displayName:: TcO8bGxlciA=" if number == 1 else f"displayName: User {number}")
for number in range(200):
    person(number, "people")
for number in range(20):
    members = [f"uid=p{number * 10 + n},ou=people,{base}" for n in range(10)] + ([f"cn=g{number - 1},ou=groups,{base}"] if number else [])
    entry(f"cn=g{number},ou=groups,{base}", "objectClass: groupOfNames", f"cn: g{number}", *[f"member: {m}" for m in members])
for number in range(1200):
    person(number, "many")
PY
}
slapd_start() {
    as_user sh -c 'echo $$ >"$1/slapd.started"; exec /usr/sbin/slapd -d 0 -f "$1/slapd.conf" -h "$2" >>"$1/tmp/slapd.log" 2>&1 3>&-' \
        sh "$WORK" "ldap://127.0.0.1:$LDAP ldaps://127.0.0.1:$LDAPS ldaps://127.0.0.2:$LDAPS ldap://127.0.0.2:$LDAP" &
    wait_for 20 answers || { cat "$WORK/tmp/slapd.log"; return 1; }
}
answers() { ldapwhoami -x -H "ldap://127.0.0.1:$LDAP" -D "cn=admin,$BASE" -w admin >/dev/null 2>&1; }
slapd_stop() {
    [ -f "$WORK/slapd.started" ] || return 0
    local pid
    pid=$(cat "$WORK/slapd.started")
    kill -TERM "$pid" 2>/dev/null || true
    wait_for 20 gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    rm -f "$WORK/slapd.started"
}
change() { ldapmodify -x -H "ldap://127.0.0.1:$LDAP" -D "cn=admin,$BASE" -w admin >/dev/null; } # LDIF of standard input
directory_conf() { # NAME LINE…; what is given comes before what is not
    local name=$1 line text=
    shift
    for line in "$@"; do text+="    $line"$'\n'; done
    grep -q 'urls =' <<<"$text" || text+="    urls = {\"ldaps://127.0.0.1:$LDAPS\"}"$'\n'
    grep -q 'ca_file =' <<<"$text" || text+="    ca_file = \"$WORK/ldap-ca.pem\""$'\n'
    grep -q 'bind_dn =' <<<"$text" || text+="    bind_dn = \"$READER\""$'\n'
    grep -q 'page_size =' <<<"$text" || text+="    page_size = 100"$'\n'
    grep -q ' interval =' <<<"$text" || text+="    interval = 86400"$'\n'
    conf_add <<<"# directories
directory \"$name\" {
    schema = openldap
    full_interval = 86400
    overlap = 5
$text}"
}
conf_again() { # ARGUMENTS of directory_conf: in place of what there was
    daemon_stop
    conf_set '/^# directories/,$d'
    directory_conf "$@"
    daemon_start
}

outcome_of() { chancery --json directory show "$1" | member outcome; }
synced() { # the first run, which begins by itself
    wait_for 60 ended "$1"
    [ "$(outcome_of "$1")" = succeeded ] || { chancery directory show "$1"; daemon_log; return 1; }
}
ended() { [ "$(chancery --json directory show "$1" | member done)" != None ] && [ "$(chancery --json directory show "$1" | member ended_at)" != None ]; }
member() { python3 -c 'import json, sys; value = json.load(sys.stdin)
for name in sys.argv[1].split("."): value = value[name]
print(value)' "$1"; }
lines() { python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
users() { chancery --json user list | lines; }
refused() { # STATUS TEXT COMMAND…
    run chancery "${@:3}"
    echo "$output"
    [ "$status" = "$1" ] && grep -q -F -- "$2" <<<"$output"
}

@test "two hundred users and twenty nested groups come over TLS, and status and metrics say so" {
    [ "$(users)" = 200 ]
    [ "$(chancery --json group list | lines)" = 20 ]
    chancery user show p1@example.test | grep -q '^distinguished_name *uid=p1,ou=people,dc=example,dc=test'
    [ "$(chancery --json user show p1@example.test | member name)" = 'Müller ' ]
    [ "$(chancery --json user groups p0@example.test | lines)" = 20 ]
    [ "$(chancery --json group members g1 | lines)" = 10 ]
    [ "$(chancery --json group members g1 --groups | lines)" = 1 ]
    [ "$(chancery --json directory show corp | member counts.added)" = 220 ]
    [ "$(chancery --json directory show corp | member counts.refused)" = 0 ]
    chancery directory list | grep -q '^corp *openldap *succeeded'
    chancery status | grep '^mdm ' | grep -q 'directory=corp directory_outcome=succeeded .*directory_age_s='
    chancery metrics | grep -q '^chancery_directory_success_timestamp_seconds{directory="corp"} 1[0-9]*$'
    refused 1 'comes from the directory "corp", which says its email: change it there' user set p1@example.test --email x@example.test
    refused 1 'comes from the directory "corp": change it there' user delete p1@example.test
    refused 3 'the configuration has no directory "other"' directory sync other
    # Nothing to do is nothing done.
    [ "$(chancery --json directory sync corp | member counts.changed)" = 0 ]
}
@test "changes, a new name, a disabled account and a move between groups come with the next look" {
    local id
    id=$(chancery --json user show p5@example.test | member id)
    change <<LDIF
dn: uid=p5,ou=people,$BASE
changetype: modrdn
newrdn: uid=anna
deleteoldrdn: 1

dn: uid=anna,ou=people,$BASE
changetype: modify
replace: mail
mail: anna@example.test

dn: uid=p6,ou=people,$BASE
changetype: modify
add: pwdAccountLockedTime
pwdAccountLockedTime: 000001010000Z

dn: cn=g0,ou=groups,$BASE
changetype: modify
delete: member
member: uid=p7,ou=people,$BASE

dn: cn=g2,ou=groups,$BASE
changetype: modify
add: member
member: uid=p7,ou=people,$BASE
LDIF
    chancery --json directory sync corp >"$WORK/tmp/synced"
    [ "$(member kind <"$WORK/tmp/synced")" = incremental ]
    [ "$(chancery --json user show anna@example.test | member id)" = "$id" ]
    [ "$(chancery --json user show anna@example.test | member sam_name)" = anna ]
    [ "$(chancery --json user show p6@example.test | member enabled)" = False ]
    [ "$(users)" = 200 ]
    [ "$(chancery --json group members g0 | lines)" = 9 ]
    [ "$(chancery --json group members g2 | lines)" = 11 ]
    [ "$(chancery --json user groups anna@example.test | lines)" = 20 ]
}
@test "who is deleted there is marked here, and has lost no group by that" {
    change <<LDIF
dn: uid=p8,ou=people,$BASE
changetype: delete
LDIF
    # refint takes it out of its group at once; the next look is not fooled by that.
    chancery directory sync corp
    [ "$(users)" = 199 ]
    [ "$(chancery --json directory show corp | member counts.deleted)" = 1 ]
    [ "$(chancery --json directory show corp | member counts.members_removed)" = 0 ]
    [ "$(chancery --json user list --deleted | lines)" = 200 ]
}
@test "when too many would go at once nobody does, until somebody says so" {
    local n
    for n in $(seq 100 150); do printf 'dn: uid=p%s,ou=people,%s\nchangetype: delete\n\n' "$n" "$BASE"; done | change
    refused 5 '51 deletions and memberships are held' directory sync corp --full
    [ "$(users)" = 200 ]
    [ "$(outcome_of corp)" = held ]
    grep -q 'ALARM directory corp: 51 deletions' "$WORK/daemon.log"
    chancery metrics | grep -q '^chancery_directory_held{directory="corp"} 51$'
    chancery directory sync corp --allow-deletions
    [ "$(users)" = 149 ]
    [ "$(outcome_of corp)" = succeeded ]
}
@test "no server is believed whose certificate is of another CA or for another name" {
    local before
    before=$(chancery --json directory show corp | member succeeded_at)
    conf_again corp "base = \"$BASE\"" "ca_file = \"$WORK/ldap-other.pem\""
    run chancery directory sync corp
    [ "$status" = 4 ]
    grep -q -F "its certificate is not for that host or not from ca_file $WORK/ldap-other.pem" <<<"$output"
    conf_again corp "base = \"$BASE\"" "urls = {\"ldaps://127.0.0.2:$LDAPS\"}"
    refused 4 "ldaps://127.0.0.2:$LDAPS: " directory sync corp
    conf_again corp "base = \"$BASE\"" "urls = {\"ldap://127.0.0.2:$LDAP\"}" # StartTLS, same name
    refused 4 "StartTLS" directory sync corp
    [ "$(chancery --json directory show corp | member succeeded_at)" = "$before" ]
    [ "$(users)" = 200 ]
    conf_again corp "base = \"$BASE\"" "urls = {\"ldap://127.0.0.1:$LDAP\"}" 'user_filter = "(&(objectClass=inetOrgPerson)(!(ou=many)))"'
    chancery directory sync corp
}
@test "a wrong password, none, and an account that is not there are told and change nothing" {
    conf_again corp "base = \"$BASE\"" "bind_dn = \"cn=nobody,$BASE\""
    refused 4 "signing in as \"cn=nobody,$BASE\": Invalid credentials" directory sync corp
    as_user sh -c 'chmod 0600 "$1"; printf "" >"$1"' sh "$SITE/etc/secrets/mdm/directory-corp.password"
    refused 4 'is empty; allowed is a password' directory sync corp
    as_user rm "$SITE/etc/secrets/mdm/directory-corp.password"
    refused 4 'directory-corp.password' directory sync corp
    as_user sh -c 'printf "reader password\n" >"$1"; chmod 0400 "$1"' sh "$SITE/etc/secrets/mdm/directory-corp.password"
    conf_again corp "base = \"$BASE\"" 'bind_dn = ""'
    refused 4 '' directory sync corp # nobody may read anything
    [ "$(users)" = 200 ]
    chancery directory show corp | grep -q '^outcome *failed'
}
@test "more than a thousand come in pages, and a server that is gone in the middle takes nobody anything" {
    [ "$(users)" = 200 ]
    directory_conf many "base = \"ou=many,$BASE\"" 'page_size = 100'
    daemon_stop
    daemon_start
    synced many
    [ "$(users)" = 1400 ]
    [ "$(chancery --json directory show many | member counts.added)" = 1200 ]
    # Through something that cuts the line after so many octets.
    local port n
    port=$(free_port)
    python3 - "$port" "$LDAP" 60000 <<'PY' 3>&- &
import socket, sys, threading
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def pump(source, sink, left):
    while left > 0 and (data := source.recv(min(left, 4096))):
        sink.sendall(data)
        left -= len(data)
    for end in source, sink:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
while True:
    client, _ = server.accept()
    behind = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    threading.Thread(target=pump, args=(client, behind, 1 << 30), daemon=True).start()
    threading.Thread(target=pump, args=(behind, client, int(sys.argv[3])), daemon=True).start()
PY
    echo $! >"$WORK/proxy.pid"
    conf_again many "base = \"ou=many,$BASE\"" 'page_size = 100' "urls = {\"ldap://127.0.0.1:$port\"}" 'start_tls = false'
    for n in 1 2; do refused 4 "ldap://127.0.0.1:$port: " directory sync many --full; done
    kill "$(cat "$WORK/proxy.pid")"
    rm "$WORK/proxy.pid"
    [ "$(users)" = 1400 ]
    refused 4 "ldap://127.0.0.1:$port: " directory sync many
    conf_again many "base = \"ou=many,$BASE\"" "urls = {\"ldap://127.0.0.1:$port\", \"ldaps://127.0.0.1:$LDAPS\"}" 'start_tls = false'
    chancery directory sync many --full # the second URL
    [ "$(users)" = 1400 ]
}
@test "a kill in the middle of a run leaves what is consistent, and the run is taken up again" {
    local round
    conf_again many "base = \"ou=many,$BASE\"" 'page_size = 20'
    for round in 1 2 3; do
        sleep "0.$round"
        kill -KILL "$(role_pid mdm)"
        back() { chancery status | grep -q '^mdm *serving'; }
        wait_for 20 back
    done
    chancery directory sync many
    [ "$(users)" = 1400 ]
    [ "$(chancery --json user list | python3 -c 'import json, sys; print(len({u["upn"] for u in json.load(sys.stdin)}))')" = 1400 ]
}
@test "a hostile value is refused by name, a local user is not taken over, and the rest goes on" {
    chancery user add p900@example.test --name local
    python3 - "$BASE" >"$WORK/tmp/hostile" <<'PY'
import base64, sys
base = sys.argv[1]
def person(uid, *lines):
    print(f"dn: uid={uid},ou=people,{base}", "changetype: add", "objectClass: inetOrgPerson", f"uid: {uid}", "cn: x", "sn: x", *lines, "", sep="\n")
def text(octets):
    return base64.b64encode(octets).decode()
person("p900", "mail: p900@example.test")
person("p901", "mail: p901@example.test", "displayName:: " + text(b"two\nlines"))
person("p902", "mail: p902@example.test", "displayName:: " + text(b"x" * (1 << 20)))
person("p903", "mail: p903@example.test", "displayName:: " + text(b"a\0b"))
person("p904)(uid=*", "mail: p904@example.test", "displayName: *)(uid=*")
person("p905", "mail: p905@example.test", "displayName: '; DROP TABLE directory_user; --")
person("p906", "displayName: nobody")
PY
    ldapmodify -x -c -H "ldap://127.0.0.1:$LDAP" -D "cn=admin,$BASE" -w admin <"$WORK/tmp/hostile" >/dev/null
    chancery --json directory sync corp >"$WORK/tmp/synced"
    [ "$(member counts.refused <"$WORK/tmp/synced")" = 3 ]
    [ "$(member counts.conflicts <"$WORK/tmp/synced")" = 1 ]
    [ "$(member counts.passed_over <"$WORK/tmp/synced")" = 1 ]
    grep -q 'name is \\"two' "$WORK/tmp/synced"
    grep -q 'are 256 octets, and these are 1048576' "$WORK/tmp/synced"
    grep -q 'upn \\"p900@example.test\\" is that of another user' "$WORK/tmp/synced"
    [ "$(chancery --json user show p900@example.test | member source)" = local ]
    [ "$(chancery --json user show p904@example.test | member name)" = '*)(uid=*' ]
    [ "$(chancery --json user show p905@example.test | member name)" = "'; DROP TABLE directory_user; --" ]
    [ "$(users)" = 203 ]
    grep -q 'directory corp refused entry="uid=p901,ou=people,dc=example,dc=test"' "$WORK/daemon.log"
}
@test "members that come in parts are all read or the group stays as it is, and referrals are not followed" {
    local port elsewhere
    port=$(free_port) elsewhere=$(free_port)
    python3 "$SOURCE/tests/system/ad_double.py" "$port" "$elsewhere" "$WORK/tmp" >"$WORK/tmp/ad.log" 2>&1 3>&- &
    echo $! >"$WORK/double.pid"
    conf_again corp "base = \"DC=corp,DC=test\"" "urls = {\"ldap://127.0.0.1:$port\", \"ldap://127.0.0.1:$elsewhere\"}" 'start_tls = false'
    daemon_stop
    rm -rf "$SITE/lib/mdm"
    cp -a "$WORK/mdm" "$SITE/lib/mdm"
    conf_set 's/schema = openldap/schema = ad/'
    daemon_start
    chancery directory sync corp --full || { cat "$WORK/tmp/ad.log"; false; }
    [ "$(users)" = 25 ]
    [ "$(chancery --json group members staff | lines)" = 25 ]
    touch "$WORK/tmp/broken"
    refused 4 'has no values behind 10' directory sync corp --full
    [ "$(chancery --json group members staff | lines)" = 25 ]
    rm "$WORK/tmp/broken"
    chancery directory sync corp --full
    [ "$(chancery --json group members staff | lines)" = 25 ]
    [ ! -e "$WORK/tmp/followed" ]
}
@test "an interval is kept without anybody asking" {
    conf_again corp "base = \"$BASE\"" 'user_filter = "(&(objectClass=inetOrgPerson)(!(ou=many)))"' 'interval = 10'
    synced corp
    change <<LDIF
dn: uid=p1,ou=people,$BASE
changetype: modify
replace: displayName
displayName: Other
LDIF
    other() { [ "$(chancery --json user show p1@example.test | member name)" = Other ]; }
    wait_for 30 other
}
