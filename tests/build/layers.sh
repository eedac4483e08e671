#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layers.sh [TREE]: who may include whom. Calls go down the way of a byte, never up; public headers are open to all.
set -eu
cd "${1-$SKIFF_SOURCE}"
find lib tools -name '*.[ch]' | sort | xargs awk '
	# allow(WHO, WHAT): both are the beginnings of paths, below lib/ or tools itself; the longest WHO that fits counts.
	function allow(who, what) { allowed[who] = who " " what " skiff/" }
	function deny(who, what) { denied[who] = what }
	BEGIN {
		upward = "session/event session/kept" # the events that every engine hands up are a part of its seam
		alike = "session/limits session/verdict" # what every engine decides and says in the same way
		allow("base/", "")
		allow("loop/", "base/")
		allow("endpoint/", "base/")
		allow("endpoint/resolve", "base/ endpoint/ loop/")
		allow("transport/", "base/ endpoint/ loop/")
		allow("codec/", "base/")
		allow("session/", "base/ codec/")
		allow("engine/", "base/ codec/topic codec/properties codec/reason endpoint/ loop/ engine/ " upward)
		allow("engine/attempt", "base/ codec/packet endpoint/ engine/ " alike)
		allow("engine/native_", "base/ codec/ session/ transport/ endpoint/ loop/ engine/")
		# Paho has its own packets, session and sockets; ours only take properties apart, and say why it failed.
		allow("engine/paho_", "base/ codec/properties codec/reason endpoint/ loop/ engine/ " upward " " alike)
		allow("engine/paho_options", "base/ endpoint/ engine/ transport/tls_context")
		allow("engine/paho_cause", "base/ codec/properties engine/ transport/tls_verify transport/ws_head " alike)
		allow("engine/paho_look", "base/ engine/ transport/transport")
		allow("client/", "base/ codec/topic codec/properties codec/reason endpoint/ loop/ engine/ " upward)
		allow("store/", "base/ session/store")
		allow("include/", "")
		allow("tools/", "")

		# System headers that would break a promise: codec and session are pure, only transport knows TLS and sockets.
		pure = "pthread.h time.h uv.h sys/socket.h openssl/ libwebsockets.h"
		deny("codec/", pure)
		deny("session/", pure " base/random")
		deny("endpoint/", "openssl/ libwebsockets.h")
		deny("engine/", "openssl/ libwebsockets.h")
		deny("engine/paho_cause", "libwebsockets.h") # it speaks of the numbers of OpenSSL that Paho hands on
		deny("engine/paho_trace", "libwebsockets.h")
		deny("client/", "openssl/ libwebsockets.h")
		deny("include/", pure)
	}
	function longest(table, path,   who, best) {
		best = ""
		for (who in table)
			if (index(path, who) == 1 && length(who) > length(best))
				best = who
		return best
	}
	function begins(path, list,   n, i, word) {
		n = split(list, word, " ")
		for (i = 1; i <= n; i++)
			if (index(path, word[i]) == 1)
				return 1
		return 0
	}
	function complain(text) {
		print FILENAME ":" FNR ": " text
		failed = 1
	}
	FNR == 1 {
		path = FILENAME
		sub(/^lib\//, "", path)
		folder = path
		sub(/[^\/]*$/, "", folder)
		who = longest(allowed, path)
		if (who == "")
			complain("this folder has no line in the table of layers")
		files++
	}
	/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
		what = $0
		sub(/^[^<"]*[<"]/, "", what)
		sub(/[>"].*/, "", what)
		if ($0 ~ /"/ && what !~ /\//)
			what = folder what
		if (begins(what, denied[longest(denied, path)]))
			complain("\"" who "\" must not include <" what ">")
		else if ($0 ~ /"/ && !begins(what, allowed[who]))
			complain("\"" who "\" may not include \"" what "\"")
	}
	path ~ /^(codec|session)\// && /skiffi_now_us/ {
		complain("\"" who "\" is told the time, it must not ask for it")
	}
	END {
		if (!files) {
			print "no source was found"
			failed = 1
		}
		exit failed
	}'
