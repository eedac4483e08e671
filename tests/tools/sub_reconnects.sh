#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sub outlives its broker: it says that the connection is lost, comes back, subscribes again; with --no-reconnect it ends.
. "$(dirname "$0")/common.sh"

start_broker
start_sub -t a
stop_broker
await "the line about it" grep -q "skiff sub: connection lost: .*; next attempt in" "$stderr"
restart_broker
await "the line about it" grep -q "skiff sub: connected again" "$stderr"
subscribed_again() { [ "$(grep -c "Sending SUBACK to sub" "$work/broker.log")" -ge 2 ]; }
await "the second subscription" subscribed_again
run "$SKIFF" pub -b "$url" -t a -m back
await "a message" lines_in "$stdout" 1
[ "$(cat "$stdout")" = back ] || fail "printed '$(cat "$stdout")'"
kill "$sub"
collect "$sub"

start_sub -t a --no-reconnect
stop_broker
collect "$sub"
[ "$code" = 12 ] || [ "$code" = 16 ] || fail "with --no-reconnect sub ended with $code: $(cat "$stderr")"
