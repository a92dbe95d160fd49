#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The quick suite in every costume:  sh tests/layer/all_costumes.sh [REGEX] [OPTIONS OF ctest]
# Ends with a line for each, non-zero where a test failed in one. REGEX chooses tests; without it all
# of the suite but what knows no device, and the layer's own.
set -u
cd "$(dirname "$0")/../.."

rooms='^(api|cli|diff|dynamics|events|gradients|host|integrator|methods|nn|ops|optim|per_sample|plan'
rooms="$rooms|solver|study|task|train|tune)/"
case ${1:-} in
'' | -*) set -- "$rooms" "$@" ;;
esac
failed=0 summary=
for profile in tests/layer/profiles/*.profile; do
    name=$(basename "$profile" .profile) start=$(date +%s) result=passed
    printf '\n== %s\n' "$name"
    sh tests/layer/costume.sh "$profile" "$@" || result=FAILED failed=1
    summary="$summary$(printf '%-12s %s, %d s' "$name" "$result" $(($(date +%s) - start)))
"
done
printf '\n%s' "$summary"
exit $failed
