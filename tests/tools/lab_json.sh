#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff lab --json` prints one line: an object with the eleven doors, their URLs, and what to expect of each.
. "$(dirname "$0")/lab_common.sh"

lab_up
doors=$(printf '%s\n' "$table" | grep -o '{"port":[^}]*}')
[ "$(wc -l <<<"$doors")" = 11 ] || fail "not eleven doors: $doors"
[[ $table = '{"schema":"skiff.lab/1","dir":"'*'],"unix":"unix:///'*'"}' ]] || fail "the object is $table"

# door PORT TEXT...: the door's object has each TEXT
door()
{
	object=$(grep "{\"port\":$1," <<<"$doors") || fail "no door $1"
	shift
	for text; do
		[[ $object = *"$text"* ]] || fail "no $text in $object"
	done
}
door 1883 '"url":"mqtt://127.0.0.1:' '"tls":false' '"auth":"none"' '"ca":null' '"expect":"ok"'
door 1884 '"url":"mqtt://rw:readwrite@127.0.0.1:' '"auth":"password"'
door 8883 '"url":"mqtts://127.0.0.1:' '"tls":true' '"ca":"own"'
door 8884 '"auth":"certificate"' '"ca":"own"'
door 8885 '"auth":"password"' '"ca":"own"'
door 8886 '"ca":"web"'
door 8887 '"expect":"tls-expired"'
door 8080 '"url":"ws://127.0.0.1:' '"tls":false'
door 8081 '"url":"wss://127.0.0.1:' '"ca":"web"'
door 8090 '"url":"ws://rw:readwrite@127.0.0.1:'
door 8091 '"url":"wss://rw:readwrite@127.0.0.1:' '"ca":"own"'
for file in ca_file web_ca_file cert_file key_file; do
	[ -s "$(member $file)" ] || fail "$file names no file"
done
closed "$port" && fail "the port of 1883 is closed"

if command -v python3 >/dev/null; then
	printf '%s\n' "$table" | python3 -m json.tool >/dev/null || fail "not JSON: $table"
fi
exit 0
