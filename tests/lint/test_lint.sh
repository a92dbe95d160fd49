#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each rule of lint.sh must find what is planted here:  sh tests/lint/test_lint.sh
set -eu
lint=$(cd "$(dirname "$0")" && pwd)/lint.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root"

# What is right, then what is wrong.
head='// SPDX-License-Identifier: Apache-2.0'
mkdir -p src/base src/graph src/ops src/ref host include/evonode kernels tests/ops
for file in src/base/files.c src/ops/softmax.c src/ref/softmax.c kernels/softmax.cl \
    tests/ops/test_softmax.c CMakeLists.txt; do
    echo "$head" >"$file"
done
printf '%s\n#include "base/files.h"\nint f(void);\n' "$head" >src/graph/right.c
printf 'int g(void) {\n    return 1;\n}\n' >>src/graph/right.c
echo 'BasedOnStyle: LLVM' >.clang-format
cat >src/layers.txt <<END
# level room headers libraries
0 base status xxhash
2 graph graph -
3 ops - -
3 ref - -
END

hashed= # by sources_in_hash
expect() { # rule, text that its output must have
    if output=$(sh "$lint" "$1" "$root" "$hashed" 2>&1); then
        echo "$1 accepts what breaks it"
        exit 1
    fi
    case $output in
    *"$2"*) ;;
    *) echo "$1 does not say '$2' but: $output" && exit 1 ;;
    esac
}

accept() {
    sh "$lint" "$1" "$root" || { echo "$1 refuses what is right"; exit 1; }
}

for rule in include_direction opencl_only_in_host spdx rhyming_paths file_length \
    numbers_without_locale; do
    accept $rule
done

echo '#include "graph/node.h"' >src/base/up.c
expect include_direction 'src/base/up.c:1: base must not include graph/node.h'
expect spdx 'src/base/up.c'
echo '#include "evonode/graph.h"' >src/base/up.c
expect include_direction 'base must not include evonode/graph.h'
rm src/base/up.c
mkdir src/attic && echo "$head" >src/attic/old.c
expect include_direction 'the room attic has no line'
rm -r src/attic
echo '#include "ref/ref.h"' >src/ops/side.c
expect include_direction 'ops must not include ref/ref.h'
expect rhyming_paths 'kernels/side.cl is missing'
rm src/ops/side.c
echo '#include <CL/cl.h>' >src/graph/cl.c
expect opencl_only_in_host 'src/graph/cl.c:1'
rm src/graph/cl.c
echo 'double f(const char *x) { return strtod(x, 0); }' >src/graph/read.c
expect numbers_without_locale 'src/graph/read.c:1'
echo 'setlocale(LC_ALL, "");' >src/graph/read.c
expect numbers_without_locale 'src/graph/read.c:1'
printf 'snprintf(x, 64, "%%d",\n 1); snprintf(x, 64,\n "%%.17g", y);\n' >src/graph/read.c
expect numbers_without_locale '"%.17g", y'
printf 'snprintf(x, 64, "%%d %%s", 1, e);\n' >src/graph/read.c
accept numbers_without_locale
rm src/graph/read.c
echo 'char *f(json_t *x) { return json_dumps(x, 0); }' >src/graph/show.c
expect json_by_builder 'src/graph/show.c:1'
echo 'json_object_set_new(x, "a", json_true());' >src/graph/show.c
expect json_by_builder 'src/graph/show.c:1'
echo 'EVN_CHECK(json_object_set_new(x, "a", json_true()) == 0, EVN_ERR_MEMORY, "");' >src/graph/show.c
accept json_by_builder
rm src/graph/show.c
printf 'int f(void) {\n    EVN__TIMED(d, "x (clFinish)", clFinish(q));\n}\n' >host/call.c
accept opencl_under_deadline
printf 'int f(void) {\n    clFinish(q);\n    EVN__TIMED(d, "x", g());\n}\n' >host/call.c
expect opencl_under_deadline 'host/call.c: clFinish is under no deadline'
hashed=$(find src host include kernels -type f ! -path src/layers.txt | tr '\n' ';')
sh "$lint" sources_in_hash "$root" "$hashed" || { echo 'sources_in_hash refuses all'; exit 1; }
touch src/graph/table.def
expect sources_in_hash 'src/graph/table.def is not of the sources'
rm host/call.c src/graph/table.def
yes '' | head -n 601 >src/graph/long.c
expect file_length 'src/graph/long.c'
if command -v ctags >/dev/null; then
    { echo 'int f(void) {' && yes ';' | head -n 79 && echo '}'; } >src/graph/long.c
    expect function_length 'f has 81 lines'
    { echo 'int f(void) {' && yes ';' | head -n 20 && echo '}'; } >src/graph/long.c
    rm src/graph/right.c
    expect function_length 'the median is over 15'
fi
if command -v clang-format >/dev/null && clang-format --version | grep -q 'version 14\.'; then
    expect formatting 'src/graph/long.c'
fi
