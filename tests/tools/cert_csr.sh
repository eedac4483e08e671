#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff cert csr` makes a key that only its owner can read and a request that openssl verifies, writes over nothing, and
# names the steps that follow; what a CA makes of the request fits the key.
. "$(dirname "$0")/common.sh"
command -v openssl >/dev/null || skip "openssl is not installed"
cd "$work" || exit 1
umask 000 # the mode is the command's own doing

run "$SKIFF" cert csr --cn hall-sensor --org "Jürgen & Söhne" --country DE
expect 0
[ "$(stat -c %a client.key)" = 600 ] || fail "the key has mode $(stat -c %a client.key)"
head -1 client.key | grep -qx -- "-----BEGIN PRIVATE KEY-----" || fail "the key is no plain PKCS#8"
openssl req -in client.csr -noout -verify 2>"$work/err" || fail "openssl does not take the request"
[ "$(openssl req -in client.csr -noout -subject -nameopt RFC2253,-esc_msb,utf8)" = "subject=CN=hall-sensor,O=Jürgen & Söhne,C=DE" ] ||
	fail "the subject is $(openssl req -in client.csr -noout -subject)"
openssl req -in client.csr -noout -text | grep -q "ecdsa-with-SHA256" || fail "another signature than by SHA-256"
[[ $out = *"https://test.mosquitto.org/ssl/"*"--data-urlencode csr@client.csr"* ]] || fail "the first step: $out"
[[ $out = *"skiff check mqtts://test.mosquitto.org:8884 --cafile mosquitto.org.crt --cert client.crt --key client.key" ]] ||
	fail "the second step: $out"

# again: the same key, another request
before=$(cat client.key)
run "$SKIFF" cert csr --cn other
expect 0
[ "$(cat client.key)" = "$before" ] || fail "the key was written over"
[[ $out = *"which was there"* ]] || fail "it is not said that the key was there: $out"
[ "$(openssl req -in client.csr -noout -pubkey)" = "$(openssl pkey -in client.key -pubout)" ] || fail "the request is of another key"
cp client.key other.pem
for file in client.key other.pem; do
	run "$SKIFF" cert csr --out $file
	expect 10 "is not written over"
	[ "$(cat $file)" = "$before" ] || fail "$file was written over"
done
echo "no key" >prose
run "$SKIFF" cert csr --key prose
expect 10 "name another one by '--key'"
run "$SKIFF" cert csr --key client.csr --out another.csr
expect 10 "should hold a private key, but holds a signing request"
run "$SKIFF" cert csr --key none/client.key
expect 10 "cannot write 'none/client.key'"
run "$SKIFF" cert csr --key full.key --out /dev/full
expect 10
run "$SKIFF" cert csr --country Germany
expect 2 "option '--country'"
long=$(printf 'ü%.0s' {1..64}) # 64 characters, more bytes
run "$SKIFF" cert csr --cn "$long" --key long.key --out long.csr
expect 0
for option in --cn --org; do
	run "$SKIFF" cert csr $option "${long}x" --key none.key
	expect 2 "option '$option': the name has 65 characters, a certificate's at most 64"
done
run "$SKIFF" cert csr --cn "$(printf 'a\377')" --key none.key --out none.csr
[ "$code" != 0 ] || fail "ill-formed UTF-8 is taken"
[ ! -e none.key ] && [ ! -e full.key ] || fail "a key is left of a request that failed"
run "$SKIFF" cert csr --cn ""
expect 2 "option '--cn'"

# the other kinds; standard output; a password, which nobody sees
for type in rsa ed25519; do
	run "$SKIFF" cert csr --key-type $type --key $type.key --out -
	expect 0
	openssl req -in "$work/out" -noout -verify 2>"$work/err" || fail "$type: openssl does not take the request"
	[ "$(grep -c . "$work/out")" = "$(sed -n '/BEGIN/,/END/p' "$work/out" | grep -c .)" ] || fail "more than the request is printed"
done
openssl pkey -in rsa.key -noout -text | grep -q "2048 bit" || fail "RSA of another size"
echo sesame >password
chmod 600 password
run "$SKIFF" cert csr --key sealed.key --out sealed.csr --key-password-file password
expect 0
head -1 sealed.key | grep -q "ENCRYPTED PRIVATE KEY" || fail "the key is not encrypted"
[ "$(stat -c %a sealed.key)" = 600 ] || fail "the encrypted key has mode $(stat -c %a sealed.key)"
run "$SKIFF" cert csr --key sealed.key --out sealed.csr
expect 10 "no password was given"
SKIFF_KEY_PASSWORD=sesame run "$SKIFF" cert csr --key sealed.key --out sealed.csr
expect 0
[[ $out$err != *sesame* ]] || fail "the password is shown"

# a CA's answer fits
"$SKIFF" cert lab certs >/dev/null 2>&1 || fail "no CA"
openssl x509 -req -in client.csr -CA certs/own-ca.crt -CAkey certs/own-ca.key -days 90 -out client.crt 2>"$work/err" || fail "the CA refuses"
run "$SKIFF" cert check --cert client.crt --key client.key --ca certs/own-ca.crt
expect 0
