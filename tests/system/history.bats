#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# runs beside the others: it mostly waits for roles to come back
# What survives crashes and faults: the checkers and harnesses of tests/history, on the programs as they are delivered
# (CHANCERY_PLAIN: sanitizers would only slow the restarts that are measured here).
load helper

setup_file() {
    PLAIN=${CHANCERY_PLAIN:-$("$SOURCE/tests/history/build")}
    export PLAIN
}
history() { # PROGRAM OPTIONS…
    local program=$1 status=0
    shift
    "$SOURCE/tests/history/$program" --build "$PLAIN" "$@" || status=$?
    [ $status != 77 ] || skip "needs root, to trace, and x86-64"
    return $status
}
# Several at once: they mostly wait for roles to come back. What failed says so last, and once.
all_of() { # a command line each
    local line pids=() pid status=0 said=$BATS_TEST_TMPDIR/said
    for line in "$@"; do
        # shellcheck disable=SC2086
        "$SOURCE/tests/history/"${line%% *} --build "$PLAIN" ${line#* } >"$said.${#pids[@]}" 2>&1 3>&- &
        pids+=($!)
    done
    for pid in "${!pids[@]}"; do
        wait "${pids[$pid]}" && continue
        status=$?
        tail -n 30 "$said.$pid"
    done
    [ $status != 77 ] || skip "needs root, to trace, and x86-64"
    return $status
}

@test "the history checker finds each of its invariants broken" { history test-check; }
@test "a kill at every system call of an enrolment: one-time, static, PostgreSQL; and of a revocation" {
    all_of 'syscalls --endpoint default' 'syscalls --endpoint static' 'syscalls --postgres --roles ca' 'syscalls --operation revoke'
}
@test "two hundred kills of random processes during two thousand enrolments" { history kills --kills 200 --enrolments 2000; }
@test "each file operation of an enrolment and of a revocation fails: EIO, ENOSPC, EINTR, a short write" {
    all_of 'io-faults --roles ca --faults EIO ENOSPC' 'io-faults --roles ca --faults EINTR short' 'io-faults --roles signer scep' \
        'io-faults --operation revoke --faults EIO ENOSPC' 'io-faults --operation revoke --faults EINTR short'
}
@test "a hundred devices, one one-time challenge, the same instant, fifty rounds: fifty certificates" { history race --rounds 50; }
@test "the disk of the store, and of the journal, runs full: come again, and served when there is space" {
    all_of 'disk-full --targets store' 'disk-full --targets journal'
}
@test "the clock steps back and ahead, and crosses 2038 and 2050" { history clock; }
