#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pub -l sends a line before the next one is there.
. "$(dirname "$0")/common.sh"

start_broker
start_sub -t a
received=$stdout
mkfifo "$work/pipe"
exec 9<>"$work/pipe"
in_background "$SKIFF" pub -b "$url" -t a -l -q 1 <"$work/pipe" 9>&-
echo first >&9
await "the first line" lines_in "$received" 1
echo second >&9
await "the second line" lines_in "$received" 2
exec 9>&-
collect "$pid"
[ "$code" = 0 ] || fail "pub ended with $code"
[ "$(cat "$received")" = $'first\nsecond' ] || fail "received '$(cat "$received")'"
