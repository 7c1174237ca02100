#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# [long] Every fuzzer, with AddressSanitizer, UndefinedBehaviorSanitizer and leak detection, until it has had SECONDS of CPU
# time with the code that it has now (default 7200), in slices, round after round, so that all have run when it is stopped
# early. Can be stopped (SIGINT, SIGTERM) and started again: corpora and times stay in build/fuzz, and a change elsewhere
# costs a target nothing: what counts is the fuzzer's own program, which has only what it calls. A crash, a leak or an input over 100 ms
# of CPU time ends that target; its input is in build/fuzz/crashes. Writes tests/long/fuzz.result.
# usage: tests/long/fuzz.sh [--idle] [--jobs N] [--slice SECONDS] [SECONDS [TARGET…]]    --idle: only when nothing else runs
#        tests/long/fuzz.sh --report     writes the result from the times so far
#        tests/long/fuzz.sh --minimise   adds to fuzz/corpus what was found and reaches an edge that nothing there reaches
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
build=$PWD/build/fuzz result=tests/long/fuzz.result
jobs=$(nproc) slice=600 mode=run
while [ $# -gt 0 ]; do
    case $1 in
    --idle) renice -n 19 $$ >/dev/null; chrt -i -p 0 $$ ;;
    --jobs) jobs=$2; shift ;;
    --slice) slice=$2; shift ;;
    --report) mode=report ;;
    --minimise) mode=minimise ;;
    -*) sed -n 's/^# \(usage:\|      \)/\1/p' "$0" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done
seconds=${1:-7200}
[ $# = 0 ] || shift
all=$(grep -o "'[a-z_0-9]*': \[" fuzz/meson.build | tr -d "': [" | sort -u)
targets=${*:-$all}
commit=$(git log -1 --format=%h)
[ -z "$(git status --porcelain --untracked-files=no)" ] || commit=$commit+changes

largest() { # TARGET: no input is longer; a request's own limits are met far below them
    case $1 in
    config | text | http) echo 8192 ;;
    *) echo 16384 ;;
    esac
}
dictionary() { [ ! -f "fuzz/$1.dict" ] || echo "-dict=fuzz/$1.dict"; }
prepare() {
    [ -f "$build/build.ninja" ] || CC=clang meson setup "$build" -Dbuildtype=debugoptimized \
        -Db_sanitize=address,undefined -Db_lundef=false -Dfuzzers=true >/dev/null || exit 1
    local name wanted=()
    for name in $targets; do wanted+=("fuzz/fuzz-$name"); done
    ninja -C "$build" "${wanted[@]}" >"$build/ninja.log" 2>&1 || { tail -n 20 "$build/ninja.log"; exit 1; }
    mkdir -p "$build/crashes" "$build/logs"
}
program() { sha256sum "$build/fuzz/fuzz-$1" | cut -c 1-12; } # TARGET
spent() { # TARGET: CPU seconds of this program
    awk -v program="$(program "$1")" '$3 == program { sum += $4 } END { printf "%d\n", sum }' "$build/$1.seconds" 2>/dev/null ||
        echo 0
}
field() { sed -n "s/^$2: *//p" "$build/logs/$1.log" | tail -n 1; }

# One line: when, commit, program, CPU seconds, executions, slowest ms, edges, features, corpus files, status
slice_record() { # TARGET STATUS
    local coverage
    coverage=$(grep -ao 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$build/logs/$1.log" | tail -n 1)
    # shellcheck disable=SC2086
    set -- "$1" "$2" ${coverage:-cov: 0 ft: 0 corp: 0}
    echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $commit $(program "$1") $(field "$1" cpu_seconds || true)" \
        "$(field "$1" stat::number_of_executed_units) $(field "$1" slowest_input_ms) $4 $6 $8 $2" |
        awk 'NF == 10' >>"$build/$1.seconds"
}
slice_run() { # TARGET SECONDS
    local corpus=$build/corpus-$1 seeds=fuzz/corpus/$1 status scratch
    mkdir -p "$corpus" "$seeds"
    scratch=$(mktemp -d /dev/shm/fuzz.XXXXXX) # stores of verbs; libFuzzer leaves without cleaning up
    # shellcheck disable=SC2046
    FUZZ_CPU_SECONDS=$2 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TMPDIR=$scratch \
        "$build/fuzz/fuzz-$1" -artifact_prefix="$build/crashes/$1-" -print_final_stats=1 -rss_limit_mb=2048 \
        -timeout=1800 -max_len="$(largest "$1")" $(dictionary "$1") "$corpus" "$seeds" >"$build/logs/$1.log" 2>&1 &
    local fuzzer=$!
    echo "$fuzzer" >"$build/$1.pid"
    wait "$fuzzer"
    status=$?
    rm -rf "$build/$1.pid" "$scratch"
    if [ $status = 0 ]; then
        slice_record "$1" ok
    else
        cp "$build/logs/$1.log" "$build/crashes/$1.log"
        echo "$(date -u +%FT%TZ) $commit $(program "$1") 0 0 0 0 0 0 CRASH" >>"$build/$1.seconds"
        echo "$1: FAILED (status $status), see $build/crashes/$1.log"
    fi
}
crashed() { grep -q " $(program "$1") .*CRASH" "$build/$1.seconds" 2>/dev/null; }

report() {
    {
        echo "fuzz, $(date -u +%Y-%m-%dT%H:%M:%SZ), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
            "$(clang --version | head -n 1), AddressSanitizer, UndefinedBehaviorSanitizer, LeakSanitizer"
        printf '%-14s %-12s %-18s %11s %14s %8s %11s %7s %9s %7s\n' target program until_commit cpu_seconds executions crashes \
            slowest_ms edges features corpus
        local name
        for name in $all; do
            awk -v name="$name" '
                { if (!($3 in seconds)) order[++programs] = $3
                  seconds[$3] += $4; executions[$3] += $5; if ($6 > slowest[$3]) slowest[$3] = $6; until[$3] = $2
                  crashes[$3] += ($10 == "CRASH"); if ($10 == "ok") { edges[$3] = $7; features[$3] = $8; files[$3] = $9 } }
                END { for (i = 1; i <= programs; i++) { p = order[i]
                    printf "%-14s %-12s %-18s %11d %14d %8d %11.1f %7d %9d %7d\n", name, p, until[p], seconds[p], executions[p],
                        crashes[p], slowest[p], edges[p], features[p], files[p] } }' "$build/$name.seconds" 2>/dev/null
        done
    } | tee "$result"
}
minimise() { # what adds an edge to what the repository has
    local name
    for name in $targets; do
        mkdir -p "$build/corpus-$name" "fuzz/corpus/$name"
        "$build/fuzz/fuzz-$name" -merge=1 -use_counters=0 -max_len=8192 "fuzz/corpus/$name" "$build/corpus-$name" \
            >"$build/logs/merge-$name.log" 2>&1 || { tail -n 5 "$build/logs/merge-$name.log"; exit 1; }
        echo "$name: $(find "fuzz/corpus/$name" -type f | wc -l) files, $(du -sb "fuzz/corpus/$name" | cut -f1) bytes"
    done
}

stopped=
# shellcheck disable=SC2317 # the trap calls it
stop() {
    stopped=1
    local file
    for file in "$build"/*.pid; do
        [ ! -f "$file" ] || kill -HUP "$(cat "$file")" 2>/dev/null || true
    done
}
rounds() {
    local name left again=1
    while [ -n "$again" ] && [ -z "$stopped" ]; do
        again=
        for name in $targets; do
            [ -z "$stopped" ] || break
            left=$((seconds - $(spent "$name")))
            if [ "$left" -le 0 ] || crashed "$name"; then continue; fi
            again=1
            while [ "$(jobs -rp | wc -l)" -ge "$jobs" ] && [ -z "$stopped" ]; do wait -n || true; done
            [ -n "$stopped" ] || slice_run "$name" $((left < slice ? left : slice)) &
        done
        while [ -n "$(jobs -rp)" ]; do wait || true; done
        report >/dev/null
    done
}

{ # read as a whole: the script may change while this runs
    [ "$mode" != report ] || { report; exit 0; }
    prepare
    [ "$mode" != minimise ] || { minimise; exit 0; }
    exec 9>"$build/lock"
    flock -n 9 || { echo "fuzz.sh: another one runs in $build" >&2; exit 1; }
    trap stop INT TERM
    rounds 9>&-
    report
    for name in $targets; do
        ! crashed "$name" || exit 1
    done
    exit 0
}
