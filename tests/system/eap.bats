#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# EAP-TLS, as a Wi-Fi access point asks it of RADIUS (hostapd's own server) with our CRL: an enrolled device gets in, a revoked one
# no more, and one on hold again after its release.
load helper

setup_file() {
    work_begin
    site_make --validator static
    printf 'open sesame\n' | chancery password set default 2>/dev/null
    daemon_start
    get_ca "$URL" "$WORK/ra"
    for name in phone laptop; do enrol "$name"; done
    radius_start
}
teardown_file() {
    [ -z "${RADIUS:-}" ] || kill "$(cat "$WORK/tmp/radius.pid")" 2>/dev/null || true
    work_end
}

enrol() { # NAME: $WORK/tmp/NAME.key and NAME.pem
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.msg" --challenge 'open sesame' --subject "CN=$1" --seed "$1"
    [ "$(post "$URL" "$WORK/tmp/$1.msg" "$WORK/$1.answer")" = 200 ]
    chmod a+r "$WORK/$1.answer"
    shape open --in "$WORK/$1.answer" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.pem" >/dev/null
}
serial_of() { openssl x509 -in "$WORK/tmp/$1.pem" -noout -serial | sed 's/.*=//'; }
# What the RADIUS server trusts: the issuing CA, its root, and the CRL of the moment.
trust_write() {
    { cat "$WORK/ca.pem" && chancery crl export issuing; } >"$WORK/trust.new"
    chmod a+r "$WORK/trust.new"
    mv -f "$WORK/trust.new" "$WORK/trust.pem"
}
radius_start() {
    trust_write
    # The server's own certificate is another CA's, as it mostly is.
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$WORK/radius.key" -out "$WORK/radius.pem" -subj /CN=radius.example \
        -addext extendedKeyUsage=serverAuth -days 10 2>/dev/null
    chmod a+r "$WORK/radius.key"
    RADIUS=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    export RADIUS
    echo '127.0.0.1 radius-secret' >"$WORK/clients"
    echo '* TLS' >"$WORK/users"
    cat >"$WORK/hostapd.conf" <<CONF
driver=none
interface=lo
radius_server_clients=$WORK/clients
radius_server_auth_port=$RADIUS
eap_server=1
eap_user_file=$WORK/users
ca_cert=$WORK/trust.pem
check_crl=1
crl_reload_interval=1
server_cert=$WORK/radius.pem
private_key=$WORK/radius.key
CONF
    # hostapd listens on every address: it and who asks it have a network of their own.
    local inner='ip link set lo up && echo $$ >"$1/tmp/radius.pid" && exec hostapd "$1/hostapd.conf" >"$1/tmp/radius.log" 2>&1 3>&-'
    if [ "$(id -u)" = 0 ]; then
        unshare --net sh -c "$inner" sh "$WORK" &
    else
        unshare --map-root-user --net sh -c "$inner" sh "$WORK" &
    fi
    wait_for 10 grep -qs AP-ENABLED "$WORK/tmp/radius.log" || { cat "$WORK/tmp/radius.log"; return 1; }
}
beside_radius() { # COMMAND… in its network
    local user=()
    [ "$(id -u)" = 0 ] || user=(--user --preserve-credentials)
    nsenter --target "$(cat "$WORK/tmp/radius.pid")" --net "${user[@]}" "$@"
}
gets_in() { # NAME
    cat >"$WORK/tmp/$1.conf" <<CONF
network={
    key_mgmt=IEEE8021X
    eap=TLS
    identity="$1"
    ca_cert="$WORK/radius.pem"
    client_cert="$WORK/tmp/$1.pem"
    private_key="$WORK/tmp/$1.key"
}
CONF
    beside_radius eapol_test -c "$WORK/tmp/$1.conf" -a 127.0.0.1 -p "$RADIUS" -s radius-secret -t 10 >"$WORK/$1.log" 2>&1 3>&-
    [ "$(tail -n 1 "$WORK/$1.log")" = SUCCESS ]
}
kept_out() { not gets_in "$1"; }

@test "enrolled devices get in by EAP-TLS" {
    gets_in phone
    gets_in laptop
}
@test "a revoked device is kept out with the CRL that its revocation published, the other one still gets in" {
    chancery cert revoke "$(serial_of phone)" keyCompromise
    trust_write
    wait_for 10 kept_out phone
    grep -q 'certificate revoked' "$WORK/tmp/radius.log"
    gets_in laptop
}
@test "a device on hold is kept out until it is released" {
    chancery cert revoke "$(serial_of laptop)" certificateHold
    trust_write
    wait_for 10 kept_out laptop
    chancery cert release "$(serial_of laptop)"
    trust_write
    wait_for 10 gets_in laptop
    kept_out phone
}
