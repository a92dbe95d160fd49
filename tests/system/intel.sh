#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One test case on Intel's OpenCL runtime for CPUs:  intel.sh SOURCE SECONDS PROGRAM CASE
# Loaded alone: it brings an LLVM of its own, and so does PoCL. Skipped (77) where it is not:
# "sh tools/setup.sh intel" brings it.
set -eu
source=$1 seconds=$2 program=$3 case=$4

cd "$source"
. tools/vendor.sh
use_vendor intel || {
    echo "intel.sh: there is no Intel runtime here: sh tools/setup.sh intel" >&2
    exit 77
}

status=0
export CK_FORK=no CK_RUN_CASE="$case" CK_DEFAULT_TIMEOUT=0
export EVONODE_TEST_PLATFORM=Intel EVONODE_DEVICE=auto EVONODE_CACHE_DIR=off
timeout -k 5 "$seconds" "$program" || status=$?
if [ "$status" -ne 0 ]; then
    echo "intel.sh: $program, $case: exit status $status (124: more than $seconds s)" >&2
    exit 1
fi
