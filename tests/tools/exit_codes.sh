#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each stage that can fail has its exit code and one sentence that names the subject; `skiff help exit` lists them all.
. "$(dirname "$0")/common.sh"

listed() { "$SKIFF" help exit | grep -q "^  $1 "; }
for number in 0 1 2 10 11 12 13 14 15 16 17 18 27 129 130 141 143; do
	listed "$number" || fail "'skiff help exit' does not list $number"
done

free_port
dead=$port
run "$SKIFF" pub -t a
expect 2 "skiff pub: there is no message"
run "$SKIFF" pub -b nonsense://host -t a -m x
expect 2
run "$SKIFF" pub --exit-codes mosquitto --no-such-option
expect 1
run "$SKIFF" pub -q 9 --exit-codes=mosquitto
expect 1
ln -s "$SKIFF" "$work/mosquitto_pub"
run "$work/mosquitto_pub" -q 9 --exit-codes skiff
expect 2
run "$work/mosquitto_pub" --tls-version tlsv1.2 -h 127.0.0.1 -p "$dead" -t a -m x
expect 1 "warning: option '--tls-version'"
run "$SKIFF" pub -h 127.0.0.1:1883 -t a -m x
expect 2 "option '--host': takes a host alone; its port goes with '--port'"
run "$SKIFF" pub --unix "$work/socket" --cafile "$work/missing" -t a -m x
expect 2 "option '--unix': has no TLS"
run "$SKIFF" pub -t a -m x -D disconnect session-expiry-interval 10
expect 2 "DISCONNECT cannot keep it; add '-x SECONDS'"
run "$SKIFF" check @home
expect 2 "profiles are for 'pub', 'sub' and 'rr'"
run "$SKIFF" pub -b mqtts://127.0.0.1 --cafile "$work/missing" -t a -m x
expect 10 "$work/missing"
run "$SKIFF" pub -b mqtt://no-such-host.invalid -t a -m x
expect 11 "no-such-host.invalid"
run "$SKIFF" pub -b "mqtt://127.0.0.1:$dead" -t a -m x
expect 12 "$dead"
run "$SKIFF" sub -b "unix://$work/no-socket" -t a
expect 12
[ "$(wc -l <"$work/err")" = 1 ] || fail "more than one line"

mosquitto_passwd -c -b "$work/passwords" me secret 2>/dev/null || skip "mosquitto_passwd is not installed"
chmod 644 "$work/passwords"
printf 'user me\ntopic read denied/+\ntopic readwrite a\n' >"$work/acl"
start_broker "listener PORT 127.0.0.1" "password_file $work/passwords" "acl_file $work/acl"
for version in 5 311; do
	run "$SKIFF" pub -b "$url" -t a -m x -V "$version"
	expect 16
	[ "$(wc -l <"$work/err")" = 1 ] || fail "more than one line"
	export SKIFF_PASSWORD=wrong
	run "$SKIFF" sub -b "$url" -u me -t a -V "$version"
	expect 16
	unset SKIFF_PASSWORD
done
export SKIFF_PASSWORD=secret
run "$SKIFF" pub -b "$url" -u me -t a -m x -q 1
expect 0
run "$SKIFF" pub -b "$url" -u me -t forbidden -m x -q 1
expect 17
run "$SKIFF" pub -b "$url" -u me -t forbidden -l -q 1 <<<$'x\ny'
expect 17 "2 of 2 lines were not published"
run "$SKIFF" pub -b "mqtts://127.0.0.1:$port" -u me -t a -m x
expect 14
run "$SKIFF" pub -b "ws://127.0.0.1:$port" -u me -t a -m x
expect 15

# what speaks something else is told where it shows
# (a mosquitto of WebSockets alone does not start)
start_broker "listener 0 $work/sock" "listener PORT 127.0.0.1" "socket_domain ipv4" "protocol websockets"
run "$SKIFF" pub -b "wss://127.0.0.1:$port" -t a -m x
expect 14 "does not speak TLS"
run "$SKIFF" pub -b "mqtts://127.0.0.1:$port" -t a -m x
expect 14 "does not speak TLS"
run "$SKIFF" --nonsense
expect 2
