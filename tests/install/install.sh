#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed, as others use it:  sh tests/install/install.sh CASE BUILD
# The case "prefix" installs BUILD into a prefix with a space in its name, which the others use.
set -eu
case=$1 build=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$build/tests/install
prefix="$work/a prefix"
output="$work/$case"
rm -rf "$output"
mkdir -p "$output"
cd "$output"

# Nothing but the prefix may be found, and of it nothing by chance.
unset LD_LIBRARY_PATH PKG_CONFIG_PATH CMAKE_PREFIX_PATH CFLAGS CXXFLAGS LDFLAGS DESTDIR || true
cc=${CC:-cc} cxx=${CXX:-c++}

fail() {
    echo "$*" >&2
    exit 1
}

library_of() { # program: the evonode library it loads, or nothing
    readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(libevonode[^]]*\)\].*/\1/p'
}

run_both() { # expected library, folder of the programs
    for program in "$2/use_c" "$2/use_cxx"; do
        "$program"
        [ "$(library_of "$program")" = "$1" ] || fail "$program loads '$(library_of "$program")'"
    done
}

by_cmake() { # kind, prefix, expected library, further options
    kind=$1 from=$2 expected=$3
    shift 3
    cmake -S "$here/consumer" -B "$kind" -DKIND="$kind" -DCMAKE_PREFIX_PATH="$from" "$@" >log ||
        fail "$(cat log)"
    cmake --build "$kind" >log || fail "$(cat log)"
    run_both "$expected" "$kind"
}

by_pkg_config() { # prefix, expected library, options of pkg-config
    PKG_CONFIG_PATH=$(dirname "$(find "$1" -name evonode.pc)")
    export PKG_CONFIG_PATH
    expected=$2
    shift 2
    # eval: pkg-config writes a space within a path as a shell reads it.
    flags=$(pkg-config --cflags --libs "$@" evonode)
    eval "$cc -std=c11 '$here/consumer/use.c' -o use_c $flags -lm"
    eval "$cxx -std=c++11 '$here/consumer/use.cpp' -o use_cxx $flags"
    run_both "$expected" .
}

as_sub_project() { # how, BUILD_SHARED_LIBS, start of the expected library
    cmake -S "$here/parent" -B parent -DEVONODE="$source" -DHOW="$1" -DBUILD_SHARED_LIBS="$2" \
        >log 2>&1 || fail "$(cat log)"
    cmake --build parent --parallel 2 >log 2>&1 || fail "$(cat log)"
    parent/use_c
    case "$(library_of parent/use_c)" in "$3" | "${3:-none}"*) ;; *) fail "the wrong library" ;; esac
    [ -z "$(find parent -name evonode -type f)" ] || fail "the program was built"
    ctest --test-dir parent -N | grep -q 'Total Tests: 0' || fail "the parent got tests"
    cmake --install parent --prefix "$PWD/installed" >/dev/null
    [ -z "$(find installed -type f 2>/dev/null)" ] || fail "the parent installs evonode's files"
}

soname() {
    readelf -d "$(find "$prefix" -name libevonode.so)" | sed -n 's/.*SONAME.*\[\(.*\)\].*/\1/p'
}

static_only() { # a copy of the prefix as it is without the shared library
    cp -r "$prefix" "static only"
    find "static only" \( -name 'libevonode.so*' -o -name 'evonode-shared*.cmake' \) -delete
}

lists() { # what must be there, below $1
    for name in bin/evonode include/evonode/evonode.h include/evonode/version.h \
        share/doc/evonode/README.md share/doc/evonode/docs/guide.md \
        share/doc/evonode/examples/own_task.c share/doc/evonode/examples/CMakeLists.txt; do
        [ -f "$1/$name" ] || fail "$name is not installed"
    done
    # A path of this machine in a text would not survive a move.
    grep -rlI -e "$source" -e "$build" "$1" && fail "texts that name the source or the build" || true
}

case $case in
prefix)
    rm -rf "$prefix"
    cmake --install "$build" --prefix "$prefix" >/dev/null
    lists "$prefix"
    ;;
cmake) by_cmake any "$prefix" "$(soname)" ;;
cmake_shared) by_cmake shared "$prefix" "$(soname)" ;;
cmake_static) by_cmake static "$prefix" "" ;;
cmake_build_shared_libs)
    by_cmake any "$prefix" "" -DBUILD_SHARED_LIBS=OFF
    static_only
    by_cmake any "$PWD/static only" ""
    if (by_cmake shared "$PWD/static only" "") 2>errors; then fail "shared is found"; fi
    grep -q 'shared library is not installed' errors || fail "$(cat errors)"
    ;;
pkg_config) # the shared library needs no other's development package
    PKG_CONFIG_LIBDIR="$PWD/no others"
    export PKG_CONFIG_LIBDIR
    LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name libevonode.so)")
    export LD_LIBRARY_PATH
    by_pkg_config "$prefix" "$(soname)"
    ;;
pkg_config_static)
    static_only
    by_pkg_config "$PWD/static only" "" --static
    ;;
moved) # the folder was made by --prefix, and lies elsewhere now
    mkdir there
    cp -r "$prefix" "there/it is"
    by_cmake static "$PWD/there/it is" ""
    by_cmake shared "$PWD/there/it is" "$(soname)"
    "there/it is/bin/evonode" --version
    ;;
destdir)
    DESTDIR="$PWD/root" cmake --install "$build" --prefix /opt/evonode >/dev/null
    lists root/opt/evonode
    root/opt/evonode/bin/evonode --version
    ;;
examples) # as they are installed, over the installed library
    cmake -S "$prefix/share/doc/evonode/examples" -B "$case" -DCMAKE_PREFIX_PATH="$prefix" >log ||
        fail "$(cat log)"
    cmake --build "$case" >log || fail "$(cat log)"
    ctest --test-dir "$case" --output-on-failure
    ;;
absolute) # folders given whole, below the prefix
    cmake -S "$source" -B "$case" -DEVN_TESTS=OFF -DEVN_PROGRAM=OFF \
        -DCMAKE_INSTALL_PREFIX="$PWD/there" -DCMAKE_INSTALL_LIBDIR="$PWD/there/lib64" \
        -DCMAKE_INSTALL_INCLUDEDIR="$PWD/there/include" >log 2>&1 || fail "$(cat log)"
    grep -q '^libdir=${prefix}/lib64$' "$case/evonode.pc" || fail "$(cat "$case/evonode.pc")"
    if grep "$PWD/there" "$case/evonode.pc"; then fail "an absolute path"; fi
    ;;
program) # from an environment that knows nothing, and another folder
    cd /
    env -i PATH=/usr/bin:/bin OCL_ICD_VENDORS="${OCL_ICD_VENDORS:-}" HOME="$HOME" EVONODE_TUNE=off \
        "$prefix/bin/evonode" train digits --epochs 1 --limit 256 --out "$output/run" >/dev/null
    [ -s "$output/run/summary.json" ] || fail "no summary"
    ;;
add_subdirectory) as_sub_project add OFF "" ;;
fetch) as_sub_project fetch ON libevonode.so. ;;
*) fail "unknown case $case" ;;
esac
