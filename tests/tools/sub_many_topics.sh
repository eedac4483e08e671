#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ten thousand -t are subscribed.
. "$(dirname "$0")/common.sh"

start_broker
options=()
for i in $(seq 10000); do
	options+=(-t "many/$i")
done
in_background "$SKIFF" sub -b "$url" -i sub "${options[@]}" -q 1 -v -C 2
confirmed() { [ "$(grep -c "Sending SUBACK to sub" "$work/broker.log")" -ge 20 ]; }
await "all subscriptions" confirmed
run "$SKIFF" pub -b "$url" -t many/9999 -m x -q 1
run "$SKIFF" pub -b "$url" -t many/1 -m y -q 1
collect "$pid"
[ "$(cat "$stdout")" = $'many/9999 x\nmany/1 y' ] || fail "printed '$(cat "$stdout")'"
