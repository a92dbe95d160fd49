#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One test case on Mesa's rusticl, which runs kernels on the CPU through llvmpipe:
#   rusticl.sh SECONDS PROGRAM CASE
# Loaded alone: it brings an LLVM of its own, and so does PoCL.
set -eu
seconds=$1 program=$2 case=$3

icd=/etc/OpenCL/vendors/rusticl.icd
[ -f "$icd" ] || {
    echo "rusticl.sh: there is no $icd: apt-get install mesa-opencl-icd" >&2
    exit 1
}
vendors=$(mktemp -d)
trap 'rm -rf "$vendors"' EXIT
cp "$icd" "$vendors"

status=0
export CK_FORK=no CK_RUN_CASE="$case" CK_DEFAULT_TIMEOUT=0
export OCL_ICD_VENDORS="$vendors" RUSTICL_ENABLE=llvmpipe
export EVONODE_TEST_PLATFORM=rusticl EVONODE_DEVICE=auto EVONODE_CACHE_DIR=off
timeout -k 5 "$seconds" "$program" || status=$?
if [ "$status" -ne 0 ]; then
    echo "rusticl.sh: $program, $case: exit status $status (124: more than $seconds s)" >&2
    exit 1
fi
