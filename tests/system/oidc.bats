#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Administrators sign in by an OpenID provider: a real one, small, over real TLS (openid_provider.py).
load helper

setup_file() {
    work_begin
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    export PROVIDER=$WORK/provider
    mkdir "$PROVIDER"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -keyout "$PROVIDER/key.pem" -out "$WORK/provider.pem" 2>/dev/null
    cat "$WORK/provider.pem" "$PROVIDER/key.pem" >"$PROVIDER/tls.pem"
    chmod a+r "$WORK/provider.pem"
    echo '{}' >"$PROVIDER/claims"
    python3 "$SOURCE/tests/system/openid_provider.py" "$PROVIDER" >"$PROVIDER/out" 2>&1 3>&- &
    echo $! >"$PROVIDER/pid"
    wait_for 20 test -s "$PROVIDER/port"
    conf_set '/^mdm {/a\    oidc_issuer = "https://localhost:'"$(cat "$PROVIDER/port")"'/realm"\n    oidc_client_id = "chancery"\n    oidc_redirect = "https://console.example.org/api/v1/oidc/callback"\n    oidc_ca_file = "'"$WORK"'/provider.pem"\n    oidc_roles = {"pki=team=ca-manager", "readers=auditor"}'
    as_user sh -c 'mkdir -p "$1/etc/secrets/mdm" && umask 077 && printf "client secret: 1/2+3" >"$1/etc/secrets/mdm/oidc-client"' sh "$SITE"
    cp -a "$SITE/lib" "$WORK/lib"
}
setup() {
    rm -f "$PROVIDER/how"
    claims 1 anna readers
    daemon_start
}
teardown() {
    daemon_stop
    rm -rf "$SITE/lib/mdm"
    cp -a "$WORK/lib/mdm" "$SITE/lib/mdm"
}
teardown_file() {
    kill "$(cat "$PROVIDER/pid")" || true
    work_end
}

claims() { printf '{"sub": "%s", "preferred_username": "%s", "groups": ["%s"]}' "$1" "$2" "$3" >"$PROVIDER/claims"; }
admin() { curl -sS --cacert "$WORK/ca.pem" "https://localhost:$(port_of admin mdm)$1" "${@:2}"; }
status_of() { admin "$1" "${@:2}" -o "$WORK/tmp/answer" -D "$WORK/tmp/head" -w '%{http_code}'; }
location() { tr -d '\r' <"$WORK/tmp/head" | sed -n 's/^[Ll]ocation: //p'; }
cookie_of() { tr -d '\r' <"$WORK/tmp/head" | sed -n "s/^[Ss]et-[Cc]ookie: \($1=[^;]*\).*/\1/p"; }
went() { # as a browser goes: to the provider, and to the URL that it sends one back to; BACK and STATE
    [ "$(status_of /api/v1/oidc)" = 302 ]
    STATE=$(cookie_of __Host-chancery-oidc)
    BACK=$(curl -sS --cacert "$WORK/provider.pem" -o /dev/null -w '%{redirect_url}' "$(location)")
    [[ $BACK == https://console.example.org/api/v1/oidc/callback\?* ]]
    BACK=${BACK#https://console.example.org}
}
back() { status_of "$BACK" -b "$STATE"; }
refused() { # HOW TEXT: the provider does that wrong; nobody is in, and the log says why
    echo "$1" >"$PROVIDER/how"
    went
    [ "$(back)" = 401 ] || { cat "$WORK/tmp/answer"; return 1; }
    not grep -q 'set-cookie: __Host-chancery=chs_' "$WORK/tmp/head"
    not grep -q "$2" "$WORK/tmp/answer"
    grep -q "sign-in refused .*$2" "$WORK/daemon.log" || { grep sign-in "$WORK/daemon.log"; return 1; }
}

@test "who comes from the provider is an administrator with the roles of their groups" {
    went
    [ "$(back)" = 302 ]
    [ "$(location)" = / ]
    local session next
    session=$(cookie_of __Host-chancery)
    [ "$(status_of /api/v1/session -b "$session")" = 200 ]
    grep -q '"name":"admin/anna","roles":\["auditor"\],"by":"session"' "$WORK/tmp/answer"
    chancery admin list | grep -q 'anna *auditor *true'
    # Other groups the next time: other roles, and the session from before is over.
    claims 1 anna pki=team
    went
    [ "$(back)" = 302 ]
    next=$(cookie_of __Host-chancery)
    [ "$(status_of /api/v1/session -b "$session")" = 401 ]
    session=$next
    [ "$(status_of /api/v1/administrators -b "$session")" = 200 ]
    [ "$(chancery --json admin list | grep -c '"name": "anna"')" = 1 ]
    # Disabled here is out, whatever the provider says.
    chancery admin disable anna
    [ "$(status_of /api/v1/session -b "$session")" = 401 ]
    went
    [ "$(back)" = 401 ]
    grep -q 'anna is disabled here' "$WORK/daemon.log"
}
@test "a code, a state and a cookie are good together, once, and in one browser" {
    went
    local back=$BACK state=$STATE
    [ "$(status_of "$back")" = 401 ] # another browser
    went
    [ "$(status_of "$back" -b "$STATE")" = 401 ]
    [ "$(status_of "${BACK/state=/state=0}" -b "$STATE")" = 401 ]
    [ "$(status_of "${BACK/iss=https/iss=http}" -b "$STATE")" = 401 ]
    [ "$(status_of "/api/v1/oidc/callback?error=access_denied&state=${STATE#*=}" -b "$STATE")" = 401 ]
    [ "$(status_of "$back" -b "$state")" = 302 ]
    [ "$(status_of "$back" -b "$state")" = 401 ] # the code is used
    [ "$(status_of '/api/v1/oidc/callback?code=a&code=b' -b "$state")" = 422 ]
    [ "$(back)" = 302 ]
}
@test "an ID token that is wrong in one thing lets nobody in" {
    refused none 'it has no signature'
    refused hs256 'algorithm is none of'
    refused forged 'signature'
    refused wrong-nonce '(nonce)'
    refused wrong-audience '(aud)'
    daemon_stop && daemon_start # the log has five of an address
    refused wrong-issuer '(iss)'
    refused expired 'over since'
    refused early 'it begins in'
    refused unpublished 'no key of this id'
    [ "$(chancery --json admin list)" = '[]' ]
}
@test "the provider's new key is fetched, and RSASSA-PSS is as good" {
    went
    [ "$(back)" = 302 ]
    echo pss >"$PROVIDER/how"
    went
    [ "$(back)" = 302 ]
    # Not more often than once a minute, so a daemon that has just begun asks anew.
    daemon_stop && daemon_start
    echo rotated >"$PROVIDER/how"
    went
    [ "$(back)" = 302 ]
}
@test "a provider that is another one, redirects, or answers without end is not believed" {
    echo other-provider >"$PROVIDER/how"
    [ "$(status_of /api/v1/oidc)" = 503 ]
    echo line >"$PROVIDER/how" # whose URL would end our header
    [ "$(status_of /api/v1/oidc)" = 503 ]
    echo redirect >"$PROVIDER/how"
    went
    [ "$(back)" = 503 ]
    echo huge >"$PROVIDER/how"
    went
    [ "$(back)" = 503 ]
    daemon_stop
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout /dev/null -out "$WORK/other.pem" 2>/dev/null
    cp "$WORK/provider.pem" "$WORK/provider.keep"
    cat "$WORK/other.pem" >"$WORK/provider.pem"
    daemon_start
    [ "$(status_of /api/v1/oidc)" = 503 ]
    cat "$WORK/provider.keep" >"$WORK/provider.pem"
}
@test "a name is one person's, and whoever has no group has no way in" {
    chancery admin add anna --roles help-desk
    went
    [ "$(back)" = 401 ]
    grep -q 'name "anna" is that of another administrator' "$WORK/daemon.log"
    claims 2 bert nobodies
    went
    [ "$(back)" = 401 ]
    grep -q 'none of the groups in claim groups has a role here' "$WORK/daemon.log"
    claims 2 'b b' readers
    went
    [ "$(back)" = 401 ]
    claims 2 carl readers
    went
    [ "$(back)" = 302 ]
    claims 3 carl readers
    went
    [ "$(back)" = 401 ]
    # Nor is a password a second way in.
    run chancery admin password carl <<<'correct horse battery'
    [ "$status" = 1 ]
    grep -q 'signs in by the OpenID provider' <<<"$output"
}
@test "options that are half given keep the service from starting, and say which" {
    daemon_stop
    cp "$SITE/etc/chancery.conf" "$WORK/conf"
    conf_set 's|^    oidc_roles = .*|    oidc_roles = {"x=root"}|'
    run timeout 60 setpriv --reuid "$(id -u "$RUN_AS")" --clear-groups "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
    [ "$status" = 1 ]
    grep -q 'oidc_roles has "x=root"; allowed is GROUP=ROLE' <<<"$output"
    cat "$WORK/conf" >"$SITE/etc/chancery.conf"
    conf_set 's|^    oidc_issuer = "https|    oidc_issuer = "http|'
    run timeout 60 setpriv --reuid "$(id -u "$RUN_AS")" --clear-groups "$WORK/p/sbin/chanceryd" -c "$SITE/etc/chancery.conf"
    [ "$status" = 1 ]
    grep -q 'oidc_issuer is "http://.*allowed is an https URL' <<<"$output"
    cat "$WORK/conf" >"$SITE/etc/chancery.conf"
    daemon_start
}
