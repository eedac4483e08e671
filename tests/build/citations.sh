#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# citations.sh [LIST [FOLDER]]: every statement of the list has a test named after it. A test's name cites as in
# "5: MQTT-4.3.3-10 MQTT-4.3.3-11; 3.1.1: MQTT-4.3.3-2 -- what it shows": a "test" line of a *.talk, or a string in a *.c.
set -eu
list=${1-$SKIFF_SOURCE/tests/session/statements.txt}
folder=${2-$SKIFF_SOURCE/tests/session}

# The files that are said to keep a statement exist.
for file in $(sed '/^#/d; s/.* | //; s/[:;] .*//; s/,//g' "$list" | tr ' ' '\n' | sort -u); do
	set -- "$SKIFF_SOURCE"/lib/$file
	[ -e "$1" ] || { echo "'$file' of the list is not in lib/"; exit 1; }
done

cat "$folder"/*.talk "$folder"/*.c 2>/dev/null | awk -v list="$list" '
	# A name may go on in the next string: join "...MQTT-1 " and "MQTT-2 ...".
	function cite(name,   n, i, word, version) {
		if (!match(name, / -- /))
			return
		n = split(substr(name, 1, RSTART), word, /[ ;]+/)
		for (i = 1; i <= n; i++) {
			if (word[i] == "5:" || word[i] == "3.1.1:")
				version = word[i]
			else if (word[i] ~ /^MQTT-[0-9.]+-[0-9]+$/ && version != "")
				cited[word[i] " " substr(version, 1, length(version) - 1)] = 1
		}
	}
	/^test / {
		cite(substr($0, 6))
		next
	}
	/"(5|3\.1\.1): MQTT-/ {
		open = 1
		text = ""
	}
	open {
		line = $0
		while (match(line, /"[^"]*"/)) {
			text = text substr(line, RSTART + 1, RLENGTH - 2)
			line = substr(line, RSTART + RLENGTH)
		}
		if (text ~ / -- /) {
			cite(text)
			open = 0
		}
	}
	END {
		while ((getline line < list) > 0) {
			if (line ~ /^#/ || line == "")
				continue
			if (split(line, field, / \| /) != 4) {
				print "not a statement: " line
				bad = 1
				continue
			}
			key = field[1] " " field[2]
			known[key] = 1
			total++
			if (cited[key])
				covered++
			else
				print "no test is named after " field[1] " of MQTT " field[2] ": " field[3]
		}
		for (key in cited)
			if (!known[key]) {
				print "a test cites " key ", which is not in the list"
				bad = 1
			}
		printf "%d of %d statements have a test named after them\n", covered, total
		exit bad || !total || covered < total
	}'
