#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One test case in the simulator Oclgrind:  oclgrind.sh SECONDS PROGRAM CASE [FAULT]
# Fails on any diagnostic; with FAULT, unless one of the diagnostics begins with that text.
# Not with --uninitialized: that part of it (21.10) does not know LLVM's freeze instruction, which
# gives wrong results in most kernels and an abort in conv2d, and it takes buffers that were filled
# with zeros for uninitialised ones.
set -eu
seconds=$1 program=$2 case=$3 fault=${4:-}

command -v oclgrind >/dev/null || {
    echo "oclgrind.sh: oclgrind is not installed: apt-get install oclgrind" >&2
    exit 1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Diagnostics do not change the exit status, so the log decides as well.
status=0
export CK_FORK=no CK_RUN_CASE="$case" CK_DEFAULT_TIMEOUT=0
export EVONODE_TEST_PLATFORM=Oclgrind EVONODE_DEVICE=auto EVONODE_CACHE_DIR=off EVONODE_GUARD=0
timeout -k 5 "$seconds" oclgrind --check-api --data-races --uniform-writes \
    --log "$log" "$program" || status=$?
head -n 60 "$log"
if [ "$status" -ne 0 ]; then
    echo "oclgrind.sh: $program, $case: exit status $status (124: more than $seconds s)" >&2
    exit 1
fi
if [ -z "$fault" ] && [ -s "$log" ]; then
    echo "oclgrind.sh: the simulator found faults in $case" >&2
    exit 1
fi
if [ -n "$fault" ] && ! grep -q "^$fault" "$log"; then
    echo "oclgrind.sh: the simulator must report \"$fault\" in $case, and did not" >&2
    exit 1
fi
