#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The parser takes every option that help and manual page name, with a value where they show one; help fits a terminal;
# the manual page is roff without warnings, and tells of every exit code and variable.
. "$(dirname "$0")/common.sh"

commands=$("$SKIFF" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[[ $commands = *pub*sub*cert*version*help* ]] || fail "the commands are '$commands'"
# Those of two words, too; one word is one command here, as "cert_show".
for command in $commands; do
	commands+=" $("$SKIFF" help "$command" | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) \([a-z][a-z]*\) .*/\1_\2/p')"
done
[[ $commands = *cert_show*cert_handshake* ]] || fail "the commands are '$commands'"
for command in $commands; do
	IFS=_ read -ra words <<<"$command"
	"$SKIFF" help "${words[@]}" >"$work/help"
	"$SKIFF" help --man "${words[@]}" >"$work/man"
	# One line per option: "-q, --qos QOS".
	sed -n '/^  *-[-a-zA-Z0-9]/{/^      [^-]/d;s/^  *//;s/  .*//;p}' "$work/help" | sort >"$work/in-help"
	sed -n '/^\.TP$/{n;s/^\.B \(\\-.*\)/\1/p}' "$work/man" | sed 's/\\fI//;s/\\fR//;s/\\-/-/g' | sort >"$work/in-man"
	diff "$work/in-help" "$work/in-man" >"$work/err" || fail "$command: help and manual page differ: $(cat "$work/err")"
	grep -qx -- "--help" "$work/in-help" || fail "$command: no options were found"
	# Instrumented it starts slowly: there what is the same in an earlier command is tried once; so it is everywhere for
	# commands of two words.
	sort "$work/in-help" "$work/tried" 2>/dev/null | uniq -d >"$work/again"
	sort -u -o "$work/tried" "$work/in-help" $([ ! -e "$work/tried" ] || echo "$work/tried")
	if [ -n "${SKIFF_SANITIZE:-}" ] || [ ${#words[@]} = 2 ]; then
		grep -vxF -f "$work/again" "$work/in-help" >"$work/new"
		mv "$work/new" "$work/in-help"
	fi
	while read -r line; do
		value=
		for word in $line; do
			case $word in
			-*) ;;
			*) value=$word ;;
			esac
		done
		for word in $line; do
			word=${word%,}
			[[ $word = -* ]] || continue
			# Without a value the parser must miss one; after a flag it must go on to the next word.
			if [ -n "$value" ]; then
				run "$SKIFF" "${words[@]}" "$word"
				expect 2 "its value is missing; write "
			elif [ "$word" = --help ] || [ "$word" = --version ]; then
				run "$SKIFF" "${words[@]}" "$word"
				expect 0
			else
				run "$SKIFF" "${words[@]}" "$word" --no-such-option
				expect 2 "option '--no-such-option': unknown"
			fi
		done
	done <"$work/in-help"
	[ "$(awk 'length > 100' "$work/help" | grep -vc '^usage')" = 0 ] || fail "$command: help has lines of more than 100 columns"
	! grep -q ' $' "$work/help" || fail "$command: help has blanks at the end of lines"
	for number in $("$SKIFF" help exit | sed -n 's/^  \([0-9][0-9]*\) .*/\1/p'); do
		grep -qx ".B $number" "$work/man" || fail "$command: the manual page lacks exit code $number"
	done
	for variable in $("$SKIFF" help environment | sed -n 's/^  \([A-Z_]*\) .*/\1/p'); do
		grep -qx ".B $variable" "$work/man" || fail "$command: the manual page lacks $variable"
	done
	if command -v groff >/dev/null; then
		groff -man -Tascii -ww "$work/man" >/dev/null 2>"$work/err" && [ ! -s "$work/err" ] || fail "$command: groff complains"
	fi
done
