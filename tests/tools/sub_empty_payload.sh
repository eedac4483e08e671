#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Without -v an empty payload prints nothing, not even a newline, and counts as a message; -N prints no newline at all.
. "$(dirname "$0")/common.sh"

start_broker
start_sub -t a -C 2
run "$SKIFF" pub -b "$url" -t a -n
expect 0
run "$SKIFF" pub -b "$url" -t a -m x
expect 0
collect "$sub"
[ "$(od -An -c "$stdout" | tr -d ' ')" = 'x\n' ] || fail "printed '$(od -An -c "$stdout")'"

start_sub -t a -C 2 -N
run "$SKIFF" pub -b "$url" -t a -m x
run "$SKIFF" pub -b "$url" -t a -m y
collect "$sub"
[ "$(od -An -c "$stdout" | tr -d ' ')" = 'xy' ] || fail "-N printed '$(od -An -c "$stdout")'"
