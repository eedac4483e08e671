#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff cert show` names what is in a file of any form, as openssl sees it, and what a server shows, trusted or not;
# names made to fool a terminal are harmless, and its JSON is of its schema.
. "$(dirname "$0")/common.sh"
command -v openssl >/dev/null || skip "openssl is not installed"
command -v jsonschema >/dev/null || skip "no jsonschema"
schemas=$(cd "$(dirname "$0")/../../docs/schema" && pwd)
cd "$work" || exit 1
"$SKIFF" cert lab certs >/dev/null 2>&1 || fail "no certificates"
made() { "$@" >made 2>&1 || fail "$*: $(tail -1 made)"; }
# shows TEXT FILE [OPTION]...: exit code 0, and TEXT is a part of the page
shows()
{
	local text=$1
	shift
	run "$SKIFF" cert show "$@"
	expect 0
	[[ $out = *"$text"* ]] || fail "no '$text' in: $out"
}
valid=()
json() # FILE [OPTION]...: into $name.json, to be looked at by the schema in the end
{
	local name=json.${#valid[@]}
	run "$SKIFF" cert show --json "$@"
	expect 0
	cp "$work/out" "$name"
	valid+=(-i "$name")
}

# holds EXPRESSION: of python, about the last JSON, j
holds()
{
	python3 -c 'import json, sys
j = json.load(open(sys.argv[1], encoding="utf-8"))
i = j["items"]
sys.exit(not eval(sys.argv[2]))' "$work/out" "$1" || fail "JSON in which not '$1': $(head -c 3000 "$work/out")"
}

# one certificate in each form; fingerprints and pin as openssl makes them
crt=certs/client-chain.crt key=certs/client-chain.key
echo sesame >password
chmod 600 password
sha256=$(openssl x509 -in $crt -noout -fingerprint -sha256 | sed 's/.*=//;s/://g' | tr A-F a-f)
sha1=$(openssl x509 -in $crt -noout -fingerprint -sha1 | sed 's/.*=//;s/://g' | tr A-F a-f)
pin=sha256//$(openssl x509 -in $crt -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)
sed 's/$/\r/' $crt >crlf.pem
printf '\357\273\277' | cat - $crt >mark.pem
{ echo "Bag Attributes: none"; cat $crt; echo "the end"; } >prose.pem
made openssl x509 -in $crt -outform der -out one.cer
made openssl pkcs12 -export -in $crt -inkey $key -out new.p12 -passout file:password
made openssl pkcs12 -export -legacy -in $crt -inkey $key -out old.p12 -passout file:password
made openssl crl2pkcs7 -nocrl -certfile $crt -out bundle.p7b
made openssl crl2pkcs7 -nocrl -certfile $crt -outform der -out bundle.p7c
for file in $crt crlf.pem mark.pem prose.pem one.cer new.p12 old.p12 bundle.p7b bundle.p7c; do
	shows "SHA-256    $sha256" $file --key-password-file password
	[[ $out = *"SHA-1      $sha1"* && $out = *"pin        $pin"* ]] || fail "$file: other digests: $out"
	[ $file = one.cer ] || [[ $out = *"2  certificate"*"CN=lab own intermediate,O=skiff"* ]] || fail "$file: no chain: $out"
done
[[ $out = *"\`- 2  CN=lab own intermediate"*"\`- CN=lab own CA,O=skiff  (neither here nor trusted here)"* ]] || fail "no tree: $out"
shows "(trusted here, not here)" $crt --cafile certs/own-ca.crt
json new.p12 --key-password-file password
holds 'j["form"] == "PKCS#12" and j["server"] is None and [x["kind"] for x in i] == ["certificate", "certificate", "private-key"]'
holds "i[0]['sha256'] == '$sha256' and i[2]['key']['pin'] == '$pin'"
"$SKIFF" cert show --pem --key-password-file password old.p12 | openssl crl2pkcs7 -nocrl -certfile /dev/stdin |
	openssl pkcs7 -print_certs -noout >names || fail "--pem of a bundle"
grep -q "tester by intermediate" names || fail "--pem lost the certificate: $(cat names)"

# the most ordinary bundle: one certificate and its key, no chain
made openssl pkcs12 -export -in certs/client.crt -inkey certs/client.key -out single.p12 -passout file:password
shows "2 items in PKCS#12" single.p12 --key-password-file password
[[ $out = *"1  certificate"*"2  private key, encrypted"* ]] || fail "a bundle of one certificate: $out"
"$SKIFF" cert show --pem --key-password-file password single.p12 | cmp -s - <(openssl x509 -in certs/client.crt) ||
	fail "--pem of a bundle of one certificate"

# the other kinds, and what is not there, or stays shut
shows "private key: it is encrypted, and no password was given" certs/client-enc.key
shows "private key: it is encrypted, and no password was given" new.p12
echo wrong >other
chmod 600 other
shows "private key: the password does not open it" certs/client-enc.key --key-password-file other
SKIFF_KEY_PASSWORD=lab shows "private key, encrypted" certs/client-enc.key
[ "$(sed -n '/^1 /,$p' <<<"$out" | sed -n 's/^   \([a-z]*\) .*/\1/p' | tr '\n' ' ')" = "key pin " ] || fail "more of a key is shown: $out"
made openssl req -new -key $key -subj /CN=asks -addext subjectAltName=DNS:a.example -out asks.csr
shows "signing request" asks.csr
[[ $out = *"CN=asks"*"DNS a.example"*"$pin"*"by its own key"* ]] || fail "a request: $out"
shows "revokes    2 certificates" certs/own-ca.crl
made openssl pkey -in $key -pubout -out public.pem
shows "public key" public.pem
shows "expired " certs/expired.crt
[[ $out = *" days ago"* ]] || fail "since when is it expired? $out"
shows "not yet valid: begins in " certs/not-yet-valid.crt
shows "too weak   its key is RSA 768 bits" certs/weak-key.crt
{ cat certs/own-ca.crl asks.csr certs/client.key $crt public.pem; } >all.pem
json all.pem
lists=$(grep -c "BEGIN X509 CRL" certs/own-ca.crl)
holds '[x["kind"] for x in i] == ["crl"] * '"$lists"' + ["request", "private-key", "certificate", "certificate", "public-key"]'
holds 'j["chains"][0]["links"][0]["item"] == '$((lists + 3))
sed '3s/^..../AAAA/' certs/client.crt >broken.pem
run "$SKIFF" cert show broken.pem
expect 10
[[ $out = *"1  certificate: it is damaged"* ]] || fail "damage is not told: $out"
printf -- '-----BEGIN CERTIFICATE-----\nAAAA\n' >cut.pem
run "$SKIFF" cert show cut.pem
expect 10
[[ $out = *"1  certificate: the file ends within it"* ]] || fail "a cut block is not told: $out"
for cut in 4 8 28; do # within the dashes of its last line, within the word, before it
	head -c -$cut certs/client.crt >cut.pem
	run "$SKIFF" cert show cut.pem
	expect 10
	[[ $out = *"1  certificate: the file ends within it"* ]] || fail "a block cut by $cut bytes: $out"
done
# what a command converts, and what is in a token
printf '%s\n' '-----BEGIN OPENSSH PRIVATE KEY-----' AAAA '-----END OPENSSH PRIVATE KEY-----' >ossh
shows "convert by ssh-keygen -p -m PKCS8 -f FILE" ossh
iconv -f UTF-8 -t UTF-16 certs/client.crt >wide.pem
run "$SKIFF" cert show wide.pem
expect 10 "iconv -f UTF-16 -t UTF-8 FILE > NEW"
run "$SKIFF" cert show "pkcs11:token=skiff;object=me"
expect 2 "skiff cert handshake"
run "$SKIFF" cert show none.pem
expect 10 "cannot read file 'none.pem'"
run "$SKIFF" cert show certs/client-not-pem.crt
expect 10 "holds no PEM"
run "$SKIFF" cert show localhost:8883
expect 10 "a server is looked at by its URL: mqtts://localhost:8883"
run "$SKIFF" cert show --pem $key
expect 10 "holds no certificate"
run "$SKIFF" cert show --pem --json $crt
expect 2 "excludes"

# names made to fool: escape sequences, newline, NUL, what turns the direction of writing, ill-formed UTF-8
hostile=$(printf 'CN=a\033]0;owned\007\nok  trusted\342\200\256b')
names=3081$(printf '%02x' $((2 + 19 + 2 + 9 + 2 + 8 + 2 + 3)))
names+=8213$(printf 'good.example\000.evil.' | od -An -tx1 | tr -d ' \n')
names+=8209$(printf 'x\033[2J\n\rab' | od -An -tx1 | tr -d ' \n')
names+=8208$(printf 'y\342\200\256moc.' | od -An -tx1 | tr -d ' \n')
names+=8203$(printf 'z\377\302' | od -An -tx1 | tr -d ' \n')
made openssl req -x509 -new -key $key -days 2 -utf8 -subj "/$hostile" -addext "subjectAltName=DER:$names" -out hostile.crt
shows "DNS good.example\\x00.evil" hostile.crt
[[ $out = *"DNS x\\x1b[2J\\x0a\\x0dab, DNS y\\xe2\\x80\\xaemoc., DNS z\\xff\\xc2"* ]] || fail "the names: $out"
! LC_ALL=C grep -q $'[\001-\011\013-\037\177\200-\377]' "$work/out" || fail "bytes that a terminal obeys: $(od -c "$work/out" | head -20)"
! grep -q '^ok  trusted' "$work/out" || fail "a name begins a line"
json hostile.crt
holds 'i[0]["names"][0]["value"] == "good.example\0.evil." and "owned" in i[0]["subject"]'
! LC_ALL=C grep -q $'[\001-\011\013-\037\177]' "$work/out" && ! grep -q $'\342\200\256' "$work/out" || fail "JSON that a terminal obeys"

# ten thousand names
{
	printf '[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=ext\n[dn]\nCN=many\n[ext]\nsubjectAltName=@alt\n[alt]\n'
	seq 10000 | sed 's/.*/DNS.&=host-&.example/'
} >many.cnf
made openssl req -x509 -new -key $key -days 2 -config many.cnf -out many.crt
shows "DNS host-10.example and 9990 more ('--json' has all)" many.crt
[ "$(wc -c <"$work/out")" -lt 4000 ] || fail "a page of $(wc -c <"$work/out") bytes"
json many.crt
holds 'len(i[0]["names"]) == 10000 and i[0]["names"][9999]["value"] == "host-10000.example"'

# a server: its chain as a tree, what a client must load, and that it is not accepted is no failure
free_port
mkfifo input
exec 9<>input # which never ends, as s_server would with it
in_background openssl s_server -accept "127.0.0.1:$port" -cert certs/chain.crt -cert_chain certs/own-int.crt -key certs/chain.key <&9
await "the server" listens "$port"
shows "not accepted here: tls-unknown-ca" "mqtts://127.0.0.1:$port"
[[ $out = *"  1  CN=test.mosquitto.org"*"\`- 2  CN=lab own intermediate"*"(neither sent nor trusted here)"* ]] || fail "the tree: $out"
[[ $out = *'a client must load: the certificate of "CN=lab own CA,O=skiff", which the server does not send'* ]] || fail "what to load: $out"
shows "accepted here" "wss://127.0.0.1:$port" --cafile certs/own-ca.crt
[[ $out = *"(trusted here, not sent)"*"a client must load: '--cafile', as here"* ]] || fail "the trusted tree: $out"
json "ssl://user:secret@127.0.0.1:$port" --cafile certs/own-ca.crt
holds 'j["server"]["accepted"] and i[0]["names"][0]["value"] == "test.mosquitto.org" and j["chains"][0]["links"][2]["trusted"]'
[[ $out != *secret* ]] || fail "the password is shown"
"$SKIFF" cert show --pem "mqtts://127.0.0.1:$port" >sent.pem || fail "--pem of a server"
cmp -s <(cat certs/chain.crt) sent.pem || fail "another chain than the server's: $(cat sent.pem)"
run "$SKIFF" cert show "mqtt://127.0.0.1:$port"
expect 2 "has no TLS"
# an intermediate that is not sent: what to load, one step after the other, ends in being accepted
free_port
in_background openssl s_server -accept "127.0.0.1:$port" -cert certs/missing-intermediate.crt -key certs/missing-intermediate.key <&9
await "the server" listens "$port"
shows "a client must load: the intermediate" "mqtts://127.0.0.1:$port"
[[ $out = *'"CN=lab own intermediate,O=skiff"'*"have the server mended"*"the one of its root into ONE file, then '--cafile FILE'"* ]] ||
	fail "what to load for a missing intermediate: $out"
shows "the one of its root into ONE file" "mqtts://127.0.0.1:$port" --cafile certs/own-ca.crt
shows 'a client must load: the certificate of "CN=lab own CA,O=skiff"' "mqtts://127.0.0.1:$port" --cafile certs/own-int.crt
[[ $out = *"put it into ONE file with those of '--cafile' here"* ]] || fail "what to load beside an intermediate: $out"
cat certs/own-int.crt certs/own-ca.crt >both.pem
shows "accepted here" "mqtts://127.0.0.1:$port" --cafile both.pem
free_port
run "$SKIFF" cert show "mqtts://127.0.0.1:$port"
expect 12
PYTHONWARNINGS=ignore jsonschema "${valid[@]}" "$schemas/cert-1.json" >made 2>&1 || fail "schema: $(head -5 made)"
