#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each message that the broker sends is printed once, however many of the filters match it.
. "$(dirname "$0")/common.sh"

start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "allow_duplicate_messages false"
start_sub -t 'a/#' -t a/b -t 'a/+' -v
run "$SKIFF" pub -b "$url" -t a/b -m one -q 1
run "$SKIFF" pub -b "$url" -t a/b -m two -q 1
run "$SKIFF" pub -b "$url" -t a -m end -q 1
await "the last message" grep -q "a end" "$stdout"
sent=$(grep -c "Sending PUBLISH to sub .*'a/b'" "$work/broker.log")
printed=$(grep -c "^a/b" "$stdout")
[ "$sent" = "$printed" ] || fail "$sent messages came, $printed were printed"
[ "$(uniq "$stdout")" = $'a/b one\na/b two\na end' ] || fail "printed '$(cat "$stdout")'"
