#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A message published at each QoS with each version is printed once, followed by a newline; with -v after its topic.
. "$(dirname "$0")/common.sh"

start_broker
for version in 5 311 auto; do
	for qos in 0 1 2; do
		start_sub -t 'a/+' -q "$qos" -V "$version" -C 2
		run "$SKIFF" pub -b "$url" -t a/b -m "text $qos" -q "$qos" -V "$version"
		expect 0
		[ -z "$out$err" ] || fail "pub is not silent: $out$err"
		run "$SKIFF" pub -b "$url" -t a/c -m last -q "$qos" -V "$version"
		expect 0
		collect "$sub"
		[ "$code" = 0 ] || fail "sub ended with $code"
		[ "$(cat "$stdout")" = "text $qos"$'\nlast' ] || fail "sub printed '$(cat "$stdout")'"
		[ ! -s "$stderr" ] || fail "sub said '$(cat "$stderr")'"
	done
done

start_sub -v -t 'a/#' -C 2
run "$SKIFF" pub -b "$url" -t a/b -m 'two words'
run "$SKIFF" pub -b "$url" -t a -n
collect "$sub"
[ "$(cat "$stdout")" = $'a/b two words\na (null)' ] || fail "sub -v printed '$(cat "$stdout")'"
