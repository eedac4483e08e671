#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No secret is shown: neither password, of an option, of the URL, or of a key, nor a will's payload, nor the value of a
# header of the upgrade; not in what is logged and said, with --debug and in failure too, and the passwords not in the
# list of processes either. (A header and a will stand on the command line by the user's own wish.)
. "$(dirname "$0")/common.sh"

# silent FILE...: none of them has a canary
silent()
{
	! grep -q -a "c4n4ry" "$@" || fail "shown in $*: $(grep -a -h -m 1 "c4n4ry" "$@")"
}
# hidden PID: its command line has no password
hidden()
{
	! tr '\0' '\n' <"/proc/$1/cmdline" | grep -q "c4n4ry-p" || fail "/proc/PID/cmdline shows a password"
}
# pub CODE OPTION...: by --debug, with this exit code and no canary
pub()
{
	local wanted=$1
	shift
	run "$SKIFF" pub -d -t a -m x "$@"
	expect "$wanted"
	[ -s "$work/err" ] || fail "--debug says nothing"
	silent "$work/out" "$work/err"
}

mosquitto_passwd -c -b "$work/passwords" me c4n4ry-p 2>/dev/null || skip "mosquitto_passwd is not installed"
chmod 644 "$work/passwords"
will=(--will-topic gone --will-payload c4n4ry-will)
header=(--ws-header "X-Token: c4n4ry-header")

start_broker "listener PORT 127.0.0.1" "password_file $work/passwords"
open=127.0.0.1:$port
pub 0 -b "mqtt://$open" -u me -P c4n4ry-p "${will[@]}" -q 2
pub 0 -b "mqtt://me:c4n4ry-p@$open" "${will[@]}"
SKIFF_PASSWORD=c4n4ry-p pub 0 -b "mqtt://$open" -u me -V 311 "${will[@]}"
pub 16 -b "mqtt://$open" -u me -P c4n4ry-p-not "${will[@]}"
pub 16 -b "mqtt://me:c4n4ry-p-not@$open" "${will[@]}"
pub 14 -b "mqtts://me:c4n4ry-p@$open" "${will[@]}"
pub 15 -b "ws://me:c4n4ry-p@$open" "${will[@]}" "${header[@]}"
pub 11 -b "mqtt://me:c4n4ry-p@no-such-host.invalid" "${will[@]}"
pub 2 -b "mqtt://me:c4n4ry-p@$open:what" "${will[@]}"
pub 2 -b "nonsense://me:c4n4ry-p@$open" "${will[@]}"
pub 2 -b "mqtt://me:c4n4ry-p@$open" "${header[@]}"
free_port
pub 12 -b "mqtt://me:c4n4ry-p@127.0.0.1:$port" "${will[@]}"
pub 12 -b "ws://me:c4n4ry-p@127.0.0.1:$port" "${will[@]}" "${header[@]}"

proxy=me:c4n4ry-p
pub 12 -b "mqtt://$open" --proxy "socks5h://$proxy@127.0.0.1:$port"
pub 13 -b "mqtt://$open" --proxy "socks5://$proxy@$open"
pub 13 -b "mqtt://$open" --proxy "http://$proxy@$open"
pub 2 -b "mqtt://$open" --proxy "socks4://$proxy@$open"
pub 2 -b "mqtt://$open" --proxy "socks5h://$proxy@$open:what"
all_proxy=socks5h://$proxy@$open pub 13 -b "mqtt://$open" --proxy-env
all_proxy=socks5h://$proxy%@$open pub 2 -b "mqtt://$open" --proxy-env

# A crash leaves no core file, however large that might be.
mkdir "$work/crash"
cd "$work/crash" || exit 1
ulimit -S -c unlimited 2>/dev/null
start_sub -t a -u me -P c4n4ry-p
[ "$(awk '/^Max core file size/ { print $5 }' "/proc/$sub/limits")" -le 1 ] || fail "core files are not off"
kill -ABRT "$sub"
collect "$sub" 2>/dev/null
[ "$code" = 134 ] || fail "sub did not crash: $code"
[ -z "$(ls -A)" ] || fail "a core file: $(ls -A)"
cd "$work" || exit 1

# Living on, over a broker that goes and comes back.
url=mqtt://me:c4n4ry-p@$open
start_sub -d -t a "${will[@]}"
hidden "$sub"
by_url=$sub by_url_err=$stderr
in_background "$SKIFF" sub -d -b "mqtt://$open" -i by-option -u me -P c4n4ry-p -t a "${will[@]}"
await "the second subscription" broker_logged "Sending SUBACK to by-option"
hidden "$pid"
stop_broker
for file in "$by_url_err" "$stderr"; do
	await "the loss" grep -q "up -> waiting" "$file"
done
port=${open#*:}
restart_broker "listener PORT 127.0.0.1" "password_file $work/passwords"
back() { [ "$(grep -c "Sending SUBACK to $1" "$work/broker.log")" -ge 2 ]; }
awaited back sub # a broker that was slow to start is looked for again only after a while
await "the first one's return" back sub
await "the second one's return" back by-option
hidden "$by_url"
hidden "$pid"
kill "$by_url" "$pid"
collect "$by_url"
collect "$pid"
silent "$work"/background.*
stop_broker

# A key's password, right and wrong; and the header where the upgrade succeeds.
command -v openssl >/dev/null || skip "openssl is not installed, and so no key with a password"
(
	cd "$work" || exit 1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -out own.crt -days 2 \
		-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 &&
		openssl pkey -in own.key -aes256 -passout pass:c4n4ry-key-p -out locked.key
) >"$work/openssl.log" 2>&1 || skip "openssl cannot make certificates: $(tail -1 "$work/openssl.log")"
chmod 600 "$work"/*.key
# a mosquitto of WebSockets alone does not start
start_broker "listener 0 $work/sock" "allow_anonymous true" "listener PORT 127.0.0.1" "socket_domain ipv4" \
	"protocol websockets" "certfile $work/own.crt" "keyfile $work/own.key"
own=(--cafile "$work/own.crt" --cert "$work/own.crt" --key "$work/locked.key")
echo c4n4ry-key-p >"$work/right" && echo c4n4ry-key-p-not >"$work/wrong" && chmod 600 "$work/right" "$work/wrong"
pub 0 -b "wss://127.0.0.1:$port" "${own[@]}" --key-password-file "$work/right" "${header[@]}" "${will[@]}"
SKIFF_KEY_PASSWORD=c4n4ry-key-p pub 0 -b "wss://127.0.0.1:$port" "${own[@]}" "${header[@]}"
pub 10 -b "wss://127.0.0.1:$port" "${own[@]}" --key-password-file "$work/wrong" "${header[@]}"
SKIFF_KEY_PASSWORD=c4n4ry-key-p-not pub 10 -b "wss://127.0.0.1:$port" "${own[@]}"
run "$SKIFF" pub -d -b "wss://127.0.0.1:$port" -t a -m x "${own[@]}" --ws-header "c4n4ry without a colon"
expect 2
silent "$work/out" "$work/err"
