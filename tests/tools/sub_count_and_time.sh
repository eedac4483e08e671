#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -C ends after exactly so many messages with 0; -W ends with 27, whatever came before, also for pub.
. "$(dirname "$0")/common.sh"

start_broker
start_sub -t a -C 3
seq 10 | "$SKIFF" pub -b "$url" -t a -l -q 1 || fail "pub failed"
collect "$sub"
[ "$code" = 0 ] || fail "sub ended with $code"
[ "$(cat "$stdout")" = $'1\n2\n3' ] || fail "sub printed '$(cat "$stdout")'"

SECONDS=0
run "$SKIFF" sub -b "$url" -t a -W 1
expect 27 "skiff sub: time is up after 1 second"
[ "$SECONDS" -lt 5 ] || fail "it took $SECONDS seconds"
kill -STOP "$broker"
run "$SKIFF" sub -b "$url" -t a -W 1
expect 27
run "$SKIFF" pub -b "$url" -t a -m x -W 1
expect 27
run "$SKIFF" pub -b "$url" -t a -m x --connect-timeout 1
expect 16
