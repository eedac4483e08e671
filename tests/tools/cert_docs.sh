#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/certificates.md: the shell blocks of its lab half run as written, one after the other, and each does what is said;
# its other commands are spelled as the command takes them, and its table has every cause of a refusal.
. "$(dirname "$0")/common.sh"
command -v mosquitto >/dev/null || skip "mosquitto is not installed"
command -v openssl >/dev/null || skip "openssl is not installed"
page=$(cd "$(dirname "$0")/../../docs" && pwd)/certificates.md
cd "$work" || exit 1
PATH=$(dirname "$SKIFF"):$PATH

sed -n '/^## Here/,/^## Out there/p' "$page" | awk '/^```$/{on=0} on{print} /^```sh$/{on=1}' >lab.sh
[ "$(grep -c . lab.sh)" -ge 8 ] || fail "the page has hardly a line to run"
mkdir here
cat >inside.sh <<'INSIDE'
cd here || exit 1
while IFS= read -r line; do
	printf '$ %s\n' "$line"
	timeout 60 bash -c "$line" 2>&1 </dev/null || { echo "ENDED WITH $?"; exit 1; }
done <../lab.sh
INSIDE
run "$SKIFF" lab --base 0 -- bash inside.sh
[ "$code" = 0 ] || fail "a line of the page fails: $out"
[ "$(grep -c '^\$ ' "$work/out")" = "$(grep -c . lab.sh)" ] || fail "not every line was run: $out"
for text in "1. Have it signed" "ok: " "accepted here" ": accepted, TLS" "works from here" "demo/hall 22" \
	"the server requires a client certificate, and none was given" "exit code 14"; do
	[[ $out = *"$text"* ]] || fail "no '$text' in: $out"
done
[ "$(stat -c %a here/client.key)" = 600 ] || fail "the key can be read by others"

# the half that needs the network: the steps are those that the command itself names, and they are spelled right
sed -n '/^## Out there/,/^## Forms/s/^    //p' "$page" >there
grep -c . there >/dev/null || fail "no lines for test.mosquitto.org"
"$SKIFF" cert csr --key new.key --out client.csr >steps || fail "no request"
sed 's/new\.key/client.key/' steps >steps.named
grep -v '^skiff cert' there | while IFS= read -r line; do
	grep -qF -- "$line" steps.named || fail "'skiff cert csr' does not say: $line"
done || exit 1
while IFS= read -r slug; do
	grep -q "^| .*\`$slug\`" "$page" || fail "the table lacks $slug"
done < <("$SKIFF" help causes | sed -n 's/^\(tls-[a-z-]*\|key-[a-z-]*\|own-cert-[a-z-]*\|file-[a-z-]*\)  (.*/\1/p' | grep -v '^tls-failed$')
