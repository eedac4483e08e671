#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-certs.sh makes every case of cases.txt within the time, and each shows its defect to openssl.
# usage: certs_made.sh CERTS-SOURCE-DIR
set -eu

source=$(cd "$1" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

fail() {
	echo "FAIL $*" >&2
	failures=$((failures + 1))
}

# verdict NAME PURPOSE HOST: the first X.509 error of NAME by the rules of cases.txt, 0 where there is none
verdict() {
	case $1 in weak-key-1024) level=2 ;; *) level=1 ;; esac
	case $3 in *[!0-9.]*) ask=-verify_hostname ;; *) ask=-verify_ip ;; esac
	openssl verify -auth_level $level -purpose "$2" -CAfile own-ca.crt -CRLfile own-ca.crl -crl_check_all \
		${3:+$ask "$3"} -untrusted "$1.crt" "$1.crt" 2>&1 |
		sed -n 's/^error \([0-9]*\) at .*/\1/p;s/^.*: OK$/0/p' | sed -n 1p
}

# shows NAME PURPOSE HOST ERROR...: its first error is one of these
shows() {
	name=$1 got=$(verdict "$1" "$2" "$3")
	shift 3
	for want; do
		[ "$got" != "$want" ] || return 0
	done
	fail "$name: X.509 error '$got', expected '$*'"
}

# names NAME TEXT: its subject alternative names are TEXT, without spaces
names() {
	got=$(openssl x509 -in "$1.crt" -noout -ext subjectAltName 2>/dev/null | sed -n '2s/ //gp')
	[ "$got" = "$2" ] || fail "$1: names '$got', expected '$2'"
}

fits() {
	[ "$(openssl x509 -in "$1.crt" -noout -pubkey)" = "$(openssl pkey -in "$1.key" -passin pass:lab -pubout)" ]
}

# defect NAME ERROR HOST: the case does to openssl what cases.txt promises
defect() {
	host=$3
	case $1:$2 in
	client-not-pem:* | client-csr:* | client-pubkey:*)
		! openssl x509 -in "$1.crt" -noout 2>/dev/null || fail "$1 is a certificate" ;;
	client-key-mismatch:* | client-swapped:*) ! fits "$1" || fail "$1: the key fits" ;;
	client-enc-other:*) ! fits "$1" 2>/dev/null || fail "$1: the password fits" ;;
	client*:ok) shows "$1" sslclient "" 0 ;;
	*:ok) shows "$1" sslserver $host 0 ;;
	*:tls-expired) shows "$1" sslserver $host 10 ;;
	*:own-cert-expired) shows "$1" sslclient "" 10 ;;
	*:tls-not-yet-valid) shows "$1" sslserver $host 9 ;;
	*:own-cert-not-yet-valid) shows "$1" sslclient "" 9 ;;
	ip-only:*) names "$1" IPAddress:10.9.8.7 ;;
	cn-only:*) names "$1" "" ;;
	wildcard-partial:*) names "$1" 'DNS:te*.mosquitto.org' ;;
	wildcard-inside:*) names "$1" 'DNS:t*t.mosquitto.org' ;;
	address-other:*) shows "$1" sslserver $host 64 ;;
	address-as-name:*) names "$1" DNS:127.0.0.1 && shows "$1" sslserver $host 64 ;;
	constrained-elsewhere:*) shows "$1" sslserver $host 47 ;;
	constrained-excluded:*) shows "$1" sslserver $host 48 ;;
	*:tls-hostname-mismatch) shows "$1" sslserver $host 62 ;;
	*:tls-self-signed) shows "$1" sslserver $host 18 ;;
	*:tls-unknown-ca) shows "$1" sslserver $host 19 20 ;;
	*:tls-missing-intermediate) shows "$1" sslserver $host 20 ;;
	path-length:*) shows "$1" sslserver $host 25 ;;
	*:tls-bad-chain) shows "$1" sslserver $host 24 79 ;;
	*:tls-wrong-purpose) shows "$1" sslserver $host 26 ;;
	*:tls-weak) shows "$1" sslserver $host 66 68 ;;
	*:own-cert-weak) shows "$1" sslclient "" 66 ;;
	*:tls-revoked) shows "$1" sslserver $host 23 ;;
	client-revoked:*) shows "$1" sslclient "" 23 ;;
	client-stranger:*) shows "$1" sslclient "" 20 ;;
	client-wrong-purpose:*) shows "$1" sslclient "" 26 ;;
	*) fail "$1: no check for '$2'" ;;
	esac
}

# makes SECONDS ARGUMENT...: within that processor time, which says the same on a busy machine: of what `times` prints,
# the second line, "0m0.440s 0m0.104s"
makes() {
	limit=$1
	shift
	(
		sh "$source/make-certs.sh" "$@"
		times >"$dir/times"
	)
	spent=$(awk -F '[ms ]+' 'NR == 2 { print $1 * 60 + $2 + $3 * 60 + $4 }' "$dir/times")
	[ "${spent%.*}" -lt "$limit" ] || fail "making them took $spent s"
}
makes 3 "$dir"
[ -s "$dir/good.crt" ] && [ ! -e "$dir/rsa.crt" ] || fail "without -a it makes more or less than the lab's"
makes 5 -a "$dir"
cd "$dir"

count=0
while IFS='| ' read -r name rest; do
	case $name in '#'* | '') continue ;; esac
	what=${rest%%" | "*} rest=${rest#*" | "}
	error=${rest%% *} host=${rest##*[| ]}
	[ "$host" != "$error" ] || host=test.mosquitto.org
	count=$((count + 1))
	[ -n "$what" ] || fail "$name: cases.txt does not say what is wrong"
	[ -s "$name.crt" ] && [ -s "$name.key" ] || { fail "$name: not made" && continue; }
	grep -q "\"$error\"" "$source/../lib/include/skiff/error.h" || fail "$name: no slug '$error' in error.h"
	case $error in
	file-not-pem | key-mismatch | key-password) ;;
	*) fits "$name" || fail "$name: the key does not fit" ;;
	esac
	defect "$name" "$error" "$host"
done <"$source/cases.txt"
[ $count -ge 60 ] || fail "only $count cases"

# What the lab takes besides.
for file in own-ca.crl web-root.crt client-both.pem; do
	[ -s $file ] || fail "$file: not made"
done
fits server || fail "server: the key does not fit"
openssl verify -CAfile web-root.crt -untrusted web.crt web.crt >/dev/null || fail "web: does not verify"
openssl verify -CAfile own-ca.crt web.crt >/dev/null 2>&1 && fail "web: verifies by the wrong CA"
if openssl pkey -in client-enc.key -passin pass:wrong -noout 2>/dev/null; then
	fail "client-enc.key opens with a wrong password"
fi
[ "$(find . -name '*.key' -perm /077)" = ./client-readable.key ] || fail "keys are readable for others, or client-readable is not"
[ "$failures" = 0 ]
