#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each function of the C library that these programs import is one that the shim makes fail, or is in
# imports.txt:  imports.sh SHIM PROGRAM...
set -eu
here=$(dirname "$0") shim=$1
shift
command -v nm >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

names() { # words to lines, each once
    tr -s ' ' '\n' | grep . | sort -u
}

nm -D --undefined-only "$@" | sed -n 's/^ *U \([^@]*\)@GLIBC_.*/\1/p' | names >"$folder/imported"
nm -D --defined-only "$shim" | sed 's/.* //' | names >"$folder/shim"
sed '/^#/d' "$here/imports.txt" | names >"$folder/listed"
sort -u "$folder/shim" "$folder/listed" >"$folder/known"
grep -q . "$folder/imported" || { echo "imports.sh: nm finds no import of $*"; exit 1; }

bad=0
tell() { # what is wrong with the names that follow
    words=$(cat)
    [ -z "$words" ] || { echo "imports.sh:" $words: "$1"; bad=1; }
}
comm -23 "$folder/imported" "$folder/known" >"$folder/wrong"
tell "neither in shim.c nor, with the reason why, in imports.txt" <"$folder/wrong"
comm -12 "$folder/listed" "$folder/shim" >"$folder/wrong"
tell "in imports.txt, and in shim.c" <"$folder/wrong"
exit $bad
