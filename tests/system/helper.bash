# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the system tests share: a site in a folder of its own, the real daemon in user mode, and who runs it.

# Never root: a root run of the tests uses the user nobody.
if [ "$(id -u)" = 0 ]; then RUN_AS=nobody; else RUN_AS=$(id -un); fi
as_user() {
    if [ "$(id -un)" = "$RUN_AS" ]; then
        "$@"
    else
        setpriv --reuid "$RUN_AS" --regid "$(id -g "$RUN_AS")" --clear-groups -- env HOME="$WORK" "$@"
    fi
}

BUILD=${CHANCERY_BUILD:-$PWD/build/check}
SOURCE=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")

work_begin() { # a short path: socket names are limited to 107 bytes
    WORK=$(mktemp -d /tmp/ch.XXXXXX)
    SITE=$WORK/s
    mkdir "$SITE" "$WORK/tmp"
    "$SOURCE/tools/stage" "$BUILD" "$WORK/p"
    cp "$BUILD/tests/support/scep-shape" "$WORK/p/bin/"
    [ "$(id -un)" = "$RUN_AS" ] || chown -R "$RUN_AS:" "$WORK"
    chmod 755 "$WORK"
    export WORK SITE
}
work_end() {
    daemon_stop
    rm -rf "$WORK"
}

chancery() { as_user "$WORK/p/bin/chancery" --dir "$SITE" "$@"; }
shape() { as_user "$WORK/p/bin/scep-shape" "$@"; }

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
site_make() { # OPTIONS of init…
    as_user sh -c 'umask 077; echo "correct horse battery" >"$1"' sh "$WORK/passphrase"
    # The port of va stands in certificates, so it is chosen here.
    chancery init --http 127.0.0.1:0 --https 127.0.0.1:0 --va-http "127.0.0.1:$(free_port)" --external-name localhost \
        --organisation "Test" --root-passphrase-file "$WORK/passphrase" "$@" || return
    cat "$SITE/lib/scep/certs/ca-issuing.crt.pem" "$SITE/lib/scep/certs/ca-issuing-root.crt.pem" >"$WORK/ca.pem"
    chmod 644 "$WORK/ca.pem"
}
conf_add() { # text of further sections
    as_user sh -c 'cat >>"$1"' sh "$SITE/etc/chancery.conf"
}
conf_set() { # sed expression over the configuration
    as_user sed -i "$1" "$SITE/etc/chancery.conf"
}

# `! command` in the middle of a test cannot fail it: bash exempts it from errexit.
not() { ! "$@"; }

daemon_log() { cat "$WORK/daemon.log"; }
daemon_pid() { cat "$WORK/daemon.pid" 2>/dev/null; }
port_of() { # http|https ROLE, of the newest start
    sed -n "s/.* $1 listens role=$2 .* port=\([0-9]*\)\$/\1/p" "$WORK/daemon.log" | tail -n 1
}
wait_for() { # SECONDS COMMAND…
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.05
    done
}
serving() { grep -q ' serving roles=' "$WORK/daemon.log"; }
daemon_start() {
    as_user sh -c ': >"$1/daemon.log"; chmod 644 "$1/daemon.log"' sh "$WORK"
    as_user sh -c 'echo $$ >"$1/daemon.pid"; exec "$1/p/sbin/chanceryd" -c "$2/etc/chancery.conf" 2>>"$1/daemon.log" 3>&-' \
        sh "$WORK" "$SITE" &
    wait_for 30 serving || { daemon_log; return 1; }
    ports_read
}
ports_read() { # of the newest start: a test that restarts the daemon moves it
    HTTP=$(port_of http scep) HTTPS=$(port_of https scep) VA=http://localhost:$(port_of http va)
    URL=http://127.0.0.1:$HTTP/scep
    URLS=https://localhost:$HTTPS/scep
    export HTTP HTTPS URL URLS VA
}
gone() { ! kill -0 "$1" 2>/dev/null; }
daemon_stop() {
    local pid
    pid=$(daemon_pid) || return 0
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || true
    wait_for 30 gone "$pid" || kill -KILL "$pid"
    rm -f "$WORK/daemon.pid"
}
role_pid() { pgrep -P "$(daemon_pid)" -f "chancery-$1 "; }

# strongSwan's messages about plugins that it lacks are no part of any result.
pki_quiet() { as_user env pki "$@" 2> >(grep -v -e "^plugin '" -e '^TPM 2.0' >&2); }

get_ca() { # URL FOLDER: ca.pem, encryption.pem, signature.pem of GetCACert
    mkdir -p "$2"
    curl -sS --fail "$1?operation=GetCACert&message=default" --cacert "$WORK/ca.pem" -o "$2/getcacert.der"
    openssl pkcs7 -inform DER -in "$2/getcacert.der" -print_certs -out "$2/all.pem"
    csplit -sz -f "$2/part" "$2/all.pem" '/^subject/' '{*}'
    local part
    for part in "$2"/part*; do
        case $(openssl x509 -in "$part" -noout -ext keyUsage,basicConstraints 2>/dev/null) in
        *CA:TRUE*) openssl x509 -in "$part" -out "$2/ca.pem" ;;
        *"Key Encipherment"*) openssl x509 -in "$part" -out "$2/encryption.pem" ;;
        *"Digital Signature"*) openssl x509 -in "$part" -out "$2/signature.pem" ;;
        esac
    done
    chmod -R a+rX "$2"
}
post() { # URL FILE OUT: a pkiMessage by POST; prints the HTTP status
    curl -sS --cacert "$WORK/ca.pem" -H 'Content-Type: application/x-pki-message' --data-binary "@$2" -o "$3" \
        -w '%{http_code}' "$1?operation=PKIOperation"
}
certificate_count() { chancery --json cert list --limit 1000 | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }

# Clients that read only the system's trust store see ours, in a mount namespace of their own.
with_trust() { # COMMAND…
    # shellcheck disable=SC2016
    local inner='mount --bind "$1" /etc/ssl/certs/ca-certificates.crt; shift; exec "$@"'
    if [ "$(id -u)" = 0 ]; then
        unshare --mount sh -c "$inner" sh "$WORK/ca.pem" \
            setpriv --reuid "$RUN_AS" --regid "$(id -g "$RUN_AS")" --clear-groups -- env HOME="$WORK" "$@"
    else
        unshare --map-root-user --mount sh -c "$inner" sh "$WORK/ca.pem" "$@"
    fi
}
