# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# lab_common.sh: what the tests of `skiff lab` share; to be sourced with the path of skiff as $1.
#
#   $skiff, $work          the command, and a folder that goes with the test
#   fail TEXT              says it and ends the test
#   skip TEXT              the same, as skipped
#   await TEXT COMMAND...  waits, 20 seconds at most, until COMMAND succeeds
#   closed PORT            whether nothing listens there
#   lab_up OPTION...       starts a lab in the background at free ports: $lab (pid), $table (its JSON), $dir, $port (of 1883)

set -u
. "$(dirname "${BASH_SOURCE[0]}")/awaited.sh"
skiff=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
lab=
export TMPDIR="$work"

leave()
{
	if [ -n "$lab" ]; then
		kill "$lab" 2>/dev/null
		wait "$lab" 2>/dev/null
	fi
	rm -rf "$work"
}
trap leave EXIT

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

skip()
{
	echo "skipped: $*" >&2
	exit 77
}

await()
{
	what=$1
	shift
	awaited "$@" || fail "in vain awaited: $what"
}

closed()
{
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The value of member $1 in the table, the first one of that name.
member()
{
	printf '%s\n' "$table" | sed "s/.*[{,]\"$1\":\"*\([^\",}]*\).*/\1/"
}

lab_up()
{
	mkfifo "$work/table"
	"$skiff" lab --base 0 --json "$@" >"$work/table" 2>"$work/stderr" &
	lab=$!
	read -r table <"$work/table" || fail "no table: $(cat "$work/stderr")"
	rm "$work/table"
	dir=$(member dir)
	port=$(printf '%s\n' "$table" | sed 's/.*{"port":1883,"listens":\([0-9]*\).*/\1/')
}

command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || [ -x /usr/local/sbin/mosquitto ] || skip "no mosquitto"
