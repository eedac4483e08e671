#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --cafile, --capath, --cert, --key, --insecure and its kin mean what they say, and nothing is accepted without them.
. "$(dirname "$0")/common.sh"

command -v openssl >/dev/null || skip "openssl is not installed"
cd "$work" || exit 1
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=ca
	for name in server client; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
		printf 'subjectAltName=DNS:other.example\n' >$name.ext
		openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $name.crt -days 2 -extfile $name.ext
	done
	openssl pkey -in client.key -aes256 -passout pass:canary -out locked.key
	mkdir ca.d && cp ca.crt ca.d && openssl rehash ca.d
} >"$work/openssl.log" 2>&1 || skip "openssl cannot make certificates: $(tail -1 openssl.log)"
chmod 600 ./*.key

start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "cafile $work/ca.crt" "certfile $work/server.crt" \
	"keyfile $work/server.key" "require_certificate true"
pub() { run "$SKIFF" pub -b "mqtts://127.0.0.1:$port" -t a -m x "$@"; }
client=(--cert client.crt --key client.key)
pub "${client[@]}"
expect 14
pub --cafile ca.crt "${client[@]}"
expect 14 "other.example"
pub --cafile ca.crt "${client[@]}" --insecure
expect 0
[[ $err != *"may be read by others"* ]] || fail "a key of mode 600 is warned about"
chmod 644 client.key
pub --cafile ca.crt "${client[@]}" --insecure
expect 0 'private key file "client.key" can be read by every user'
[ "$(grep -c client.key "$work/err")" = 1 ] || fail "two warnings of one file"
chmod 640 client.key
pub --cafile ca.crt "${client[@]}" --insecure
expect 0 "file 'client.key' holds a secret and may be read by others"
chmod 600 client.key
pub --capath ca.d "${client[@]}" --insecure
expect 0
pub --cafile ca.crt "${client[@]}" --server-name other.example
expect 0
pub "${client[@]}" --insecure
expect 14
pub "${client[@]}" --insecure --insecure-chain
expect 0
pub --cafile ca.crt --insecure
expect 14
pub --cafile ca.crt --insecure --cert client.crt --key locked.key
expect 10
echo canary >key-password
chmod 600 key-password
pub --cafile ca.crt --insecure --cert client.crt --key locked.key --key-password-file key-password
expect 0
chmod 644 key-password
pub --cafile ca.crt --insecure --cert client.crt --key locked.key --key-password-file key-password
expect 0 "file 'key-password' holds a secret"
pub --cafile ca.crt --insecure --cert client.crt --key locked.key --key-password-file key-password --strict-key-file
expect 10 "chmod 600"
pub --cafile ca.crt --psk-identity me --psk-file key-password --strict-key-file
expect 10 "leave out '--strict-key-file'"
pub --cafile ca.crt --cert client.crt
expect 10 "add the key that belongs to it"
SKIFF_KEY_PASSWORD=canary pub --cafile ca.crt --insecure --cert client.crt --key locked.key
expect 0
run "$SKIFF" pub -h 127.0.0.1 -p "$port" --cafile ca.crt --insecure "${client[@]}" -t a -m x
expect 0
run "$SKIFF" pub -b "mqtt://127.0.0.1:$port" --cafile ca.crt -t a -m x
expect 2 "option '--cafile': means nothing without TLS"
pub --cafile ca.crt --key client.key
expect 2 "option '--key'"
