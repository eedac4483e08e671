#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every door of the lab lets in who does all right: MQTT through mosquitto's own client, WebSocket up to the upgrade.
. "$(dirname "$0")/lab_common.sh"
command -v mosquitto_sub >/dev/null || skip "no mosquitto_sub"

cat >"$work/inside.sh" <<'INSIDE'
refused=
enter()
{
	door=$1
	shift
	timeout 10 mosquitto_sub -t demo -E "$@" || refused="$refused $door"
}
upgrade()
{
	printf 'GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
	printf 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n'
}
answer()
{
	door=$1 answer=
	IFS= read -r -t 10 answer <&3
	exec 3<&-
	case $answer in "HTTP/1.1 101"*) ;; *) refused="$refused $door" ;; esac
}
place()
{
	place=${1#*://}
	place=${place#*@}
	echo "${place%/mqtt}"
}
knock_plain()
{
	exec 3<>"/dev/tcp/$(place "$2" | tr : /)"
	upgrade >&3
	answer "$1"
}
knock_tls()
{
	exec 3< <(upgrade | timeout 10 openssl s_client -quiet -verify_return_error -CAfile "$3" \
		-servername test.mosquitto.org -connect "$(place "$2")" 2>/dev/null)
	answer "$1"
}
own="--cafile $SKIFF_LAB_CA"
plain() { place=${1#*://}; place=${place#*@}; echo "-h ${place%:*} -p ${place#*:}"; }
enter 1883 $(plain "$SKIFF_LAB_URL_1883")
enter 1884 -L "$SKIFF_LAB_URL_1884/demo"
enter 8883 $(plain "$SKIFF_LAB_URL_8883") $own
enter 8884 $(plain "$SKIFF_LAB_URL_8884") $own --cert "$SKIFF_LAB_CERT" --key "$SKIFF_LAB_KEY"
enter 8885 -L "$SKIFF_LAB_URL_8885/demo" $own
enter 8886 $(plain "$SKIFF_LAB_URL_8886") --cafile "$SKIFF_LAB_WEB_CA"
enter unix --unix "${SKIFF_LAB_UNIX#unix://}"
knock_plain 8080 "$SKIFF_LAB_URL_8080"
knock_plain 8090 "$SKIFF_LAB_URL_8090"
knock_tls 8081 "$SKIFF_LAB_URL_8081" "$SKIFF_LAB_WEB_CA"
knock_tls 8091 "$SKIFF_LAB_URL_8091" "$SKIFF_LAB_CA"
[ -z "$refused" ] || { echo "FAIL: no way in by$refused"; exit 1; }
INSIDE
"$skiff" lab --base 0 -- bash "$work/inside.sh"
