#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -S: the broker that DNS names for a domain, asked of a real server of DNS, in a network namespace of the test's own.
PATH=$PATH:/usr/sbin:/sbin
if [ -z "${SRV_INSIDE-}" ] && unshare --user --map-root-user --net --mount true 2>/dev/null; then
	SRV_INSIDE=1 exec unshare --user --map-root-user --net --mount bash "$0" "$@"
fi
. "$(dirname "$0")/common.sh"
[ -n "${SRV_INSIDE-}" ] || skip "no namespaces for users here"
for program in dnsmasq python3; do
	command -v "$program" >/dev/null || skip "$program is not installed"
done

# IFF_UP | IFF_RUNNING of lo by SIOCSIFFLAGS
python3 - <<'PYTHON' || fail "the loopback device does not come up"
import fcntl, socket, struct
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8914, struct.pack("16sh", b"lo", 0x41))
PYTHON
echo "nameserver 127.0.0.1" >"$work/resolv.conf"
mount --bind "$work/resolv.conf" "$(readlink -f /etc/resolv.conf)" || skip "/etc/resolv.conf cannot be replaced"

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
expect 11 "no service record '_mqtt._tcp.none.test'"
run "$SKIFF" pub -S -h missing.test -t srv -m x
expect 11 "no service record '_mqtt._tcp.missing.test'"
run "$SKIFF" pub -S -h plant.test --tls-use-os-certs -t srv -m x
expect 11 "no service record '_secure-mqtt._tcp.plant.test'"
