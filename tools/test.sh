#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install what is missing, build with warnings as errors, run all tests:  sh tools/test.sh
# The kernels run on PoCL, on Mesa's rusticl and in the simulator Oclgrind, one loaded at a time.
# Tests on MNIST run when EVONODE_DATA names the folder that holds mnist/.
set -eu
cd "$(dirname "$0")/.."
. tools/vendor.sh

sh tools/setup.sh tests
sh tests/exchange/setup.sh || echo "Without Python's packages the tests exchange/* are skipped"
prefer_pocl
jobs=$(getconf _NPROCESSORS_ONLN)
cmake -S . -B build -DEVN_TESTS=ON -DEVN_WERROR=ON
cmake --build build --parallel "$jobs"

if ! build/evonode devices; then
    echo "test.sh: no OpenCL device, so nothing can be tested: this is a failure" >&2
    exit 1
fi

labels="quick|guide"
if command -v apt-get >/dev/null; then # then setup.sh has installed both: missing is a failure
    labels="$labels|system"
else
    echo "No apt here to install Oclgrind and rusticl: the kernels are tested on this device alone"
fi
if [ -n "${EVONODE_DATA:-}" ]; then
    labels="$labels|mnist"
else
    echo "EVONODE_DATA is not set: the tests on MNIST are left out"
fi
# Builds of their own and a vendor's runtime, both system's and long, are left to who asks for them.
ctest --test-dir build --label-regex "^($labels)\$" --label-exclude '^long$' --no-tests=error \
    --output-on-failure --parallel "$jobs"
if [ -z "${EVONODE_DATA:-}" ]; then
    echo "EVONODE_DATA is not set: the tests on MNIST were left out"
fi
