#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] Makes a bare Debian 12 in a folder, and there runs ./quickstart as root, again as root, as a user with sudo, and
# ./check. Writes tests/long/bare-debian.result. Needs root and mmdebstrap. usage: tests/long/bare-debian.sh [MIRROR]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
[ "$(id -u)" = 0 ] || { echo "bare-debian.sh: a root file system is made by root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { apt-get update && apt-get install -y --no-install-recommends mmdebstrap; }

mirror=${1:-}
root=$(mktemp -d /var/tmp/chancery-bare.XXXXXX)
result=tests/long/bare-debian.result
mounted=
cleanup() {
    for point in $mounted; do umount -l "$root/$point" 2>/dev/null || true; done
    rm -rf --one-file-system "$root"
}
trap cleanup EXIT

echo "making a bare Debian 12 in $root"
# The archive, its keys and the way to it are this machine's own.
mmdebstrap --variant=minbase --include=ca-certificates bookworm "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log"; exit 1; }
rm -f "$root.log"
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -rL /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null || true
cp -rL /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null || true
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
# A mount point of its own, private: the tests make mount namespaces in it.
mount --bind "$root" "$root"
mount --make-private "$root"
mounted=.
for point in proc sys dev dev/pts; do
    mount --bind "/$point" "$root/$point"
    mounted="$point $mounted"
done
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root "${proxy[@]}" "$@"; }
proxy=()
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [ -z "${!name:-}" ] || proxy+=("$name=${!name}")
done

git clone -q --no-hardlinks . "$root/srv/chancery"
{
    echo "bare-debian, $(date -u +%Y-%m-%dT%H:%M:%SZ), commit $(git rev-parse --short HEAD), Debian $(cat "$root/etc/debian_version")"
} >"$result"
step() { # NAME COMMAND…
    local name=$1 started=$SECONDS
    shift
    if inside "$@" >"$root/tmp/step.log" 2>&1; then
        echo "ok      $name ($((SECONDS - started)) s): $(tail -n 1 "$root/tmp/step.log")" | tee -a "$result"
    else
        echo "FAILED  $name ($((SECONDS - started)) s)" | tee -a "$result"
        tail -n 60 "$root/tmp/step.log"
        exit 1
    fi
}
verified() { # DIR: what the last lines name, and nothing else, verifies
    sed -n 's/^Certificate: *//p' "$root/tmp/step.log" | tail -n 1 >"$root/tmp/certificate"
    sed -n 's/^CA: *//p' "$root/tmp/step.log" | tail -n 1 >"$root/tmp/ca"
    # The last lines say what the management service knows of its device.
    tail -n 2 "$root/tmp/step.log" >"$root/tmp/deployments"
    step "the managed device has its profiles ($1)" sh -c '[ "$(grep -c "^demo-laptop .* installed " /tmp/deployments)" = 2 ]'
    step "openssl verify accepts it ($1)" sh -c 'openssl verify -CAfile "$(cat /tmp/ca)" "$(cat /tmp/certificate)"'
}

step "quickstart as root" sh -c 'cd /srv/chancery && ./quickstart --once --dir /opt/some/new/dir'
verified root
step "quickstart as root, again" sh -c 'cd /srv/chancery && ./quickstart --once --dir /opt/some/new/dir'
verified "root, again"
step "a user with sudo" sh -c 'apt-get update -qq && apt-get install -y -qq sudo git >/dev/null &&
    useradd --create-home --shell /bin/bash ada && echo "ada ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/ada &&
    git clone -q /srv/chancery /home/ada/chancery && chown -R ada: /home/ada/chancery && echo made'
step "quickstart as a user with sudo" su - ada -c 'cd chancery && ./quickstart --once --dir /home/ada/some/new/dir'
verified user
step "quickstart under sudo" su - ada -c 'cd chancery && sudo ./quickstart --once --dir /home/ada/some/new/dir'
verified "under sudo"
step "check as root" sh -c 'cd /srv/chancery && ./check'
echo "result: $result"
