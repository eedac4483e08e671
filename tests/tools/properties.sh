#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -D sends MQTT 5 properties, which another client sees; what cannot be is refused.
. "$(dirname "$0")/common.sh"

command -v mosquitto_sub >/dev/null || skip "mosquitto_sub is not installed"
start_broker
in_background mosquitto_sub -V 5 -h 127.0.0.1 -p "$port" -i other -t a -C 1 -F '%C|%R|%D|%F|%E|%P|%p'
await "its subscription" broker_logged "Sending SUBACK to other"
run "$SKIFF" pub -b "$url" -t a -m x -D publish content-type text/plain -D PUBLISH response-topic r/t \
	-D publish correlation-data 123 -D publish payload-format-indicator 1 -D publish message-expiry-interval 60 \
	-D publish user-property k1 v1 -D publish user-property k2 'v 2' -D connect user-property a b
expect 0
collect "$pid"
[ "$(cat "$stdout")" = "text/plain|r/t|123|1|60|k1:v1 k2:v 2|x" ] || fail "the other saw '$(cat "$stdout")'"

free_port
pub() { run "$SKIFF" pub -b "mqtt://127.0.0.1:$port" -t a -m x "$@"; }
pub -D publish content-tipe x
expect 2 "skiff pub: option '--property': 'content-tipe' is no property of publish; did you mean 'content-type'?"
pub -D auth user-property a b
expect 2 "'auth' is not connect, publish"
pub -D publish payload-format-indicator 2
expect 2 "payload-format-indicator '2' is not a whole number from 0 to 1"
pub -D publish user-property a
expect 2 "its value is incomplete"
pub -V 311 -D publish content-type x
expect 2 "needs MQTT 5"
