#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-certs.sh DIR [NAME]: makes in DIR every certificate of cases.txt, with its key, and what the lab needs besides;
# the servers' are for NAME too.
#
# POSIX sh and the openssl command (3.0 or newer), nothing else; about a second. Every case is its own file
# NAME.crt, all that the peer is to send, its own certificate first, and NAME.key; README.md says what they are for.
# Keys are P-256, which cost nothing to make. Nothing in DIR but these files is touched; what is there is made anew.
# Fails with status 1 and openssl's own words when one command fails.
set -eu
umask 077

dir=${1:?usage: make-certs.sh DIR [NAME]}
mkdir -p "$dir"
cd "$dir"
work=$(mktemp -d "$PWD/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

run() {
	"$@" 2>"$work/err" || {
		echo "make-certs.sh: '$*' failed:" >&2
		cat "$work/err" >&2
		exit 1
	}
}

NAMES=DNS:test.mosquitto.org,DNS:localhost,IP:127.0.0.1,IP:::1${2:+,DNS:$2}
LEAF='basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid'
CA='subjectKeyIdentifier = hash
keyUsage = critical,keyCertSign,cRLSign'

# One section per recipe; a certificate is made by naming its section. caIssuers stands where a public CA puts it: in
# what an intermediate signs.
cat >"$work/cnf" <<CNF
[req]
distinguished_name = dn
prompt = no
[dn]
[ca]
default_ca = dated
[dated]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
default_crl_days = 825
policy = anything
unique_subject = no
[anything]
organizationName = optional
commonName = optional
[root]
basicConstraints = critical,CA:TRUE
$CA
[intermediate]
basicConstraints = critical,CA:TRUE,pathlen:0
authorityKeyIdentifier = keyid
$CA
[not_a_ca]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
[server]
$LEAF
extendedKeyUsage = serverAuth
subjectAltName = $NAMES
[server_by_intermediate]
$LEAF
extendedKeyUsage = serverAuth
subjectAltName = $NAMES
authorityInfoAccess = caIssuers;URI:http://test.mosquitto.org/intermediate.crt
[server_self]
basicConstraints = critical,CA:FALSE
subjectKeyIdentifier = hash
extendedKeyUsage = serverAuth
subjectAltName = $NAMES
[server_wrong_host]
$LEAF
extendedKeyUsage = serverAuth
subjectAltName = DNS:other.example,DNS:mosquitto.org
[server_ip_only]
$LEAF
extendedKeyUsage = serverAuth
subjectAltName = IP:10.9.8.7
[server_cn_only]
$LEAF
extendedKeyUsage = serverAuth
[server_wildcard]
$LEAF
extendedKeyUsage = serverAuth
subjectAltName = DNS:*.mosquitto.org
[server_wildcard_partial]
$LEAF
extendedKeyUsage = serverAuth
subjectAltName = DNS:te*.mosquitto.org
[client]
$LEAF
extendedKeyUsage = clientAuth
[client_named]
$LEAF
extendedKeyUsage = clientAuth
subjectAltName = $NAMES
CNF
: >"$work/index"

# key NAME...: a P-256 key each
key() {
	for name; do
		run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key"
	done
}

# root NAME SUBJECT
root() {
	key "$1"
	run openssl req -x509 -new -config "$work/cnf" -extensions root -key "$1.key" -sha256 -days 3650 -subj "$2" \
		-out "$1.crt"
}

# sign NAME CA SECTION SUBJECT [DIGEST]: NAME.crt for NAME.key by CA, valid from now on; makes the key if there is none
sign() {
	[ -f "$work/made.$1" ] || key "$1"
	run openssl req -x509 -new -config "$work/cnf" -extensions "$3" -key "$1.key" -subj "$4" -days 825 \
		-CA "$2.crt" -CAkey "$2.key" "-${5:-sha256}" -out "$1.crt"
}

# sign_dated NAME CA SECTION SUBJECT FROM TO: the same with a validity of its own, YYYYMMDDhhmmssZ
sign_dated() {
	key "$1"
	run openssl req -new -config "$work/cnf" -key "$1.key" -subj "$4" -out "$work/csr"
	run openssl ca -batch -notext -config "$work/cnf" -cert "$2.crt" -keyfile "$2.key" -extensions "$3" \
		-startdate "$5" -enddate "$6" -in "$work/csr" -out "$1.crt"
}

# bundle NAME CA...: appends the certificates of CA to what NAME sends
bundle() {
	name=$1
	shift
	for ca; do
		cat "$ca.crt" >>"$name.crt"
	done
}

PAST='20200101000000Z 20210101000000Z'
FUTURE='20900101000000Z 20910101000000Z'
HOST=/O=skiff/CN=test.mosquitto.org

authorities() {
	root own-ca "/O=skiff/CN=lab own CA"
	root web-root "/O=skiff/CN=lab web root"
	root stranger-ca "/O=stranger/CN=stranger CA"
	sign own-int own-ca intermediate "/O=skiff/CN=lab own intermediate"
	sign web-int web-root intermediate "/O=skiff/CN=lab web intermediate"
}

servers() {
	sign good own-ca server $HOST
	sign chain own-int server_by_intermediate $HOST
	cp chain.crt missing-intermediate.crt
	cp chain.key missing-intermediate.key
	bundle chain own-int
	sign web web-int server_by_intermediate $HOST
	bundle web web-int
	sign wildcard own-ca server_wildcard "/O=skiff/CN=wildcard"
}

bad_names() {
	sign wrong-host own-ca server_wrong_host "/O=skiff/CN=other.example"
	sign ip-only own-ca server_ip_only $HOST
	sign cn-only own-ca server_cn_only $HOST
	sign wildcard-partial own-ca server_wildcard_partial "/O=skiff/CN=wildcard"
}

bad_chains() {
	sign unknown-ca stranger-ca server $HOST
	sign unknown-ca-sent stranger-ca server $HOST
	bundle unknown-ca-sent stranger-ca
	key self-signed
	run openssl req -x509 -new -config "$work/cnf" -extensions server_self -key self-signed.key -sha256 -days 825 \
		-subj $HOST -out self-signed.crt
	sign not-a-ca own-ca not_a_ca "/O=skiff/CN=lab not a CA"
	sign bad-chain not-a-ca server $HOST
	bundle bad-chain not-a-ca
	sign_dated expired-int own-ca intermediate "/O=skiff/CN=lab expired intermediate" $PAST
	sign expired-intermediate expired-int server_by_intermediate $HOST
	bundle expired-intermediate expired-int
	rm -f not-a-ca.*
}

bad_servers() {
	sign_dated expired own-ca server $HOST $PAST
	sign_dated not-yet-valid own-ca server $HOST $FUTURE
	sign wrong-purpose own-ca client_named $HOST
	run openssl genrsa -out weak-key.key 768
	: >"$work/made.weak-key"
	sign weak-key own-ca server $HOST
	sign weak-digest own-ca server $HOST sha1
	sign revoked own-ca server $HOST
}

clients() {
	sign client own-ca client "/O=skiff/CN=tester"
	cp client.crt client-enc.crt
	run openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 2048 -in client.key -passout pass:lab -out client-enc.key
	cat client.crt client.key >client-both.pem
	sign client-chain own-int client "/O=skiff/CN=tester by intermediate"
	bundle client-chain own-int
	sign_dated client-expired own-ca client "/O=skiff/CN=tester expired" $PAST
	sign_dated client-not-yet-valid own-ca client "/O=skiff/CN=tester not yet valid" $FUTURE
	sign client-revoked own-ca client "/O=skiff/CN=tester revoked"
	sign client-stranger stranger-ca client "/O=stranger/CN=tester"
	sign client-wrong-purpose own-ca server "/O=skiff/CN=tester wrong purpose"
	run openssl genrsa -out client-weak-key.key 768
	: >"$work/made.client-weak-key"
	sign client-weak-key own-ca client "/O=skiff/CN=tester weak"
	cp client.crt client-key-mismatch.crt
	cp good.key client-key-mismatch.key
	cp client.key client-not-pem.key
	echo "this is no certificate" >client-not-pem.crt
}

# revoke CA NAME...: appends to own-ca.crl the list of CA, with the certificates NAME on it
revoke() {
	ca=$1
	shift
	: >"$work/index"
	for name; do
		run openssl ca -config "$work/cnf" -cert "$ca.crt" -keyfile "$ca.key" -revoke "$name.crt"
	done
	run openssl ca -config "$work/cnf" -cert "$ca.crt" -keyfile "$ca.key" -gencrl -out "$work/crl"
	cat "$work/crl" >>own-ca.crl
}

# The lists of the own CA and of its intermediates in one file, so that whole chains can be checked.
revocations() {
	rm -f own-ca.crl
	revoke own-ca revoked client-revoked
	revoke own-int
	revoke expired-int
	rm -f expired-int.*
}

authorities
servers
bad_names
bad_chains
bad_servers
clients
revocations
cp good.crt server.crt
cp good.key server.key
chmod 644 ./*.crt ./*.crl
