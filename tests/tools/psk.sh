#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A pre-shared key opens mosquitto's door for that, in TLS 1.2 and 1.3; another key, another name and a door with
# certificates are named.
. "$(dirname "$0")/common.sh"

key=00112233445566778899aabbccddeeff
echo "sensor:$key" >"$work/keys"
echo "$key" >"$work/key"
echo "${key//0/1}" >"$work/other"
echo "no key" >"$work/odd"
chmod 600 "$work"/*
start_broker "listener PORT 127.0.0.1" "psk_file $work/keys" "psk_hint skiff" "use_identity_as_username true"
pub() { run "$SKIFF" pub -b "mqtts://127.0.0.1:$port" -t a -m x "$@"; }

for version in 1.2 1.3; do
	pub --psk-identity sensor --psk-file "$work/key" --tls-min $version --tls-max $version
	expect 0
	pub --psk-identity sensor --psk-file "$work/other" --tls-min $version --tls-max $version
	expect 14 'the pre-shared key of "sensor"'
	pub --psk-identity stranger --psk-file "$work/key" --tls-min $version --tls-max $version
	expect 14 'the pre-shared key of "stranger"'
done
broker_logged "u'sensor'" || fail "the identity is not the user: $(tail -3 "$work/broker.log")"
pub --psk-identity sensor --psk "$key"
expect 0 "was visible to others"
pub --psk-identity sensor --psk-file "$work/odd"
expect 2 "hexadecimal"
pub --psk-identity sensor
expect 2 "--psk-file"
pub --psk-file "$work/key"
expect 2 "--psk-identity"
pub --psk-identity sensor --psk-file "$work/key" --ocsp required
expect 2 "instead of certificates"
run "$SKIFF" check --psk-identity sensor --psk-file "$work/other" "mqtts://127.0.0.1:$port" --json
[[ $out == *'"cause":"tls-psk"'* ]] || fail "check: $out"
grep -rqi "$key" "$work/out" "$work/err" && fail "the key is shown"
exit 0
