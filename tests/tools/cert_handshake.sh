#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff cert handshake` accepts a server or not by its exit code, sends nothing above TLS, ends at once, and waits for the
# word of a server that asked for a certificate.
. "$(dirname "$0")/common.sh"
command -v openssl >/dev/null || skip "openssl is not installed"
command -v jsonschema >/dev/null || skip "no jsonschema"
schemas=$(cd "$(dirname "$0")/../../docs/schema" && pwd)
cd "$work" || exit 1
"$SKIFF" cert lab certs >/dev/null 2>&1 || fail "no certificates"
mkfifo input
exec 9<>input # which never ends, as s_server would with it
trust=(--cafile certs/own-ca.crt)
# serve NAME [OPTION]...: one certificate of the lab at $port
serve()
{
	local name=$1
	shift
	for _ in 1 2 3 4 5; do
		free_port
		in_background openssl s_server -accept "127.0.0.1:$port" -cert "certs/$name.crt" -key "certs/$name.key" "$@" <&9
		served() { listens "$port" || ! alive "$pid"; }
		await "the server of $name" served
		alive "$pid" && return
	done
	fail "no server of $name: $(cat "$stderr")"
}
shake() { run "$SKIFF" cert handshake "$@"; }

serve good
good=$port log=$stdout
shake "${trust[@]}" "mqtts://127.0.0.1:$port"
expect 0
[[ $out =~ ^"mqtts://127.0.0.1:$port: accepted, TLSv1.3, TLS_AES_256_GCM_SHA384, full handshake, O = skiff, CN = test.mosquitto.org, "[0-9.]+" ms"$ ]] ||
	fail "its line: $out"
for scheme in ssl tls wss; do
	shake "${trust[@]}" "$scheme://127.0.0.1:$port"
	expect 0
done
shake --quiet "${trust[@]}" "mqtts://127.0.0.1:$port"
expect 0
[ -z "$out$err" ] || fail "--quiet says '$out$err'"
shake --quiet "mqtts://127.0.0.1:$port"
expect 14
[ -z "$out$err" ] || fail "--quiet says '$out$err'"
shake "mqtts://127.0.0.1:$port"
expect 14 "which is not in the system's trust store"
shake "${trust[@]}" --server-name test.mosquitto.org "mqtts://127.0.0.1:$port"
expect 0
shake "${trust[@]}" --server-name other.example "mqtts://127.0.0.1:$port"
expect 14 "other.example"
shake "${trust[@]}" --server-name other.example --insecure "mqtts://127.0.0.1:$port"
expect 0
shake --insecure-chain "mqtts://127.0.0.1:$port"
expect 0
! grep -aq 'MQTT\|GET ' "$log" || fail "something was sent above TLS: $(cat "$log")"
shake --json "${trust[@]}" "mqtts://user:secret@127.0.0.1:$port"
expect 0
[[ $out = *'"ok":true,"exit":0,"cause":null'* && $out != *secret* ]] || fail "its JSON: $out"
cp "$work/out" json.1
shake --json "mqtts://127.0.0.1:$port"
expect 14
[[ $out = *'"ok":false,"exit":14,"cause":"tls-unknown-ca"'* ]] || fail "its JSON of a refusal: $out"
cp "$work/out" json.2
PYTHONWARNINGS=ignore jsonschema -i json.1 -i json.2 "$schemas/cert-handshake-1.json" >made 2>&1 || fail "schema: $(cat made)"

serve expired
shake "${trust[@]}" "mqtts://127.0.0.1:$port"
expect 14 "expired on"

# client certificates: refused behind the handshake, accepted, and a server that does not say; in both versions
for version in -tls1_2 -tls1_3; do
	serve good $version -Verify 1 -CAfile certs/own-ca.crt -verify_return_error
	shake "${trust[@]}" "mqtts://127.0.0.1:$port"
	expect 14 "requires a client certificate"
	shake "${trust[@]}" --cert certs/client.crt --key certs/client.key "mqtts://127.0.0.1:$port"
	expect 0
	shake "${trust[@]}" --cert certs/client-stranger.crt --key certs/client-stranger.key "mqtts://127.0.0.1:$port"
	expect 14 "rejected the client certificate"
done
serve good -tls1_3 -verify 1 -CAfile certs/own-ca.crt -num_tickets 0
shake "${trust[@]}" --cert certs/client.crt --key certs/client.key "mqtts://127.0.0.1:$port"
expect 0

# what is not the server's fault, or no TLS at all
shake "mqtt://127.0.0.1:$good"
expect 2 "has no TLS"
shake --ws-header a:b "wss://127.0.0.1:$good"
expect 2 "option '--ws-header'"
shake --cafile none.crt "mqtts://127.0.0.1:$good"
expect 10
shake "${trust[@]}" mqtts://no-such-host.invalid
expect 11
free_port
shake "${trust[@]}" "mqtts://127.0.0.1:$port"
expect 12
shake "${trust[@]}" --proxy "http://127.0.0.1:$port" "mqtts://127.0.0.1:$good"
expect 12
# with --json these are one object each, too; the sentence on standard error stays
faults=()
faulty() # CODE OPTION...
{
	local wanted=$1
	shift
	shake --json "$@" "mqtts://user:secret@127.0.0.1:$good"
	[ "$code" = "$wanted" ] || fail "'$*': exit code $code, not $wanted: $err"
	[[ $out = '{"schema":"skiff.cert-handshake/1","url":"mqtts://127.0.0.1:'$good'","ok":false,"exit":'$wanted',"cause":"'*'"tls_ms":null}' &&
		$err = "skiff cert handshake: "* && $out$err != *secret* ]] || fail "'$*': $out; $err"
	cp "$work/out" "fault.${#faults[@]}"
	faults+=(-i "fault.${#faults[@]}")
}
echo wrong >other
chmod 600 other
openssl pkcs12 -export -in certs/client.crt -inkey certs/client.key -passout pass:right -out own.p12
faulty 10 --cafile none.crt
faulty 10 "${trust[@]}" --cert certs/client.crt --key certs/client-chain.key
faulty 10 "${trust[@]}" --cert certs/client-expired.crt --key certs/client-expired.key
faulty 10 "${trust[@]}" --cert own.p12 --key-password-file other
faulty 10 "${trust[@]}" --cert own.p12 --key-password-file none
faulty 2 "${trust[@]}" --pin nonsense
faulty 2 "${trust[@]}" -4 -6
faulty 2 "${trust[@]}" --ws-header a:b
PYTHONWARNINGS=ignore jsonschema "${faults[@]}" "$schemas/cert-handshake-1.json" >made 2>&1 || fail "schema: $(cat made)"
serve good -www -tls1_3 # no proxy
shake "${trust[@]}" --proxy "http://127.0.0.1:$port" "mqtts://127.0.0.1:$good"
expect 13
start_broker
shake "${trust[@]}" "mqtts://127.0.0.1:$port"
expect 14
