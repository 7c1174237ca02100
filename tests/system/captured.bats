#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Somebody has taken over scep, and speaks to a real ca as scep does (tests/captured). The other half, a captured ca before a real signer,
# is the unit test captured-ca.
load helper

setup() { work_begin; }
teardown() { work_end; }

@test "a captured scep has no certificate without a valid challenge, by any verb, in more than a thousand tries" {
    cp "$BUILD/tests/captured/captured-scep" "$WORK/p/bin/"
    site_make
    conf_add <<'EOF'
endpoint "other" {
    ca = "issuing"
    validator = "one-time"
    signature_template = "SCEPDeviceSignature"
    encryption_template = "SCEPDeviceEncryption"
    general_purpose_template = "SCEPDevice"
}
endpoint "manual" {
    ca = "issuing"
    validator = "manual"
    signature_template = "SCEPDeviceSignature"
    encryption_template = "SCEPDeviceEncryption"
    general_purpose_template = "SCEPDevice"
}
EOF
    daemon_start
    local before spent kept
    before=$(certificate_count)
    spent=$(chancery password new default)
    kept=$(chancery password new default)
    run as_user "$WORK/p/bin/captured-scep" "$SITE/run/ca-scep/socket" default other manual "$spent" "$kept"
    echo "$output" | tail -n 20
    [ "$status" = 0 ]
    [ "$(sed -n 's/ tries, 0 wrongs$//p' <<<"$output")" -ge 1000 ]
    echo "captured scep: $(tail -n 1 <<<"$output")" >&3
    # Two had their challenge. Whatever else was answered, nothing else was issued.
    [ "$(certificate_count)" = $((before + 2)) ]
    chancery cert list | not grep stranger-
    not grep 'role died' "$WORK/daemon.log"
}
@test "a site has a socket for each client of a role and no other, and each answers what is meant for its client and nothing else" {
    site_make --mdm-https 127.0.0.1:0 --mdm-admin 127.0.0.1:0
    daemon_start
    [ "$(cd "$SITE/run" && find . -type s | sort | tr '\n' ' ')" = "./ca-cli/socket ./ca-mdm/socket ./ca-scep/socket ./ca-va/socket ./mdm-cli/socket ./scep-cli/socket ./va-cli/socket " ]
    # Whom a connection is from is decided by the socket, whatever it says of itself, and so is what it may ask.
    run as_user python3 "$SOURCE/tests/system/matrix.py" "$SITE/run"
    echo "$output"
    [ "$status" = 0 ]
    [ "$(wc -l <<<"$output")" = 7 ]
}
