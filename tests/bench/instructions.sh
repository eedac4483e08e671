#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# instructions.sh [--record] [BIN]: instructions per message, against those in instructions.txt.
#
# A path that takes more than 5 % more than recorded fails; so does one that is not recorded. Whoever makes a path dearer
# on purpose records it: tests/bench/instructions.sh --record. Counts hold for one compiler and machine, which the file
# names; elsewhere there is nothing to compare.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
record=
if [ "${1-}" = --record ]; then
	record=yes
	shift
fi
bin=${1-$here/../../build/release/bin}
file=$here/instructions.txt
count=2000
machine="$(${CC-cc} --version | head -n 1), $(uname -m)"

command -v valgrind >/dev/null || { echo "skipped: there is no valgrind here"; exit 77; }
[ -x "$bin/bench_paths" ] || { echo "instructions.sh: '$bin' has no 'bench_paths'; build the preset release" >&2; exit 1; }
if [ -z "$record" ] && [ "$(sed -n 's/^# with //p' "$file")" != "$machine" ]; then
	echo "skipped: recorded $(sed -n 's/^# with //p' "$file"), not with $machine"
	exit 77
fi

measure()
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no --toggle-collect=path_run \
		"$bin/bench_paths" "$1" "$count" 2>&1 | awk -v count="$count" '/Collected/ { printf "%.1f\n", $NF / count }'
}

status=0
measured=
for path in publish-qos0 publish-qos1 receive-qos0 receive-qos1 encode-publish decode-publish; do
	now=$(measure "$path")
	[ -n "$now" ] || { echo "$path: not measured" >&2; exit 1; }
	measured="$measured$path $now
"
	[ -z "$record" ] || continue
	before=$(awk -v path="$path" '$1 == path { print $2 }' "$file")
	if ! awk -v now="$now" -v before="${before:-0}" 'BEGIN { exit now > before * 1.05 }'; then
		echo "$path takes $now instructions, ${before:-none} are recorded: make it cheaper, or record it with" \
			"tests/bench/instructions.sh --record" >&2
		status=1
	fi
	echo "$path $now (recorded ${before:-none})"
done
if [ -n "$record" ]; then
	{
		echo "# SPDX-License-Identifier: Apache-2.0"
		echo "# instructions per message; written by instructions.sh --record"
		echo "# with $machine"
		printf '%s' "$measured"
	} >"$file"
	cat "$file"
fi
exit "$status"
