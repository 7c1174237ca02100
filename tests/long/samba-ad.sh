#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] Users and groups from an Active Directory domain controller, Samba's: provisioned in a folder, in a network of its own, and taken away again.
# Writes tests/long/samba-ad.result. Needs root and the packages samba-ad-dc, samba-ad-provision and python3-samba, which nothing else needs. usage:
# tests/long/samba-ad.sh [USERS]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
[ "$(id -u)" = 0 ] || { echo "samba-ad.sh: a domain controller and its network are made by root" >&2; exit 1; }
[ -d /usr/share/samba/setup ] || { echo "samba-ad.sh: apt-get install samba-ad-dc samba-ad-provision python3-samba" >&2; exit 1; }
# It listens on ports of the system, which are nobody else's in here.
[ "${SAMBA_AD_INSIDE:-}" ] || SAMBA_AD_INSIDE=1 exec unshare --net "$0" "$@"
ip link set lo up
count=${1:-300}
. tests/long/helper.bash

REALM=corp.example.test BASE=DC=corp,DC=example,DC=test PASSWORD=Passw0rd.Chancery
work_begin
DC=$(mktemp -d /var/tmp/chancery-ad.XXXXXX)
cleanup() {
    daemon_stop
    [ ! -f "$DC/pid" ] || kill -TERM "$(cat "$DC/pid")" 2>/dev/null || true
    sleep 1
    rm -rf "$DC" "$WORK"
}
trap cleanup EXIT

member() { python3 -c 'import json, sys; value = json.load(sys.stdin)
for name in sys.argv[1].split("."): value = value[name]
print(value)' "$1"; }
lines() { python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
admin_ldap() { # TOOL ARGUMENTS…
    local tool=$1
    shift
    LDAPTLS_CACERT="$DC/ca.pem" timeout 120 "$tool" -x -H ldaps://127.0.0.1 -D "Administrator@$REALM" -w "$PASSWORD" "$@"
}
sid_of() { admin_ldap ldapsearch -LLL -b "$BASE" "(sAMAccountName=$1)" objectSid | sed -n 's/^objectSid:: //p'; }
sid_text() { python3 -c 'import base64, struct, sys
b = base64.b64decode(sys.argv[1])
print("S-1-%d" % int.from_bytes(b[2:8], "big") + "".join("-%d" % x for x in struct.unpack("<%dI" % b[1], b[8:])))' "$1"; }
sync() { chancery --json directory sync corp "$@" >"$WORK/tmp/synced" 2>"$WORK/tmp/synced.err"; }
said() { member "$1" <"$WORK/tmp/synced"; }
users() { chancery --json user list | lines; }

dc_make() {
    timeout 300 samba-tool domain provision --realm="${REALM^^}" --domain=CORP --adminpass="$PASSWORD" --server-role=dc --dns-backend=NONE \
        --targetdir="$DC" --host-name=dc1 --host-ip=127.0.0.1 --option="interfaces=lo" --option="bind interfaces only=yes" \
        --option="posix:eadb=$DC/eadb.tdb" --option="vfs objects=dfs_samba4 acl_xattr xattr_tdb" --option="xattr_tdb:file=$DC/xattr.tdb" >"$DC/provision.log" 2>&1
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$DC/ca.key" -out "$DC/ca.pem" -subj /CN=ca -days 10 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$DC/dc.key" -out "$DC/dc.csr" -subj /CN=dc1 2>/dev/null
    openssl x509 -req -in "$DC/dc.csr" -CA "$DC/ca.pem" -CAkey "$DC/ca.key" -CAcreateserial -days 10 -out "$DC/dc.pem" -extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null
    chmod 755 "$DC"
    chmod 644 "$DC/ca.pem"
    chmod 600 "$DC/dc.key"
}
dc_start() {
    sh -c 'echo $$ >"$1/pid"; exec /usr/sbin/samba -F --no-process-group -s "$1/etc/smb.conf" --option="server services=ldap,winbindd,kdc" \
        --option="tls keyfile=$1/dc.key" --option="tls certfile=$1/dc.pem" --option="tls cafile=$1/ca.pem" --debug-stdout -d1 >"$1/log" 2>&1' sh "$DC" </dev/null &
    wait_for 60 dc_answers || { tail -n 20 "$DC/log"; return 1; }
}
dc_answers() { admin_ldap ldapsearch -b '' -s base highestCommittedUSN >/dev/null 2>&1; }
dc_fill() {
    samba-tool user create reader "$PASSWORD" -H "$DC/private/sam.ldb" >/dev/null 2>&1
    python3 - "$BASE" "$count" >"$DC/entries.ldif" <<'PY'
import sys
base, count = sys.argv[1], int(sys.argv[2])
print(f"dn: OU=Staff,{base}\nchangetype: add\nobjectClass: organizationalUnit\n\ndn: OU=Other,{base}\nchangetype: add\nobjectClass: organizationalUnit\n")
for n in range(count):
    print(f"dn: CN=User\\, {n},OU=Staff,{base}", "changetype: add", "objectClass: user", f"sAMAccountName: u{n}", f"userPrincipalName: u{n}@corp.example.test",
          f"mail: u{n}@example.test", f"displayName: User {n}", "userAccountControl: 544", "", sep="\n")
for n in range(10):
    print(f"dn: CN=G{n},OU=Staff,{base}", "changetype: add", "objectClass: group", f"sAMAccountName: G{n}",
          *[f"member: CN=User\\, {m},OU=Staff,{base}" for m in range(n * 10, n * 10 + 10)], *([f"member: CN=G{n - 1},OU=Staff,{base}"] if n else []), "", sep="\n")
PY
    admin_ldap ldapmodify -f "$DC/entries.ldif" >/dev/null
}
site_start() { # BIND NAME
    daemon_stop
    conf_set '/^# directories/,$d'
    conf_add <<CONF
# directories
directory "corp" {
    schema = ad
    urls = {"ldaps://127.0.0.1"}
    ca_file = "$DC/ca.pem"
    base = "$BASE"
    bind_dn = "$1@$REALM"
    sam_domain = "CORP"
    interval = 86400
    full_interval = 86400
}
CONF
    daemon_start
}

dc_make
dc_start
dc_fill
site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0 >/dev/null
as_user sh -c 'printf "%s\n" "$2" >"$1"; chmod 0400 "$1"' sh "$SITE/etc/secrets/mdm/directory-corp.password" "$PASSWORD"

result_begin samba-ad "$count users, $(dpkg-query -W -f '${Package} ${Version}' samba-ad-dc)"
site_start reader
sync || { cat "$WORK/tmp/synced.err"; daemon_log | tail -n 20; }
judge "an account without rights reads the domain: outcome $(said outcome), $(users) users, $(said counts.passed_over) without a UPN" \
    "'$(said outcome)' == 'succeeded' and $(users) == $count + 1"
chancery --json user show u7@corp.example.test >"$WORK/tmp/user"
sid=$(sid_text "$(sid_of u7)")
judge "objectSid is $(member sid <"$WORK/tmp/user"), the server's own is $sid" "'$(member sid <"$WORK/tmp/user")' == '$sid'"
judge "distinguishedName is $(member distinguished_name <"$WORK/tmp/user")" "r'''$(member distinguished_name <"$WORK/tmp/user")''' == r'''CN=User\\, 7,OU=Staff,$BASE'''"
judge "sAMAccountName is $(member sam_name <"$WORK/tmp/user")" "r'''$(member sam_name <"$WORK/tmp/user")''' == r'''CORP\\u7'''"
judge "a user of the innermost group is in $(chancery --json user groups u7@corp.example.test | lines) groups, the primary one and what that is in among them" \
    "$(chancery --json user groups u7@corp.example.test | lines) >= 11"
judge "Domain Users has $(chancery --json group members 'Domain Users' | lines) members" "$(chancery --json group members 'Domain Users' --limit 100000 | lines) == $count + 1"

id=$(member id <"$WORK/tmp/user")
admin_ldap ldapmodify >/dev/null <<LDIF
dn: CN=User\\, 7,OU=Staff,$BASE
changetype: modrdn
newrdn: CN=Renamed
deleteoldrdn: 1
newsuperior: OU=Other,$BASE

dn: CN=User\\, 8,OU=Staff,$BASE
changetype: modify
replace: userAccountControl
userAccountControl: 546

dn: CN=G0,OU=Staff,$BASE
changetype: modify
delete: member
member: CN=User\\, 9,OU=Staff,$BASE

dn: CN=G5,OU=Staff,$BASE
changetype: modify
add: member
member: CN=User\\, 9,OU=Staff,$BASE
LDIF
sync || cat "$WORK/tmp/synced.err"
judge "the next look is $(said kind), of $(said counts.users) users and $(said counts.groups) groups" "'$(said kind)' == 'incremental' and $(said counts.users) < 10"
chancery --json user show u7@corp.example.test >"$WORK/tmp/user"
judge "who is renamed and moved is the same, now $(member distinguished_name <"$WORK/tmp/user")" \
    "'$(member id <"$WORK/tmp/user")' == '$id' and '$(member distinguished_name <"$WORK/tmp/user")' == 'CN=Renamed,OU=Other,$BASE'"
judge "who is disabled there is enabled=$(chancery --json user show u8@corp.example.test | member enabled) here" "not $(chancery --json user show u8@corp.example.test | member enabled)"
judge "a move between groups: $(said counts.members_removed) out, $(said counts.members_added) in" "$(said counts.members_removed) == 1 and $(said counts.members_added) == 1"
judge "who is renamed is still in G0: $(chancery --json group members G0 | lines) members" "$(chancery --json group members G0 | lines) == 9"

admin_ldap ldapdelete "CN=User\\, 20,OU=Staff,$BASE"
sync || cat "$WORK/tmp/synced.err"
judge "a deletion that the account may not see: $(users) users after a look of kind $(said kind), none taken from a group ($(said counts.members_removed))" \
    "$(said counts.members_removed) == 0"
sync --full || cat "$WORK/tmp/synced.err"
judge "and $(users) after all was read" "$(users) == $count"
site_start Administrator
sync || cat "$WORK/tmp/synced.err"
admin_ldap ldapdelete "CN=User\\, 21,OU=Staff,$BASE"
sync || cat "$WORK/tmp/synced.err"
judge "an account that may see deletions: $(users) users after a look of kind $(said kind)" "$(users) == $count - 1 and '$(said kind)' == 'incremental'"
sync --full || cat "$WORK/tmp/synced.err"
judge "reading all of it changes nothing more: $(said counts.added) added, $(said counts.changed) changed, $(said counts.deleted) deleted" \
    "$(said counts.added) + $(said counts.changed) + $(said counts.deleted) == 0"
result_end
