#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run a test in the environment of setup.sh, if there is one:  sh tests/exchange/python.sh PYTHON TEST …
if [ ! -x "$1" ]; then
    echo "$1 is missing: sh tests/exchange/setup.sh makes it"
    exit 77
fi
exec "$@"
