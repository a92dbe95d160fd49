#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a training, an evaluation and a list of devices leave behind at their ends, by LeakSanitizer,
# with each OpenCL implementation alone:  sh tests/system/leaks.sh BUILD
# BUILD is configured with EVN_SANITIZE=ON; it is made where it is not there.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
cmake -S "$source" -B "$build" -DEVN_TESTS=ON -DEVN_SANITIZE=ON >/dev/null
cmake --build "$build" --target evonode-cli --parallel "$(getconf _NPROCESSORS_ONLN)"
program=$(cd "$build" && pwd)/evonode
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export ASAN_OPTIONS=intercept_tls_get_addr=0:exitcode=99 EVONODE_TUNE=off EVONODE_SELFTEST=off
export RUSTICL_ENABLE=llvmpipe EVONODE_CACHE_DIR=off
export LSAN_OPTIONS=suppressions=$source/tests/support/lsan.supp:print_suppressions=0
bad=0 tried=0

run() { # exit code, words of a command
    wanted=$1 code=0
    shift
    "$program" "$@" >out 2>err || code=$?
    if [ "$code" != "$wanted" ]; then
        echo "$vendor: evonode $*: ends with $code instead of $wanted"
        grep -A 12 'leak of' err | head -n 60
        tail -n 3 err
        bad=1
    fi
}

for icd in /etc/OpenCL/vendors/*.icd; do
    vendor=$(basename "$icd" .icd)
    mkdir -p "vendors/$vendor"
    cp "$icd" "vendors/$vendor"
    export OCL_ICD_VENDORS="$folder/vendors/$vendor"
    if ! "$program" devices >/dev/null 2>&1; then
        echo "$vendor: has no device here"
        continue
    fi
    tried=$((tried + 1))
    run 0 devices
    run 0 train curve --width 8 --phase backprop:epochs=2 --out "$vendor"
    run 0 eval "$vendor" --json
    run 13 train curve --width 8 --phase backprop:epochs=2 --out "$vendor" # an early end
done
echo "$tried implementations"
[ "$tried" -gt 0 ] || exit 77
exit $bad
