#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The lab's doors keep out whom they should: no password, no or a bad client certificate, a CA that does not verify, a
# certificate that has expired; and an account may do no more than it may.
. "$(dirname "$0")/lab_common.sh"
command -v mosquitto_sub >/dev/null || skip "no mosquitto_sub"

cat >"$work/inside.sh" <<'INSIDE'
entered=
refuse()
{
	what=$1
	shift
	! timeout 10 mosquitto_sub -t demo -E "$@" >/dev/null 2>&1 || entered="$entered '$what'"
}
at() { place=${1#*://}; place=${place#*@}; echo "-h ${place%:*} -p ${place#*:}"; }
own="--cafile $SKIFF_LAB_CA" certs=$SKIFF_LAB_DIR/certs
refuse "1884 without password" $(at "$SKIFF_LAB_URL_1884")
refuse "1884 with a wrong password" $(at "$SKIFF_LAB_URL_1884") -u rw -P wrong
refuse "8885 without password" $(at "$SKIFF_LAB_URL_8885") $own
refuse "8883 by the other CA" $(at "$SKIFF_LAB_URL_8883") --cafile "$SKIFF_LAB_WEB_CA"
refuse "8886 by the other CA" $(at "$SKIFF_LAB_URL_8886") $own
refuse "8887, expired" $(at "$SKIFF_LAB_URL_8887") $own
refuse "8884 without certificate" $(at "$SKIFF_LAB_URL_8884") $own
for bad in client-expired client-not-yet-valid client-revoked client-stranger client-wrong-purpose; do
	refuse "8884 with $bad" $(at "$SKIFF_LAB_URL_8884") $own --cert "$certs/$bad.crt" --key "$certs/$bad.key"
done

# What `wo` may not read and `ro` may not write, mosquitto drops without a word; a later message by rw shows that it did.
at=$(at "$SKIFF_LAB_URL_1884")
mosquitto_sub $at -u rw -P readwrite -q 1 -t demo -i keeper -c -E
mosquitto_pub $at -u ro -P readonly -q 1 -t demo -m by-ro
mosquitto_pub $at -u rw -P readwrite -q 1 -t demo -m by-rw
late=$(mosquitto_sub $at -u rw -P readwrite -q 1 -t demo -i keeper -c -C 1 -W 20)
[ "$late" = by-rw ] || entered="$entered 'ro writes: $late'"
mosquitto_sub $at -u wo -P writeonly -q 1 -t demo -i deaf -c -E
mosquitto_pub $at -u rw -P readwrite -q 1 -t demo -m secret
heard=$(mosquitto_sub $at -u wo -P writeonly -q 1 -t demo -i deaf -c -C 1 -W 1 2>/dev/null)
[ -z "$heard" ] || entered="$entered 'wo reads: $heard'"
[ -z "$entered" ] || { echo "FAIL: let in: $entered"; exit 1; }
INSIDE
"$skiff" lab --base 0 -- bash "$work/inside.sh"
