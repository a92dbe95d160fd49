#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compile each public header alone:  sh tests/headers/compile.sh gcc|clang STANDARD FOLDER ...
# FOLDERs are include paths that have evonode/. Ends with 77 without the compiler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
compiler=$1 standard=$2
shift 2
case $compiler-$standard in
gcc-c++*) compiler=g++ ;;
clang-c++*) compiler=clang++ ;;
esac
command -v "$compiler" >/dev/null || { echo "$compiler is not installed"; exit 77; }

include=
for folder in "$@"; do
    include="$include -I$folder"
done
case $standard in
c++*) language="c++ -Wold-style-cast" ;;
*) language="c -Wstrict-prototypes -Wmissing-prototypes" ;;
esac
check() { # source on standard input
    "$compiler" -x $language -std="$standard" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror \
        -fsyntax-only $include "$@" -
}

count=0
for folder in "$@"; do
    for header in "$folder"/evonode/*.h; do
        printf '#include "evonode/%s"\ntypedef int not_empty;\n' "${header##*/}" | check
        count=$((count + 1))
    done
done
echo "$count headers"
[ "$count" -gt 10 ]
check <"$here/use.h"
