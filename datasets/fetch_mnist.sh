#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetch MNIST and check it:  sh datasets/fetch_mnist.sh [FOLDER]
# FOLDER is datasets/mnist beside this script unless given. What is there and right is kept.
# EVONODE_MNIST_URL replaces the addresses below: a mirror, or file:///… .
set -eu

folder=${1:-$(dirname "$0")/mnist}
urls=${EVONODE_MNIST_URL:-https://ossci-datasets.s3.amazonaws.com/mnist
https://storage.googleapis.com/cvdf-datasets/mnist}

fail() {
    echo "fetch_mnist.sh: $*" >&2
    exit 1
}

download() { # address, target
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --retry 2 --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget --quiet --output-document="$2" "$1"
    else
        fail "neither curl nor wget is installed; install one of them"
    fi
}

# The md5 of the file's content without gzip; of nothing when it is not gzip.
checksum() {
    if command -v md5sum >/dev/null; then
        gzip -dc "$1" 2>/dev/null | md5sum | cut -d ' ' -f 1
    else
        gzip -dc "$1" 2>/dev/null | md5 -q
    fi
}

fetch() { # name, md5 of the content
    target=$folder/$1.gz
    if [ -f "$target" ] && [ "$(checksum "$target")" = "$2" ]; then
        echo "$target is there"
        return
    fi
    for url in $urls; do
        echo "$url/$1.gz"
        if ! download "${url%/}/$1.gz" "$part"; then
            continue
        fi
        if [ "$(checksum "$part")" = "$2" ]; then
            mv "$part" "$target"
            return
        fi
        echo "fetch_mnist.sh: what came is not $1 (its checksum differs)" >&2
    done
    fail "could not fetch $1.gz; set EVONODE_MNIST_URL to a mirror, or put the four files into $folder"
}

mkdir -p "$folder"
part=$folder/fetch.$$.part
trap 'rm -f "$part"' EXIT
trap 'exit 1' HUP INT TERM
fetch train-images-idx3-ubyte 6bbc9ace898e44ae57da46a324031adb
fetch train-labels-idx1-ubyte a25bea736e30d166cdddb491f175f624
fetch t10k-images-idx3-ubyte 2646ac647ad5339dbf082846283269ea
fetch t10k-labels-idx1-ubyte 27ae3e4e09519cfbb04c329615203637
echo "MNIST is in $folder; train on it with: evonode train mnist --data $folder"
