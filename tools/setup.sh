#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install what evonode is built with, where it is missing:  sh tools/setup.sh [tests | docs | gate | intel]
# With "tests" also what only the tests need, with "docs" what the documentation's site needs, with
# "gate" the compilers of the compile gate, with "intel" Intel's OpenCL runtime for CPUs from PyPI, in
# build/intel, where tools/vendor.sh finds it. Uses apt; elsewhere it says what to install.
set -eu

build_packages="build-essential cmake pkg-config ocl-icd-opencl-dev opencl-headers pocl-opencl-icd
zlib1g-dev libjansson-dev libxxhash-dev librandom123-dev libplplot-dev plplot-driver-cairo
libstb-dev libcsv-dev libmicrohttpd-dev libprotobuf-c-dev protobuf-c-compiler libonnx-dev"
test_packages="check universal-ctags oclgrind mesa-opencl-icd clang clang-format curl
libclblast-dev file mmdebstrap mandoc doxygen
python3-venv"
docs_packages="pandoc mandoc doxygen python3"

fail() {
    echo "setup.sh: $*" >&2
    exit 1
}

# Without apt: what is looked for is what the build itself uses.
missing_parts() {
    for tool in cc make cmake pkg-config $tools; do
        command -v "$tool" >/dev/null || echo "$tool"
    done
    for module in zlib jansson libxxhash plplot OpenCL $modules; do
        pkg-config --exists "$module" 2>/dev/null || echo "the library $module with its headers"
    done
    for header in CL/cl.h Random123/philox.h stb/stb_image.h csv.h; do
        echo "#include <$header>" | cc -E - >/dev/null 2>&1 || echo "the header $header"
    done
}

missing_packages() {
    for package in $build_packages $packages; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || echo "$package"
    done
}

install() {
    if [ "$(id -u)" -eq 0 ]; then
        sudo=
    elif command -v sudo >/dev/null; then
        sudo=sudo
    else
        fail "run as root: apt-get install" "$@"
    fi
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -qq
    $sudo apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# Of a virtual environment, since no distribution has it, with its mathematics, which the wheel does not ask for; the file names the library where it lies.
install_intel() {
    folder=$(cd "$(dirname "$0")/.." && pwd)/build/intel
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
        intel-opencl-rt intel-cmplr-lib-rt
    [ -f "$folder/lib/libintelocl.so" ] || fail "the wheel intel-opencl-rt has no lib/libintelocl.so"
    echo "$folder/lib/libintelocl.so" >"$folder/intel.icd"
}

tools='' modules='' packages=''
case ${1:-} in
'') ;;
tests) modules=check packages=$test_packages ;;
docs) tools=$docs_packages packages=$docs_packages ;; # each brings a tool of its own name
gate) packages="python3-venv check" ;;
intel) tools=python3 packages=python3-venv ;;
*) fail "unknown argument '$1'; usage: sh tools/setup.sh [tests | docs | gate | intel]" ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    missing=$(missing_parts)
    if [ -n "$missing" ]; then
        echo "setup.sh: this system has no apt. Install these in its own way, then try again:" >&2
        echo "$missing" >&2
        echo "and an OpenCL driver: the vendor's for a GPU, PoCL for a CPU" >&2
        exit 1
    fi
    [ "${1:-}" != intel ] || install_intel
    exit 0
fi

missing=$(missing_packages)
if [ -n "$missing" ]; then
    echo "Installing:" $missing
    install $missing
fi
[ "${1:-}" != gate ] || sh "$(dirname "$0")/compile_gate/setup.sh"
[ "${1:-}" != intel ] || install_intel
