#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Python environment of the tests exchange/*, in build/exchange-python:
#   sh tests/exchange/setup.sh [BUILD]
# It sees the distribution's packages, so that PyTorch takes part where python3-torch is installed.
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-build}/exchange-python

python=/usr/bin/python3
if ! $python -c 'import venv, ensurepip' 2>/dev/null; then
    echo "setup.sh: install python3-venv, then try again" >&2
    exit 1
fi
cmp -s tests/exchange/requirements.txt "$folder/requirements.txt" && exit 0
$python -m venv --system-site-packages "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check -r tests/exchange/requirements.txt
cp tests/exchange/requirements.txt "$folder"
