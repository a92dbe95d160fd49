#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From nothing to a trained network:  sh tools/quickstart.sh [OPTIONS OF evonode train]
# Installs what is missing, builds, and trains NODE-EW on the digits, on the best OpenCL device.
set -eu
cd "$(dirname "$0")/.."

sh tools/setup.sh
echo "Building"
# A folder that has been configured keeps its options: it may have the tests.
[ -f build/CMakeCache.txt ] && fresh="" || fresh=-DEVN_TESTS=OFF
cmake -S . -B build $fresh >/dev/null
cmake --build build --parallel "$(getconf _NPROCESSORS_ONLN)" >/dev/null
exec build/evonode train digits "$@"
