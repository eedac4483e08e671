#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Without mosquitto the lab says so in one sentence, and where it looked.
. "$(dirname "$0")/lab_common.sh"

said=$("$skiff" lab --mosquitto "$work/none" -- true 2>&1)
[ $? = 1 ] || fail "the status is not 1: $said"
[ "$said" = "skiff lab: no program at '$work/none'; --mosquitto wants the broker's path" ] || fail "says: $said"

# An empty folder over each place where one may be, in a view of the files that ends with the shell.
mkdir "$work/empty"
hide='for place in /usr/sbin /usr/local/sbin; do
	[ ! -d $place ] || mount --bind "$2" $place || exit 77
done
PATH=$2 exec "$1" lab -- true'
sh=$(command -v sh)
as_root=$([ "$(id -u)" = 0 ] || echo --map-root-user)
unshare --mount $as_root true 2>/dev/null || skip "no mount namespaces here"
said=$(unshare --mount $as_root "$sh" -c "$hide" sh "$skiff" "$work/empty" 2>&1)
status=$?
[ $status != 77 ] || skip "cannot hide the one that is here: $said"
[ $status = 1 ] || fail "the status is $status, not 1: $said"
[[ $said = "skiff lab: no mosquitto in PATH, /usr/sbin or /usr/local/sbin; "*mosquitto* ]] || fail "says: $said"
[ "$(wc -l <<<"$said")" = 1 ] || fail "says more than one line: $said"
