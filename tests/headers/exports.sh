#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shared library exports the functions that the public headers declare and no other symbol:
#   sh tests/headers/exports.sh LIBRARY COMPILER FOLDER ...
set -eu
library=$1 compiler=$2
shift 2
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT

include=
for folder in "$@"; do
    include="$include -I$folder"
    for header in "$folder"/evonode/*.h; do
        printf '#include "evonode/%s"\n' "${header##*/}"
    done
done >"$output/all.c"
for folder in "$@"; do
    include="$include -I$folder"
done
# A declaration is one statement at the top level: what is in braces is a type.
"$compiler" -E -P -std=c11 $include "$output/all.c" | grep -v '^#' | tr '\n' ' ' |
    sed 's/{[^{}]*}//g; s/{[^{}]*}//g' | tr ';' '\n' |
    sed -n 's/^[^(]*[ *]\(evn_[a-z0-9_]*\) *(.*/\1/p' | LC_ALL=C sort -u >"$output/declared"
nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort -u >"$output/exported"

count=$(wc -l <"$output/declared")
echo "$count functions are declared"
[ "$count" -gt 100 ]
if ! diff "$output/declared" "$output/exported" >"$output/difference"; then
    sed -n 's/^< /declared, but not exported: /p; s/^> /exported, but not declared: /p' "$output/difference"
    exit 1
fi
