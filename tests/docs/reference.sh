#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every public function, type and constant is documented:  reference.sh SOURCE FOLDER BUILD
# Doxygen's warnings are errors (Doxyfile); the reference itself is left in FOLDER.
set -eu
command -v doxygen >/dev/null || { echo "doxygen is not installed"; exit 77; }
cd "$1"
EVN_SITE=$2 EVN_REFERENCE_VERSION=0 EVN_BUILD=$3 doxygen Doxyfile
grep -rqs EVN_VERSION_MAJOR "$2/reference" || { echo "version.h is not in the reference"; exit 1; }
for header in include/evonode/*.h "$3"/include/evonode/*.h; do
    grep -q '@file' "$header" || { echo "$header has no @file: its functions would be left out"; exit 1; }
done
