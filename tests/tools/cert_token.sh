#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A certificate and a key that never leave their PKCS#11 token open a broker's door; the PIN comes from a file or the
# environment, and what the token refuses is named.
. "$(dirname "$0")/common.sh"

for program in softhsm2-util pkcs11-tool openssl; do
	command -v $program >/dev/null || skip "$program is not installed"
done
module=$(find /usr/lib* /opt/homebrew/lib -name libsofthsm2.so 2>/dev/null | head -n 1)
[ -n "$module" ] || skip "the module of softhsm2 is not found"
openssl engine -t pkcs11 2>/dev/null | grep -q available || skip "OpenSSL has no engine pkcs11 here"

here=$(cd "$(dirname "$0")" && pwd)
cd "$work" || exit 1
mkdir tokens
echo "directories.tokendir = $work/tokens" >softhsm2.conf
export SOFTHSM2_CONF="$work/softhsm2.conf" PKCS11_MODULE_PATH="$module"
{
	sh "$here/../../certs/make-certs.sh" certs
	softhsm2-util --init-token --free --label skiff --pin 4711 --so-pin 0815 || exit 1
	openssl pkey -in certs/client.key -outform der -out key.der
	openssl x509 -in certs/client.crt -outform der -out crt.der
	pkcs11-tool --module "$module" --login --pin 4711 --write-object key.der --type privkey --id 01 --label me
	pkcs11-tool --module "$module" --login --pin 4711 --write-object crt.der --type cert --id 01 --label me
} >made 2>&1 || fail "no token: $(cat made)"
echo 4711 >pin
echo 4712 >other
chmod 600 pin other

start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "cafile $work/certs/own-ca.crt" \
	"certfile $work/certs/good.crt" "keyfile $work/certs/good.key" "require_certificate true" "use_identity_as_username true"
uri="pkcs11:token=skiff;object=me"
pub() { run "$SKIFF" pub -b "mqtts://127.0.0.1:$port" --cafile certs/own-ca.crt -t a -m x "$@"; }
pub --cert "$uri" --key "$uri" --key-password-file pin
expect 0
broker_logged "u'tester'" || fail "the token's certificate was not shown"
pub --cert certs/client.crt --key "$uri;type=private" --key-password-file pin
expect 0
SKIFF_KEY_PASSWORD=4711 pub --cert "$uri"
expect 0
for version in 1.2 1.3; do
	pub --cert "$uri" --key-password-file pin --tls-min $version --tls-max $version
	expect 0
done
pub --cert "$uri" --key-password-file other
expect 10 "PIN"
pub --cert "$uri"
expect 10 "PIN"
pub --cert "pkcs11:token=skiff;object=nobody" --key-password-file pin
expect 10 "has no such certificate"
pub --cert "$uri;pin-value=4711"
expect 2 "pin-value"
pub --cert certs/good.crt --key "$uri" --key-password-file pin
expect 10 "does not belong"
PKCS11_MODULE_PATH=/nowhere.so pub --cert "$uri" --key-password-file pin
expect 10 "PKCS11_MODULE_PATH"
unset PKCS11_MODULE_PATH
pub --cert "$uri?module-path=$module" --key "$uri?module-path=$module" --key-password-file pin
expect 0
pub --cert "handle:0x81000001"
expect 10 "tpm2"
run "$SKIFF" check --cafile certs/own-ca.crt --cert "$uri?module-path=$module" --key-password-file pin "mqtts://127.0.0.1:$port"
expect 0
if has_paho; then
	pub --engine paho --cert "$uri"
	expect 2 "tls.cert_file"
fi
grep -rq "471[12]" out err && fail "a PIN is shown"
exit 0
