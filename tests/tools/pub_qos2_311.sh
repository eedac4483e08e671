#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Many messages of QoS 2 over MQTT 3.1.1, where the broker names no window: they stay within the one it has.
. "$(dirname "$0")/common.sh"

start_broker "listener PORT 127.0.0.1" "allow_anonymous true"
seq 3000 >"$work/lines"
run "$SKIFF" pub -b "$url" -V 311 -t t -q 2 -l <"$work/lines"
expect 0
[ -z "$err" ] || fail "it said: $err"
[ "$(grep -c "New client connected" "$work/broker.log")" = 1 ] || fail "the broker ended the connection in between"
