#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `skiff check` says is to be done helps when it is done to the letter, in a shell: for a self-signed certificate, a
# CA that is not known, a name that is not the certificate's, a client certificate that is wanted, credentials, and a
# version of MQTT.
. "$(dirname "$0")/common.sh"
certs=$(cd "$(dirname "$0")/../../certs" && pwd)
PATH=$(cd "$(dirname "$SKIFF")" && pwd):$PATH
cd "$work" || exit 1
sh "$certs/make-certs.sh" -a "$work/certs" || fail "no certificates"

# expect_failure CODE CAUSE OPTION...: of check at $url; what is to be done comes in $remedy
expect_failure()
{
	local wanted=$1 cause=$2
	shift 2
	run skiff check --json "$@" "$url"
	[ "$code" = "$wanted" ] || fail "check $* $url: exit code $code, not $wanted: $out"
	[[ $out = *"\"cause\":\"$cause\""* ]] || fail "check $* $url: not $cause: $out"
	remedy=$(echo "$out" | sed 's/.*"remedy":"//; s/","url":.*//; s/\\"/"/g')
}

# follow: runs what stands between quotes in the remedy, one after the other; the last must succeed
follow()
{
	local rest=$remedy count=0
	while [[ $rest = *"'"*"'"* ]]; do
		rest=${rest#*\'}
		sh -c "${rest%%\'*}" >"$work/followed" 2>&1 || fail "'${rest%%\'*}' fails: $(cat "$work/followed")"
		rest=${rest#*\'}
		count=$((count + 1))
	done
	[ "$count" -gt 0 ] || fail "nothing to do in: $remedy"
}
# option TEXT: whether the remedy has it
option() { [[ $remedy = *"$1"* ]] || fail "no $1 in: $remedy"; }
tls_broker()
{
	start_broker "listener PORT 127.0.0.1" "allow_anonymous true" "certfile $work/certs/$1.crt" "keyfile $work/certs/$1.key" "${@:2}"
	url=mqtts://127.0.0.1:$port
}

# A certificate of a name and of no address; what is trusted is compared with it as it stands.
openssl req -x509 -newkey rsa:2048 -nodes -keyout certs/mine.key -out certs/mine.crt -days 9 -subj /CN=mine \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null || fail "no self-signed certificate"
tls_broker mine
expect_failure 14 tls-self-signed --cafile certs/own-ca.crt
follow

tls_broker good
cp certs/own-ca.crt CA.pem
expect_failure 14 tls-unknown-ca --cafile certs/mine.crt -i mine
option "skiff check --cafile CA.pem -i mine mqtts://"
follow

# What is to be tried next has the options that were given.
run skiff check -i mine --cafile CA.pem "wss://127.0.0.1:$port/mqtt"
[ "$code" = 15 ] || fail "MQTT over TLS as WebSocket: exit code $code"
remedy="'$(echo "$out" | sed -n 's/^  Next: //p')'"
option "skiff check -i mine --cafile CA.pem mqtts://127.0.0.1:$port"
follow

tls_broker wrong-host
expect_failure 14 tls-hostname-mismatch --cafile CA.pem
option "--server-name NAME"
run skiff check --cafile CA.pem --server-name other.example "$url"
expect 0

tls_broker cn-only
expect_failure 14 tls-hostname-mismatch --cafile CA.pem --server-name test.mosquitto.org
option "this one lists no name"
option "--accept-common-name"
run skiff check --cafile CA.pem --server-name test.mosquitto.org --accept-common-name "$url"
expect 0
tls_broker good "tls_version tlsv1.3"
expect_failure 14 tls-version --cafile CA.pem --tls-max 1.2
option "'--tls-max'"
tls_broker good "ciphers ECDHE-ECDSA-AES256-GCM-SHA384"
expect_failure 14 tls-no-shared-cipher --cafile CA.pem --tls-max 1.2 --ciphers ECDHE-ECDSA-CHACHA20-POLY1305
option "'--ciphers'"
tls_broker constrained-elsewhere
expect_failure 14 tls-hostname-mismatch --cafile CA.pem --server-name test.mosquitto.org
option "by another CA"

tls_broker good "require_certificate true" "cafile $work/certs/own-ca.crt"
expect_failure 14 tls-client-cert-required --cafile CA.pem
option "--cert client.crt --key client.key"
cp certs/client.crt certs/client.key .
chmod 600 client.key
run skiff check --cafile CA.pem --cert client.crt --key client.key "$url"
expect 0

mosquitto_passwd -b -c users kara gara || fail "no users"
start_broker "listener PORT 127.0.0.1" "password_file $work/users"
expect_failure 16 mqtt-not-authorised
option "-u NAME --pw-file FILE"
[[ $out = *"no user name was sent"* ]] || fail "it does not say that no user name was sent: $out"
echo gara >FILE
chmod 600 FILE
run skiff check -u kara --pw-file FILE "$url"
expect 0

# A URL that a shell would take apart stands in quotes.
tls_broker good
url="$url/a\$b'c d"
expect_failure 2 usage-url --cafile certs/mine.crt
url="wss://127.0.0.1:$port/a?b=1&c=(2)"
run skiff check --cafile certs/mine.crt "$url"
[[ $out = *"skiff check --cafile CA.pem 'wss://127.0.0.1:$port/a?b=1&c=(2)'"* ]] || fail "not for a shell: $out"

# A port of many protocols takes MQTT only from whom asks for it in TLS; a certificate that is not for clients is told of.
command -v python3 >/dev/null || exit 0
cat >alpn.py <<'PYTHON'
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certs/good.crt", "certs/good.key")
context.set_alpn_protocols(["mqtt"])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    plain, _ = listener.accept()
    try:
        plain.settimeout(5)
        far = context.wrap_socket(plain, server_side=True)
        version = 5 if b"MQTT\x05" in far.recv(4096) else 4
        if far.selected_alpn_protocol() == "mqtt":
            far.sendall(b"\x20\x03\x00\x00\x00" if version == 5 else b"\x20\x02\x00\x00")
            far.recv(4096)
        far.close()
    except OSError:
        plain.close()
PYTHON
in_background python3 alpn.py
await "the server with ALPN" test -s "$stdout"
url=mqtts://127.0.0.1:$(cat "$stdout")
expect_failure 16 mqtt-closed --cafile CA.pem --connect-only
option "--tls-alpn mqtt --cafile CA.pem mqtts://"
remedy=${remedy/skiff check/skiff check --connect-only}
follow

tls_broker good
run skiff check --json --cafile CA.pem --cert certs/client-wrong-purpose.crt --key certs/client-wrong-purpose.key "$url"
[[ $out = *"is not for clients"* ]] || fail "a certificate for servers is not told of: $out"
