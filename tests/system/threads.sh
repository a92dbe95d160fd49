#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What has threads, under ThreadSanitizer: images decoded side by side, the page that --watch serves,
# the deadline of OpenCL's calls:  sh tests/system/threads.sh BUILD
# BUILD is configured with EVN_SANITIZE=thread; it is made where it is not there.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
cmake -S "$source" -B "$build" -DEVN_TESTS=ON -DEVN_SANITIZE=thread >/dev/null
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" --target evonode-cli \
    base_test_parallel data_test_folder cli_test_watch host_test_deadline evn_layer evn_test_vendor \
    evn_faults
export TSAN_OPTIONS=suppressions=$source/tests/support/tsan.supp:halt_on_error=1:exitcode=66
TSAN_OPTIONS=$TSAN_OPTIONS:ignore_noninstrumented_modules=1
ctest --test-dir "$build" --no-tests=error --output-on-failure \
    --tests-regex '^(base/test_parallel|data/test_folder|cli/test_watch|host/test_deadline)/'
