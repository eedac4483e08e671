#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What demo.sh does inside the lab ends well with each engine, whatever proxy the environment names; `hello` prints the
# same with each; the door that paho lacks is left out in its own words.
. "$(dirname "$0")/common.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$(dirname "$SKIFF")
command -v mosquitto >/dev/null || skip "mosquitto is not installed"

# tour ENGINE: $work/ENGINE is what was printed; $work/ENGINE.hello, of that, what `hello` did
tour()
{
	run env SKIFF_ENGINE="$1" http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 \
		"$SKIFF" lab --base 0 -- "$root/tools/demo.sh" --inside-lab "$bin"
	expect 0
	cp "$work/out" "$work/$1"
	grep -E '^(Message|Topic): ' "$work/out" >"$work/$1.hello"
	for door in 1883 1884 8883 8884 8885 8886 8080 8081 8090 8091; do
		grep -Eq "^ *$door .* ok +[-0-9.]+ " "$work/out" || fail "$1: no row of $door: $(cat "$work/out")"
	done
	grep -Eq "^ *8887 .* tls-expired" "$work/out" || fail "$1: no row of 8887: $(cat "$work/out")"
	grep -q "^Take 88" "$work/out" || fail "$1: it does not say which door to take"
	! grep -q failed "$work/out" || fail "$1: $(grep failed "$work/out")"
}

tour native
printf 'Message: Hello World \nTopic: mqtt/test/iot-mqtt-blog \n' >"$work/two"
for _ in 1 2 3 4 5; do cat "$work/two"; done >"$work/ten"
cmp -s "$work/ten" "$work/native.hello" || fail "native: hello printed '$(cat "$work/native.hello")'"

has_paho || exit 0
tour paho
for _ in 1 2 3 4; do cat "$work/two"; done >"$work/eight"
cmp -s "$work/eight" "$work/paho.hello" || fail "paho: hello printed '$(cat "$work/paho.hello")'"
[ "$(grep -c "^left out: url: the engine 'paho' has no support for unix://" "$work/paho")" = 1 ] ||
	fail "paho: it does not say why unix is left out"
