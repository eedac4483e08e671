#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -S: the broker that DNS names for a domain, asked of a real server of DNS, in a network namespace of the test's own.
. "$(dirname "$0")/network_common.sh"
command -v dnsmasq >/dev/null || skip "dnsmasq is not installed"
name_server

start_broker
live=$port
dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --local=/test/ --listen-address=127.0.0.1 \
	--bind-interfaces --pid-file= --host-record=broker.plant.test,127.0.0.1 \
	--srv-host=_mqtt._tcp.plant.test,gone.plant.test,1,20,0 \
	--srv-host=_mqtt._tcp.plant.test,broker.plant.test,"$live",10,5 \
	--srv-host=_mqtt._tcp.closed.test,broker.plant.test,1,0,0 \
	--srv-host=_mqtt._tcp.none.test,.,0,0,0 >"$work/dns.log" 2>&1 &
children+=($!)
dns_answers() { run "$SKIFF" pub -S -h plant.test -t srv -m x; [ "$code" = 0 ]; }
await "an answer of DNS" dns_answers

start_sub -t srv -C 1
run "$SKIFF" pub -S -h plant.test -t srv -m found -q 1
expect 0
wait "$sub" || fail "the subscriber ended with $?"
[ "$(cat "$stdout")" = found ] || fail "the message went elsewhere: $(cat "$stdout")"

run "$SKIFF" pub -S -h closed.test -t srv -m x --no-reconnect
expect 12 "127.0.0.1:1"
run "$SKIFF" pub -S -h none.test -t srv -m x
expect 11 "gave no service record '_mqtt._tcp.none.test'"
run "$SKIFF" pub -S -h missing.test -t srv -m x
expect 11 "gave no service record '_mqtt._tcp.missing.test'"
run "$SKIFF" pub -S -h plant.test --tls-use-os-certs -t srv -m x
expect 11 "gave no service record '_secure-mqtt._tcp.plant.test'"
