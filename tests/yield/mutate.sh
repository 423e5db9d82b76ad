#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the corpus, as it was built, with a heuristic of the detector switched off, until something goes wrong.
#
#   mutate.sh <compiler> <setting>
#
# The setting is what BINE_RACE is set to.  Prints the first program whose verdict is worse than without it, and how;
# nothing if none is.  From the environment: WORK, TIMEOUT.
set -u
compiler=$1 setting=$2
here=$(dirname "$0")
log=$WORK/logs/mutated

# What was right before, and should not be now: programs in default mode, in predictive mode where the setting says so.
case $setting in *predict*) mode=predicted ;; *) mode=default ;; esac
awk -v c="$compiler" -v m="$mode" '$1 == c && $2 == m && ($5 == "sites" || $5 == "silent") { print $3, $4, $5 }' \
    "$WORK/verdicts" | while read -r class program was; do
    set=${program%/*} name=${program#*/} variant=$class source=$here/$program.c
    test -f "$source" || source=${source}c
    case $class in
    spared) test "$set" = bugs && variant=apart || variant=bug ;;
    esac
    timeout -k 2 "$TIMEOUT" env "BINE_RACE=$setting" "$WORK/bin/$compiler/$set.$name.$variant" >"$log" 2>&1 </dev/null
    status=$?
    case $class in
    bug | spared) now=$(awk -v mode=$mode -f "$here/judge.awk" "$source" "$log") ;;
    *) test $status = 0 && now=silent || now=alarm ;;
    esac
    if test "$now" != "$was"; then
        echo "$program ($class): $now"
        break
    fi
done
