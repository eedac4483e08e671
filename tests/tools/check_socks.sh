#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Through a SOCKS5 proxy, a real microsocks with user and password, every kind of door opens, and a message comes back.
# The proxy is asked by name with socks5h, and by address with socks5. Other credentials, a target that refuses, a
# proxy of the other kind or none at all are told at their stage, and no password is shown.
. "$(dirname "$0")/lab_common.sh"
command -v microsocks >/dev/null || skip "no microsocks"
command -v tinyproxy >/dev/null || skip "no tinyproxy"
command -v jsonschema >/dev/null || skip "no jsonschema"

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2 schema=$3/../../docs/schema/check-1.json
. "$3/proxy_common.sh"
microsocks_up open
open=127.0.0.1:$port
microsocks_up guarded -u kara -P s3cret
guarded=127.0.0.1:$port
tinyproxy_up http ""
http=127.0.0.1:$port
plain=$SKIFF_LAB_URL_1883 named=mqtt://localhost:$(port_of "$SKIFF_LAB_URL_1883")

for url in "$plain" "$SKIFF_LAB_URL_8883" "$SKIFF_LAB_URL_8080" "$SKIFF_LAB_URL_8081"; do
	run 0 --proxy "socks5h://kara:s3cret@$guarded" $(trust_of "$url") "$url"
	grep -q '"stage":"proxy","status":"ok","ms":[0-9]' "$work/json" || bad "$url: no proxy on the way: $(cat "$work/json")"
	grep -q '"stage":"roundtrip","status":"ok"' "$work/json" || bad "$url: no round trip: $(cat "$work/json")"
	through "socks5h://$guarded" --proxy
	grep -q "connected to .*:$(port_of "$url")\$" "$work/guarded.log" || bad "$url: not through it: $(cat "$work/guarded.log")"
done
PYTHONWARNINGS=ignore jsonschema -i "$work/json" "$schema" >"$work/valid" 2>&1 || bad "schema: $(head -5 "$work/valid")"

"$skiff" pub --proxy "socks5h://$open" -b "$plain" -t socks/kept -m x -r || bad "pub through the proxy ended with $?"
got=$("$skiff" sub --proxy "socks5://$open" -b "$plain" -t socks/kept -C 1)
[ "$got" = x ] || bad "sub through the proxy gave '$got'"

# Who looks the name up: the proxy's log says what it was asked for.
: >"$work/open.log"
run 0 --proxy "socks5://$open" "$named"
grep -q 'connected to localhost' "$work/open.log" && bad "with socks5 the proxy was asked by name"
run 0 --proxy "socks5h://$open" "$named"
grep -q 'connected to localhost' "$work/open.log" || bad "with socks5h not: $(cat "$work/open.log")"
fails 11 "dns dns-not-found" --proxy "socks5://$open" mqtt://no-such-host.invalid
says "looked up here"
fails 13 "proxy proxy-refused" --proxy "socks5h://$open" mqtt://no-such-host.invalid

fails 13 "proxy proxy-auth" --proxy "socks5h://kara:wr0ng@$guarded" "$plain"
says "does not take these credentials"
fails 13 "proxy proxy-auth" --proxy "socks5://$guarded" "$SKIFF_LAB_URL_8080"
says "wants credentials"
fails 13 "proxy proxy-refused" --proxy "socks5h://$open" mqtt://127.0.0.1:1
says "the proxy 'socks5h://$open' says: connection refused by the target (5), asked for 127.0.0.1:1"
fails 12 "tcp tcp-refused" --proxy socks5h://kara:s3cret@127.0.0.1:1 "$plain"
says "proxy 'socks5h://127.0.0.1:1'"
fails 13 "proxy proxy-refused" --proxy "http://$open" "$plain"
says "answers in SOCKS, not in HTTP, asked for 127.0.0.1:$(port_of "$plain"); try socks5h://$open"
fails 13 "proxy proxy-refused" --timeout 300ms --proxy "socks5h://$http" "$plain"
says "try http://$http"
"$skiff" pub --proxy "socks5h://kara:wr0ng@$guarded" -b "$plain" -t a -m x 2>"$work/err"
[ $? = 13 ] || bad "pub with wrong credentials: $(cat "$work/err")"
grep -q wr0ng "$work/err" && bad "pub shows the password"
finish
INSIDE

"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" "$(dirname "$0")" || fail "see above"
