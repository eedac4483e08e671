# SPDX-License-Identifier: Apache-2.0
"""Whether what a browser drew is what was measured.

compare_html_look.py JSON PLACES PNG WIDTH SCHEME: the comparison, the page with where its things are, its picture, the
window's width, and 1 for light, 0 for dark.
"""
import functools
import html
import json
import re
import struct
import sys
import zlib

COLOURS = {  # as in tools/compare_style.c
    1: {"page": "ffffff", "track": "eef1f4", "tcp": "2f74d0", "tls": "c97d00", "websocket": "9350cc", "mqtt": "23935a",
        "more": "c97d00", "text": "1d2329"},
    0: {"page": "14181c", "track": "20262c", "tcp": "6aa5f8", "tls": "eaa93a", "websocket": "be8cf5", "mqtt": "52c48a",
        "more": "eaa93a", "text": "e4e8ec"},
}
PHASES = ["tcp", "tls", "websocket", "mqtt"]


def unfiltered(kind, row, before, step):
    """A row of a PNG as it is; most are of one colour, or like the row before."""
    if kind == 2:
        return bytearray(a + b & 255 for a, b in zip(row, before)) if any(row) else before
    if kind == 1 and not any(row[step:]):
        return row[:step] * (len(row) // step)
    for i in range(len(row) if kind else 0):
        left, up = row[i - step] if i >= step else 0, before[i]
        corner = before[i - step] if i >= step else 0
        if kind == 1:
            row[i] = row[i] + left & 255
        elif kind == 3:
            row[i] = row[i] + (left + up) // 2 & 255
        elif kind == 4:
            guess = left + up - corner
            near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
            row[i] = row[i] + near[2] & 255
    return row


def picture(path):
    """Of a PNG of 8 bits a channel a function: the row y as a list of (r, g, b)."""
    data = open(path, "rb").read()
    at, packed, rows = 8, b"", []
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    assert depth == 8 and colour in (2, 6), "not such a PNG"
    step = 3 if colour == 2 else 4
    raw, before = zlib.decompress(packed), bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        before = unfiltered(raw[start], bytearray(raw[start + 1:start + 1 + width * step]), before, step)
        rows.append(before)

    @functools.cache
    def row(y):
        return [tuple(rows[y][x * step:x * step + 3]) for x in range(width)]
    return row


def expect(true, *what):
    if not true:
        print("FAIL:", *what, file=sys.stderr)
        sys.exit(1)


comparison = json.load(open(sys.argv[1]))
places = json.loads(html.unescape(re.search(r"<body[^>]*>(.*)</body>", open(sys.argv[2]).read(), re.S).group(1)))
row_at, window, scheme = picture(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
colours = {name: tuple(bytes.fromhex(code)) for name, code in COLOURS[scheme].items()}
doors = {door["door"]: door for door in comparison["doors"]}


def count(place, name):
    """How many pixels of the row through the middle of a place have the colour."""
    left, top, width, height = place
    return sum(pixel == colours[name] for pixel in row_at(int(top + height / 2))[int(left):int(left + width) + 1])


expect(places["width"] <= window, "the page is", places["width"], "wide in a window of", window)
expect(row_at(2)[2] == colours["page"], "the page is", row_at(2)[2])

# The set-up: bars as long as the phases took; a line of a pixel stands for what is shorter.
most = max(sum(phases[name] or 0 for name in ["dns"] + PHASES)
           for door in doors.values() for phases in (door["setup_ms"], door["resumed_ms"]) if phases)
drawn = 0
for row in places["setup"]:
    door = doors[row["name"].split()[0]]
    expect(len(row["bars"]) == bool(door["setup_ms"]) + bool(door["resumed_ms"]), row["name"], "bars:", row["bars"])
    for bar, phases in zip(row["bars"], (door["setup_ms"], door["resumed_ms"])):
        for phase in PHASES:
            right = (phases[phase] or 0) / most * bar[2]
            expect(abs(count(bar, phase) - max(right, phases[phase] is not None)) <= 3, row["name"], phase,
                   count(bar, phase), "pixels, not", right)
            drawn += 1
expect(drawn >= 4 * 15, "only", drawn, "phases")

# Curves: highest about the median, which is where the figure says; nothing at the far end of the fast ones.
expect(len([row for row in places["trips"] if row["curves"]]) == 2 * 10, "curves:", len(places["trips"]))
for row in places["trips"]:
    for (left, top, width, height), p50 in zip(row["curves"], row["p50"]):
        middle = int(p50[0])
        expect(colours["text"] in row_at(int(top + 3))[middle - 1:middle + 3], row["name"], "no line at the median")

        def ink(x):
            return sum(row_at(y)[x] != colours["page"] for y in range(int(top), int(top + height) - 1))
        near = max(ink(x) for x in range(max(middle - 12, int(left)), min(middle + 12, int(left + width)))
                   if abs(x - middle) > 3)
        expect(near > height * 0.3, row["name"], "is low at its median:", near, "of", height)
        least = min(ink(x) for x in range(int(left), int(left + width)))
        expect(least < near * 0.7, row["name"], "is as high everywhere:", least, "and", near)

# Bytes: what is MQTT's own, and what the way adds.
most = max(door["wire_bytes"] for door in doors.values() if door["wire_bytes"])
for row in places["wire"]:
    door = doors[row["name"].split()[0]]
    for name, value in ("mqtt", door["mqtt_bytes"]), ("more", door["wire_bytes"] - door["mqtt_bytes"]):
        right = value / most * row["bars"][0][2]
        expect(abs(count(row["bars"][0], name) - right) <= 3, row["name"], name, count(row["bars"][0], name), "not", right)
expect(len(places["wire"]) == 10, "bars of bytes:", len(places["wire"]))
