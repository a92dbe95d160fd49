#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tests for which the device matters, in a costume:
#   sh tests/layer/costume.sh PROFILE [REGEX] [OPTIONS OF ctest]
# PROFILE is a file, or a name of tests/layer/profiles; REGEX chooses other tests than these rooms.
# The build folder is build, or EVN_BUILD.
set -eu
cd "$(dirname "$0")/../.."
. tools/vendor.sh

# Not among them: ops and the plans of random graphs. These run each kernel as a CPU and as a GPU
# would on any device, and are slow to compile where programs cannot be joined.
profile=${1:?which profile?}
rooms='^(dynamics|events|gradients|host|integrator|methods|nn|optim|per_sample|solver|study|task|train'
rooms="$rooms|tune)/|^plan/test_(plan|repeat|scaling)/"
shift
case ${1:-} in
'' | -*) ;;
*)
    rooms=$1
    shift
    ;;
esac
[ -f "$profile" ] || profile=tests/layer/profiles/$profile.profile
[ -f "$profile" ] || {
    echo "costume.sh: there is no $profile; there are:" tests/layer/profiles/* >&2
    exit 1
}
build=$(cd "${EVN_BUILD:-build}" && pwd)
prefer_pocl
OPENCL_LAYERS=$build/tests/layer/evn_layer.so
[ -f "$OPENCL_LAYERS" ] || { # the loader would pass over it
    echo "costume.sh: there is no $OPENCL_LAYERS; build it first" >&2
    exit 1
}
EVN_LAYER_COSTUME=$(cd "$(dirname "$profile")" && pwd)/$(basename "$profile")
# Nothing of a costume stays. PoCL's binaries would be asked for, and compiled once more for it.
EVONODE_CACHE_DIR=off
export OPENCL_LAYERS EVN_LAYER_COSTUME EVONODE_CACHE_DIR

"$build/evonode" devices
ctest --test-dir "$build" --label-regex '^quick$' --tests-regex "$rooms" --no-tests=error \
    --output-on-failure --parallel "$(getconf _NPROCESSORS_ONLN)" "$@"
