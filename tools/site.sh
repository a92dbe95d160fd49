#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The documentation as a static site:  sh tools/site.sh [BUILD [RESULTS]]
# Builds BUILD/site (BUILD: build) from the Markdown files, the manual pages in BUILD/man, the public
# headers and the files of measured devices in RESULTS (results). It has the layout of the source tree and works from file:// without network.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
results=${2:-results}
site=$build/site

for tool in pandoc mandoc doxygen python3; do
    command -v $tool >/dev/null || {
        echo "site.sh: $tool is missing; sh tools/setup.sh docs installs it" >&2
        exit 77
    }
done
if [ ! -f "$build/man/evonode.1" ]; then
    # A folder that has been configured keeps its options: it may be the tests' own.
    [ -f "$build/CMakeCache.txt" ] && fresh="" || fresh=-DEVN_TESTS=OFF
    cmake -S . -B "$build" $fresh >/dev/null
    cmake --build "$build" --target manual --parallel "$(getconf _NPROCESSORS_ONLN)" >/dev/null
fi

rm -rf "$site"
mkdir -p "$site/man"

# page FORMAT TITLE TARGET < SOURCE: through the template, with links that hold in the target's place.
page() {
    target=$site/$3
    mkdir -p "$(dirname "$target")"
    root=$(dirname "$3" | sed 's|[^./][^/]*|..|g; s|^\.$||; s|[^/]$|&/|')
    pandoc --from "$1" --to html5 --template tools/site/template.html --toc --toc-depth 2 \
        --lua-filter tools/site/links.lua --metadata pagetitle="$2" --variable root="$root" |
        sed 's/ id="toc-[^"]*"//' >"$target"
}

markdown() { # SOURCE
    target=$(echo "$1" | sed 's|README\.md$|index.md|; s|\.md$|.html|')
    page gfm+gfm_auto_identifiers "$(sed -n 's/^# //p; /^# /q' "$1")" "$target" <"$1"
}

manual_page() { # SOURCE
    name=$(basename "$1" .1)
    {
        echo '```{=html}'
        echo "<h1>$name(1)</h1><div class=\"manual\">"
        mandoc -T html -O fragment,man=%N.html "$1"
        echo '</div>'
        echo '```'
    } | page markdown "$name(1)" "man/$name.html"
}

for source in README.md CONTRIBUTING.md CHANGELOG.md datasets/README.md tests/faults/README.md tests/layer/README.md \
    tools/compile_gate/README.md docs/*.md docs/*/*.md; do
    markdown "$source"
done
for source in "$build"/man/*.1; do
    manual_page "$source"
done

# Measured devices: only files that can be taken, all of which are told where one cannot.
set -- "$results"/*/*.json
if [ -f "$1" ]; then
    "$build/evonode" bench check "$@" >/dev/null
fi
made=$build/results-pages
rm -rf "$made"
python3 tools/site/results.py "$results" "$made" docs/devices/predicted.tsv
for source in $(cd "$made" && find . -name '*.md' | sed 's|^\./||' | LC_ALL=C sort); do
    page markdown-auto_identifiers+gfm_auto_identifiers "$(sed -n 's/^# //p; /^# /q' "$made/$source")" \
        "results/${source%.md}.html" <"$made/$source"
done

for file in docs/*/*.png docs/*/*.svg docs/*/*.tsv; do
    mkdir -p "$site/$(dirname "$file")"
    cp "$file" "$site/$file"
done
cp LICENSE "$site/LICENSE.txt"
cp CITATION.cff tools/site/style.css "$site"

EVN_SITE=$site EVN_BUILD=$build EVN_REFERENCE_VERSION=$(sed -n 's/^project(evonode VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt) \
    doxygen Doxyfile
echo "$site/index.html"
