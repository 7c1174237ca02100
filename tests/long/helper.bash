# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the long load tests share: the release build, a site, messages made beforehand, what /proc says of a role, and a
# dated result file with one line per figure.
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 1
export CHANCERY_BUILD=${CHANCERY_BUILD:-$PWD/build/release}
# shellcheck source=tests/system/helper.bash
. tests/system/helper.bash

failed=0
say() { echo "$*" | tee -a "$RESULT"; }
result_begin() { # NAME PARAMETERS
    RESULT=tests/long/$1.result
    : >"$RESULT"
    say "$1 ($2), $(date -u +%Y-%m-%dT%H:%M:%SZ), commit $(git describe --always --dirty), Debian $(cat /etc/debian_version)," \
        "$(nproc) cores of $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load before $(cut -d' ' -f1 /proc/loadavg)"
}
judge() { # SENTENCE EXPRESSION: the figure stands in the sentence, the expression says whether it is good enough
    if python3 -c 'import sys; sys.exit(not eval(sys.argv[1]))' "$2"; then
        say "ok      $1"
    else
        say "FAILED  $1"
        failed=1
    fi
}
result_end() {
    [ $failed = 0 ] && say "passed" && return
    say "failed"
    return 1
}
calc() { python3 -c 'import sys; v = eval(sys.argv[1]); print(round(v, 2) if isinstance(v, float) else v)' "$1"; }
field() { # FILE KEY: of its last line of JSON, 0 when it is not there; statuses by their number
    python3 -c '
import json, sys
r = json.loads(open(sys.argv[1]).read().splitlines()[-1])
r.update({"status_" + k: v for k, v in r.get("statuses", {}).items()})
print(r.get(sys.argv[2], 0))' "$1" "$2"
}

built() {
    [ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" -Dbuildtype=release -Dtests=true >/dev/null || return
    ninja -C "$BUILD" >/dev/null
}
load_site() { # LINES of further configuration, or ''
    work_begin
    site_make --validator static >/dev/null
    printf 'load secret\n' | chancery password set default >/dev/null 2>&1
    conf_add <<<"$1"
}
messages_make() { # COUNT: $WORK/messages, and one bad and one wrong message
    get_ca "$URL" "$WORK/ca" >/dev/null
    "$BUILD/bench/scep-load" prepare --ca-dir "$WORK/ca" --challenge 'load secret' --out "$WORK/messages" -n "$1" --key-pool 400 >/dev/null
    shape build --ra "$WORK/ca/encryption.pem" --key "$WORK/tmp/device.key" --out "$WORK/tmp/good" --challenge 'load secret'
    shape build --ra "$WORK/ca/encryption.pem" --key "$WORK/tmp/device.key" --out "$WORK/tmp/wrong" --challenge 'another secret'
    shape build --ra "$WORK/ca/encryption.pem" --key "$WORK/tmp/device.key" --out "$WORK/tmp/bad" --challenge 'load secret' --break padding
    next=0
}
devices() { # NAME SECONDS RATE: devices enrol from 127.0.0.1 at a fixed rate, each once; $WORK/NAME.json
    local last=$((next + $2 * $3 - 1))
    "$BUILD/bench/scep-load" run "$WORK/messages" --to "127.0.0.1:$HTTP" --path /scep --out "$WORK/$1.answers" \
        --rate "$3" -c 64 --first "$next" --last "$last" >"$WORK/$1.json"
    next=$((last + 1))
}
flood() { "$BUILD/tests/support/flood" "$@"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(role_pid "$1")/status"; }
fds() { find "/proc/$(role_pid "$1")/fd" -mindepth 1 | wc -l; }
fds_at_most() { [ "$(fds scep)" -le "$1" ]; }
fds_at_least() { [ "$(fds scep)" -ge "$1" ]; }
certificates() { chancery status | sed -n 's/.*ca=issuing ca_expires=[^ ]* valid=\([0-9]*\) .*/\1/p' | head -n 1; }
