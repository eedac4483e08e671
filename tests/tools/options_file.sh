#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# By the name of a mosquitto client its options file is read, as the client reads it: the same files given to both reach the
# broker as the same messages, or are refused by both. What is longer than a line of theirs is whole here.
. "$(dirname "$0")/common.sh"

command -v mosquitto_pub >/dev/null || skip "mosquitto_pub is not installed"
theirs=$(type -P mosquitto_pub)
ours=$work/mosquitto_pub
ln -s "$SKIFF" "$ours"
start_broker
start_sub -t '#' -F '[%t] [%p] %r'
messages=$stdout
export HOME="$work/home" XDG_CONFIG_HOME="$work/config"
mkdir -p "$HOME/.config" "$XDG_CONFIG_HOME"

# alike FILE [OPTION]...: the text of the file, for printf; each publishes one message
alike()
{
	local text=$1 before codes=() program
	shift
	before=$(wc -l <"$messages")
	printf -- "$text" >"$XDG_CONFIG_HOME/mosquitto_pub"
	for program in "$theirs" "$ours"; do
		run "$program" -p "$port" "$@"
		codes+=("$((code != 0))")
	done
	[ "${codes[0]}" = "${codes[1]}" ] || fail "'$text': theirs gives ${codes[0]}, ours ${codes[1]}"
	[ "${codes[0]}" = 0 ] || return 0
	await "two messages of '$text'" lines_in "$messages" $((before + 2))
	[ "$(tail -n 2 "$messages" | sort -u | wc -l)" = 1 ] || fail "'$text': $(tail -n 2 "$messages")"
}

alike '-t a\n-m x'
alike '  -t a\n-m x y\n'
alike '-t  b\r\n-m  y \r\r\n'
alike '# -t no\n\r\n-t c \n-m z # z\n'
alike '-r \n-t d\n-m d\n'
alike '-t e\n-n \n'
alike '-t f\n-n  \n'
alike '\t\n-t g\n-m g\n'
alike ' # no\n-t h\n-m h\n'
alike '-t i\n-m i\n-q\n'
alike '-m a\rb\n-t j\n'
alike '-m from the file\n' -t k
alike '-m from the file\n-q 1' -t l -q 0
alike 'nonsense\n-t m\n-m m\n'
rm "$XDG_CONFIG_HOME/mosquitto_pub"
echo "-t no" >"$HOME/.config/mosquitto_pub"
XDG_CONFIG_HOME= run "$ours" -p "$port" -m x
expect 1
unset XDG_CONFIG_HOME
run "$ours" -p "$port" -m home
expect 0
await "the file in HOME" grep -qF "[no] [home]" "$messages"

printf -- '-m %05000d\n-t long' 7 >"$HOME/.config/mosquitto_pub"
run "$ours" -p "$port"
expect 0
await "the long line" grep -qE "^\[long\] \[0{4999}7\]" "$messages"
run "$ours" -p "$port" -o "$work/none" -t a -m x
expect 1
