#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The environment's proxies are taken when --proxy-env asks for them, each for its kind of door and not against no_proxy
# or --proxy, and check says which variable it was. When it does not ask, none is, and a failure mentions the one that
# was there.
. "$(dirname "$0")/lab_common.sh"
command -v microsocks >/dev/null || skip "no microsocks"
command -v tinyproxy >/dev/null || skip "no tinyproxy"

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2
. "$3/proxy_common.sh"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
microsocks_up socks -u kara -P s3cret
socks=127.0.0.1:$port
tinyproxy_up http ""
http=127.0.0.1:$port
plain=$SKIFF_LAB_URL_1883 tls=$SKIFF_LAB_URL_8883 ws=$SKIFF_LAB_URL_8080 wss=$SKIFF_LAB_URL_8081
# with VARIABLE=VALUE... -- CODE ARGUMENT...: run, with these in the environment
with()
{
	local set=
	while [ "$1" != -- ]; do
		export "${1?}"
		set="$set ${1%%=*}"
		shift
	done
	shift
	run "$@"
	unset $set
}

with http_proxy="$http" -- 0 --proxy-env "$plain"
through "http://$http" http_proxy
with http_proxy="http://$http/" https_proxy=http://127.0.0.1:1 -- 0 --proxy-env "$ws"
through "http://$http" http_proxy
with HTTPS_PROXY="http://$http" http_proxy=http://127.0.0.1:1 -- 0 --proxy-env $(trust_of "$tls") "$tls"
through "http://$http" HTTPS_PROXY
with ALL_PROXY="socks5h://kara:s3cret@$socks" -- 0 --proxy-env $(trust_of "$wss") "$wss"
through "socks5h://$socks" ALL_PROXY
with HTTP_PROXY=http://127.0.0.1:1 -- 0 --proxy-env "$plain" # as a web server's CGI sets it
through "" ""

with http_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 -- 0 "$plain" # nobody asked
through "" ""
with all_proxy=http://127.0.0.1:1 -- 0 --proxy-env --proxy "http://$http" "$plain"
through "http://$http" --proxy

with all_proxy=http://127.0.0.1:1 no_proxy="example.com, 127.0.0.0/8" -- 0 --proxy-env "$plain"
through "" ""
says "no_proxy excepts 127.0.0.1"
with all_proxy=http://127.0.0.1:1 NO_PROXY="127.0.0.1:$(port_of "$plain")" -- 0 --proxy-env "$plain"
through "" ""
with all_proxy=http://127.0.0.1:1 no_proxy="127.0.0.1:1" -- 12 --proxy-env "$plain"
through http://127.0.0.1:1 all_proxy
says "the proxy of the environment that cannot be reached"

with all_proxy="socks4://kara:s3cret@$socks" -- 2 --proxy-env "$plain"
says "environment variable 'all_proxy'"
with all_proxy="socks5h://kara:wr0ng@$socks" -- 13 --proxy-env "$plain"
says '"cause":"proxy-auth"'
through "socks5h://$socks" all_proxy

with all_proxy="http://$http" -- 12 mqtt://127.0.0.1:1
says "The environment has all_proxy, which is not looked at; to go through that proxy give '--proxy-env'."
with all_proxy="http://$http" no_proxy=127.0.0.1 -- 12 mqtt://127.0.0.1:1
grep -q "The environment has" "$work/json" && bad "a proxy is mentioned that would not be taken: $(cat "$work/json")"

all_proxy="socks5h://kara:s3cret@$socks" "$skiff" pub --proxy-env -b "$plain" -t env/kept -m x -r ||
	bad "pub through the proxy ended with $?"
got=$(all_proxy="socks5://kara:s3cret@$socks" "$skiff" sub --proxy-env -b "$plain" -t env/kept -C 1)
[ "$got" = x ] || bad "sub through the proxy gave '$got'"
[ "$(grep -c "connected to .*:$(port_of "$plain")\$" "$work/socks.log")" = 2 ] || bad "not through it: $(cat "$work/socks.log")"
all_proxy=http://127.0.0.1:1 "$skiff" pub -b "$plain" -t a -m x || bad "pub took a proxy that it was not told of"
finish
INSIDE

"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" "$(dirname "$0")" || fail "see above"
