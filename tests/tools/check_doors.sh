#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff check` at every door of the lab: those that open pass every stage, the others fail with their cause, stage and
# exit code; a URL of the wrong kind leads to the one that works, which is then followed to the letter. All JSON is of
# its schema.
. "$(dirname "$0")/lab_common.sh"
command -v jsonschema >/dev/null || skip "no jsonschema"
schemas=$(cd "$(dirname "$0")/../../docs/schema" && pwd)

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2 schemas=$3 wrong= checks=0
bad()
{
	wrong=1
	echo "FAIL: $*" >&2
}
# run CODE ARGUMENT...: the JSON goes to $work/json
run()
{
	local wanted=$1 code
	shift
	"$skiff" check --json "$@" >"$work/json" 2>"$work/err"
	code=$?
	checks=$((checks + 1))
	[ $code = "$wanted" ] || bad "check $*: exit code $code, not $wanted: $(cat "$work/err" "$work/json")"
	cp "$work/json" "$work/json.$checks"
}
failure() { sed -n 's/.*"failure":{"stage":"\([^"]*\)","cause":"\([^"]*\)".*/\1 \2/p' "$work/json"; }
next() { sed -n 's/.*"url":"\([^"]*\)"}}$/\1/p' "$work/json"; }
# opens URL OPTION...: every stage that is part of the way is ok or warned
opens()
{
	run 0 "$@"
	grep -q '"failure":null' "$work/json" || bad "check $*: a failure"
	for stage in options files tcp mqtt subscribe publish roundtrip disconnect; do
		grep -q "\"stage\":\"$stage\",\"status\":\"\(ok\|warned\)\"" "$work/json" || bad "check $*: $stage is not ok"
	done
}
# fails CODE "STAGE CAUSE" URL OPTION...
fails()
{
	local code=$1 wanted=$2
	shift 2
	run "$code" "$@"
	[ "$(failure)" = "$wanted" ] || bad "check $*: '$(failure)', not '$wanted'"
}
# leads CODE "STAGE CAUSE" NEXT URL OPTION...: the remedy names the URL, and with the options added it opens
leads()
{
	local code=$1 wanted=$2 url=$3
	shift 3
	fails "$code" "$wanted" "$1"
	[ "$(next)" = "$url" ] || bad "check $1: leads to '$(next)', not to '$url'"
	shift
	opens "$url" "$@"
}
at() { place=${1#*://}; place=${place#*@}; echo "${place%/mqtt}"; }

own=(--cafile "$SKIFF_LAB_CA") web=(--cafile "$SKIFF_LAB_WEB_CA")
mine=(--cert "$SKIFF_LAB_CERT" --key "$SKIFF_LAB_KEY")
opens "$SKIFF_LAB_URL_1883"
opens "$SKIFF_LAB_URL_1884"
grep -q "the password can be read on the way" "$work/json" || bad "1884: a password over a plain door, and no warning"
opens "$SKIFF_LAB_URL_8883" "${own[@]}"
opens "$SKIFF_LAB_URL_8884" "${own[@]}" "${mine[@]}"
opens "$SKIFF_LAB_URL_8885" "${own[@]}"
opens "$SKIFF_LAB_URL_8886" "${web[@]}"
opens "$SKIFF_LAB_URL_8080"
opens "$SKIFF_LAB_URL_8081" "${web[@]}"
opens "$SKIFF_LAB_URL_8090"
opens "$SKIFF_LAB_URL_8091" "${own[@]}"
opens "$SKIFF_LAB_UNIX"
fails 14 "tls tls-expired" "$SKIFF_LAB_URL_8887" "${own[@]}"
fails 14 "tls tls-client-cert-required" "$SKIFF_LAB_URL_8884" "${own[@]}"
fails 14 "tls tls-unknown-ca" "$SKIFF_LAB_URL_8883" "${web[@]}"
fails 16 "mqtt mqtt-not-authorised" "mqtt://$(at "$SKIFF_LAB_URL_1884")"
fails 10 "files file-missing" "$SKIFF_LAB_URL_8883" --cafile "$work/missing.pem"
fails 10 "files key-mismatch" "$SKIFF_LAB_URL_8884" "${own[@]}" --cert "$SKIFF_LAB_CERT" \
	--key "$SKIFF_LAB_DIR/certs/client-chain.key"
fails 2 "options usage-url" "gopher://127.0.0.1"
fails 12 "tcp tcp-refused" "mqtt://127.0.0.1:1"
fails 11 "dns dns-not-found" "mqtt://no-such-host.invalid"

plain=$(at "$SKIFF_LAB_URL_1883") tls=$(at "$SKIFF_LAB_URL_8883") ws=$(at "$SKIFF_LAB_URL_8080") wss=$(at "$SKIFF_LAB_URL_8081")
leads 16 "mqtt wrong-protocol" "mqtts://$tls" "mqtt://$tls" "${own[@]}"
leads 16 "mqtt wrong-protocol" "ws://$ws/mqtt" "mqtt://$ws"
grep -q "it is not encrypted" "$work/json.$((checks - 1))" || bad "of ws it is not said that it is not encrypted"
leads 16 "mqtt wrong-protocol" "wss://$wss/mqtt" "mqtt://$wss" "${web[@]}"
leads 14 "tls wrong-protocol" "mqtt://$plain" "mqtts://$plain"
leads 14 "tls wrong-protocol" "mqtt://$plain" "wss://$plain"
leads 14 "tls wrong-protocol" "ws://$ws/mqtt" "mqtts://$ws"
leads 15 "websocket wrong-protocol" "mqtt://$plain" "ws://$plain"
leads 15 "websocket wrong-protocol" "mqtts://$tls" "ws://$tls" "${own[@]}"
fails 16 "mqtt wrong-protocol" "mqtts://$wss" "${web[@]}"

# no part of a password is shown, wherever the URL goes wrong
for url in 'mqtt://u:s3c/ret@h' 'mqtt://u:s3c?ret@h' 'gopher://u:s3c@h'; do
	fails 2 "options usage-url" "$url"
	grep -q s3c "$work/json" && bad "$url: $(cat "$work/json")"
done
"$skiff" check -b x mqtt://u:s3c@h >"$work/out" 2>&1
grep -q s3c "$work/out" && bad "given twice: $(cat "$work/out")"

# a user who may not read, and one who may not write
fails 17 "roundtrip roundtrip-timeout" "mqtt://wo:writeonly@$(at "$SKIFF_LAB_URL_1884")" --timeout 500ms -V 311
fails 17 "publish publish-refused" "mqtt://ro:readonly@$(at "$SKIFF_LAB_URL_1884")"

# limits, versions, days
run 21 "$SKIFF_LAB_URL_1883" --slo total=1us,tls=5s
grep -q '"name":"total","limit_ms":0.001,"ms":[0-9.]*,"exceeded":true' "$work/json" || bad "slo: $(cat "$work/json")"
grep -q '"name":"tls","limit_ms":5000.000,"ms":null,"exceeded":false' "$work/json" || bad "slo: $(cat "$work/json")"
run 0 "$SKIFF_LAB_URL_1883" --slo total=60s --mqtt-version all
grep -q '"versions":\[{"version":"5","accepted":true,"error":null},{"version":"3.1.1","accepted":true' "$work/json" ||
	bad "versions: $(cat "$work/json")"
opens "$SKIFF_LAB_URL_8884" "${own[@]}" "${mine[@]}" --warn-days 36500
grep -q "the server's certificate .* ends in" "$work/json" && grep -q "the client's certificate .* ends in" "$work/json" ||
	bad "no warning of the days left"
run 0 "$SKIFF_LAB_URL_8883" "${own[@]}" --connect-only --keylog "$work/keys"
grep -q '"stage":"publish","status":"skipped"' "$work/json" || bad "--connect-only publishes"
grep -q CLIENT_TRAFFIC_SECRET_0 "$work/keys" || bad "--keylog wrote no secrets"
[ "$(stat -c %a "$work/keys")" = 600 ] || bad "--keylog: others may read it"
run 0 "mqtt://localhost:${plain##*:}" -4
grep -q '"address":"127.0.0.1:' "$work/json" || bad "-4: another address"

# the map of the host
"$skiff" check --json 127.0.0.1 --ports "${plain##*:},${tls##*:},${ws##*:},${wss##*:},1" >"$work/json" || bad "map: exit code $?"
PYTHONWARNINGS=ignore jsonschema -i "$work/json" "$schemas/map-1.json" >"$work/valid" 2>&1 || bad "map: $(cat "$work/valid")"
for url in "mqtt://$plain" "mqtts://$tls" "ws://$ws/mqtt" "wss://$wss/mqtt"; do
	grep -q "\"state\":\"open\",\"tls\":[a-z]*,\"url\":\"$url\"" "$work/json" || bad "map without $url: $(cat "$work/json")"
done
grep -q '{"port":1,"state":"closed"' "$work/json" || bad "map: port 1 is not closed"
run 12 "localhost:1"
"$skiff" check --json no-such-host.invalid >"$work/json"
[ $? = 11 ] || bad "a host that is none: exit code $?"
PYTHONWARNINGS=ignore jsonschema -i "$work/json" "$schemas/map-1.json" >"$work/valid" 2>&1 || bad "map: $(cat "$work/valid")"
"$skiff" check 127.0.0.1 --ports 1 >"$work/out"
[ $? = 12 ] || bad "a host without doors: exit code $?"

# the page: no password, and the colours only on a terminal
"$skiff" check "$SKIFF_LAB_URL_8885" "${own[@]}" >"$work/page" 2>"$work/err" || bad "the page: exit code $?"
grep -q "readwrite" "$work/page" "$work/err" && bad "the page shows the password"
grep -q "$(printf '\033')" "$work/page" && bad "colours in a file"
grep -q "What the broker grants" "$work/page" || bad "the page does not say what the broker grants"
for file in "$work"/json.*; do
	set -- "$@" -i "$file"
done
shift 3
PYTHONWARNINGS=ignore jsonschema "$@" "$schemas/check-1.json" >"$work/valid" 2>&1 || bad "schema: $(head -5 "$work/valid")"
[ "$checks" -gt 40 ] || bad "only $checks checks were run"
[ -z "$wrong" ]
INSIDE

"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" "$schemas" || fail "see above"
