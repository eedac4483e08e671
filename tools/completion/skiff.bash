# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154
# Completion of skiff's command lines for bash, 4.0 or newer: `skiff completion bash`. It stands where bash looks for it,
# under the command's name, or is read by `source <(skiff completion bash)`. What follows these functions is made from
# skiff's own table of options.

# The words up to the cursor into `typed`. Bash splits at = : @ too, where the command does not: what touches in the line
# is one word.
_skiff_split()
{
	local line=${COMP_LINE:0:COMP_POINT} blanks word i
	line=${line#*"${COMP_WORDS[0]}"}
	typed=("${COMP_WORDS[0]}")
	for ((i = 1; i <= COMP_CWORD; i++)); do
		blanks=${line%%[![:blank:]]*}
		line=${line#"$blanks"}
		word=${COMP_WORDS[i]}
		[ "$i" -lt "$COMP_CWORD" ] || word=$line
		line=${line#"$word"}
		if [ -n "$blanks" ]; then
			typed+=("$word")
		else
			typed[${#typed[@]} - 1]+=$word
		fi
	done
}

# _skiff_offer PREFIX WORD...: those that go on with what is typed behind PREFIX. Bash puts in only what stands behind
# the last character that it splits at, together with an @ there.
_skiff_offer()
{
	local prefix=$1 current=${typed[${#typed[@]} - 1]} breaks kept='' word
	breaks=${COMP_WORDBREAKS//[\"\'@[:space:]]/}
	[ -z "$breaks" ] || kept=${current%"${current##*["$breaks"]}"}
	shift
	for word; do
		word=$prefix$word
		[[ $word != "$current"* ]] || COMPREPLY+=("${word#"$kept"}")
	done
}

# _skiff_files PREFIX KIND
_skiff_files()
{
	local flag=-f current=${typed[${#typed[@]} - 1]}
	local -a found
	[ "$2" = files ] || flag=-d
	mapfile -t found < <(compgen "$flag" -- "${current#"$1"}")
	compopt -o filenames 2>/dev/null
	_skiff_offer "$1" ${found[@]+"${found[@]}"}
}

# _skiff_value_offer PREFIX: what `kind` and `words` say
_skiff_value_offer()
{
	case $kind in
	files | folders) _skiff_files "$1" "$kind" ;;
	*) _skiff_offer "$1" $words ;;
	esac
}

# _skiff_profiles SKIFF
_skiff_profiles()
{
	local name
	while IFS= read -r name; do
		_skiff_offer "" "@$(printf %q "$name")"
	done < <("$1" completion --profiles 2>/dev/null)
}

# Steps over the words before the cursor; 1 when it offered what the cursor is on, or nothing is to be.
_skiff_walk()
{
	local word
	while [ "$at" -lt "$last" ]; do
		word=${typed[at]}
		at=$((at + 1))
		if [ "$word" = -- ]; then
			compopt -o default 2>/dev/null
			return 1
		fi
		[[ $word = -* && $word != --*=* ]] || continue
		_skiff_value "$command" "$word"
		if [ "$count" -gt 0 ] && [ $((at + count)) -gt "$last" ]; then
			[ "$at" -lt "$last" ] || _skiff_value_offer ""
			return 1
		fi
		at=$((at + count))
	done
}

# A command's own words: $command is known, and ends before $at.
_skiff_in_command()
{
	local current=${typed[last]} first=$at
	local count kind words
	_skiff_walk || return 0
	if [[ $current = --*=* ]]; then
		_skiff_value "$command" "${current%%=*}"
		# a link has its values behind a blank
		[ "$count" -eq 0 ] || [ "$first" -eq 1 ] || _skiff_value_offer "${current%%=*}="
		return 0
	fi
	if [ "$last" -eq "$first" ]; then
			_skiff_offer "" $seconds
		[ -z "$profiles" ] || [[ $current = -* ]] || _skiff_profiles "${typed[0]}"
	fi
	kind=$operand_kind words=$operand_words
	if [ -z "$kind$words" ] || [[ $current = -* ]]; then
		_skiff_offer "" $options
	else
		_skiff_value_offer ""
	fi
}

_skiff()
{
	local -a typed
	local command at=2 last options seconds profiles operand_kind operand_words
	COMPREPLY=()
	_skiff_split
	last=$((${#typed[@]} - 1))
	command=$(_skiff_link "${1##*/}")
	if [ -n "$command" ]; then
		at=1
	elif [ "$last" -le 1 ]; then
		_skiff_names
		return
	else
		command=${typed[1]}
	fi
	_skiff_command "$command"
	if [ "$last" -gt "$at" ] && [[ " $seconds " = *" ${typed[at]} "* ]]; then
		command+=" ${typed[at]}"
		at=$((at + 1))
		_skiff_command "$command"
	fi
	[ "$at" -gt 1 ] || profiles=
	_skiff_in_command
}

# _skiff_register NAME: only where it is a link to skiff
_skiff_register()
{
	local path
	path=$(type -P "$1") && path=$(readlink -f -- "$path") && [ "${path##*/}" = skiff ] && complete -F _skiff "$1"
}

complete -F _skiff skiff

