#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff cert check` finds everything that is wrong with certificate, key and CA, and says what to do; what it lets pass is
# good for skiff; its JSON is of its schema.
. "$(dirname "$0")/common.sh"
command -v openssl >/dev/null || skip "openssl is not installed"
command -v jsonschema >/dev/null || skip "no jsonschema"
schemas=$(cd "$(dirname "$0")/../../docs/schema" && pwd)
cd "$work" || exit 1
"$SKIFF" cert lab certs >/dev/null 2>&1 || fail "no certificates"
valid=()
# finds CODE "LEVEL CHECK..." OPTION...: exit code, and what is not ok, in its order; the rest of the JSON is kept
finds()
{
	local wanted=$1 levels=$2 got
	shift 2
	run "$SKIFF" cert check --json "$@"
	[ "$code" = "$wanted" ] || fail "'$*': exit code $code, not $wanted: $out"
	cp "$work/out" "json.${#valid[@]}"
	got=$(tr '{' '\n' <"$work/out" | sed -n 's/^"check":"\([a-z]*\)","level":"\([wf][a-z]*\)".*/\2 \1/p' | sort -u | tr '\n' ' ')
	[ "$got" = "$levels${levels:+ }" ] || fail "'$*' finds '$got', not '$levels': $out"
	valid+=(-i "json.${#valid[@]}")
}
says() { [[ $out = *"$1"* ]] || fail "no '$1' in: $out"; }
client() # NAME CODE FINDINGS [OPTION]...
{
	local name=$1 wanted=$2 findings=$3
	shift 3
	finds "$wanted" "$findings" --cert "certs/$name.crt" --key "certs/$name.key" --ca certs/own-ca.crt --crl certs/own-ca.crl "$@"
}
server() { client "$@" --host test.mosquitto.org; }

# every case of the table
client client 0 ""
says '"load","level":"ok"'
client client-chain 0 ""
client client-enc 10 "fail key"
says "no password was given"
SKIFF_KEY_PASSWORD=lab client client-enc 0 ""
SKIFF_KEY_PASSWORD=wrong client client-enc 10 "fail key"
says "the password does not open it"
client client-expired 10 "fail dates"
client client-not-yet-valid 10 "fail dates"
client client-weak-key 10 "fail strength"
client client-key-mismatch 10 "fail match"
client client-not-pem 10 "fail certificate"
client client-stranger 10 "fail chain"
client client-revoked 10 "fail chain"
says "certificate revoked"
client client-wrong-purpose 10 "fail purpose"
server good 0 ""
server chain 0 ""
server wildcard 0 ""
server expired 10 "fail dates"
server expired-intermediate 10 "fail dates"
server not-yet-valid 10 "fail dates"
for name in wrong-host ip-only cn-only wildcard-partial; do
	server $name 10 "fail name"
done
for name in self-signed unknown-ca unknown-ca-sent missing-intermediate bad-chain revoked; do
	server $name 10 "fail chain"
done
server wrong-purpose 10 "fail purpose"
server weak-key 10 "fail strength"
server weak-digest 10 "fail strength"

# several at a time, and the other ways in which files are wrong
chmod 644 certs/client.key
finds 10 "fail chain fail dates fail match fail name warn permissions" --cert certs/expired.crt --key certs/client.key \
	--ca certs/stranger-ca.crt --host elsewhere.example
says "every user of this machine"
chmod 640 certs/client.key
client client 0 "warn permissions"
says "its group"
chmod 600 certs/client.key
client client 0 "warn dates" --warn-days 900
openssl req -new -key certs/client.key -subj /CN=x -out x.csr 2>/dev/null
openssl pkey -in certs/client.key -pubout -out x.pub
finds 10 "fail certificate fail key" --cert x.csr --key x.pub
says "holds a signing request"
says "holds a public key"
finds 10 "fail certificate fail key" --cert certs/client.key --key certs/client.crt
finds 10 "fail key warn chain" --cert certs/client.crt
says "no '--key' is given"
finds 10 "fail certificate fail key" --cert none.crt --key none.key
sed '3s/^..../AAAA/' certs/client.crt >broken.pem
finds 10 "fail certificate" --cert broken.pem --key certs/client.key
says "it is damaged"
{ cat certs/own-int.crt; openssl x509 -in certs/client-chain.crt; } >order.pem
finds 10 "fail match fail purpose warn order" --cert order.pem --key certs/client-chain.key --ca certs/own-ca.crt
says "its own must be the first"
{ openssl x509 -in certs/client-chain.crt; cat certs/own-ca.crt certs/own-int.crt; } >order.pem
finds 0 "warn order" --cert order.pem --key certs/client-chain.key --ca certs/own-ca.crt
finds 10 "fail revocation" --cert certs/client.crt --key certs/client.key --ca certs/own-ca.crt --crl certs/own-int.crt
finds 10 "fail ca" --cert certs/client.crt --key certs/client.key --ca none.crt
# each of four files is told of, whatever is wrong with the others
echo garbage >garbage
: >empty
finds 10 "fail ca fail certificate fail key fail revocation" --cert garbage --key garbage --ca garbage --crl garbage
finds 10 "fail ca fail revocation" --cert certs/client.crt --key certs/client.key --ca empty --crlfile empty
client client-revoked 10 "fail chain" --crlfile certs/own-ca.crl
# a directory of lists serves as well, unless the one that is needed is not in it
mkdir lists none && openssl crl -in certs/own-ca.crl -out lists/own.crl && openssl rehash lists || fail "no directory of lists"
client client 0 "" --crl lists
client client-revoked 10 "fail chain" --crl lists
client client 10 "fail chain" --crl none
says "its directory"
# a token is not looked into: no failure; its PIN is not shown
finds 0 "warn certificate" --cert "pkcs11:token=x?pin-value=4711" --ca certs/own-ca.crt
says "skiff cert handshake"
[[ $out != *4711* ]] || fail "the PIN is shown: $out"
finds 0 "warn key" --cert certs/client.crt --key handle:0x81000001 --ca certs/own-ca.crt
finds 10 "fail dates warn key" --cert certs/client-expired.crt --key handle:0x81000001 --ca certs/own-ca.crt
# whom a server trusts is not known here, whom clients trust is
finds 0 "warn chain" --cert certs/client.crt --key certs/client.key
finds 10 "fail chain" --cert certs/good.crt --key certs/good.key --host localhost
SSL_CERT_FILE=certs/own-ca.crt finds 0 "" --cert certs/good.crt --key certs/good.key --host ::1
mkdir ca.d && cp certs/own-ca.crt ca.d && openssl rehash ca.d
finds 0 "" --cert certs/client.crt --key certs/client.key --ca ca.d
# forms, and Windows line ends
for file in client.crt client.key own-ca.crt; do
	sed 's/$/\r/' certs/$file >crlf-$file
done
chmod 600 crlf-client.key
finds 0 "" --cert crlf-client.crt --key crlf-client.key --cafile crlf-own-ca.crt
openssl pkcs12 -export -in certs/client-chain.crt -inkey certs/client-chain.key -out both.p12 -passout pass:
chmod 600 both.p12
finds 0 "" --cert both.p12 --ca certs/own-ca.crt
openssl pkcs12 -export -in certs/client.crt -inkey certs/client.key -out single.p12 -passout pass:
chmod 600 single.p12
finds 0 "" --cert single.p12 --ca certs/own-ca.crt
says "holds 1 certificate"

run "$SKIFF" cert check --cert certs/expired.crt --key certs/expired.key --ca certs/own-ca.crt --host localhost
expect 10
[[ $out = *"fail  dates        the certificate expired on 2021-01-01T00:00:00Z"*"have it renewed"*"failed: "*" 1 fail" ]] || fail "the page: $out"
PYTHONWARNINGS=ignore jsonschema "${valid[@]}" "$schemas/cert-check-1.json" >made 2>&1 || fail "schema: $(head -5 made)"
