#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `skiff compare --html`: a page of its own, and what a browser draws of it, wide and light, narrow and dark.
. "$(dirname "$0")/lab_common.sh"
here=$(cd "$(dirname "$0")" && pwd)

cat >"$work/inside.sh" <<'INSIDE'
skiff=$1 work=$2
bad()
{
	echo "FAIL: $*" >&2
	exit 1
}
few=(--rounds 3 --trips 20 --burst 50)
"$skiff" compare "${few[@]}" --json --html "$work/page.html" lab >"$work/json" 2>"$work/err" || bad "exit code $?: $(cat "$work/err")"
grep -qE 'https?://|src=|url\(|@import|<script' "$work/page.html" && bad "the page loads something"
grep -q readwrite "$work/page.html" && bad "a password is shown"
[ ! -e "$work/page.html.part" ] || bad "a part is left"

# What cannot be written is said before it is measured for, and what was there stays.
echo before >"$work/old.html"
mkdir "$work/old.html.part"
"$skiff" compare "${few[@]}" --html "$work/old.html" lab >"$work/out" 2>&1 && bad "a page that cannot be written, and exit code 0"
grep -q "option '--html': cannot write '$work/old.html'" "$work/out" || bad "$(cat "$work/out")"
[ "$(cat "$work/old.html")" = before ] || bad "the page from before is lost"

# A name is text, not markup.
"$skiff" compare "${few[@]}" --html "$work/name.html" "ws://127.0.0.1:1/<b>&'" >/dev/null 2>&1
grep -q '<b>' "$work/name.html" && bad "a URL is taken for markup"
[ -s "$work/name.html" ] || bad "no page of a door that does not open"
exit 0
INSIDE
"$skiff" lab --base 0 -- bash "$work/inside.sh" "$skiff" "$work" || exit 1

[ -z "${SKIFF_SANITIZE:-}" ] || exit 0 # the browser would see the same page
command -v chromium >/dev/null || skip "no chromium"

# browse ARGUMENT... of the browser; what it prints is in $work/told
browse()
{
	chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/browser" "$@" \
		>"$work/told" 2>"$work/browser.log" || fail "chromium: $(tail -3 "$work/browser.log")"
}

# The page with a script that tells where things are; its own policy would not let it run.
sed 's/<meta http-equiv="Content-Security-Policy"[^>]*>//; s|</body>|<script>\
const place = (e) => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height] };\
const all = (of, what) => [...of.querySelectorAll(what)];\
const row = (r) => ({name: r.querySelector(".name").textContent, bars: all(r, ".bar").map(place),\
curves: all(r, ".curve").map(place), p50: all(r, ".p50").map(place)});\
const of = (what) => all(document, what + " .row").map(row);\
parent.postMessage(JSON.stringify({width: document.documentElement.scrollWidth, setup: of("#setup"),\
trips: of("#trips"), wire: of("#wire")}), "*");\
</script></body>|' "$work/page.html" >"$work/told.html"

# frame PAGE WIDTH HEIGHT: around it, as a window of the browser cannot be as narrow as a phone
frame()
{
	printf '<!doctype html><body style="margin:0"><iframe src="%s" style="border:0;width:%dpx;height:%dpx"></iframe>' "$@"
	echo '<script>onmessage = (event) => { document.body.textContent = event.data }</script></body>'
}

# look WIDTH HEIGHT SCHEME: 1 light, 0 dark
look()
{
	set -- "$1" "$2" "$3" --window-size="$(($1 < 500 ? 500 : $1)),$2" --blink-settings=preferredColorScheme="$3"
	frame told.html "$1" "$2" >"$work/frame.html"
	browse "${@:4}" --virtual-time-budget=5000 --dump-dom "file://$work/frame.html"
	mv "$work/told" "$work/places.html"
	frame page.html "$1" "$2" >"$work/frame.html"
	browse "${@:4}" --screenshot="$work/page.png" "file://$work/frame.html"
	python3 "$here/compare_html_look.py" "$work/json" "$work/places.html" "$work/page.png" "$1" "$3" || fail "$1 wide"
}
look 700 4200 1
look 390 6000 0
