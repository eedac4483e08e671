#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Standard descriptors that are closed at the start are not taken by sockets: no message goes where it should not.
. "$(dirname "$0")/common.sh"

start_broker
"$SKIFF" pub -b "$url" -t a -r -m kept <&- >&- 2>&-
[ $? = 0 ] || fail "pub without descriptors fails"
"$SKIFF" sub -b "$url" -t a -C 1 -W 10 >&- 2>"$work/err"
code=$? err=$(cat "$work/err")
expect 18 "write error"
"$SKIFF" sub -b "$url" -t a -C 1 -W 10 <&- 2>&- >"$work/out"
code=$?
expect 0
[ "$(cat "$work/out")" = kept ] || fail "sub printed '$(cat "$work/out")'"
"$SKIFF" version >&- 2>/dev/null
[ $? = 18 ] || fail "version without stdout does not fail"
