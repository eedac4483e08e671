#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A client certificate opens the lab's 8884 in each of the forms that people are given: PEM, DER, PKCS#12, encrypted or
# not, of today or of old, with the chain in any order; the engine paho names what it does not read.
. "$(dirname "$0")/lab_common.sh"

cat >"$work/inside.sh" <<'INSIDE'
set -u
skiff=$1 work=$2 wrong= certs=$SKIFF_LAB_DIR/certs
cd "$work" || exit 1
bad()
{
	wrong=1
	echo "FAIL: $*" >&2
}
make() { "$@" >made 2>&1 || bad "$*: $(cat made)"; }
# opens OPTION...: 8884 takes this client; fails CODE TEXT OPTION...: this is said
opens()
{
	"$skiff" check --connect-only --cafile "$SKIFF_LAB_CA" "$@" "$SKIFF_LAB_URL_8884" >out 2>&1 || bad "$*: $? $(cat out)"
}
fails()
{
	local wanted=$1 text=$2
	shift 2
	"$skiff" pub -t forms -m x -b "$SKIFF_LAB_URL_8884" --cafile "$SKIFF_LAB_CA" "$@" >out 2>&1
	[ $? = "$wanted" ] || bad "$*: not exit code $wanted: $(cat out)"
	grep -qF "$text" out || bad "$*: no '$text': $(cat out)"
	grep -q sesame out && bad "$*: the password is shown"
}
echo sesame >password
echo wrong >other
chmod 600 password other

make openssl x509 -in "$SKIFF_LAB_CERT" -outform der -out client.cer
make openssl pkey -in "$SKIFF_LAB_KEY" -outform der -out client.der
make openssl pkcs8 -topk8 -in "$SKIFF_LAB_KEY" -outform der -out sealed.der -passout file:password
make openssl x509 -in "$SKIFF_LAB_CA" -outform der -out ca.cer
make openssl pkcs12 -export -in "$SKIFF_LAB_CERT" -inkey "$SKIFF_LAB_KEY" -out open.p12 -passout pass:
make openssl pkcs12 -export -in "$SKIFF_LAB_CERT" -inkey "$SKIFF_LAB_KEY" -out sealed.p12 -passout file:password
make openssl pkcs12 -export -legacy -in "$SKIFF_LAB_CERT" -inkey "$SKIFF_LAB_KEY" -out old.pfx -passout file:password
# the intermediate that signed it stands behind the root here
{ cat "$certs/client-chain.crt" "$certs/own-ca.crt"; } >chain.pem
make openssl pkcs12 -export -in "$certs/client-chain.crt" -inkey "$certs/client-chain.key" -certfile chain.pem -out chain.p12 \
	-passout file:password
chmod 600 ./*.der ./*.p12 ./*.pfx

opens --cert "$SKIFF_LAB_CERT" --key "$SKIFF_LAB_KEY"
opens --cert client.cer --key client.der
opens --cert client.cer --key sealed.der --key-password-file password
opens --cert open.p12
opens --cert sealed.p12 --key-password-file password
opens --cert old.pfx --key-password-file password
opens --cert sealed.p12 --key-password-file password --warn-days 36500
grep -q "the client.s certificate .* ends in" out || bad "days of a bundle: $(cat out)"
opens --cert chain.p12 --key-password-file password
"$skiff" check --connect-only --cafile ca.cer --cert open.p12 "$SKIFF_LAB_URL_8884" >out 2>&1 || bad "a CA in DER: $(cat out)"
for way in PBE-MD5-DES PBE-SHA1-RC2-40; do
	make openssl pkcs8 -topk8 -in "$SKIFF_LAB_KEY" -v1 $way -provider legacy -provider default -out old.key -passout file:password
	opens --cert client.cer --key old.key --key-password-file password
	fails 10 "the password does not open" --cert client.cer --key old.key --key-password-file other
	make openssl pkcs8 -topk8 -in "$SKIFF_LAB_KEY" -v1 $way -provider legacy -provider default -outform der -out old.der \
		-passout file:password
	opens --cert client.cer --key old.der --key-password-file password
done
make openssl ec -in "$SKIFF_LAB_KEY" -des -provider legacy -provider default -out older.key -passout file:password
fails 10 "openssl pkey -provider legacy" --cert client.cer --key older.key --key-password-file password
fails 10 "no password was given" --cert sealed.p12
fails 10 "the password does not open" --cert sealed.p12 --key-password-file other
fails 10 "the password does not open" --cert client.cer --key sealed.der --key-password-file other
fails 10 "holds a private key" --cert client.der
if "$skiff" help engines | grep -q '^ *paho'; then
	fails 2 "the engine 'paho' reads PEM only" --engine paho --cert open.p12
	fails 2 "the engine 'paho' reads PEM only" --engine paho --cert "$SKIFF_LAB_CERT" --key client.der
fi
[ -z "$wrong" ]
INSIDE
"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" || fail "see above"
