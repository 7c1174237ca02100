#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# GnuTLS as a second, independent reader of what we build. $1: the program that writes it. Exit 77: no certtool here.
set -eu
command -v certtool >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" "$folder"

wanted() { # text, file
    grep -q -- "$1" "$2" || { echo "missing in $2: $1"; cat "$2"; exit 1; }
}

certtool --verify --load-ca-certificate "$folder/root.pem" --infile "$folder/leaf.pem" >"$folder/verify.txt"
wanted 'Chain verification output: Verified' "$folder/verify.txt"
certtool --verify-crl --load-ca-certificate "$folder/root.pem" --infile "$folder/crl.pem" >"$folder/verify-crl.txt" 2>&1
wanted 'Verification output: Verified' "$folder/verify-crl.txt"
certtool --verify-crl --load-ca-certificate "$folder/root.pem" --infile "$folder/delta.pem" >"$folder/verify-delta.txt" 2>&1
wanted 'Verification output: Verified' "$folder/verify-delta.txt"
certtool --verify-crl --load-ca-certificate "$folder/root.pem" --infile "$folder/partition.pem" >"$folder/verify-partition.txt" 2>&1
wanted 'Verification output: Verified' "$folder/verify-partition.txt"
certtool --crq-info --infile "$folder/csr.pem" >"$folder/csr.txt"
wanted 'Self signature: verified' "$folder/csr.txt"
wanted 'Challenge password: once only' "$folder/csr.txt"
wanted 'User Principal Name: d@example.com' "$folder/csr.txt"
certtool --certificate-info --infile "$folder/leaf.pem" >"$folder/leaf.txt"
wanted 'CN=Gerät 42' "$folder/leaf.txt"
wanted 'Certificate Authority (CA): FALSE' "$folder/leaf.txt"
certtool --crl-info --infile "$folder/crl.pem" >"$folder/crl.txt"
wanted 'Serial Number (hex): 00*abcd' "$folder/crl.txt"

ocsptool --verify-response --load-signer "$folder/root.pem" --infile "$folder/ocsp.der" >"$folder/ocsp.txt" 2>&1
wanted 'Verifying OCSP Response: Success' "$folder/ocsp.txt"
ocsptool --response-info --infile "$folder/ocsp.der" >"$folder/ocsp.txt" 2>&1
wanted 'Certificate Status: revoked' "$folder/ocsp.txt"
wanted 'Nonce: 30313233343536373839616263646566' "$folder/ocsp.txt"

# and a leaf whose signature was broken is refused: the checks above can fail
certtool --certificate-info --outder --infile "$folder/leaf.pem" --outfile "$folder/leaf.der" >/dev/null
size=$(wc -c <"$folder/leaf.der")
printf '\001\002' | dd of="$folder/leaf.der" bs=1 seek=$((size - 9)) conv=notrunc 2>/dev/null
if certtool --verify --inder --load-ca-certificate "$folder/root.pem" --infile "$folder/leaf.der" >/dev/null 2>&1; then
    echo "GnuTLS took a broken signature"
    exit 1
fi
