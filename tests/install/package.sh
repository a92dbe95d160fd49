#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The packages, and how they work where nothing else is:  sh tests/install/package.sh CASE FOLDER
# FOLDER is the build folder of tools/package.sh, which the case "build" fills. The clean root is
# made by mmdebstrap, of the release that runs here; it needs the network, and is gone afterwards.
set -eu
case=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
packages=$folder/packages

clean_root() { # script that runs in the root, where the packages are in /packages
    . /etc/os-release
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/packages"
    cp "$packages"/*.deb "$here/consumer/use.c" "$here/consumer/use.h" "$work/packages"
    { # what names folders of this machine does not hold there
        echo 'set -eux; export DEBIAN_FRONTEND=noninteractive HOME=/root'
        echo 'unset TMPDIR LD_LIBRARY_PATH OCL_ICD_VENDORS EVONODE_DATA EVONODE_CACHE_DIR EVONODE_KERNEL_DIR EVONODE_BUILD_OPTIONS'
        echo "$1"
    } >"$work/packages/script"
    components=main
    [ "$ID" != ubuntu ] || components=main,universe
    mmdebstrap --variant=apt --format=null --components=$components --dpkgopt=force-unsafe-io \
        --customize-hook="copy-in '$work/packages' /" \
        --customize-hook='chroot "$1" sh /packages/script' "$VERSION_CODENAME" - </dev/null
}

case $case in
build)
    sh "$here/../../tools/package.sh" "$folder"
    ;;
archive)
    rm -rf "$folder/archive of it"
    mkdir "$folder/archive of it"
    tar xzf "$packages"/*.tar.gz -C "$folder/archive of it" --strip-components=1
    "$folder/archive of it/bin/evonode" --version
    cmake -S "$here/consumer" -B "$folder/archive of it/build" -DKIND=shared \
        -DCMAKE_PREFIX_PATH="$folder/archive of it" >/dev/null
    cmake --build "$folder/archive of it/build" >/dev/null
    "$folder/archive of it/build/use_c"
    ;;
program)
    clean_root '
apt-get install -qq -y --no-install-recommends pocl-opencl-icd /packages/evonode_*.deb /packages/libevonode0.1_*.deb
cd /tmp
evonode train digits --model node --phase backprop:steps=2,epochs=1 --limit 256 --out run
test -s run/summary.json
ldconfig -p | grep libevonode.so.0.1
test -s /usr/share/doc/evonode/copyright
apt-get purge -qq -y evonode libevonode0.1
test -z "$(find /usr -name "*evonode*")"
if ldconfig -p | grep libevonode; then exit 1; fi'
    ;;
development)
    clean_root '
apt-get install -qq -y --no-install-recommends pocl-opencl-icd gcc libc6-dev pkg-config /packages/*.deb
cd /tmp
gcc /packages/use.c -o shared $(pkg-config --cflags --libs evonode) -lm
./shared
gcc /packages/use.c -o static $(pkg-config --cflags --libs --static evonode | sed s/-levonode/-l:libevonode.a/) -lm
./static'
    ;;
*)
    echo "unknown case $case" >&2
    exit 1
    ;;
esac
