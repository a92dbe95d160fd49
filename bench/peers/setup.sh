#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The peers' Python environments, in build/peers:  sh bench/peers/setup.sh
# torch comes from the distribution: the wheel brings gigabytes for GPUs of one vendor.
set -eu
cd "$(dirname "$0")/../.."

python=/usr/bin/python3 # the one that sees the distribution's packages
if ! $python -c 'import torch, venv, ensurepip' 2>/dev/null; then
    echo "setup.sh: install python3-torch and python3-venv (Debian 12), then try again" >&2
    exit 1
fi
make_environment() { # name, options of venv
    name=$1
    shift
    $python -m venv "$@" "build/peers/$name"
    "build/peers/$name/bin/pip" install --quiet -r "bench/peers/requirements-$name.txt"
}
make_environment torch --system-site-packages
make_environment jax
build/peers/torch/bin/pip install --quiet --no-deps -r bench/peers/requirements-torchode.txt
