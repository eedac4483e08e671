#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Through an HTTP proxy, a real tinyproxy, every kind of door opens, and a message comes back; a proxy that wants other
# credentials, forbids the port, is none, or is not there is told at its stage, and no password is shown.
. "$(dirname "$0")/lab_common.sh"
command -v tinyproxy >/dev/null || skip "no tinyproxy"

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2
. "$3/proxy_common.sh"
tinyproxy_up open ""
open=http://127.0.0.1:$port
tinyproxy_up guarded "BasicAuth kara s3cret"
guarded=127.0.0.1:$port
tinyproxy_up narrow "ConnectPort 1"
narrow=http://127.0.0.1:$port

for url in "$SKIFF_LAB_URL_1883" "$SKIFF_LAB_URL_8883" "$SKIFF_LAB_URL_8080" "$SKIFF_LAB_URL_8081"; do
	run 0 --proxy "$open" $(trust_of "$url") "$url"
	grep -q '"stage":"proxy","status":"ok","ms":[0-9]' "$work/json" || bad "$url: no proxy on the way: $(cat "$work/json")"
	grep -q '"stage":"roundtrip","status":"ok"' "$work/json" || bad "$url: no round trip: $(cat "$work/json")"
	through "$open" --proxy
done
run 0 --proxy "http://kara:s3cret@$guarded" "$SKIFF_LAB_URL_1883"
"$skiff" pub --proxy "$open" -b "$SKIFF_LAB_URL_1883" -t a -m x || bad "pub through the proxy ended with $?"
run 0 --proxy "$open" "mqtt://localhost:$(port_of "$SKIFF_LAB_URL_1883")"
grep -q "CONNECT localhost:" "$work/open.log" || bad "the name was not left to the proxy: $(cat "$work/open.log")"

fails 13 "proxy proxy-auth" --proxy "http://kara:wr0ng@$guarded" "$SKIFF_LAB_URL_1883"
fails 13 "proxy proxy-auth" --proxy "http://$guarded" "$SKIFF_LAB_URL_8080"
fails 13 "proxy proxy-refused" --proxy "$narrow" "$SKIFF_LAB_URL_1883"
fails 13 "proxy proxy-refused" --proxy "http://127.0.0.1:$(port_of "$SKIFF_LAB_URL_1883")" "$SKIFF_LAB_URL_1883"
fails 12 "tcp tcp-refused" --proxy http://127.0.0.1:1 "$SKIFF_LAB_URL_1883"
says "proxy 'http://127.0.0.1:1'"
says "is the proxy running"
fails 11 "dns dns-not-found" --proxy http://no-such-proxy.invalid "$SKIFF_LAB_URL_1883"
fails 2 "options usage-option" --proxy socks4://127.0.0.1:1 "$SKIFF_LAB_URL_1883"
fails 2 "options usage-option" --proxy "$open" "$SKIFF_LAB_UNIX"
finish
INSIDE

"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" "$(dirname "$0")" || fail "see above"
