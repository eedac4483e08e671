#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every case of certs/cases.txt at a mosquitto that shows its certificate, or wants one of the client's: `skiff check`
# gives the cause that stands there. Of the servers' a second opinion: curl and `openssl s_client` take and refuse the
# same, but for what is listed here with the reason.
. "$(dirname "$0")/common.sh"
source=$(cd "$(dirname "$0")/../../certs" && pwd)
command -v openssl >/dev/null || skip "openssl is not installed"
command -v curl >/dev/null || skip "curl is not installed"

# case | who takes it where skiff does not | why
differences='
cn-only          | curl openssl | both fall back on the CN where a certificate has no alternative name (RFC 9525 has none of that)
ip-only          | openssl      | it falls back on the CN where there is no host name among the alternative names
wildcard-partial | openssl      | it takes a wildcard for part of a label, unless it is told otherwise
'

declare -A takes
while IFS='|' read -r name who _; do
	[ -z "$name" ] || takes[${name%% *}]=" $who "
done <<<"$differences"

made=${SKIFF_CERTS_MADE-$work/certs}
[ -n "${SKIFF_CERTS_MADE-}" ] || sh "$source/make-certs.sh" -a "$made" || fail "no certificates"
cd "$made" || exit 1
cat own-ca.crt own-ca.crl >"$work/trust.pem"
names=() wanted=() hosts=() ports=() lines=()
while IFS='| ' read -r name rest; do
	case $name in '#'* | '') continue ;; esac
	rest=${rest#*" | "}
	names+=("$name") wanted+=("${rest%% *}")
	host=${rest##*[| ]}
	[ "$host" != "${rest%% *}" ] || host=test.mosquitto.org
	hosts+=("$host")
done <"$source/cases.txt"
[ ${#names[@]} -ge 60 ] || fail "only ${#names[@]} cases"

# ---- the listeners: one for each server's certificate, and one that wants the clients' ----
all_free()
{
	local i
	for i in $(seq "$1" $(($1 + ${#names[@]}))); do
		! listens "$i" || return 1
	done
}
# Below the ports that the kernel hands out, of which one is soon taken among so many.
until base=$((20000 + RANDOM % 12000)) && all_free "$base"; do :; done
for i in "${!names[@]}"; do
	ports+=("$base")
	case ${names[i]} in client*) continue ;; esac
	ports[i]=$((base + 1 + i))
	lines+=("listener ${ports[i]} 127.0.0.1" "allow_anonymous true" "certfile $PWD/${names[i]}.crt"
		"keyfile $PWD/${names[i]}.key")
	case ${names[i]} in weak-*) lines+=("ciphers DEFAULT:@SECLEVEL=0") ;; esac
done
hosts+=(test.mosquitto.org) ports+=("$base")
port=$base
keep_port=1
start_broker "per_listener_settings true" "listener PORT 127.0.0.1" "allow_anonymous true" "certfile $PWD/good.crt" \
	"keyfile $PWD/good.key" "cafile $PWD/own-ca.crt" "crlfile $PWD/own-ca.crl" "require_certificate true" "${lines[@]}"

# ---- what each says, as "ok" or not ----
crl=()
! "$SKIFF" help check | grep -q -- --crlfile || crl=(--crlfile own-ca.crl)
# skiff_says INDEX OPTION...: the cause, or "ok"
skiff_says()
{
	out=$("$SKIFF" check --json --connect-only --timeout 30s --deadline 60s --cafile own-ca.crt "${crl[@]}" \
		--server-name "${hosts[$1]}" "${@:2}" "mqtts://127.0.0.1:${ports[$1]}" 2>"$work/err")
	case $out in
	*'"ok":true'*) says=ok ;;
	*) says=${out##*\"failure\":\{*\"cause\":\"} says=${says%%\"*} ;;
	esac
}

# Behind the handshake mosquitto finds HTTP strange and ends the connection.
curl_says()
{
	curl -s --noproxy '*' --max-time 30 --cacert own-ca.crt --crlfile own-ca.crl --resolve \
		"${hosts[$1]}:${ports[$1]}:127.0.0.1" "https://${hosts[$1]}:${ports[$1]}/" >"$work/out" 2>"$work/err"
	code=$?
	case $code in
	0 | 1 | 52 | 56) says=ok ;;
	35 | 60) says=refused ;;
	*) says="exit code $code" ;;
	esac
}

openssl_says()
{
	local ask=-verify_hostname
	case ${hosts[$1]} in *[!0-9.]*) ;; *) ask=-verify_ip ;; esac
	says=refused
	openssl s_client -brief -connect "127.0.0.1:${ports[$1]}" -verify_return_error "$ask" "${hosts[$1]}" \
		-CAfile "$work/trust.pem" -no-CApath -no-CAstore -crl_check_all </dev/null >"$work/out" 2>"$work/err" && says=ok
}

wrong=0
wrong()
{
	echo "FAIL: $*" >&2
	wrong=$((wrong + 1))
}

# agrees WHO NAME WANTED: what $says is as skiff's verdict, or the difference is listed
agrees()
{
	local same=refused
	[ "$3" != ok ] || same=ok
	if [[ ${takes[$2]-} = *" $1 "* ]]; then
		[ "$says" = ok ] || wrong "$2: $1 refuses it as skiff does, which is not listed so"
	else
		[ "$says" = "$same" ] || wrong "$2: $1 says '$says', skiff '$3'"
	fi
}

for i in "${!names[@]}"; do
	name=${names[i]} want=${wanted[i]} identity=()
	case $name in client*) identity=(--cert "$name.crt" --key "$name.key") ;; esac
	[ "$name" != revoked ] || [ ${#crl[@]} -gt 0 ] || want=ok # check has not been told
	[ "$name" != weak-key-512 ] || want=tls-no-shared-cipher # by TLS 1.3, for which it has no room
	case $name in
	client*) ;;
	weak-key-1024)
		openssl_says "$i"
		[ "$says" = refused ] || want=ok # the system's security level is below 2
		curl_says "$i"
		agrees curl "$name" "$want"
		;;
	*)
		openssl_says "$i"
		agrees openssl "$name" "${wanted[i]}"
		curl_says "$i"
		agrees curl "$name" "${wanted[i]}"
		;;
	esac
	SKIFF_KEY_PASSWORD=lab skiff_says "$i" "${identity[@]}"
	[ "$says" = "$want" ] || wrong "$name: check says '$says', not '$want': $out"
done
skiff_says "${#names[@]}"
[ "$says" = tls-client-cert-required ] || wrong "no certificate: check says '$says': $out"
[ "$wrong" = 0 ]
