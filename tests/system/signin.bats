#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Administrators sign in over HTTPS, on a real site: curl against admin_listen.
load helper

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    cp -a "$SITE/lib" "$WORK/lib"
}
setup() { daemon_start; }
teardown() { # each test begins without administrators
    daemon_stop
    rm -rf "$SITE/lib/mdm"
    cp -a "$WORK/lib/mdm" "$SITE/lib/mdm"
}
teardown_file() { work_end; }

PASSWORD='correct horse battery'
member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
admin() { curl -sS --cacert "$WORK/ca.pem" "https://localhost:$(port_of admin mdm)$1" "${@:2}"; }
status_of() { admin "$1" "${@:2}" -o "$WORK/tmp/answer" -w '%{http_code}'; }
administrator() { # NAME ROLES
    chancery admin add "$1" --roles "$2" >/dev/null
    chancery admin password "$1" <<<"$PASSWORD"
}
signing_in() { # NAME PASSWORD [CURL…]: the status; the answer is in tmp/answer
    status_of /api/v1/session -H 'Content-Type: application/json' -d "{\"name\":\"$1\",\"password\":\"$2\"}" "${@:3}"
}
session() { # NAME: its token
    [ "$(signing_in "$1" "$PASSWORD")" = 201 ]
    member token <"$WORK/tmp/answer"
}
as() { status_of "$2" -H "Authorization: Bearer $1" "${@:3}"; } # TOKEN TARGET [CURL…]

@test "an administrator signs in, does what their roles allow, and signs out" {
    administrator anna profile-manager,help-desk
    local token
    token=$(session anna)
    [ "$(as "$token" /api/v1/session)" = 200 ]
    [ "$(member name <"$WORK/tmp/answer")" = admin/anna ]
    [ "$(as "$token" /api/v1/users -H 'Content-Type: application/json' -d '{"upn":"a@example.org"}')" = 201 ]
    [ "$(as "$token" /api/v1/audit)" = 403 ]
    [ "$(as "$token" /api/v1/administrators)" = 403 ]
    [ "$(as "$token" /api/v1/session -X DELETE)" = 204 ]
    [ "$(as "$token" /api/v1/users)" = 401 ]
    [ "$(signing_in anna 'wrong password')" = 401 ]
    administrator audit auditor
    token=$(session audit)
    admin '/api/v1/audit' -H "Authorization: Bearer $token" >"$WORK/tmp/audit"
    for action in sign_in sign_out sign_in_refused administrator_password user_add; do
        grep -q "\"action\":\"$action\"" "$WORK/tmp/audit"
    done
    grep -q '"actor":"admin/anna","action":"user_add"' "$WORK/tmp/audit"
    grep -q 'sign_in_refused.*127\.0\.0\.1' "$WORK/tmp/audit"
    # Neither password nor token is in what the service writes.
    daemon_stop
    not grep -r -F -e "$PASSWORD" -e "$token" "$SITE/lib" "$SITE/log"
    not grep -r -F "${token#chs_}" "$SITE/lib" "$SITE/log"
}
@test "passwords come from a private file, a terminal or standard input, and are judged" {
    chancery admin add anna --roles auditor
    printf '%s\n' "$PASSWORD" >"$WORK/tmp/password"
    chown "$RUN_AS" "$WORK/tmp/password"
    chmod 644 "$WORK/tmp/password"
    run chancery admin password anna --from "$WORK/tmp/password"
    [ "$status" = 1 ] # others can read it
    chmod 600 "$WORK/tmp/password"
    chancery admin password anna --from "$WORK/tmp/password"
    [ "$(signing_in anna "$PASSWORD")" = 201 ]
    run chancery admin password anna <<<short
    [ "$status" = 1 ]
    grep -q 'has 5 characters; allowed are 12 to 128' <<<"$output"
    run chancery admin password anna "$PASSWORD"
    [ "$status" = 2 ]
    run chancery admin password nobody <<<"$PASSWORD"
    [ "$status" = 3 ]
    [ "$(signing_in anna "$PASSWORD")" = 201 ]
    chancery admin list | grep -q 'anna *auditor *true *20'
    chancery admin disable anna
    [ "$(signing_in anna "$PASSWORD")" = 401 ]
    chancery admin enable anna
    [ "$(signing_in anna "$PASSWORD")" = 201 ]
    chancery admin set anna --roles help-desk --display-name 'Anna Example'
    chancery --json admin show anna | grep -q '"roles": "help-desk"'
    chancery admin delete anna
    [ "$(signing_in anna "$PASSWORD")" = 401 ]
}
@test "a browser's cookie needs its page's word for changes, and two credentials are none" {
    administrator anna ca-manager
    [ "$(signing_in anna "$PASSWORD" -c "$WORK/tmp/jar" -H 'Content-Type: application/json' -d '')" = 400 ]
    local csrf token
    admin /api/v1/session -H 'Content-Type: application/json' -D "$WORK/tmp/head" -d "{\"name\":\"anna\",\"password\":\"$PASSWORD\",\"cookie\":true}" >"$WORK/tmp/answer"
    grep -qi '^set-cookie: __Host-chancery=chs_[0-9a-f]*; Path=/; Secure; HttpOnly; SameSite=Strict' "$WORK/tmp/head"
    grep -qi '^cache-control: no-store' "$WORK/tmp/head"
    not grep -q '"token"' "$WORK/tmp/answer"
    token=$(sed -n 's/.*__Host-chancery=\([a-z0-9_]*\).*/\1/p' "$WORK/tmp/head")
    csrf=$(member csrf <"$WORK/tmp/answer")
    local cookie="__Host-chancery=$token"
    [ "$(status_of /api/v1/users -b "$cookie")" = 200 ]
    [ "$(status_of /api/v1/users -b "$cookie" -H 'Content-Type: application/json' -d '{"upn":"a@b"}')" = 403 ]
    [ "$(status_of /api/v1/users -b "$cookie" -H "X-CSRF-Token: $csrf" -H 'Content-Type: application/json' -d '{"upn":"a@b"}')" = 201 ]
    [ "$(status_of /api/v1/users -b "$cookie" -H "Authorization: Bearer $token")" = 400 ]
    [ "$(status_of /api/v1/users -H "Authorization: Bearer x" -H "Authorization: Bearer $token")" = 400 ]
    [ "$(status_of /api/v1/users -H "Authorization: Bearer $token" -H "Authorization;")" = 400 ]
    [ "$(status_of /api/v1/users -H "Authorization: Bearer $token, Bearer $token")" = 401 ]
    [ "$(status_of /api/v1/users -H "Cookie: $cookie" -H "Cookie: a=b")" = 400 ]
    # What is shown means nothing on the listener that devices come to.
    [ "$(curl -sS --cacert "$WORK/ca.pem" -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "https://localhost:$(port_of https mdm)/api/v1/users")" = 404 ]
}
@test "who may do what: each route, each role, each kind of credential" {
    local role
    for role in ca-manager certificate-officer profile-manager help-desk auditor; do
        administrator "$role" "$role"
        session "$role" >"$WORK/tmp/session-$role"
        chancery --json apitoken add "t-$role" --admin "$role" --roles "$role" | member token >"$WORK/tmp/apitoken-$role"
        chancery --json apitoken add "r-$role" --admin "$role" --roles "$role" | member token >"$WORK/tmp/revoked-$role"
        chancery apitoken revoke "r-$role"
        chancery --json apitoken add "e-$role" --admin "$role" --roles "$role" --days 1 | member token >"$WORK/tmp/expired-$role"
        session "$role" >"$WORK/tmp/old-$role"
    done
    daemon_stop # what is over is made so behind the service's back: time goes by for nothing else
    sqlite3 "$SITE/lib/mdm/store.db" "UPDATE apitoken SET expires_at = 1 WHERE name LIKE 'e-%'" \
        "UPDATE admin_session SET created_at = 1, seen_at = 1 WHERE digest IN (SELECT s.digest FROM admin_session s WHERE (SELECT COUNT(*) FROM admin_session o WHERE o.administrator_id = s.administrator_id AND o.rowid < s.rowid) = 1)"
    daemon_start # and the others' sessions are good after a restart
    python3 "$SOURCE/tests/system/signin_matrix.py" "https://localhost:$(port_of admin mdm)" "$WORK/ca.pem" "$WORK/tmp"
}
@test "the last who manages administrators stays, but for the command line" {
    administrator anna ca-manager
    administrator bert auditor
    local token
    token=$(session anna)
    [ "$(as "$token" /api/v1/administrators/anna -X DELETE)" = 409 ]
    [ "$(as "$token" /api/v1/administrators/anna -X PATCH -H 'Content-Type: application/json' -d '{"roles":"auditor"}')" = 409 ]
    [ "$(as "$token" /api/v1/administrators/bert -X DELETE)" = 204 ]
    chancery admin delete anna
    [ "$(as "$token" /api/v1/session)" = 401 ]
    [ "$(chancery --json admin list)" = '[]' ]
}
@test "a hundred sign-ins at once take the memory of one, and whoever is told to wait comes in later" {
    administrator anna auditor
    [ "$(signing_in anna "$PASSWORD")" = 201 ]
    local pid before after n pids=()
    pid=$(role_pid mdm)
    before=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
    for n in $(seq 100); do
        admin /api/v1/session -H 'Content-Type: application/json' -d "{\"name\":\"anna\",\"password\":\"$PASSWORD\"}" \
            -o /dev/null -w '%{http_code}\n' >"$WORK/tmp/s$n" 2>/dev/null 3>&- &
        pids+=($!)
    done
    for n in "${pids[@]}"; do wait "$n" || true; done
    cat "$WORK"/tmp/s? "$WORK"/tmp/s?? "$WORK"/tmp/s100 | sort | uniq -c
    after=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
    not grep -h -v -x -e 201 -e 503 "$WORK"/tmp/s? "$WORK"/tmp/s?? "$WORK"/tmp/s100
    [ "$(cat "$WORK"/tmp/s? "$WORK"/tmp/s?? "$WORK"/tmp/s100 | grep -c 201)" -ge 9 ]
    # Beside argon2's 19 MB: connections, and workers' stacks. Nine at once would be 170 MB more.
    echo "VmHWM $before kB, then $after kB"
    [ $((after - before)) -lt 100000 ] || ldd "$WORK/p/libexec/chancery/chancery-mdm" | grep -q asan # which gives nothing back
    [ "$(signing_in anna "$PASSWORD")" = 201 ]
}
@test "names and passwords of any length are answered" {
    administrator anna auditor
    python3 -c 'import json; print(json.dumps({"name": "x" * 60000, "password": "y"}))' >"$WORK/tmp/long"
    [ "$(status_of /api/v1/session -H 'Content-Type: application/json' -d "@$WORK/tmp/long")" = 401 ]
    python3 -c 'import json; print(json.dumps({"name": "anna", "password": "y" * 60000}))' >"$WORK/tmp/long"
    [ "$(status_of /api/v1/session -H 'Content-Type: application/json' -d "@$WORK/tmp/long")" = 401 ]
    python3 -c 'import json; print(json.dumps({"name": "anna", "password": "y" * 70000}))' >"$WORK/tmp/long"
    [ "$(status_of /api/v1/session -H 'Content-Type: application/json' -d "@$WORK/tmp/long")" = 413 ]
    [ "$(as "$(printf '%07000d' 0)" /api/v1/users)" = 401 ]
    [ "$(signing_in anna "$PASSWORD")" = 201 ]
}
