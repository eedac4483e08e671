#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Through an HTTP proxy, a real tinyproxy, every kind of door opens, and a message comes back; a proxy that wants other
# credentials, forbids the port, is none, or is not there is told at its stage, and no password is shown.
. "$(dirname "$0")/lab_common.sh"
command -v tinyproxy >/dev/null || skip "no tinyproxy"

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2 wrong=
bad()
{
	wrong=1
	echo "FAIL: $*" >&2
}
port_of() { echo "$1" | sed 's,^[a-z]*://,,; s,.*@,,; s,/.*,,; s,.*:,,'; }
# proxy_up NAME LINES: a proxy with these lines in its configuration; its port comes in $port
proxy_up()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 10000))
		printf 'Port %s\nListen 127.0.0.1\nMaxClients 50\nTimeout 60\n%s\n' "$port" "$2" >"$work/$1.conf"
		mkfifo "$work/$1.$port"
		tinyproxy -d -c "$work/$1.conf" >"$work/$1.$port" 2>&1 &
		proxies="$proxies $!"
		exec 3<"$work/$1.$port"
		while IFS= read -r line <&3; do # it says so when it takes connections, or ends when the port is taken
			echo "$line" >>"$work/$1.log"
			case $line in
			*"Accepting connections"*)
				cat <&3 >>"$work/$1.log" &
				exec 3<&-
				return
				;;
			esac
		done
		exec 3<&-
	done
	bad "no proxy came up: $(cat "$work/$1.log")"
}
trap 'kill $proxies 2>/dev/null' EXIT
proxies=
# run CODE ARGUMENT...
run()
{
	local wanted=$1 code
	shift
	"$skiff" check --json "$@" >"$work/json" 2>"$work/err"
	code=$?
	[ $code = "$wanted" ] || bad "check $*: exit code $code, not $wanted: $(cat "$work/err" "$work/json")"
	grep -q 's3cret' "$work/json" "$work/err" && bad "check $*: a password is shown"
}
fails()
{
	local code=$1 wanted=$2
	shift 2
	run "$code" "$@"
	got=$(sed -n 's/.*"failure":{"stage":"\([^"]*\)","cause":"\([^"]*\)".*/\1 \2/p' "$work/json")
	[ "$got" = "$wanted" ] || bad "check $*: '$got', not '$wanted': $(cat "$work/json")"
}

proxy_up open ""
open=http://127.0.0.1:$port
proxy_up guarded "BasicAuth kara s3cret"
guarded=127.0.0.1:$port
proxy_up narrow "ConnectPort 1"
narrow=http://127.0.0.1:$port

for url in "$SKIFF_LAB_URL_1883" "$SKIFF_LAB_URL_8883" "$SKIFF_LAB_URL_8080" "$SKIFF_LAB_URL_8081"; do
	case $url in
	mqtts*) trust="--cafile $SKIFF_LAB_CA" ;;
	wss*) trust="--cafile $SKIFF_LAB_WEB_CA" ;;
	*) trust= ;;
	esac
	run 0 --proxy "$open" $trust "$url"
	grep -q '"stage":"proxy","status":"ok","ms":[0-9]' "$work/json" || bad "$url: no proxy on the way: $(cat "$work/json")"
	grep -q '"stage":"roundtrip","status":"ok"' "$work/json" || bad "$url: no round trip: $(cat "$work/json")"
done
run 0 --proxy "http://kara:s3cret@$guarded" "$SKIFF_LAB_URL_1883"
"$skiff" pub --proxy "$open" -b "$SKIFF_LAB_URL_1883" -t a -m x || bad "pub through the proxy ended with $?"

fails 13 "proxy proxy-auth" --proxy "http://kara:wr0ng@$guarded" "$SKIFF_LAB_URL_1883"
fails 13 "proxy proxy-auth" --proxy "http://$guarded" "$SKIFF_LAB_URL_8080"
fails 13 "proxy proxy-refused" --proxy "$narrow" "$SKIFF_LAB_URL_1883"
fails 13 "proxy proxy-refused" --proxy "http://127.0.0.1:$(port_of "$SKIFF_LAB_URL_1883")" "$SKIFF_LAB_URL_1883"
fails 12 "tcp tcp-refused" --proxy http://127.0.0.1:1 "$SKIFF_LAB_URL_1883"
grep -q "proxy 'http://127.0.0.1:1'" "$work/json" || bad "it is not said that it is the proxy: $(cat "$work/json")"
fails 11 "dns dns-not-found" --proxy http://no-such-proxy.invalid "$SKIFF_LAB_URL_1883"
fails 2 "options usage-option" --proxy socks5://127.0.0.1:1 "$SKIFF_LAB_URL_1883"
fails 2 "options usage-option" --proxy "$open" "$SKIFF_LAB_UNIX"
[ -z "$wrong" ]
INSIDE

"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" || fail "see above"
