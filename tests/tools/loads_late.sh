#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A message over plain TCP starts none of the large libraries; what needs one has it.
. "$(dirname "$0")/common.sh"
grep -q libssl < <(ldd "$SKIFF") && exit 77 # not here: all libraries are there from the start
start_broker "listener PORT 127.0.0.1" "allow_anonymous true"
loaded() # NAME COMMAND...: whether it starts the library
{
	local name=$1
	shift
	LD_DEBUG=files "$@" >/dev/null 2>"$work/loaded" </dev/null || true
	grep -q "calling init: .*/lib$name" "$work/loaded"
}
for name in ssl crypto websockets paho-mqtt3as cjson m.so; do
	! loaded "$name" "$SKIFF" pub -b "$url" -t t -m x || fail "lib$name is loaded for nothing"
done
broker_logged "Received PUBLISH from" || fail "nothing was published"
loaded ssl "$SKIFF" pub -b "mqtts://127.0.0.1:$port" -t t -m x || fail "TLS without libssl"
loaded websockets "$SKIFF" pub -b "ws://127.0.0.1:$port/mqtt" -t t -m x || fail "WebSocket without libwebsockets"
loaded paho-mqtt3as "$SKIFF" pub --engine paho -b "$url" -t t -m x || fail "Paho's engine without Paho"
