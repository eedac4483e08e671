#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Options are exact words; long ones also take =; -- ends them; faults are one sentence of one form.
. "$(dirname "$0")/common.sh"

free_port
url=mqtt://127.0.0.1:$port
# refused TEXT WORD...: as such
refused()
{
	local text=$1
	shift
	run "$SKIFF" "$@"
	expect 2
	[ "$err" = "$text" ] || fail "'$*' is answered with '$err'"
	[ -z "$out" ] || fail "'$*' prints '$out'"
}
refused "skiff: a command is missing; 'skiff help' lists those there are"
refused "skiff: command 'pubb': unknown; did you mean 'pub'?" pubb
refused "skiff: command 'zzzzzz': unknown; 'skiff help' lists those there are" zzzzzz
refused "skiff pub: option '--qos': '7' is not 0, 1 or 2" pub -q 7 -t a -m x
refused "skiff pub: option '--qos': '7' is not 0, 1 or 2" pub --qos=7 -t a -m x
refused "skiff pub: option '--qos': '' is not 0, 1 or 2" pub --qos= -t a -m x
refused "skiff pub: option '--qso': unknown; did you mean '--qos'?" pub --qso 1
refused "skiff pub: option '--ret': unknown; did you mean '--retain'?" pub --ret
refused "skiff pub: option '--zzzzzz': unknown; 'skiff help pub' lists those there are" pub --zzzzzz
refused "skiff pub: option '-rn': unknown; '-r' stands alone, its value or the next option follows after a space" pub -rn -t a
refused "skiff pub: option '-tx': unknown; '-t' stands alone, its value or the next option follows after a space" pub -tx
refused "skiff pub: option '--retain': takes no value" pub --retain=yes -t a -m x
refused "skiff pub: option '--topic': its value is missing; write TOPIC after it" pub -m x -t
refused "skiff pub: option '--port': '65536' is not a whole number from 1 to 65535" pub -p 65536
refused "skiff pub: option '--port': '1 ' is not a whole number from 1 to 65535" pub -p '1 '
refused "skiff sub: option '-C': '0' is not a whole number from 1 up" sub -C 0 -t a
refused "skiff sub: option '-C': '99999999999999999999' is not a whole number from 1 up" sub -C 99999999999999999999 -t a
refused "skiff sub: option '-W': '0' is not a whole number from 1 to 2147483647" sub -W 0 -t a
refused "skiff pub: argument 'stray': unexpected; 'skiff help pub' says what is taken" pub -t a -m x stray
refused "skiff pub: argument '-r': unexpected; 'skiff help pub' says what is taken" pub -t a -m x -- -r
refused "skiff pub: there is more than one message: give one of '-m', '-f', '-l', '-s', '-n', '--stdin-topic' and '--json-in'" pub -t a -m x -n
refused "skiff pub: option '--topic': given more than once; a message has one topic" pub -t a -t b -m x
refused "skiff pub: option '--host': excludes '--broker', whose URL says it all" pub -b "$url" -h x -t a -m x
refused "skiff pub: option '--id-prefix': excludes '--id'" pub -b "$url" -i a -I b -t a -m x
refused "skiff pub: option '--ws-header': means nothing without WebSocket; add '--ws', or give a URL of ws:// or wss://" \
	pub -b "$url" --ws-header a:b -t a -m x
refused "skiff help: topic 'cert shwo': unknown; 'skiff help cert' lists those there are" help cert shwo
refused "skiff help: argument 'pub': unexpected; 'skiff help help' says what is taken" help exit pub
refused "skiff cert: command 'shwo': unknown; did you mean 'show'?" cert shwo
refused "skiff cert: command 'zzzzzz': unknown; 'skiff help cert' lists those there are" cert zzzzzz
refused "skiff cert: option '--jsno': unknown; 'skiff help cert' lists those there are" cert --jsno
refused "skiff cert show: option '--jsno': unknown; did you mean '--json'?" cert show --jsno
refused "skiff cert show: an argument is missing; usage: skiff cert show [OPTION]... FILE|URL" cert show
refused "skiff cert show: argument 'b': unexpected; 'skiff help cert show' says what is taken" cert show a b
refused "skiff cert check: what to check is missing; add '--cert FILE'" cert check --key a
refused "skiff cert csr: option '--key-type': 'tin' is not ec, rsa or ed25519" cert csr --key-type tin
refused "skiff help: topic 'pbu': unknown; did you mean 'pub'?" help pbu

# Understood: each gets as far as connecting, and the last of a repeated option counts.
for words in "-t a -m x -b $url" "-b $url -m -x -t a" "--broker=$url --topic=a --message=" "-q 7 -q 1" \
	"-q 0 -q 2 -m a -t a -b mqtt://nowhere -b $url -r --"; do
	run "$SKIFF" pub $words
	[ "$words" = "-q 7 -q 1" ] && expect 2 || expect 12
done
run "$SKIFF" pub -h 127.0.0.1 -p "$port" -t a -m x
expect 12
SKIFF_BROKER=$url run "$SKIFF" pub -t a -m x
expect 12 "$port"
run "$SKIFF" pub --quiet -b "$url" -t a -m x
expect 12
[ -z "$err" ] || fail "--quiet says '$err'"
