#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# With a broker that knows no Unix sockets, the lab's relay gives it one, and carries a large message both ways.
. "$(dirname "$0")/lab_common.sh"
command -v mosquitto_sub >/dev/null || skip "no mosquitto_sub"

cat >"$work/mosquitto" <<'BROKER'
#!/bin/sh
if grep -q '^listener 0 ' "$2"; then
	echo "Error: Invalid port value (0)." >&2
	exit 3
fi
PATH=$PATH:/usr/sbin:/usr/local/sbin exec mosquitto "$@"
BROKER
cat >"$work/inside.sh" <<'INSIDE'
socket=${SKIFF_LAB_UNIX#unix://} big=$SKIFF_LAB_DIR/big
! grep -q 'listener 0' "$SKIFF_LAB_DIR/mosquitto.conf" || { echo "FAIL: the broker has the socket"; exit 1; }
head -c 3000000 /dev/urandom >"$big"
mosquitto_sub --unix "$socket" -q 1 -t demo -i big -c -E || exit
mosquitto_pub --unix "$socket" -q 1 -t demo -f "$big" || exit
mosquitto_sub --unix "$socket" -q 1 -t demo -i big -c -C 1 -N -W 20 | cmp - "$big"
INSIDE
chmod +x "$work/mosquitto"
"$skiff" lab --base 0 --mosquitto "$work/mosquitto" -- bash "$work/inside.sh" || fail "status $?"
rm "$work/mosquitto" "$work/inside.sh"
[ -z "$(ls "$work")" ] || fail "left behind: $(ls "$work")"
