#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages are sound mdoc:  manual.sh FOLDER
# Both mandoc and groff must be silent. A page that refers to another finds it in the same folder.
set -eu
cd "$1"
found=$(mktemp)
trap 'rm -f "$found"' EXIT
tools=0
count=0
for page in *.1; do
    count=$((count + 1))
    if command -v mandoc >/dev/null; then
        tools=1
        mandoc -T lint -W style "$page" | grep -v 'STYLE: referenced manual not found' >>"$found" || true
    fi
    if command -v groff >/dev/null; then
        tools=1
        groff -ww -mdoc -T utf8 "$page" 2>>"$found" >/dev/null
    fi
    sed -n 's/^\.Xr \([a-z-]*\) 1.*/\1/p' "$page" | while read -r other; do
        [ -f "$other.1" ] || echo "$page: there is no page $other(1)" >>"$found"
    done
done
[ $tools -eq 1 ] || { echo "neither mandoc nor groff is installed"; exit 77; }
[ $count -gt 5 ] || { echo "only $count pages in $1"; exit 1; }
cat "$found"
[ ! -s "$found" ]
