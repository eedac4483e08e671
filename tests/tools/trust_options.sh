#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pins, known hosts, revocation lists, versions and ciphers mean on the command line what they say, and `skiff check`
# names the cause of each refusal.
. "$(dirname "$0")/common.sh"

sh "$(dirname "$0")/../../certs/make-certs.sh" "$work/certs" || fail "no certificates"
cd "$work" || exit 1
certs=$work/certs ca=$work/certs/own-ca.crt
pin_of() { echo "sha256//$(openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64)"; }
good=$(pin_of "$certs/good.crt") other=$(pin_of "$certs/chain.crt")
start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "certfile $certs/revoked.crt" "keyfile $certs/revoked.key"
revoked=$port
start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "certfile $certs/expired.crt" "keyfile $certs/expired.key"
expired=$port
start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "certfile $certs/good.crt" "keyfile $certs/good.key"
pub() { run "$SKIFF" pub -b "mqtts://127.0.0.1:$port" -t a -m x "$@"; }
# checked CODE CAUSE OPTION...
checked()
{
	local wanted=$1 cause=$2
	shift 2
	run "$SKIFF" check --json "mqtts://127.0.0.1:${door-$port}" "$@"
	[ "$code" = "$wanted" ] || fail "check $*: exit code $code, not $wanted: $out"
	[ -z "$cause" ] || [[ $out == *"\"cause\":\"$cause\""* ]] || fail "check $*: not $cause: $out"
}
# remedied TEXT: of the last checked
remedied() { [[ ${out#*\"remedy\":} == *"$1"* ]] || fail "the remedy has no $1: $out"; }

checked 0 "" --cafile "$ca" --pin "$other;$good"
checked 14 tls-pin-mismatch --cafile "$ca" --pin "$other"
checked 14 tls-unknown-ca --pin "$good"
pub --cafile "$ca" --pin nonsense
expect 2 "sha256//"

pub --known-hosts known
expect 0 "is trusted from now on"
pub --known-hosts known
expect 0
[[ $err != *trusted* ]] || fail "trusted twice"
[ "$(cat known)" = "127.0.0.1:$port $good" ] || fail "remembered: $(cat known)"
echo "127.0.0.1:$port $other" >known
checked 14 tls-pin-mismatch --known-hosts known
echo nonsense >known
checked 10 file-unreadable --known-hosts known

pub --known-hosts none/known
expect 10 "mkdir -p none"

checked 10 file-unreadable --cafile "$certs"
remedied "'--capath'"
mkdir crls && openssl crl -in "$certs/own-ca.crl" -out crls/own.crl && openssl rehash crls || fail "no directory of lists"
checked 0 "" --cafile "$ca" --crlpath crls
door=$revoked checked 14 tls-revoked --cafile "$ca" --crlpath crls
checked 0 "" --cafile "$ca" --crlfile crls
door=$revoked checked 14 tls-revoked --cafile "$ca" --crlfile crls
pub --cafile "$ca" --crlfile crls --crlpath crls
expect 10 "is a directory"
door=$revoked checked 14 tls-revoked --cafile "$ca" --crlfile "$certs/own-ca.crl"
openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out strange.key 2>/dev/null &&
	openssl req -x509 -key strange.key -subj /CN=strange -days 2 -out strange.crt && : >index.txt &&
	printf '[ca]\ndefault_ca=ca\n[ca]\ndatabase=index.txt\ndefault_md=sha256\n' >ca.conf &&
	openssl ca -config ca.conf -gencrl -keyfile strange.key -cert strange.crt -crldays 2 -out strange.crl 2>/dev/null ||
	fail "no list of another CA"
checked 14 tls-bad-chain --cafile "$ca" --crlfile strange.crl
remedied "openssl crl -noout -issuer"
checked 14 tls-ocsp --cafile "$ca" --ocsp required
checked 0 "" --cafile "$ca" --ocsp stapled
SSL_CERT_FILE=$ca checked 0 "" --cafile "$certs/web-root.crt" --ca-system

checked 0 "" --cafile "$ca" --tls-max 1.2 --ciphers ECDHE-ECDSA-CHACHA20-POLY1305
[[ $out == *ECDHE-ECDSA-CHACHA20-POLY1305* ]] || fail "another cipher: $out"
checked 0 "" --cafile "$ca" --tls-min 1.3 --cipher-suites TLS_AES_128_GCM_SHA256 --groups P-521
[[ $out == *TLS_AES_128_GCM_SHA256* ]] || fail "another suite: $out"
checked 14 tls-hostname-mismatch --cafile "$ca" --server-name other.example
remedied "'--server-name' gives"
checked 10 file-not-pem --cafile "$ca" --cert "$certs/client.crt"
remedied "'--key FILE'"
cat "$certs/own-ca.crt" "$certs/client.crt" >upside-down.crt
checked 10 key-mismatch --cafile "$ca" --cert upside-down.crt --key "$certs/client.key"
remedied "the order is not"
if command -v pkcs11-tool >/dev/null; then
	checked 10 "" --cafile "$ca" --cert pkcs11:token=none --key pkcs11:token=none
	remedied "--login --test"
fi
pub --cafile "$ca" --ciphers NONE
expect 2 "tls.ciphers"
pub --cafile "$ca" --tls-min 1.3 --tls-max 1.2
expect 2 "tls.min_version is above tls.max_version"
[[ $err != *enum* ]] || fail "two faults in one sentence: $err"

run "$SKIFF" pub -b "mqtts://127.0.0.1:$expired" -t a -m x --insecure --insecure-chain
expect 0 "the server's certificate has expired, "
[[ $err == *"days ago"* && $err != *"in -"* ]] || fail "when it expired: $err"

cp "$certs/client.key" open.key
chmod 644 open.key
checked 10 key-open --cafile "$ca" --cert "$certs/client.crt" --key open.key --strict-key-file
run "$SKIFF" pub -b "mqtt://127.0.0.1:$port" -t a -m x --pin "$good"
expect 2 "option '--pin': means nothing without TLS"
if has_paho; then
	for option in "--pin $good" "--known-hosts known" "--crlpath crls" "--ocsp stapled" "--tls-min 1.3" "--ca-system"; do
		# shellcheck disable=SC2086
		pub --engine paho --cafile "$ca" $option
		expect 2 "'paho'"
	done
fi
