#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# link.sh must find what is planted here:  sh tests/lint/test_link.sh COMPILER
set -eu
link=$(cd "$(dirname "$0")" && pwd)/link.sh
compiler=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root"

room() { # name, source
    echo "$2" >"$1.c"
    "$compiler" -fPIC -c "$1.c" -o "$1.c.o"
    rm -f "lib$1.a"
    ar rc "lib$1.a" "$1.c.o"
}
layers() { # further lines
    printf '0 base - -\n3 ops - -\n3 side - -\n4 plan - m\n%s\n' "${1:-}" >layers
}
run() {
    sh "$link" "$1" layers . "$compiler" "$("$compiler" -print-file-name=libz.so)" 2>&1
}
expect() { # room, text that its output must have
    if output=$(run "$1"); then
        echo "$1 is accepted, without '$2'"
        exit 1
    fi
    case $output in
    *"$2"*) ;;
    *) echo "$1: no '$2' in: $output" && exit 1 ;;
    esac
}
accept() {
    run "$1" || { echo "$1 is refused"; exit 1; }
}

layers
room base 'int base(void) { return 1; }'
room side 'int side(void) { return 1; }'
room plan 'int ops(void); int plan(void) { return ops(); }'
room ops 'int base(void); int ops(void) { return base(); }'
for name in base ops plan; do
    accept $name
done

room ops 'int plan(void); int ops(void) { return plan(); }'
expect ops 'ops/ops.c: ops() calls plan, which is in plan, not below ops'
room ops 'int plan(void); int (*const table[])(void) = {plan};'
expect ops 'ops/ops.c: its data calls plan, which is in plan'
layers 'circle ops plan'
accept ops
room ops 'int side(void); int plan(void); int ops(void) { return side() + plan(); }'
expect ops 'calls side, which is in side, not below ops'
room ops 'int gone(void); int plan(void); int ops(void) { return gone() + plan(); }'
expect ops 'calls gone, which is nowhere'
room ops 'int ops(void) { return 1; }'
expect ops "remove 'circle ops plan'"

layers '5 zip - z'
room ops 'int deflateEnd(void *); int ops(void) { return deflateEnd(0); }'
expect ops 'ops calls deflateEnd of z'
room zip 'int deflateEnd(void *); int zip(void) { return deflateEnd(0); }'
accept zip
