#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# skiff itself carries a message through every door of the lab with the right credentials; what is wrong is refused with
# the exit code of its stage, in a sentence that names it.
. "$(dirname "$0")/lab_common.sh"

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2 wrong=
bad()
{
	wrong=1
	echo "FAIL: $*" >&2
}
# carry DOOR URL OPTION...: `sub` receives what `pub` sends; it says when its subscription stands
carry()
{
	local door=$1 url=$2 err=$work/$1.err got
	shift 2
	"$skiff" sub -b "$url" -d -t "carry/$door" -v -C 1 -W 20 "$@" >"$work/$door.out" 2>"$err" &
	local sub=$!
	# kept, so that it does not matter which of the two is first
	"$skiff" pub -b "$url" -t "carry/$door" -m "by $door" -q 1 -r "$@" 2>>"$err" || bad "$door: pub ended with $?"
	wait "$sub" || bad "$door: sub ended with $?"
	got=$(cat "$work/$door.out")
	[ "$got" = "carry/$door by $door" ] || bad "$door: received '$got': $(tail -3 "$err")"
}
# refuse WHAT CODE WORD URL OPTION...: both end with this code and a sentence with this word
refuse()
{
	local what=$1 wanted=$2 word=$3 url=$4 code
	shift 4
	"$skiff" pub -b "$url" -t a -m x "$@" >"$work/out" 2>"$work/err"
	code=$?
	[ $code = "$wanted" ] || bad "$what: pub ended with $code, not $wanted: $(cat "$work/err")"
	grep -q -e "$word" "$work/err" || bad "$what: no '$word' in: $(cat "$work/err")"
	"$skiff" sub -b "$url" -t a -W 20 "$@" >"$work/out" 2>"$work/err"
	code=$?
	[ $code = "$wanted" ] || bad "$what: sub ended with $code, not $wanted: $(cat "$work/err")"
	grep -q -e "$word" "$work/err" || bad "$what: no '$word' in: $(cat "$work/err")"
}
at() { place=${1#*://}; place=${place#*@}; echo "${place%/mqtt}"; }

own=(--cafile "$SKIFF_LAB_CA") web=(--cafile "$SKIFF_LAB_WEB_CA")
carry 1883 "$SKIFF_LAB_URL_1883"
carry 1884 "$SKIFF_LAB_URL_1884"
carry 8883 "$SKIFF_LAB_URL_8883" "${own[@]}"
carry 8884 "$SKIFF_LAB_URL_8884" "${own[@]}" --cert "$SKIFF_LAB_CERT" --key "$SKIFF_LAB_KEY"
carry 8885 "$SKIFF_LAB_URL_8885" "${own[@]}"
carry 8886 "$SKIFF_LAB_URL_8886" "${web[@]}"
carry 8080 "$SKIFF_LAB_URL_8080"
carry 8081 "$SKIFF_LAB_URL_8081" "${web[@]}"
carry 8090 "$SKIFF_LAB_URL_8090"
carry 8091 "$SKIFF_LAB_URL_8091" "${own[@]}"
carry unix "$SKIFF_LAB_UNIX"
# an intermediate signed it, which is sent along
carry 8884-chain "$SKIFF_LAB_URL_8884" "${own[@]}" --cert "$SKIFF_LAB_DIR/certs/client-chain.crt" \
	--key "$SKIFF_LAB_DIR/certs/client-chain.key"

refuse 8887 14 expired "$SKIFF_LAB_URL_8887" "${own[@]}"
refuse "8884 without a certificate" 14 "client certificate" "$SKIFF_LAB_URL_8884" "${own[@]}"
refuse "8883 without its CA" 14 "--cafile\|CA\|trust" "$SKIFF_LAB_URL_8883"
refuse "1884 with a wrong password" 16 "password\|authori" "mqtt://rw:wrong@$(at "$SKIFF_LAB_URL_1884")"
refuse "8091 with a wrong password" 16 "password\|authori" "wss://rw:wrong@$(at "$SKIFF_LAB_URL_8091")/mqtt" "${own[@]}"
refuse "a closed port" 12 refused "mqtt://127.0.0.1:$3"
refuse "an unknown host" 11 no-such-host.invalid "mqtt://no-such-host.invalid"
refuse "ws:// to 1883" 15 "WebSocket" "ws://$(at "$SKIFF_LAB_URL_1883")/mqtt"
refuse "mqtt:// to 8883" 16 "TLS" "mqtt://$(at "$SKIFF_LAB_URL_8883")"
refuse "mqtt:// to 8080" 16 "WebSocket\|HTTP" "mqtt://$(at "$SKIFF_LAB_URL_8080")"
[ -z "$wrong" ]
INSIDE
while :; do
	dead=$((20000 + RANDOM % 12000))
	closed $dead && break
done
"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" $dead
