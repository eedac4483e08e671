#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layers_caught.sh: the check of layers turns red for each kind of trespass, and stays green without one.
set -eu
check=$SKIFF_SOURCE/tests/build/layers.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# tree FILE INCLUDE: a tree with that one line in that one file.
tree()
{
	rm -rf "$work/tree"
	mkdir -p "$work/tree/lib" "$work/tree/tools" "$work/tree/$(dirname "$1")"
	printf '#include %s\n' "$2" >"$work/tree/$1"
}

caught()
{
	tree "$1" "$2"
	if sh "$check" "$work/tree" >/dev/null; then
		echo "not caught: '$1' includes $2"
		failed=1
	fi
}

free()
{
	tree "$1" "$2"
	if ! sh "$check" "$work/tree"; then
		echo "wrongly caught: '$1' includes $2"
		failed=1
	fi
}

caught lib/base/a.c '"loop/loop.h"'
caught lib/codec/a.c '"transport/transport.h"'
caught lib/codec/a.c '<openssl/ssl.h>'
caught lib/session/a.c '"base/random.h"'
caught lib/session/a.c '<time.h>'
caught lib/endpoint/endpoint.c '"loop/loop.h"'
caught lib/endpoint/endpoint.c '<openssl/ssl.h>'
caught lib/transport/a.c '"codec/packet.h"'
caught lib/engine/engine.c '"session/session.h"'
caught lib/engine/paho_engine.c '"codec/packet.h"'
caught lib/client/a.c '"transport/transport.h"'
caught lib/client/a.c '"session/session.h"'
caught lib/store/a.c '"loop/loop.h"'
caught lib/new/a.c '<stdio.h>'
caught tools/a.c '"base/alloc.h"'
caught tools/a.c '"../lib/base/alloc.h"'

tree lib/session/a.c '"base/clock.h"'
echo 'now = skiffi_now_us();' >>"$work/tree/lib/session/a.c"
if sh "$check" "$work/tree" >/dev/null; then
	echo "not caught: 'lib/session/a.c' asks for the time"
	failed=1
fi

free lib/endpoint/resolve.c '"loop/loop.h"'
free lib/session/a.c '"session/session.h"'
free lib/session/a.c '"session.h"'
free lib/engine/native_engine.c '"session/session.h"'
free lib/engine/native_engine.c '"engine/engine.h"'
free lib/session/a.c '"base/clock.h"'
free lib/client/a.c '"session/event.h"'
free lib/codec/a.c '<skiff/message.h>'
free lib/client/a.c '"codec/topic.h"'
free tools/a.c '<skiff/skiff.h>'
free tools/a.c '"cli_output.h"'
exit $failed
