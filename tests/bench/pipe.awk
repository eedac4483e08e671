# SPDX-License-Identifier: Apache-2.0
# pipe.awk: the table of pipe.sh, out of lines "WORK PEER WALL USER SYSTEM" in seconds.

function median(what, peer,   n, i, k, x, list)
{
	n = count[what, peer]
	for (i = 1; i <= n; i++)
		list[i] = value[what, peer, i]
	for (i = 2; i <= n; i++)
		for (k = i; k > 1 && list[k] < list[k - 1]; k--) {
			x = list[k]; list[k] = list[k - 1]; list[k - 1] = x
		}
	return list[int((n + 1) / 2)]
}

function row(what, text, unit, bound,   theirs, ours, link)
{
	theirs = median(what, "mosquitto")
	ours = median(what, "skiff")
	link = median(what, "link")
	printf "| %s | %.3f %s | %.3f %s | %.3f %s | %.3f | %.3f |%s\n", text, theirs, unit, ours, unit, link, unit,
		ours / theirs, bound, (ours / theirs > bound ? " missed" : "")
	missed += (ours / theirs > bound)
}

function figure(what, wall, cpu)
{
	if (what == "lone")
		return wall * 1000 / lone
	return cpu * 1000000 / (what == "publish_1" ? confirmed : messages)
}

{ value[$1, $2, ++count[$1, $2]] = figure($1, $3, $4 + $5) }

END {
	print "| work | mosquitto | skiff | skiff by the link | ratio | bound |"
	print "|---|---|---|---|---|---|"
	row("publish_0", "pub -l, QoS 0: CPU a line", "us", 1 / 8)
	row("publish_1", "pub -l, QoS 1: CPU a line", "us", 1 / 5)
	row("receive_0", "sub -C, QoS 0: CPU a message", "us", 1 / 10)
	row("lone", "pub -m: wall clock", "ms", 1)
	exit missed > 0
}
