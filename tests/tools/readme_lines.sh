#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every README line that begins with "$" is run as written, under the name test.mosquitto.org, and prints what stands
# below it; "..." stands for any text.
. "$(dirname "$0")/common.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

awk '/^    \$ /{command=1} /^$/{if(command)print ""; command=0} command{print substr($0,5)}' "$root/README.md" >"$work/lines"
[ "$(grep -c '^\$ ' "$work/lines")" -ge 6 ] || fail "the README has hardly a line to run"

cat >"$work/inside.sh" <<'INSIDE'
cp "$SKIFF_LAB_CA" mosquitto.org.crt
cp "$SKIFF_LAB_CERT" client.crt
cp "$SKIFF_LAB_KEY" client.key
chmod 600 client.key
while IFS= read -r line; do
	if [[ $line == '$ '* ]]; then
		printf '%s\n' "$line"
		timeout 30 bash -c "${line#\$ }" 2>&1 </dev/null
	fi
done <"$1"
INSIDE

cd "$work" || exit 1
PATH=$(dirname "$SKIFF"):$PATH
said=$("$SKIFF" lab --as test.mosquitto.org -- bash "$work/inside.sh" "$work/lines" 2>&1)
[[ $said != *"cannot make a private"* ]] || skip "$said"

# Line by line, with "..." as a wildcard.
printf '%s\n' "$said" >"$work/said"
grep . "$work/lines" >"$work/wanted"
while IFS= read -r wanted <&3; do
	IFS= read -r got <&4 || fail "nothing was printed where the README has: $wanted"
	pattern=$(printf '%s' "$wanted" | sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g')
	# shellcheck disable=SC2254
	case $got in
	$pattern) ;;
	*) fail "the README says '$wanted' where there came '$got'" ;;
	esac
done 3<"$work/wanted" 4<"$work/said"
[ "$(wc -l <"$work/said")" = "$(wc -l <"$work/wanted")" ] || fail "more was printed than the README says: $(tail -n 1 "$work/said")"
