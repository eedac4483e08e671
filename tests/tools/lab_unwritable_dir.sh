#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A folder that cannot be made, written or used is named in one sentence, with a way out.
. "$(dirname "$0")/lab_common.sh"

refused()
{
	want=$1
	shift
	said=$("$@" 2>&1)
	[ $? = 1 ] || fail "the status is not 1: $said"
	[[ $said = "skiff lab: "*"$want"* ]] || fail "says: $said"
	[ "$(wc -l <<<"$said")" = 1 ] || fail "says more than one line: $said"
}
: >"$work/file"
refused "'$work/none/dir'" "$skiff" lab --dir "$work/none/dir" -- true
refused "'$work/file': Not a directory; choose another --dir" "$skiff" lab --dir "$work/file" -- true
refused "'$work/none'" env TMPDIR="$work/none" "$skiff" lab -- true
long=$work/$(printf '%0100d' 0)
refused "too long for a Unix socket" "$skiff" lab --dir "$long" -- true

mkdir -m 755 "$work/theirs"
chmod 755 "$work"
if [ "$(id -u)" != 0 ]; then
	chmod 555 "$work/theirs"
	refused "Permission denied; choose another --dir" "$skiff" lab --dir "$work/theirs" -- true
elif setpriv --reuid 65534 --clear-groups "$skiff" version >/dev/null 2>&1; then
	refused "Permission denied; choose another --dir" setpriv --reuid 65534 --clear-groups \
		"$skiff" lab --dir "$work/theirs" -- true
fi

lab_up --dir "$work/d"
refused "'$work/d' is in use by another lab" "$skiff" lab --base 0 --dir "$work/d" -- true
