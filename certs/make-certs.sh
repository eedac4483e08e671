#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-certs.sh [-a] DIR [NAME]: makes in DIR the certificates of cases.txt, with their keys, and what the lab needs
# besides; without -a not those that only the tests of the whole table need. The servers' are for NAME too.
#
# POSIX sh and the openssl command (3.0 or newer), nothing else; about a second, two with -a. Every case is its own file
# NAME.crt, all that the peer is to send, its own certificate first, and NAME.key; README.md says what they are for.
# Keys are P-256, which cost nothing to make, and come out of the same command as their certificates: starting openssl
# is what takes the time. Nothing in DIR but these files is touched; what is there is made anew.
# Fails with status 1 and openssl's own words when one command fails.
set -eu
umask 077

all=
if [ "${1-}" = -a ]; then
	all=1
	shift
fi
dir=${1:?usage: make-certs.sh [-a] DIR [NAME]}
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

# server_for SECTION NAMES: the recipe of a server's certificate for these names
server_for() {
	printf '[server_%s]\n%s\nextendedKeyUsage = serverAuth\nsubjectAltName = %s\n' "$1" "$LEAF" "$2"
}

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
[intermediate_of_one_more]
basicConstraints = critical,CA:TRUE
authorityKeyIdentifier = keyid
$CA
[constrained_permitted]
basicConstraints = critical,CA:TRUE,pathlen:0
authorityKeyIdentifier = keyid
nameConstraints = critical,permitted;DNS:mosquitto.org
$CA
[constrained_elsewhere]
basicConstraints = critical,CA:TRUE,pathlen:0
authorityKeyIdentifier = keyid
nameConstraints = critical,permitted;DNS:other.example
$CA
[constrained_excluded]
basicConstraints = critical,CA:TRUE,pathlen:0
authorityKeyIdentifier = keyid
nameConstraints = critical,excluded;DNS:mosquitto.org
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
[server_cn_only]
$LEAF
extendedKeyUsage = serverAuth
[server_key_usage]
basicConstraints = critical,CA:FALSE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = serverAuth
subjectAltName = $NAMES
[server_key_usage_other]
basicConstraints = critical,CA:FALSE
keyUsage = critical,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = serverAuth
subjectAltName = $NAMES
$(server_for wrong_host DNS:other.example,DNS:mosquitto.org)
$(server_for san_other DNS:other.example)
$(server_for ip_only IP:10.9.8.7)
$(server_for address IP:127.0.0.1)
$(server_for address_as_name DNS:127.0.0.1)
$(server_for wildcard 'DNS:*.mosquitto.org')
$(server_for wildcard_alone 'DNS:*')
$(server_for wildcard_partial 'DNS:te*.mosquitto.org')
$(server_for wildcard_inside 'DNS:t*t.mosquitto.org')
$(server_for wildcard_double 'DNS:*.*.org')
$(server_for wildcard_wide 'DNS:*.org')
[client]
$LEAF
extendedKeyUsage = clientAuth
[client_named]
$LEAF
extendedKeyUsage = clientAuth
subjectAltName = $NAMES
CNF
: >"$work/index"

# What makes a new key: P-256, or what the functions below are told instead.
CURVE='ec -pkeyopt ec_paramgen_curve:P-256'

# root NAME SUBJECT
root() {
	run openssl req -x509 -newkey $CURVE -nodes -keyout "$1.key" -config "$work/cnf" -extensions root -sha256 \
		-days 3650 -subj "$2" -out "$1.crt"
}

# sign NAME CA SECTION SUBJECT [DIGEST [KEY]]: NAME.crt by CA, valid from now on, with a new key
sign() {
	run openssl req -x509 -newkey ${6:-$CURVE} -nodes -keyout "$1.key" -config "$work/cnf" -extensions "$3" -subj "$4" \
		-days 825 -CA "$2.crt" -CAkey "$2.key" "-${5:-sha256}" -out "$1.crt"
}

# sign_again NAME KEY CA SECTION SUBJECT: the same for a key that is there
sign_again() {
	[ "$1" = "$2" ] || cp "$2.key" "$1.key"
	run openssl req -x509 -new -config "$work/cnf" -extensions "$4" -key "$1.key" -subj "$5" -days 825 \
		-CA "$3.crt" -CAkey "$3.key" -sha256 -out "$1.crt"
}

# sign_dated NAME CA SECTION SUBJECT FROM TO: the same with a validity of its own, YYYYMMDDhhmmssZ
sign_dated() {
	run openssl req -newkey $CURVE -nodes -keyout "$1.key" -config "$work/cnf" -subj "$4" -out "$work/csr"
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
	run openssl req -x509 -newkey $CURVE -nodes -keyout self-signed.key -config "$work/cnf" -extensions server_self \
		-sha256 -days 825 -subj $HOST -out self-signed.crt
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
	sign weak-key own-ca server $HOST sha256 rsa:768
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
	sign client-weak-key own-ca client "/O=skiff/CN=tester weak" sha256 rsa:768
	cp client.crt client-key-mismatch.crt
	cp good.key client-key-mismatch.key
	cp client.key client-not-pem.key
	echo "this is no certificate" >client-not-pem.crt
}

more_servers() {
	sign address own-ca server_address "/O=skiff/CN=address"
	sign rsa own-ca server $HOST sha256 rsa:2048
	sign p384 own-ca server $HOST sha384 "ec -pkeyopt ec_paramgen_curve:P-384"
	sign ed25519 own-ca server $HOST sha256 ed25519
}

more_names() {
	sign san-other own-ca server_san_other $HOST
	sign address-as-name own-ca server_address_as_name "/O=skiff/CN=127.0.0.1"
	cp ip-only.crt address-other.crt
	cp ip-only.key address-other.key
	for kind in alone inside double wide; do
		sign wildcard-$kind own-ca server_wildcard_$kind "/O=skiff/CN=wildcard"
	done
	cp wildcard.crt wildcard-deep.crt
	cp wildcard.key wildcard-deep.key
}

more_chains() {
	root same-name "/O=skiff/CN=lab own CA"
	sign same-name-ca same-name server $HOST
	cp same-name-ca.crt same-name-ca-sent.crt
	cp same-name-ca.key same-name-ca-sent.key
	bundle same-name-ca-sent same-name
	sign below-int own-int intermediate_of_one_more "/O=skiff/CN=lab one intermediate too many"
	sign path-length below-int server_by_intermediate $HOST
	bundle path-length below-int own-int
	rm -f below-int.* same-name.*
}

# By intermediates of one name and key, and so of one revocation list, that differ in the names they may give.
constrained_chains() {
	subject="/O=skiff/CN=lab constrained intermediate"
	sign constrained-int own-ca constrained_permitted "$subject"
	sign constrained constrained-int server_wildcard $HOST
	bundle constrained constrained-int
	for kind in elsewhere excluded; do
		sign_again constrained-int constrained-int own-ca constrained_$kind "$subject"
		sign constrained-$kind constrained-int server $HOST
		bundle constrained-$kind constrained-int
	done
}

more_bad_servers() {
	# with RSA, as OpenSSL's own server does not offer an elliptic curve's key of such a usage in TLS 1.2
	sign_again key-usage rsa own-ca server_key_usage $HOST
	sign_again key-usage-other rsa own-ca server_key_usage_other $HOST
	sign weak-key-512 own-ca server $HOST sha256 rsa:512
	sign weak-key-1024 own-ca server $HOST sha256 rsa:1024
	# there is no signature of MD5 with an elliptic curve
	sign_again md5-int rsa own-ca intermediate "/O=skiff/CN=lab own intermediate with RSA"
	sign weak-digest-md5 md5-int server $HOST md5
	bundle weak-digest-md5 md5-int
	rm -f md5-int.*
}

more_clients() {
	sign_again client-rsa rsa own-ca client "/O=skiff/CN=tester with RSA"
	sign client-ed25519 own-ca client "/O=skiff/CN=tester with Ed25519" sha256 ed25519
	for kind in csr pubkey readable; do
		cp client.key client-$kind.key
	done
	run openssl req -new -config "$work/cnf" -key client-csr.key -subj "/O=skiff/CN=tester" -out client-csr.crt
	run openssl pkey -in client-pubkey.key -pubout -out client-pubkey.crt
	cp client.crt client-readable.crt
	chmod 644 client-readable.key
	cat own-int.crt client-chain.crt >client-swapped.crt
	cp client-chain.key client-swapped.key
	cp client.crt client-enc-other.crt
	run openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 2048 -in client.key -passout pass:other -out client-enc-other.key
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
	[ -z "$all" ] || revoke constrained-int
	rm -f expired-int.* constrained-int.*
}

authorities
servers
bad_names
bad_chains
bad_servers
clients
if [ -n "$all" ]; then
	more_servers
	more_names
	more_chains
	constrained_chains
	more_bad_servers
	more_clients
fi
revocations
cp good.crt server.crt
cp good.key server.key
chmod 644 ./*.crt ./*.crl
