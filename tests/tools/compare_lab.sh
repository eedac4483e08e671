#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff compare lab`: eleven rows as expected; bytes on the wire as TLS and WebSocket have it, to the byte; JSON of its
# schema, CSV and Markdown with the same rows; a door that does something else is exit code 20.
. "$(dirname "$0")/lab_common.sh"
command -v jsonschema >/dev/null || skip "no jsonschema"
schema=$(cd "$(dirname "$0")/../../docs/schema" && pwd)/compare-1.json

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2 schema=$3 wrong=
bad()
{
	wrong=1
	echo "FAIL: $*" >&2
}
few=(--rounds 2 --trips 10 --burst 50)
# door NAME: what the JSON says of a door
door() { sed "s/.*{\"door\":\"$1\",//; s/,{\"door\".*//" "$work/json"; }
# number NAME DOOR
number() { door "$2" | sed -n "s/.*\"$1\":\([0-9.]*\)[,}].*/\1/p"; }

"$skiff" compare "${few[@]}" --json lab >"$work/json" 2>"$work/err" || bad "exit code $?: $(cat "$work/err" "$work/json")"
PYTHONWARNINGS=ignore jsonschema -i "$work/json" "$schema" >"$work/valid" 2>&1 || bad "schema: $(head -5 "$work/valid")"
[ "$(grep -o '"door":' "$work/json" | wc -l)" = 11 ] || bad "not eleven doors"
[ "$(grep -o '"outcome":"ok"' "$work/json" | wc -l)" = 10 ] || bad "not ten doors open"
[ "$(grep -o '"as_expected":true' "$work/json" | wc -l)" = 11 ] || bad "not eleven as expected"
door 8887 | grep -q '"outcome":"tls-expired"' || bad "8887: $(door 8887)"
grep -q readwrite "$work/json" && bad "a password is shown"

# A record of TLS 1.3 is 5 + 1 + 16 bytes longer than what is in it; a frame of a client has a head of 2, and a mask of 4.
for pair in 8883:22 8886:22 8080:6 8081:28; do
	mine=$(number wire_bytes "${pair%:*}") plain=$(number mqtt_bytes "${pair%:*}")
	awk -v more="${pair#*:}" -v mine="$mine" -v plain="$plain" 'BEGIN { exit mine - plain != more }' ||
		bad "${pair%:*}: $mine bytes on the wire for $plain of MQTT, not ${pair#*:} more"
done
[ "$(number wire_bytes 1883)" = "$(number mqtt_bytes 1883)" ] || bad "1883: more on the wire than MQTT's bytes"
door 8883 | grep -q '"resumed_ms":{' || bad "8883: no resumed set-up"

"$skiff" compare "${few[@]}" --csv "$SKIFF_LAB_URL_1883" "$SKIFF_LAB_URL_8080" >"$work/csv" 2>"$work/err" || bad "csv: $?"
[ "$(awk -F , '{print NF}' "$work/csv" | sort -u | wc -l)" = 1 ] || bad "csv: rows of different length"
[ "$(wc -l <"$work/csv")" = 3 ] || bad "csv: not three lines"
"$skiff" compare "${few[@]}" --markdown --rate 200 "$SKIFF_LAB_URL_1883" "$SKIFF_LAB_URL_8090" >"$work/md" || bad "markdown: $?"
[ "$(grep -c '^|' "$work/md")" = 12 ] || bad "markdown: not three tables of four rows"
grep -q "Beside mqtt://" "$work/md" || bad "no words: $(cat "$work/md")"
grep -q readwrite "$work/md" "$work/csv" && bad "a password is shown"

# Bytes both ways: a server does not mask, and here it uses no topic alias.
[ "$(number wire_back_bytes 1883)" = "$(number wire_burst_back_bytes 1883)" ] || bad "1883: $(door 1883)"
awk -v ws="$(number wire_back_bytes 8080)" -v tcp="$(number wire_back_bytes 1883)" 'BEGIN { exit ws - tcp != 2 }' ||
	bad "8080: what comes back is not 2 bytes longer"

# Both engines, both versions, the QoS that are asked for; a name is looked up once.
name=${SKIFF_LAB_URL_1883/127.0.0.1/localhost}
"$skiff" compare "${few[@]}" --json --engine native --mqtt-version 5,311 --qos 1,2 "$name" "${SKIFF_LAB_URL_8080/127.0.0.1/localhost}" \
	>"$work/json" 2>"$work/err" || bad "versions: $? $(cat "$work/err")"
PYTHONWARNINGS=ignore jsonschema -i "$work/json" "$schema" >"$work/valid" 2>&1 || bad "schema: $(head -5 "$work/valid")"
[ "$(grep -o '"mqtt_version":"5"' "$work/json" | wc -l)" = 2 ] || bad "not two doors of MQTT 5"
[ "$(grep -o '"mqtt_version":"3.1.1"' "$work/json" | wc -l)" = 2 ] || bad "not two doors of MQTT 3.1.1"
[ "$(grep -o '"trip_qos0_us":{"count":0' "$work/json" | wc -l)" = 4 ] || bad "QoS 0 is measured"
[ "$(grep -o '"trip_qos2_us":{"count":20' "$work/json" | wc -l)" = 4 ] || bad "QoS 2 is not measured"
[ "$(grep -o '"address":"[^"]*"' "$work/json" | sort -u | wc -l)" = 1 ] || bad "more than one address: $(cat "$work/json")"
"$skiff" compare "${few[@]}" "$name" >"$work/out" || bad "a name: $?"
grep -q "All connections to localhost went to 127.0.0.1; it was looked up once" "$work/out" || bad "$(cat "$work/out")"

# Rounds for as long as is asked: as many as fit, one at least.
rounds=
for seconds in 1 3; do
	"$skiff" compare --trips 5 --burst 5 --duration "${seconds}s" --json "$SKIFF_LAB_URL_1883" >"$work/json" || bad "a duration: $?"
	rounds+=" $(number rounds 1883 | head -n 1)"
done
[ "${rounds% *}" != " ${rounds##* }" ] || bad "in one second as many rounds as in three:$rounds"
"$skiff" compare --trips 5 --burst 5 --duration 1ms --json "$SKIFF_LAB_URL_1883" >"$work/json" || bad "a short duration: $?"
grep -q '"rounds":1,' "$work/json" || bad "not one round: $(cat "$work/json")"

# Users, passwords and CAs as in the other commands.
url=$(echo "$SKIFF_LAB_URL_8885" | sed 's|//.*@|//|')
SKIFF_PASSWORD=readwrite "$skiff" compare "${few[@]}" -u rw --cafile "$SKIFF_LAB_CA" "$url" "$SKIFF_LAB_URL_1883" >"$work/out" 2>&1 ||
	bad "a user from options: $? $(cat "$work/out")"
SKIFF_PASSWORD=wrong "$skiff" compare "${few[@]}" -u rw --cafile "$SKIFF_LAB_CA" "$url" >"$work/out" 2>&1
[ $? = 20 ] || bad "a wrong password, and the exit code is not 20"
"$skiff" compare --qos 3 "$url" >"$work/out" 2>&1
[ $? = 2 ] || bad "--qos 3 is taken"
grep -q "option '--qos': '3' is not one of 0, 1, 2" "$work/out" || bad "$(cat "$work/out")"

SKIFF_LAB_URL_8887=$SKIFF_LAB_URL_8883 "$skiff" compare "${few[@]}" lab >"$work/out" 2>&1
[ $? = 20 ] || bad "8887 opens, and the exit code is not 20"
"$skiff" compare "${few[@]}" mqtt://127.0.0.1:1 >"$work/out" 2>&1
[ $? = 20 ] || bad "a refused port, and the exit code is not 20"
[ -z "$wrong" ]
INSIDE

"$skiff" compare lab >"$work/out" 2>&1 && fail "'compare lab' without a lab succeeds"
grep -q "skiff lab -- skiff compare lab" "$work/out" || fail "'compare lab' without a lab: $(cat "$work/out")"
"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" "$schema" || fail "see above"
