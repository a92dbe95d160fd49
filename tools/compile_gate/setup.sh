#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The compilers of the compile gate, in BUILD/gate (BUILD: build):
#   sh tools/compile_gate/setup.sh [BUILD]
# Packages are unpacked, not installed: Intel's would add an OpenCL platform to this machine, and a
# second libclc cannot be installed beside the first.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p "${1:-build}/gate"
gate=$(cd "${1:-build}/gate" && pwd)

say() {
    echo "compile gate: $*" >&2
}

# The newest of these that the distribution has, with its OpenCL library: AMD and NVIDIA.
llvm_packages() {
    for version in 19 18 17 15; do
        if apt-cache show "clang-$version" "libclc-$version" >/dev/null 2>&1; then
            echo "clang-$version libclang-cpp$version libllvm$version libclang-common-$version-dev
                libclc-$version libclc-$version-dev llvm-$version"
            return
        fi
    done
    say "apt has no clang with a libclc: the targets of AMD and NVIDIA are left out"
}

intel_packages() {
    packages="intel-opencl-icd libigc1 libigdfcl1 libigdgmm12 libopencl-clang14 libllvmspirvlib14
        libllvm14 libclang-cpp14"
    if apt-cache show $packages >/dev/null 2>&1; then
        echo $packages
    else
        say "apt does not have all of" $packages": the targets of Intel are left out"
    fi
}

unpack() { # folder below $gate, packages
    folder=$gate/$1
    shift
    [ $# -gt 0 ] || return 0
    [ "$(cat "$folder/packages" 2>/dev/null)" = "$*" ] && return 0
    rm -rf "$folder"
    mkdir -p "$folder/download"
    (cd "$folder/download" && apt-get download -qq "$@" 2>/dev/null) || {
        say "could not download" "$@"
        return 1
    }
    for package in "$folder"/download/*.deb; do
        dpkg -x "$package" "$folder"
    done
    rm -rf "$folder/download"
    echo "$*" >"$folder/packages"
}

# ptxas of CUDA where it is; nvdisasm, which shows its code, is not always with it.
python_packages() {
    command -v ptxas >/dev/null || [ -x /usr/local/cuda/bin/ptxas ] || echo "nvidia-cuda-nvcc==13.5.37"
    command -v nvdisasm >/dev/null || [ -x /usr/local/cuda/bin/nvdisasm ] ||
        echo "nvidia-cuda-nvdisasm==13.5.37"
}

add_python() { # packages
    [ $# -gt 0 ] || return 0
    [ "$(cat "$gate/python/packages" 2>/dev/null)" = "$*" ] && return 0
    python3 -m venv "$gate/python"
    "$gate/python/bin/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$gate/python/packages"
}

if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then
    unpack llvm $(llvm_packages)
    unpack intel $(intel_packages)
else
    say "without apt only compilers that are installed are used (clang with libclc, ocloc)"
fi
add_python $(python_packages)
