#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# When standard output cannot be written sub says so, ends with 18, and has not acknowledged what nobody has seen.
. "$(dirname "$0")/common.sh"

[ -c /dev/full ] || skip "there is no /dev/full here"
start_broker
for qos in 1 2; do
	run "$SKIFF" sub -b "$url" -c -i keeper -t a -q "$qos" -E
	expect 0
	seq 3 | "$SKIFF" pub -b "$url" -t a -l -q "$qos" || fail "pub failed"
	"$SKIFF" sub -b "$url" -c -i keeper -t a -q "$qos" -C 3 -W 10 >/dev/full 2>"$work/err"
	code=$? err=$(cat "$work/err")
	expect 18 "skiff sub: write error on standard output: No space left on device"
	run "$SKIFF" sub -b "$url" -c -i keeper -t a -q "$qos" -C 3 -W 10
	expect 0
	[ "$out" = $'1\n2\n3' ] || fail "QoS $qos: afterwards came '$out'"
	run "$SKIFF" sub -b "$url" -i keeper -t a -E
done
"$SKIFF" help pub >/dev/full 2>"$work/err"
code=$? err=$(cat "$work/err")
expect 18 "write error"
