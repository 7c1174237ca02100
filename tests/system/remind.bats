#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# runs beside the others: it mostly waits
# remind and metrics: what expires, told to real receivers on this host, and nothing told without need.
load helper

setup() {
    work_begin
    site_make
    daemon_start
    FAR=4000d # within it the CA, its RA and TLS certificates, the root's CRL and every device's end; the root's does not
}
teardown() {
    [ -z "${RECEIVER:-}" ] || kill "$RECEIVER" 2>/dev/null || true
    work_end
}

receiver() { # KIND [STATUS [CERTIFICATE KEY]]: its port is $PORT, what comes is in $WORK/got
    mkdir -p "$WORK/got"
    rm -f "$WORK"/got/*
    [ -z "${RECEIVER:-}" ] || kill "$RECEIVER" 2>/dev/null || true
    python3 "$SOURCE/tests/system/receiver.py" "$WORK/got" "$@" 3>&- &
    RECEIVER=$!
    wait_for 20 test -s "$WORK/got/port"
    PORT=$(cat "$WORK/got/port")
}
got() { [ "$(find "$WORK/got" -name '*.request' | wc -l)" = "$1" ]; }
body() { sed '1,/^\r*$/d' "$WORK/got/1.request"; }
certificate() { # NAME SAN: a self-signed one for the receiver
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$WORK/$1.key" -out "$WORK/$1.pem" -subj "/CN=$1" \
        -addext "subjectAltName=$2" -days 2 2>/dev/null
    chmod a+r "$WORK/$1.pem"
}
enrol() { # NAME
    [ -d "$WORK/ra" ] || get_ca "$URL" "$WORK/ra"
    shape build --ra "$WORK/ra/encryption.pem" --key "$WORK/tmp/$1.key" --out "$WORK/tmp/$1.msg" \
        --challenge "$(chancery password new default)" --subject "CN=$1"
    [ "$(post "$URL" "$WORK/tmp/$1.msg" "$WORK/$1.answer")" = 200 ]
}
remind() { chancery remind "$@"; }

@test "what expires is listed: the service's own certificates and the issued ones" {
    enrol laptop-1
    remind --within $FAR >"$WORK/table"
    grep -q '^issued  *issuing  *CN=laptop-1 ' "$WORK/table"
    grep -q '^ca  *issuing ' "$WORK/table"
    grep -q '^ca  *node ' "$WORK/table"
    grep -q '^crp  *ca ' "$WORK/table"
    grep -q '^ra  *default ' "$WORK/table"
    grep -q '^tls  *scep ' "$WORK/table"
    grep -q '^crl  *root.crl ' "$WORK/table"
    not grep -q '^root' "$WORK/table"
    [ "$(grep -c '^issued' "$WORK/table")" = 1 ] # those that init issued are there as ra and tls
    remind --within 9000d | grep -q '^root  *default '
    chancery --json remind --within $FAR | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["count"] == len(d["expiring"]) == 7 and not d["more"] and d["missing"] == "" and d["site"] == "default", d
assert d["text"] == "Chancery site default: 7 certificates or CRLs expire within 4000d", d["text"]
device = [e for e in d["expiring"] if e["kind"] == "issued"][0]
assert device["subject"] == "CN=laptop-1" and device["template"] and device["serial"] and device["expires"].endswith("Z"), device'
}
@test "nothing is printed and nobody is told when nothing expires" {
    receiver http
    as_user sh -c 'printf "#!/bin/sh\ntouch %s/mailed\n" "$1" >"$1/mailer"; chmod 755 "$1/mailer"' sh "$WORK/tmp"
    [ -z "$(remind --within 1h --webhook "http://127.0.0.1:$PORT/hook" --mail a@example.org --sendmail "$WORK/tmp/mailer")" ]
    got 0
    [ ! -e "$WORK/tmp/mailed" ]
    remind --within $FAR --webhook "http://127.0.0.1:$PORT/hook" --mail a@example.org --sendmail "$WORK/tmp/mailer"
    got 1
    [ -e "$WORK/tmp/mailed" ]
}
@test "a webhook over verified TLS gets one JSON document" {
    certificate localhost DNS:localhost
    receiver https 204 "$WORK/localhost.pem" "$WORK/localhost.key"
    remind --within $FAR --webhook "https://localhost:$PORT/hook/canary-4711?key=x" --cacert "$WORK/localhost.pem"
    got 1
    grep -q '^POST /hook/canary-4711?key=x HTTP/1.1' "$WORK/got/1.request"
    grep -q '^Content-Type: application/json' "$WORK/got/1.request"
    body | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["count"] == 6 == len(d["expiring"]), d'
}
@test "a webhook whose certificate is of nobody we know is refused" {
    certificate localhost DNS:localhost
    certificate stranger DNS:localhost
    receiver https 200 "$WORK/localhost.pem" "$WORK/localhost.key"
    run remind --within $FAR --webhook "https://localhost:$PORT/hook/canary-4711" --cacert "$WORK/stranger.pem"
    [ "$status" = 5 ]
    [[ $output == *"the webhook: "* && $output != *canary* && $output != *"$PORT"* ]]
    run remind --within $FAR --webhook "https://localhost:$PORT/hook"
    [ "$status" = 5 ]
    got 0
}
@test "a webhook whose certificate is of another host is refused" {
    certificate other DNS:other.example
    receiver https 200 "$WORK/other.pem" "$WORK/other.key"
    run remind --within $FAR --webhook "https://localhost:$PORT/hook" --cacert "$WORK/other.pem"
    [ "$status" = 5 ]
    got 0
}
@test "a webhook that redirects gets nothing a second time, and that is a failure" {
    receiver http 307
    run remind --within $FAR --webhook "http://127.0.0.1:$PORT/hook"
    [ "$status" = 5 ]
    [[ $output == *"the webhook answered 307, wanted is 2xx"* ]]
    got 1
}
@test "an answer that is not 2xx, and no answer at all, are failures that name no URL" {
    receiver http 500
    run remind --within $FAR --webhook "http://user:canary-0815@127.0.0.1:$PORT/canary-4711"
    [ "$status" = 5 ]
    [[ $output == *"the webhook answered 500, wanted is 2xx"* && $output != *canary* ]]
    [[ $output == *"issuing"* ]] # the list is printed all the same
    kill "$RECEIVER" && wait_for 10 gone "$RECEIVER"
    run remind --within $FAR --webhook "http://127.0.0.1:$PORT/canary-4711"
    [ "$status" = 5 ]
    [[ $output == *"the webhook: "* && $output != *canary* ]]
    not grep -q canary "$WORK/daemon.log"
}
@test "an answer may be long, but not endless" {
    RECEIVER_BODY=65536 receiver http
    remind --within $FAR --webhook "http://127.0.0.1:$PORT/hook"
    RECEIVER_BODY=65537 receiver http
    run remind --within $FAR --webhook "http://127.0.0.1:$PORT/hook"
    [ "$status" = 5 ]
}
@test "plain HTTP is for this host alone" {
    local url
    for url in http://192.0.2.1/canary ftp://localhost/canary file:///etc/canary canary; do
        run remind --within $FAR --webhook "$url"
        [ "$status" = 5 ]
        [[ $output == *"the URL "* && $output != *canary* ]]
    done
    run remind --within $FAR --webhook
    [ "$status" = 2 ]
    run remind --within $FAR --nonsense=canary
    [ "$status" = 2 ]
    [[ $output != *canary* ]]
}
@test "the webhook's URL comes from a private file" {
    receiver http
    as_user sh -c 'umask 077; echo "$2" >"$1/hook"' sh "$WORK/tmp" "http://127.0.0.1:$PORT/from-file"
    remind --within $FAR --webhook-file "$WORK/tmp/hook"
    grep -q '^POST /from-file ' "$WORK/got/1.request"
    as_user chmod 644 "$WORK/tmp/hook"
    run remind --within $FAR --webhook-file "$WORK/tmp/hook"
    [ "$status" = 5 ]
    [[ $output == *mode* ]]
    run remind --webhook x --webhook-file y
    [ "$status" = 2 ]
}
@test "a mail goes through the host's mailer, well-formed" {
    enrol laptop-1
    as_user sh -c 'printf "#!/bin/sh\necho \"\$@\" >%s/arguments\ncat >%s/mail\n" "$1" "$1" >"$1/mailer"; chmod 755 "$1/mailer"' sh "$WORK/tmp"
    remind --within $FAR --mail root --mail-from pki@example.org --sendmail "$WORK/tmp/mailer"
    [ "$(cat "$WORK/tmp/arguments")" = "-i -f pki@example.org -- root" ]
    grep -q '^Subject: Chancery site default: 7 certificates or CRLs expire within 4000d$' "$WORK/tmp/mail"
    grep -q '^To: root$' "$WORK/tmp/mail"
    grep -q 'issued  issuing  CN=laptop-1  [0-9A-F]*$' "$WORK/tmp/mail"
    python3 -c '
import email, email.policy, sys
m = email.message_from_file(open(sys.argv[1]), policy=email.policy.default)
assert m["Date"].datetime and m.get_content_type() == "text/plain" and not m.defects, m.items()' "$WORK/tmp/mail"
}
@test "a mailer that fails, or is not there, is a failure" {
    as_user sh -c 'printf "#!/bin/sh\nexit 75\n" >"$1/mailer"; chmod 755 "$1/mailer"' sh "$WORK/tmp"
    run remind --within $FAR --mail root --sendmail "$WORK/tmp/mailer"
    [ "$status" = 5 ]
    [[ $output == *"ended with status 75"* ]]
    run remind --within $FAR --mail root --sendmail "$WORK/tmp/none"
    [ "$status" = 5 ]
    [[ $output == *"cannot run"* ]]
}
@test "an address that would be another argument or header is refused" {
    local address
    for address in -oQ/tmp $'a@example.org\nBcc: b@example.org' 'a@example.org,b@example.org' 'a b' ''; do
        run remind --within $FAR --mail "$address" --sendmail /bin/true
        [ "$status" = 2 ]
    done
}
@test "a mail goes over SMTP to this host, and elsewhere only under TLS" {
    receiver smtp
    remind --within $FAR --mail ops@example.org --mail-from pki@example.org --smtp "smtp://127.0.0.1:$PORT"
    got 1
    tr -d '\r' <"$WORK/got/1.request" >"$WORK/mail"
    grep -q '^MAIL FROM:<pki@example.org>' "$WORK/mail"
    grep -q '^RCPT TO:<ops@example.org>' "$WORK/mail"
    grep -q '^Subject: Chancery site default: 6 certificates or CRLs expire' "$WORK/mail"
    grep -q '  tls  scep$' "$WORK/mail"
    # An address that is not known as this host's is elsewhere: no STARTTLS, no mail.
    RECEIVER_ADDRESS=127.0.0.2 receiver smtp
    run remind --within $FAR --mail ops@example.org --smtp "smtp://127.0.0.2:$PORT"
    [ "$status" = 5 ]
    got 0
}
@test "an SMTP server that refuses is a failure, and a webhook is told all the same" {
    receiver smtp 550
    local smtp=$PORT first=$RECEIVER
    RECEIVER=
    receiver http
    run remind --within $FAR --mail ops@example.org --smtp "smtp://127.0.0.1:$smtp" --webhook "http://127.0.0.1:$PORT/hook"
    kill "$first"
    [ "$status" = 5 ]
    [[ $output == *"the SMTP server: "* ]]
    grep -q '^POST /hook' "$WORK"/got/*.request
}
@test "a role that is down: the rest is told, what is missing is said, and the status is 5; with all down it is 4" {
    receiver http
    as_user mv "$SITE/run/scep-cli" "$SITE/run/away"
    run remind --within $FAR --webhook "http://127.0.0.1:$PORT/hook"
    [ "$status" = 5 ]
    body | python3 -c 'import json, sys; d = json.load(sys.stdin); assert d["count"] == 4 and d["missing"].startswith("scep: "), d'
    run chancery metrics
    [ "$status" = 5 ]
    [[ $output == *'chancery_up{role="ca"} 1'*'chancery_up{role="scep"} 0'*'chancery_certificates{'* ]]
    rm "$WORK/got/1.request"
    as_user mv "$SITE/run/away" "$SITE/run/scep-cli"
    daemon_stop
    run remind --within $FAR --webhook "http://127.0.0.1:$PORT/hook"
    [ "$status" = 4 ]
    got 0
    run chancery metrics
    [ "$status" = 4 ]
    [[ $output == *'chancery_up{role="ca"} 0'* ]]
}
@test "a span that is none is wrong usage" {
    local span
    for span in 30 d 0d -1d 30w 9999999d; do
        run remind --within "$span"
        [ "$status" = 2 ]
    done
}
@test "metrics are in the format of Prometheus, with help, type and every end" {
    enrol laptop-1
    # Four of init, this one, and va's, for which it asks soon after its start.
    counted() { chancery metrics >"$WORK/metrics" && grep -qx 'chancery_certificates{ca="issuing",status="valid"} 6' "$WORK/metrics"; }
    wait_for 20 counted
    grep -q '^chancery_certificate_expiry_timestamp_seconds{kind="ocsp",of="issuing"} [0-9]*$' "$WORK/metrics"
    grep -qx "chancery_certificate_expiry_timestamp_seconds{kind=\"crl\",of=\"root.crl\"} $(date -u -d "$(openssl crl -inform DER -in "$SITE/lib/va/published/root.crl" -noout -nextupdate | cut -d= -f2)" +%s)" "$WORK/metrics"
    chancery status | grep -q 'file=root.crl crl_not_after=20'
    grep -qx 'chancery_up{role="ca"} 1' "$WORK/metrics"
    grep -qx 'chancery_up{role="scep"} 1' "$WORK/metrics"
    grep -qx 'chancery_up{role="va"} 1' "$WORK/metrics"
    grep -qx 'chancery_certificates{ca="issuing",status="revoked"} 0' "$WORK/metrics"
    grep -qx 'chancery_requests_open{ca="node",state="pending"} 0' "$WORK/metrics"
    grep -qx 'chancery_scep_answers_total{result="issued"} 1' "$WORK/metrics"
    grep -qx 'chancery_requests_refused_total 0' "$WORK/metrics"
    grep -q '^chancery_crl_next_update_timestamp_seconds{ca="issuing"} [0-9]*$' "$WORK/metrics"
    local end
    end=$(date -d "$(openssl x509 -in "$SITE/lib/scep/certs/tls-1.crt.pem" -noout -enddate | cut -d= -f2)" +%s)
    grep -qx "chancery_certificate_expiry_timestamp_seconds{kind=\"tls\",of=\"scep\"} $end" "$WORK/metrics"
    end=$(date -d "$(openssl x509 -in "$SITE/lib/ca/certs/ca-issuing.crt.pem" -noout -enddate | cut -d= -f2)" +%s)
    grep -qx "chancery_certificate_expiry_timestamp_seconds{kind=\"ca\",of=\"issuing\"} $end" "$WORK/metrics"
    end=$(date -d "$(openssl x509 -in "$SITE/lib/scep/certs/default-encryption-1.crt.pem" -noout -enddate | cut -d= -f2)" +%s)
    grep -qx "chancery_certificate_expiry_timestamp_seconds{kind=\"ra\",of=\"default\"} $end" "$WORK/metrics"
    python3 - "$WORK/metrics" <<'END'
import re, sys
lines = open(sys.argv[1]).read().split("\n")
assert lines.pop() == ""
seen, typed, current = set(), {}, None
for line in lines:
    if line.startswith("# HELP "):
        current = line.split()[2]
        assert current not in typed and len(line.split()) > 3, line
    elif line.startswith("# TYPE "):
        assert line.split()[2] == current and line.split()[3] in ("gauge", "counter"), line
        typed[current] = line.split()[3]
    else:
        match = re.fullmatch(r'(chancery_[a-z_]+)(\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? (\d+)', line)
        assert match and match[1] == current and current in typed, line
        assert (match[1], match[2]) not in seen, line
        assert (typed[current] == "counter") == current.endswith("_total"), line
        seen.add((match[1], match[2]))
assert len(seen) > 20, seen
END
}
@test "metrics into a file appear whole, readable by the collector, and replace the old ones" {
    as_user mkdir "$WORK/tmp/collector"
    chancery metrics --out "$WORK/tmp/collector/chancery.prom"
    [ "$(cd "$WORK/tmp/collector" && echo *)" = chancery.prom ]
    [ "$(stat -c %a "$WORK/tmp/collector/chancery.prom")" = 644 ]
    local before
    before=$(stat -c %i "$WORK/tmp/collector/chancery.prom")
    chancery metrics --out "$WORK/tmp/collector/chancery.prom"
    [ "$(stat -c %i "$WORK/tmp/collector/chancery.prom")" != "$before" ]
    run chancery metrics --out "$WORK/tmp/missing/chancery.prom"
    [ "$status" = 1 ]
}
@test "status shows every end" {
    chancery --json status | python3 -c '
import json, sys
roles = {r["role"]: r["detail"] for r in json.load(sys.stdin)}
assert "ca_expires=" in roles["ca"], roles
for field in ("ra_not_after=2", "root_not_after=2", "tls_not_after=2"):
    assert field in roles["scep"], roles'
}
# The last: it leaves a site of its own behind.
@test "system mode: root exports, is reminded and reads metrics; nobody else does" {
    [ "$(id -u)" = 0 ] || skip "system mode needs root"
    daemon_stop
    systemd-sysusers "$SOURCE/packaging/chancery.sysusers"
    SITE=$WORK/y
    mkdir "$SITE"
    RUN_AS=root
    chown root: "$WORK"
    echo "correct horse battery" >"$WORK/system-passphrase"
    chmod 600 "$WORK/system-passphrase"
    chancery init --mode system --http 127.0.0.1:0 --https 127.0.0.1:0 --external-name localhost \
        --root-passphrase-file "$WORK/system-passphrase"
    daemon_start
    chancery ca export --cer "$WORK/out"
    openssl x509 -inform DER -in "$WORK/out/issuing-root.cer" -outform PEM | cmp - "$SITE/root/root-1.crt.pem"
    chancery remind --within $FAR | grep -q '^ra  *default '
    chancery metrics | grep -qx 'chancery_up{role="scep"} 1'
    local command
    for command in 'ca export' remind metrics; do
        # shellcheck disable=SC2086
        not setpriv --reuid nobody --regid nogroup --clear-groups "$WORK/p/bin/chancery" --dir "$SITE" $command 2>"$WORK/said"
        [ -s "$WORK/said" ]
    done
}
