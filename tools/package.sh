#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build the packages, where there is dpkg three .deb and always a .tar.gz:
#   sh tools/package.sh [FOLDER OF THE BUILD]
# They are in packages/ of that folder, build-package unless it is named.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$source/build-package}

pack() { # generator, options of CMake
    generator=$1
    shift
    cmake -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=Release -DEVN_TESTS=OFF "$@" >/dev/null
    cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" >/dev/null
    cpack --config "$build/CPackConfig.cmake" -G "$generator" >/dev/null
}

rm -rf "$build/packages"
# The same objects: Debian's folder of libraries is named after the architecture, others' is lib.
pack TGZ -DCMAKE_INSTALL_LIBDIR=lib
if command -v dpkg-shlibdeps >/dev/null; then
    pack DEB -DCMAKE_INSTALL_LIBDIR="lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH)"
fi
rm -r "$build/packages/_CPack_Packages"
ls "$build"/packages/*
