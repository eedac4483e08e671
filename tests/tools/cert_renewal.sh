#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A running `skiff sub` takes up a renewed certificate with its next connection, by itself or told to by SIGHUP; one that
# is half-written is named, and the old one goes on.
. "$(dirname "$0")/common.sh"

sh "$(dirname "$0")/../../certs/make-certs.sh" "$work/certs" || fail "no certificates"
cd "$work" || exit 1
certs=$work/certs
conf=("listener PORT 127.0.0.1" "cafile $certs/own-ca.crt" "certfile $certs/good.crt" "keyfile $certs/good.key"
	"require_certificate true" "use_identity_as_username true")
start_broker "${conf[@]}"
cp "$certs/client.crt" mine.crt
cp "$certs/client.key" mine.key
in_background "$SKIFF" sub -b "mqtts://127.0.0.1:$port" --cafile "$certs/own-ca.crt" --cert mine.crt --key mine.key -t a -i sub
as() { broker_logged "as sub (.*u'$1'"; }
await "the first connection" as tester

head -c 300 "$certs/client-chain.crt" >mine.crt
kill -HUP "$pid"
await "what SIGHUP found" grep -q "mine.crt.*stays in use" "$stderr"

cp "$certs/client-chain.key" mine.key
cp "$certs/client-chain.crt" mine.crt
kill -HUP "$pid"
await "what SIGHUP found then" grep -q "certificates were read again" "$stderr"
stop_broker
restart_broker "${conf[@]}"
await "the connection by the new one" as "tester by intermediate"

cp "$certs/client.key" mine.key # nobody says so
cp "$certs/client.crt" mine.crt
: >"$work/broker.log"
stop_broker
restart_broker "${conf[@]}"
await "the connection by the newest" as tester
kill -INT "$pid"
collect "$pid"
[ "$code" = 130 ] || fail "sub ended with $code"
