#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The options that say where the broker is and how it is reached do that, and what becomes of a failure is told by the exit
# codes that were asked for.
. "$(dirname "$0")/common.sh"
start_broker "listener PORT 127.0.0.1" "listener PORT ::1" "allow_anonymous true"
published() # TOPIC OPTION...
{
	local topic=$1
	shift
	[[ " $* " = *" -L "* ]] || set -- "$@" -t "$topic"
	run "$SKIFF" pub "$@" -m x
	expect 0
	[ -z "$err" ] || [[ $err = *"is not encrypted"* ]] || fail "'$*' says '$err'"
	broker_logged "Received PUBLISH from .*'$topic'" || fail "'$*': nothing came"
}

published resolved -b "mqtt://nowhere.invalid:$port" --resolve "nowhere.invalid:$port:127.0.0.1"
published resolved/any -b "mqtt://nowhere.invalid:$port" --resolve 'other.invalid:*:192.0.2.1' --resolve 'NOWHERE.invalid:*:[::1]'
run "$SKIFF" pub -b "mqtt://nowhere.invalid:$port" --resolve "nowhere.invalid:1:127.0.0.1" -t t -m x
expect 11
for wrong in nowhere "a:$port:localhost" "a:$port" ":$port:127.0.0.1"; do
	run "$SKIFF" pub -b "$url" --resolve "$wrong" -t t -m x
	expect 2 "option '--resolve': is written HOST:PORT:ADDRESS"
done
published bound -b "$url" --bind 127.0.0.3
broker_logged "New connection from 127.0.0.3:" || fail "it came from elsewhere"
run "$SKIFF" pub -b "$url" -A 192.0.2.7 -t t -m x
expect 12 "must be one of this machine's"
run "$SKIFF" pub -b "$url" -A ::1 -t t -m x
expect 12 "of the other IP version"

published in/a/url -L "mqtt://127.0.0.1:$port/in/a/url"
run "$SKIFF" pub -L "mqtt://us%40er:p%3Aw%2F%@[::1]:$port/in/ipv6" -m x
expect 0 "was visible to others"
broker_logged "as .* (p5, c1, k60, u'us@er')" || fail "the user was not us@er"
run "$SKIFF" pub -L "mqtt://127.0.0.1:$port" -m x
expect 2 "option '--url': the topic is missing"
run "$SKIFF" pub -L "http://127.0.0.1:$port/t" -m x
expect 2 "option '--url': its scheme is not mqtt://, mqtts://, ws:// or wss://"
run "$SKIFF" pub -b "$url" --ws -t t -m x
expect 2 "option '--ws': excludes '--broker'"

run "$SKIFF" pub --unix "$work/sock" --ws -t t -m x
expect 2 "option '--unix': excludes"

# what nobody writes to is not waited for beyond -W
mkfifo "$work/fifo"
for words in "-f $work/fifo" "--pw-file $work/fifo -m x"; do
	run "$SKIFF" pub -h 127.0.0.1 -p "$port" -t t -W 1 $words
	expect 27 "time is up after 1 second"
done
echo from-the-fifo >"$work/fifo" &
run "$SKIFF" pub -h 127.0.0.1 -p "$port" -t fifo -f "$work/fifo"
expect 0
broker_logged "Received PUBLISH from .*'fifo', ... (14 bytes)" || fail "the FIFO's bytes did not come"

for words in "--speed 2 -l" "--json-in -D publish user-property a b" "--json-in --decode hex" "--stdin-topic -t t"; do
	run "$SKIFF" pub -b "$url" $words
	expect 2 "option '"
done
run "$SKIFF" sub -b "$url" -t t --save-dir "$work/nowhere" -W 1
expect 10 "make it first"

# tries again, as often as told
free_port
run "$SKIFF" pub -h 127.0.0.1 -p "$port" --retry 2 --retry-delay 10ms -t t -m x
expect 12 "next attempt in"
[ "$(grep -c refused <<<"$err")" = 3 ] || fail "not three attempts: $err"
run "$SKIFF" pub -h 127.0.0.1 -p "$port" --explain -t t -m x
expect 12 "failed at tcp: tcp-refused"
[ -z "$out" ] || fail "an explanation on standard output: $out"
run "$SKIFF" pub -h 127.0.0.1 -p "$port" --exit-codes mosquitto -t t -m x
expect 1
ln -s "$SKIFF" "$work/mosquitto_pub"
export HOME=$work
run "$work/mosquitto_pub" -h 127.0.0.1 -p "$port" -t t -m x
expect 1 "mosquitto_pub: cannot connect to 127.0.0.1:$port: connection refused"
run "$work/mosquitto_pub" -h 127.0.0.1 -p "$port" --exit-codes skiff -t t -m x
expect 12
run "$work/mosquitto_pub" --exit-codes skiff --nonsense
expect 2

# WebSocket without a URL
# a mosquitto of WebSockets alone does not start
start_broker "listener 0 $work/sock" "allow_anonymous true" "listener PORT 127.0.0.1" "socket_domain ipv4" "protocol websockets"
published ws/plain --ws -h 127.0.0.1 -p "$port"
published ws/path --ws --ws-path a/path -h 127.0.0.1 -p "$port" --ws-subprotocol mqttv3.1
run "$SKIFF" pub --ws -h 127.0.0.1 -p "$port" --ws-subprotocol nonsense -t t -m x
expect 15 "closed the connection on the WebSocket upgrade"
run "$SKIFF" pub -h 127.0.0.1 -p "$port" --ws-path a/path -t t -m x
expect 2 "option '--ws-path': means nothing without WebSocket"
