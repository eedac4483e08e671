#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The README's table of engines is the one that `skiff help engines` prints.
. "$(dirname "$0")/common.sh"
readme=$(dirname "$0")/../../README.md

"$SKIFF" help engines | sed -n '/^native  paho  what$/,$p' >"$work/printed"
[ "$(wc -l <"$work/printed")" -ge 20 ] || fail "'skiff help engines' prints no table"
awk '/^    native  paho  what$/ { inside = 1 } /^$/ { inside = 0 } inside { print substr($0, 5) }' "$readme" >"$work/stands"
diff "$work/stands" "$work/printed" >&2 || fail "the README's table (<) is not what 'skiff help engines' prints (>)"
