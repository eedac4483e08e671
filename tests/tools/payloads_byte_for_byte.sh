#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every byte survives from a file or standard input to standard output: all 256 of them, none at all, and 16 MiB.
. "$(dirname "$0")/common.sh"

start_broker "listener PORT 127.0.0.1" "allow_anonymous true"
for byte in $(seq 0 255); do
	printf "\\x$(printf %x "$byte")"
done >"$work/all"
printf '\r\n\0\n\r' >>"$work/all"
head -c 16777216 /dev/urandom >"$work/large"
: >"$work/none"

for file in all large none; do
	for how in file stdin dash; do
		start_sub -t a -N -C 1 -q 1
		case $how in
		file) run "$SKIFF" pub -b "$url" -t a -q 1 -f "$work/$file" ;;
		stdin) run "$SKIFF" pub -b "$url" -t a -q 1 -s <"$work/$file" ;;
		dash) run "$SKIFF" pub -b "$url" -t a -q 1 -f - <"$work/$file" ;;
		esac
		expect 0
		collect "$sub"
		[ "$code" = 0 ] || fail "sub ended with $code"
		cmp "$work/$file" "$stdout" || fail "$file by $how came out otherwise"
	done
done
