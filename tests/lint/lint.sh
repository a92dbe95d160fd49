#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rules of the house that a machine can check:  sh tests/lint/lint.sh RULE [ROOT [FILES]]
# Prints what breaks the rule, a line each, and ends with 1; 77 when its tool is missing.
set -eu
rule=$1 hashed=${3-}
cd "${2:-$(dirname "$0")/../..}"

sources() { # name patterns; files of the project, never of a build or run folder
    expression=
    for pattern in "$@"; do
        expression="$expression -o -name $pattern"
    done
    set -f # the patterns are for find
    find src host include kernels tests tools datasets cmake examples bench .ci -type f \
        \( -false $expression \) 2>/dev/null | LC_ALL=C sort
    set +f
}

# A file includes its own room and those of lower layers (src/layers.txt). A public header stands in
# the lowest room that implements some of it.
include_direction() {
    sources '*.c' '*.h' '*.def' | grep -E '^(src|host|include)/' | xargs awk '
    function room_of_header(name) {
        if (!(name in header)) {
            print FILENAME ": include/evonode/" name " has no line in src/layers.txt"
            bad = 1
        }
        return header[name]
    }
    function room_of_file(path, part) {
        split(path, part, "/")
        if (part[1] == "host") return "host"
        return part[1] == "src" ? part[2] : room_of_header(part[3])
    }
    BEGIN {
        while ((getline line < "src/layers.txt") > 0) {
            if (line !~ /^[0-9]/) continue
            split(line, column)
            layer[column[2]] = column[1]
            count = split(column[3], names, /,/)
            for (i = 1; i <= count; ++i) header[names[i] ".h"] = column[2]
        }
    }
    FNR == 1 {
        own = room_of_file(FILENAME)
        if (!(own in layer)) {
            print FILENAME ": the room " own " has no line in src/layers.txt"
            bad = 1
        }
    }
    /^#include "/ {
        path = $0
        sub(/^#include "/, "", path)
        sub(/".*/, "", path)
        if (split(path, part, "/") < 2 || path == "kernels/shared.h") next # numbers, below all rooms
        room = part[1] == "evonode" ? room_of_header(part[2]) : part[1]
        if (room != own && !(layer[room] < layer[own])) {
            print FILENAME ":" FNR ": " own " must not include " path " of " room
            bad = 1
        }
    }
    END { exit bad }'
}

# OpenCL types stay in host/ and in the interop header.
opencl_only_in_host() {
    ! sources '*.c' '*.h' | grep -E '^(src|include)/' | grep -v '^include/evonode/cl\.h$' |
        xargs grep -nE '#include +[<"](CL/|OpenCL/|evonode/cl\.h|host/(runtime|staging|cache)\.h)'
}

spdx() {
    bad=0
    for file in $(sources '*.c' '*.h' '*.def' '*.cl' '*.sh' '*.py' '*.cmake' CMakeLists.txt run) \
        CMakeLists.txt; do
        head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' && continue
        echo "$file: no SPDX line at its head"
        bad=1
    done
    return $bad
}

# An operation family has a kernel, a launcher, a reference and a test under the same name.
# Not families: common.cl and variant.cl are put before every kernel; optimizer.cl updates parameters and
# control.cl and interpolate.cl are of solves, not operations of a graph; elementwise kernels are generated for each fused chain
# (src/elements/generate.c); ops.c, variant.c, run.c and difference.c are of their whole rooms; winograd, winograd_tiled
# and tiled are further methods of conv2d, the last of matmul too, and share their references.
rhyming_paths() {
    families=$(ls kernels/*.cl src/ops/*.c src/ref/*.c tests/ops/test_*.c |
        sed 's|.*/||; s|^test_||; s|\..*||' | sort -u |
        grep -vxE 'common|variant|optimizer|control|interpolate|elementwise|samples|ops|run|difference|tiled|winograd|winograd_tiled')
    bad=0
    for family in $families; do
        for file in "kernels/$family.cl" "src/ops/$family.c" "src/ref/$family.c" \
            "tests/ops/test_$family.c"; do
            [ -f "$file" ] && continue
            echo "$file is missing for the operation family $family"
            bad=1
        done
    done
    return $bad
}

# A program that links the library may set a locale with a decimal comma: numbers become text, and
# come from it, in src/base/number.c alone. Printing for people (printf, in src/cli) has the C locale,
# since nothing calls setlocale.
numbers_without_locale() {
    bad=0
    sources '*.c' '*.h' | grep -E '^(src|host)/' | grep -v '^src/base/number\.' |
        xargs grep -nE '\b(strto(d|f|ld)|atof|setlocale) *\(' && bad=1
    sources '*.c' | grep -E '^(src|host)/' | grep -v '^src/base/number\.' | xargs awk '
        BEGIN { RS = ";" }
        /[^_a-z]v?snprintf *\(/ && /%[-+ #0]*[0-9]*(\.[0-9*]+)?[aeEfFgG]/ {
            sub(/^[ \n]+/, "")
            print FILENAME ": " $0
            bad = 1
        }
        END { exit bad }' || bad=1
    return $bad
}

# What Jansson cannot build is noticed: its text is read and printed in src/base/json.c, and what is
# put together without that file looks at each result.
json_by_builder() {
    ! sources '*.c' '*.h' | grep -E '^(src|host)/' | grep -v '^src/base/json\.' |
        xargs grep -nE 'json_(dump|load)[a-z_]* *\(|json_(object_(set|update)|array_(append|extend|insert|set))[a-z_]* *\(' |
        grep -vE '[!=]= 0'
}

file_length() {
    sources '*.c' '*.h' '*.def' '*.cl' | xargs awk '
        FNR == 601 { print FILENAME ": more than 600 lines"; bad = 1 }
        END { exit bad }'
}

function_length() {
    command -v ctags >/dev/null || { echo "ctags is not installed"; exit 77; }
    sources '*.c' | grep -E '^(src|host|tests)/' |
        ctags -L - --languages=C --kinds-C=f --fields=+ne -f - | awk -F '\t' '
        {
            for (i = 4; i <= NF; ++i) {
                if ($i ~ /^line:/) first = substr($i, 6)
                if ($i ~ /^end:/) last = substr($i, 5)
            }
            lines = last - first + 1
            if (lines > 80) { print $2 ": " $1 " has " lines " lines, over 80"; bad = 1 }
            if ($2 !~ /^tests\//) { ++seen[lines]; ++count }
        }
        END {
            if (count == 0) { print "no function was found"; exit 1 }
            for (median = 0; 2 * below < count; below += seen[median]) ++median
            print count " functions, median " median " lines"
            if (median > 15) { print "the median is over 15"; bad = 1 }
            exit bad
        }'
}

# A driver may hang in any call: each is under the device's deadline (host/deadline.h). Of what is
# below, the callers are as a whole, or nothing is open yet that could have one.
opencl_under_deadline() {
    untimed='
        host/list.c:clGetPlatformIDs host/list.c:clGetDeviceIDs
        host/describe.c:clGetPlatformInfo host/describe.c:clGetDeviceInfo
        host/device_json.c:clGetDeviceInfo
        host/device.c:clGetCommandQueueInfo host/device.c:clGetDeviceInfo
        host/device.c:clRetainContext host/device.c:clRetainCommandQueue
        host/kernel.c:clSetKernelArg host/kernel.c:clGetKernelInfo host/kernel.c:clGetKernelWorkGroupInfo
        host/cache.c:clGetProgramInfo host/room.c:clGetDeviceInfo host/priority.c:clGetDeviceInfo
        host/priority.c:clGetExtensionFunctionAddressForPlatform host/wait.c:clGetEventInfo'
    sources '*.c' | grep '^host/' | xargs awk -v untimed="$untimed" '
        BEGIN {
            RS = ";"
            count = split(untimed, names, /[ \n]+/)
            for (i = 1; i <= count; ++i) listed[names[i]] = 1
        }
        {
            gsub(/\/\/[^\n]*/, "")
            if (/evn__(wait|deadline)_begin\(/) watched = 1
            if (/evn__(wait|deadline)_end\(/) watched = 0
            timed = match($0, /(EVN__|EVN_CL_)TIMED\(/) ? RSTART : length($0)
            for (rest = $0; match(rest, /[^A-Za-z_]cl[A-Z][A-Za-z]*\(/); ) {
                at = length($0) - length(rest) + RSTART
                name = substr(rest, RSTART + 1, RLENGTH - 2)
                rest = substr(rest, RSTART + RLENGTH)
                if (watched || at > timed || FILENAME ":" name in listed) continue
                print FILENAME ": " name " is under no deadline: EVN__TIMED"
                bad = 1
            }
        }
        END { exit bad }'
}

# What `resume --same` compares (cmake/sources.cmake) is of every file, handed over with ; between.
sources_in_hash() {
    bad=0
    for file in $(find src host include kernels -type f ! -name '.*' ! -name '*~' |
        grep -v '^src/layers\.txt$'); do
        case ";$hashed;" in
        *";$file;"*) ;;
        *) echo "$file is not of the sources whose hash a run keeps (CMakeLists.txt)" && bad=1 ;;
        esac
    done
    return $bad
}

formatting() {
    command -v clang-format >/dev/null && clang-format --version | grep -q 'version 14\.' ||
        { echo "clang-format 14 is not installed"; exit 77; }
    sources '*.c' '*.h' | xargs clang-format --dry-run --Werror --ferror-limit=3
}

$rule
