#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ca export: the chain as PEM, and the files that Windows administrators ask for.
load helper

setup() {
    work_begin
    site_make --ca-key P-384
}
teardown() { work_end; }

@test "the chain is printed as PEM, CA first, also while nothing serves" {
    chancery ca export >"$WORK/chain.pem"
    [ "$(grep -c 'BEGIN CERTIFICATE' "$WORK/chain.pem")" = 2 ]
    cat "$SITE/lib/ca/certs/ca-issuing.crt.pem" "$SITE/root/root-1.crt.pem" | cmp - "$WORK/chain.pem"
    chancery ca export issuing | cmp - "$WORK/chain.pem"
    chancery --json ca export | python3 -c 'import json, sys; assert json.load(sys.stdin)["pem"].count("BEGIN") == 2'
}
@test "what is exported is what devices get from the running service" {
    daemon_start
    get_ca "$URL" "$WORK/ra"
    chancery ca export | openssl x509 -outform DER | cmp - <(openssl x509 -in "$WORK/ra/ca.pem" -outform DER)
}
@test "cer files are single certificates in DER, the p7b is the chain, and thumbprints are shown" {
    chancery --json ca export --cer "$WORK/tmp/out/new" >"$WORK/files.json"
    cd "$WORK/tmp/out/new"
    [ "$(echo *)" = "issuing-chain.p7b issuing-root.cer issuing.cer" ]
    [ "$(stat -c %a issuing.cer)" = 644 ]
    openssl x509 -inform DER -in issuing-root.cer -outform PEM | cmp - "$SITE/root/root-1.crt.pem"
    openssl x509 -inform DER -in issuing.cer -out "$WORK/ca-only.pem"
    openssl pkcs7 -inform DER -in issuing-chain.p7b -print_certs -out "$WORK/all.pem"
    [ "$(grep -c 'BEGIN CERTIFICATE' "$WORK/all.pem")" = 2 ]
    openssl verify -CAfile "$SITE/root/root-1.crt.pem" "$WORK/ca-only.pem"
    certtool --p7-info --inder --infile issuing-chain.p7b | grep -q 'Number of certificates: 2'
    python3 - "$WORK/files.json" <<'END'
import hashlib, json, sys
files = json.load(open(sys.argv[1]))
assert len(files) == 3, files
for file in files[:2]:
    assert file["sha1"] == hashlib.sha1(open(file["file"], "rb").read()).hexdigest().upper(), file
    assert file["expires"].endswith("Z"), file
END
    chancery ca export --cer "$WORK/tmp/out/new" # again: nothing there is secret or unique
}
@test "the node CA is its own root: one file and a chain of one" {
    chancery ca export node --cer "$WORK/tmp/node"
    [ "$(cd "$WORK/tmp/node" && echo *)" = "node-chain.p7b node.cer" ]
    [ "$(chancery ca export node | grep -c BEGIN)" = 1 ]
}
@test "an unknown CA is not found, and too many operands are wrong usage" {
    run chancery ca export nobody
    [ "$status" = 3 ]
    [[ $output == *"there is no ca nobody"* ]]
    run chancery ca export issuing node
    [ "$status" = 2 ]
    run chancery ca export --cer
    [ "$status" = 2 ]
}
@test "without a name it is the CA of the endpoints, and several must be named" {
    conf_add <<'END'
endpoint "other" {
    ca = "node"
    validator = "manual"
    paths = {"/other"}
}
END
    run chancery ca export
    [ "$status" = 2 ]
    [[ $output == *"endpoints issue from issuing and from node: name one"* ]]
}
@test "certificates that are not the chain's are not handed out" {
    as_user sh -c 'chmod u+w "$1" && cat "$2" >>"$1"' sh "$SITE/lib/ca/certs/ca-issuing-root.crt.pem" "$SITE/lib/ca/certs/ca-node.crt.pem"
    run chancery ca export
    [ "$status" = 1 ]
    [[ $output == *"3 certificates in its files, and 2 of them are its chain"* ]]
}
