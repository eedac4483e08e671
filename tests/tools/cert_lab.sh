#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff cert lab` makes the whole of certs/cases.txt and prints it, and writes over nothing that is not its own.
. "$(dirname "$0")/common.sh"
command -v openssl >/dev/null || skip "openssl is not installed"
cases=$(cd "$(dirname "$0")/../../certs" && pwd)/cases.txt
cd "$work" || exit 1

run "$SKIFF" cert lab "new one"
expect 0
sed 's/ *| */|/g' "$cases" | grep -v '^#' | grep . >wanted
while IFS='|' read -r name what error _; do
	[ -s "new one/$name.crt" ] && [ -s "new one/$name.key" ] || fail "$name was not made"
	grep -Eq "^$name +$error +" "$work/out" || fail "no line of $name and $error: $out"
	[[ $out = *"$what"* ]] || fail "what is wrong with $name is not said"
done <wanted
[ "$(sed '1d;/^$/,$d' "$work/out" | grep -c .)" = "$(grep -c . wanted)" ] || fail "other cases than those of the table: $out"
cmp -s "$cases" "new one/cases.txt" || fail "the table was not kept"
[ "$(find "new one" -name '*.key' -perm /077 ! -name client-readable.key)" = "" ] || fail "keys that others can read"
[ "$(find . -maxdepth 1 -name 'skiff-lab.*')" = "" ] || fail "a temporary folder is left"
# its lines to paste
sed -n 's/^  \(skiff cert check .*\)/\1/p' "$work/out" >lines
[ "$(grep -c . lines)" = 2 ] || fail "no lines to paste: $out"
PATH=$(dirname "$SKIFF"):$PATH
bash <(sed -n 1p lines) >made 2>&1 || fail "the first line fails: $(cat made)"
bash <(sed -n 2p lines) >made 2>&1
[ $? = 10 ] && grep -q "certificate revoked" made || fail "the second line: $(cat made)"

# again into the same; never over something else
before=$(cat "new one/good.key")
run "$SKIFF" cert lab --json "new one"
expect 0
[ "$(cat "new one/good.key")" != "$before" ] || fail "nothing was made anew"
[[ $out = '{"schema":"skiff.cert-lab/1","dir":"'*'"cases":[{"case":"good",'* ]] || fail "its JSON: $out"
[ "$(grep -o '"case":' "$work/out" | wc -l)" = "$(grep -c . wanted)" ] || fail "its JSON has other cases: $out"
mkdir mine
echo mine >mine/client.key
run "$SKIFF" cert lab mine
expect 10 "holds other files"
[ "$(cat mine/client.key)" = mine ] || fail "a key was written over"
echo mine >file
run "$SKIFF" cert lab file
expect 10 "'file' is no folder"
run "$SKIFF" cert lab 'q"uo'
expect 10 "choose another name"
[ ! -e 'q"uo' ] || fail "the folder of a name that cannot be is left"
run "$SKIFF" cert lab none/folder
expect 10 "cannot make the folder"
mkdir bin
ln -s "$(command -v sh)" bin/sh
run env PATH="$work/bin" "$SKIFF" cert lab other
expect 10 "cannot make the certificates"
