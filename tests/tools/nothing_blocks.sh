#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A name server that takes questions and never answers, so that the system's resolver blocks for minutes, and a proxy of
# that kind: no command blocks, neither while it waits nor when it ends, and says where it was.
. "$(dirname "$0")/network_common.sh"
name_server timeout:30 attempts:5

python3 -c '
import socket
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 53))
proxy = socket.create_server(("127.0.0.1", 3128))
print("ready", flush=True)
while True:
    silent.recv(2048)
' >"$work/silent" &
children+=($!)
await "the silent servers" grep -q ready "$work/silent"

# NAME SECONDS CODE TEXT COMMAND...: ends with CODE and says TEXT, within SECONDS and what a busy machine takes
ends_in_time()
{
	local seconds=$1 wanted=$2 text=$3
	shift 3
	run timeout $((seconds + 15)) "$SKIFF" "$@"
	[ "$code" != 124 ] || fail "skiff $* takes too long"
	expect "$wanted" "$text"
}

engines=native
! has_paho || engines="native paho"
for engine in $engines; do
	ends_in_time 1 11 "slow.test" pub --engine "$engine" -h slow.test --connect-timeout 1 -t t -m m
	ends_in_time 8 11 "no answer within 8000 ms" pub --engine "$engine" -h slow.test -t t -m m --no-reconnect
done
ends_in_time 1 11 "slow.test" sub -h slow.test --connect-timeout 1 -t t
ends_in_time 1 11 "(no answer in time)" pub -S -h slow.test --connect-timeout 1 -t t -m m
ends_in_time 1 11 "'slow.test' is no address of this machine" \
	pub --bind slow.test --connect-timeout 1 -h 127.0.0.1 -t t -m m
ends_in_time 2 11 "" check slow.test --deadline 2s
ends_in_time 1 11 "" check mqtt://slow.test --timeout 1s
ends_in_time 8 11 "proxy 'http://slow.test:3128'" pub --proxy http://slow.test:3128 -h 127.0.0.1 -t t -m m --no-reconnect
ends_in_time 1 11 "through 'http://slow.test:3128' took more than 1000 ms; at the end it was at resolving the name of the proxy" \
	pub --proxy http://slow.test:3128 -h 127.0.0.1 --connect-timeout 1 -t t -m m
ends_in_time 1 11 "through 'socks5://127.0.0.1:3128' took more than 1000 ms; at the end it was at resolving the name" \
	pub --proxy socks5://127.0.0.1:3128 -h slow.test --connect-timeout 1 -t t -m m
ends_in_time 1 13 "through 'http://127.0.0.1:3128' took more than 1000 ms; at the end it was waiting for the proxy" \
	pub --proxy http://127.0.0.1:3128 -h 127.0.0.1 --connect-timeout 1 -t t -m m
ends_in_time 1 20 "" compare mqtt://slow.test --connect-timeout 1
ends_in_time 1 11 "" cert show mqtts://slow.test --connect-timeout 1
