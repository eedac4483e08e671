#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -r keeps a message, -R hides kept ones, -T hides topics, -r -n forgets.
. "$(dirname "$0")/common.sh"

start_broker
run "$SKIFF" pub -b "$url" -t a/kept -m old -r
expect 0
run "$SKIFF" sub -b "$url" -t 'a/#' -v -C 1 -W 10
[ "$out" = "a/kept old" ] || fail "the kept message is '$out'"

for version in 5 311; do
	start_sub -R -t 'a/#' -T 'a/hidden/+' -T 'a/hidden' -v -C 1 -V "$version"
	for topic in a/hidden a/hidden/x a/shown; do
		run "$SKIFF" pub -b "$url" -t $topic -m new
	done
	collect "$sub"
	[ "$(cat "$stdout")" = "a/shown new" ] || fail "version $version: printed '$(cat "$stdout")'"
done

run "$SKIFF" pub -b "$url" -t a/kept -r -n
run "$SKIFF" sub -b "$url" -t 'a/#' -v -C 1 -W 1
expect 27
[ -z "$out" ] || fail "'$out' was not forgotten"
