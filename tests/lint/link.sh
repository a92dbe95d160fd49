#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Link one room against the rooms below it alone, with nothing undefined (src/layers.txt):
#   sh tests/lint/link.sh ROOM LAYERS FOLDER COMPILER [LIBRARY ...]
# FOLDER has libROOM.a of each room; LIBRARY is an external one. Prints who wants what and where it
# is, a line each, and ends with 1. GNU ld's messages are read.
set -eu
room=$1 layers=$2 folder=$3 compiler=$4
shift 4
LC_ALL=C
export LC_ALL
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT

rooms() { # awk condition on level, with `own` for this room's
    awk -v room="$room" -v layers="$layers" 'BEGIN {
        while ((getline < layers) > 0) if ($1 ~ /^[0-9]/ && $2 == room) own = $1 + 0
        close(layers)
        while ((getline < layers) > 0) if ($1 ~ /^[0-9]/ && ($1 + 0 '"$1"' own) && $2 != room) print $2
    }'
}

lower=
for name in $(rooms '<'); do
    lower="$lower $folder/lib$name.a"
done

# Undefined symbols, "symbol object: function()".
if ! "$compiler" -shared -nostartfiles -Wl,--no-undefined -o "$output/room.so" \
    -Wl,--whole-archive "$folder/lib$room.a" -Wl,--no-whole-archive \
    -Wl,--start-group $lower -Wl,--end-group "$@" -lm 2>"$output/messages"; then
    sed -n "s/.*(\([a-z_0-9]*\)\.c\.o): in function \`\(.*\)':\$/@ \1.c \2()/p
            s/.*(\([a-z_0-9]*\)\.c\.o):(\.[a-z.]*data.*undefined reference to \`\(.*\)'\$/@ \1.c its data\n\2/p; t
            s/.*undefined reference to \`\(.*\)'\$/\1/p" "$output/messages" |
        awk '$1 == "@" { place = $2 ": " $3 " " $4; next } !seen[$1, place]++ { print $1, place }' \
            >"$output/undefined"
    if [ ! -s "$output/undefined" ]; then
        cat "$output/messages"
        exit 1
    fi
fi
touch "$output/undefined"

bad=0
allowed=$(awk -v room="$room" '$1 == "circle" && $2 == room { print $3 }' "$layers")
for name in $(rooms '>='); do
    nm --defined-only "$folder/lib$name.a" 2>/dev/null | awk -v name="$name" 'NF == 3 { print $3, name }'
done >"$output/higher"
for name in $allowed; do
    if ! awk -v name="$name" 'NR == FNR { if ($2 == name) there[$1]; next } $1 in there { found = 1 }
        END { exit !found }' "$output/higher" "$output/undefined"; then
        echo "$room no longer calls $name: remove 'circle $room $name' from $layers"
        bad=1
    fi
done
awk -v room="$room" -v allowed=" $(echo $allowed) " '
    NR == FNR { where[$1] = $2; next }
    index(allowed, " " where[$1] " ") && where[$1] != "" { next }
    {
        name = $1
        sub(/^[^ ]* /, "")
        sub(/ *$/, "")
        print room "/" $0 " calls " name ", which is " \
            (where[name] == "" ? "nowhere" : "in " where[name] ", not below " room)
        bad = 1
    }
    END { exit bad }' "$output/higher" "$output/undefined" || bad=1

# External libraries that are not this room's.
own=$(awk -v room="$room" '$1 ~ /^[0-9]/ && $2 == room { print "," $4 "," }' "$layers")
nm --undefined-only "$folder/lib$room.a" 2>/dev/null | awk '$1 == "U" { print $2 }' >"$output/wanted"
for library in "$@"; do
    name=$(basename "$library" | sed 's/^lib//; s/\..*//')
    case $own in *",$name,"*) continue ;; esac
    grep -q "[ ,]$name\(,\|\$\)" "$layers" || continue
    nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u >"$output/exported"
    strangers=$(sort -u "$output/wanted" | comm -12 - "$output/exported")
    for symbol in $strangers; do
        echo "$room calls $symbol of $name, which is not among its libraries in $layers"
        bad=1
    done
done
exit $bad
