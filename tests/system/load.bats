#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits, deadlines, caps, budgets and queues of the running service, at each limit and past it, with legitimate clients
# beside the flood (spec security.md D2, D3, D4, D6, S17). The flood comes from 127.1.0.1 and on, devices from 127.0.0.1.
load helper

setup_file() {
    work_begin
    cp "$BUILD/tests/support/flood" "$WORK/p/bin/"
    site_make --validator static
    printf 'open sesame\n' | chancery password set default
    limits_set
    daemon_start
    get_ca "$URL" "$WORK/ra"
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/good.key" --out "$WORK/tmp/good" --challenge 'open sesame'
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/good.key" --out "$WORK/tmp/wrong" --challenge 'open sesam'
    # Encrypted to the wrong one of our keys, and its recipient says otherwise: the RSA operation is done, and fails.
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/good.key" --out "$WORK/tmp/bad" --break padding
}
teardown_file() { work_end; }
setup() { ports_read; }

limits_set() { # LINES: small limits, and what a test needs besides
    conf_set '/^scep {/,/^}/{/^    [a-z_]* = [0-9"{]/{/_listen\|external_name/!d}}'
    conf_set '/^scep {/a\
    max_connections = '"${PLACES:-40}"'\
    max_connections_per_address = '"${PER_ADDRESS:-10}"'\
    request_timeout = 1500\
    min_rate = 1000\
    min_rate_after = 400\
    idle_timeout = 700\
    handshake_timeout = 700\
    '"${1:-}"
}
restart_with() { # LINES; PER_ADDRESS=N, PLACES=N before it
    daemon_stop
    limits_set "$1"
    daemon_start
}
flood() { as_user "$WORK/p/bin/flood" "$@"; }
said() { # EXPRESSION over the flood's report r, and what is missing counts 0
    python3 -c 'import collections, json, sys; r = collections.Counter(json.load(open(sys.argv[1]))); sys.exit(not eval(sys.argv[2]))' \
        "$WORK/flood.json" "$1" || { cat "$WORK/flood.json"; daemon_log | tail -n 5; return 1; }
}
scep_fds() { find "/proc/$(role_pid scep)/fd" -mindepth 1 2>/dev/null | wc -l; }
scep_rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(role_pid scep)/status"; }
served() { [ "$(curl -sS -o /dev/null -w '%{http_code}' "$URL?operation=GetCACaps")" = 200 ]; }
enrolled() { # the good message gets its certificate
    [ "$(curl -sS --data-binary "@$WORK/tmp/good" -o "$WORK/answer" -w '%{http_code}' "$URL?operation=PKIOperation")" = 200 ]
    chmod a+r "$WORK/answer"
    shape open --in "$WORK/answer" --key "$WORK/tmp/good.key" --out "$WORK/tmp/good.pem" | grep -qx 'pkiStatus: 0'
}
descriptors_are() { [ "$(scep_fds)" -le "$1" ]; }

@test "an upload of a gigabyte is refused while it comes and costs no memory" {
    for _ in 1 2 3 4 5; do served; done
    local before
    before=$(scep_rss)
    python3 - "$HTTP" <<'PY'
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    s.sendall(b"POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
    sent, piece = 0, bytes(65536)
    try:
        while sent < 1 << 30:
            sent += s.send(piece)
    except OSError:
        pass
    assert sent < 64 << 20, sent  # what the kernel and the short reading after a refusal take
PY
    served
    [ $(($(scep_rss) - before)) -lt 1024 ]
}
@test "slow headers and slow bodies end at the minimum rate, idle connections and handshakes at their timeout" {
    local before
    before=$(scep_fds)
    flood --slow-header 8 --slow-body 8 --idle 8 --sources 24 --seconds 2 127.0.0.1 "$HTTP" >"$WORK/flood.json"
    said 'r["status_408"] >= 16 and r["closed"] >= 8 and r["status_503"] == 0 and r["held_most"] == 24'
    flood --idle 8 --sources 8 --seconds 2 127.0.0.1 "$HTTPS" >"$WORK/flood.json"
    said 'r["closed"] >= 8'
    served
    wait_for 5 descriptors_are "$before"
}
@test "a body that keeps the minimum rate still ends at the request's deadline" {
    python3 - "$HTTP" <<'PY'
import socket, sys, time
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    began = time.monotonic()
    s.sendall(b"POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n")
    s.settimeout(0.1)
    answer = b""
    while not answer and time.monotonic() - began < 10:
        s.sendall(bytes(200))  # 2000 bytes a second, twice the minimum: 30 s for the whole
        try:
            answer = s.recv(100)
        except TimeoutError:
            pass
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert 1.4 < time.monotonic() - began < 5, time.monotonic() - began
PY
}
@test "an address at its cap gets 503 with Retry-After, others are served, and its places come back" {
    local before
    before=$(scep_fds)
    flood --idle 10 --sources 1 --seconds 1 127.0.0.1 "$HTTP" >"$WORK/flood.json"
    said 'r["status_503"] == 0 and r["held_most"] == 10'
    flood --idle 14 --sources 1 --seconds 3 127.0.0.1 "$HTTP" >"$WORK/flood.json" &
    local flooding=$!
    sleep 0.5
    for _ in 1 2 3 4 5; do served; done
    wait $flooding
    said 'r["status_503"] > 0 and r["retry_after"] == r["status_503"]'
    wait_for 5 descriptors_are "$before"
}
@test "four times as many idle and slow connections as there are places lock nobody out" {
    local before
    enrolled # and the channel to ca is open
    before=$(scep_fds)
    # A hundred newcomers a second: each of the forty places is left to a silent one for nearly half a second.
    flood --idle 80 --slow-header 80 --sources 40 --open-rate 100 --seconds 5 127.0.0.1 "$HTTP" >"$WORK/flood.json" &
    local flooding=$!
    sleep 2
    for _ in $(seq 20); do
        served
        [ "$(scep_fds)" -le $((before + 40 + 8 + 2)) ]
    done
    enrolled
    wait $flooding
    said 'r["opened"] > 160 and r["failed"] == 0'
    daemon_log | grep -q 'connection cut .*silent longest'
    wait_for 5 descriptors_are "$before"
}
@test "a full queue answers 503 with Retry-After at once, and an address that sends little is served meanwhile" {
    conf_set 's/^mode = .*/&\nworkers = 1/'
    PLACES=2000 PER_ADDRESS=1000 restart_with 'queue = 4'
    flood --post "$WORK/tmp/good" --rate 1500 --total 9000 --sources 3 127.0.0.1 "$HTTP" >"$WORK/flood.json" &
    local flooding=$!
    sleep 0.3
    local meanwhile=0
    while enrolled && kill -0 $flooding 2>/dev/null; do meanwhile=$((meanwhile + 1)); done
    [ $meanwhile -gt 0 ]
    wait $flooding
    # Every one has an answer: a certificate, or "later".
    said 'r["status_503"] > 100 and r["retry_after"] == r["status_503"]'
    said 'r["status_200"] > 0 and r["status_200"] + r["status_503"] == 9000 and r["unanswered"] == r["cut"] == 0'
    conf_set '/^workers = 1$/d'
}
@test "past its budget of failed decryptions an address gets 429 and devices elsewhere still enrol" {
    PER_ADDRESS=40 restart_with 'max_failed_decryptions_per_address = 5\
    max_failed_decryptions = 20\
    refusal_log_lines = 4'
    flood --post "$WORK/tmp/bad" --rate 20 --total 20 --sources 1 127.0.0.1 "$HTTP" >"$WORK/flood.json"
    said 'r["status_200"] == 5 and r["status_429"] == 15 and r["retry_after"] == 15'
    daemon_log | grep -q 'used up its budget.*peer=127.1.0.1 '
    ! daemon_log | grep ALARM || return 1
    enrolled
    # From many addresses: the keys' own limit holds, the alarm is raised, and who has not failed is served.
    flood --post "$WORK/tmp/bad" --rate 100 --total 200 --sources 20 127.0.0.1 "$HTTP" >"$WORK/flood.json"
    said 'r["status_429"] > 150 and r["status_200"] + r["status_429"] == 200'
    daemon_log | grep -q 'ALARM failed decryptions.*failures=20 '
    enrolled
    chancery --json status | grep -q 'failed_decryptions_this_hour=2[0-9]'
    # The flood has not filled the log: four refusals of each address, and one line that says so.
    [ "$(daemon_log | grep -c 'peer=127.1.0.1 .*refused')" -le 4 ]
    daemon_log | grep -q 'no longer logged here.*peer=127.1.0.1 lines=4'
}
@test "X-Forwarded-For is believed from a listed proxy alone, for budget and log" {
    via() { # ADDRESSES FILE: as a proxy would
        curl -sS -H "X-Forwarded-For: $1" -H 'Forwarded: for=6.6.6.6' --data-binary "@$WORK/tmp/$2" -o /dev/null -w '%{http_code}' "$URL?operation=PKIOperation"
    }
    restart_with 'max_failed_decryptions_per_address = 3'
    for n in 1 2 3; do [ "$(via "192.0.2.$n" bad)" = 200 ]; done
    [ "$(via 192.0.2.4 bad)" = 429 ] # whatever it claims, it is one address
    ! grep 192.0.2 "$SITE/log/scep/access.log" || return 1
    restart_with 'max_failed_decryptions_per_address = 3\
    trusted_proxies = {"127.0.0.1"}'
    for n in 1 2 3; do [ "$(via "10.0.0.$n, 192.0.2.77" bad)" = 200 ]; done
    [ "$(via '10.0.0.9, 192.0.2.77' bad)" = 429 ] # what a client writes in front changes nothing
    [ "$(via 192.0.2.78 good)" = 200 ]
    grep -q ' - 192.0.2.77 ' "$SITE/log/scep/access.log"
    ! grep -e 10.0.0 -e 6.6.6.6 "$SITE/log/scep/access.log" || return 1
    flood --post "$WORK/tmp/good" --rate 20 --total 3 --sources 1 127.0.0.1 "$HTTP" >"$WORK/flood.json"
    said 'r["status_200"] == 3' # not a proxy of ours, and itself
}
@test "wrong challenges are no decryption failures, and a refused flood does not stop who is right" {
    PLACES=400 PER_ADDRESS=200 restart_with 'max_failed_decryptions_per_address = 3'
    flood --post "$WORK/tmp/wrong" --rate 40 --total 120 --sources 2 127.0.0.1 "$HTTP" >"$WORK/flood.json" &
    local flooding=$!
    for _ in 1 2 3 4 5; do enrolled; done
    wait $flooding
    said 'r["status_200"] == 120'
}
@test "a start with more places than open files is refused with both figures" {
    daemon_stop
    limits_set ''
    conf_set 's/max_connections = 40/max_connections = 3000/'
    conf_set '/^va {/a max_connections = 3000'
    # shellcheck disable=SC2016 # $1 and $2 are the inner shell's
    run as_user timeout 20 bash -c 'ulimit -n 2000; exec "$1" -c "$2"' bash "$WORK/p/sbin/chanceryd" "$SITE/etc/chancery.conf"
    [ "$status" -ne 0 ]
    grep -q 'max_connections of 3000 needs 3512 open files, and this process may have 2000' <<<"$output"
    # shellcheck disable=SC2016
    run as_user timeout -s TERM 3 bash -c 'ulimit -n 3512; ulimit -Sn 256; exec "$1" -c "$2"' bash "$WORK/p/sbin/chanceryd" "$SITE/etc/chancery.conf"
    grep -q ' serving roles=' <<<"$output"
}
