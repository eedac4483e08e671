# SPDX-License-Identifier: Apache-2.0
"""MQTT on the wire, as far as the comparison needs it: a stream is cut into packets, a packet of a client becomes one line
of text, and a small client of our own prepares sessions and publishes.

On the happy path each packet becomes a line such as "PUBLISH q1 id=1 topic='a' payload=6869". A packet that does not
follow the standard becomes a line that says so, with its bytes: a difference must be seen, not end the test."""

import asyncio

NAMES = ("0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
         "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH")

# identifier: (name, type); the types: bytes of an integer, v = variable integer, s = string, b = binary, p = pair
PROPERTIES = {
    1: ("payload-format-indicator", 1), 2: ("message-expiry-interval", 4), 3: ("content-type", "s"),
    8: ("response-topic", "s"), 9: ("correlation-data", "b"), 11: ("subscription-identifier", "v"),
    17: ("session-expiry-interval", 4), 18: ("assigned-client-identifier", "s"), 19: ("server-keep-alive", 2),
    21: ("authentication-method", "s"), 22: ("authentication-data", "b"), 23: ("request-problem-information", 1),
    24: ("will-delay-interval", 4), 25: ("request-response-information", 1), 26: ("response-information", "s"),
    28: ("server-reference", "s"), 31: ("reason-string", "s"), 33: ("receive-maximum", 2),
    34: ("topic-alias-maximum", 2), 35: ("topic-alias", 2), 36: ("maximum-qos", 1), 37: ("retain-available", 1),
    38: ("user-property", "p"), 39: ("maximum-packet-size", 4), 40: ("wildcard-subscription-available", 1),
    41: ("subscription-identifier-available", 1), 42: ("shared-subscription-available", 1),
}
BY_NAME = {name: (identifier, kind) for identifier, (name, kind) in PROPERTIES.items()}


class Cutter:
    """Cuts a stream into packets: feed() gives those that are complete, as (first byte, body, all bytes)."""

    def __init__(self):
        self.rest = b""

    def feed(self, data):
        self.rest += data
        packets = []
        while len(self.rest) >= 2:
            length, shift, at = 0, 0, 1
            while at < len(self.rest) and at <= 4:
                byte = self.rest[at]
                length |= (byte & 127) << shift
                shift += 7
                at += 1
                if byte < 128:
                    break
            else:
                break
            if len(self.rest) < at + length:
                break
            packets.append((self.rest[0], self.rest[at:at + length], self.rest[:at + length]))
            self.rest = self.rest[at + length:]
        return packets


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if self.left() < count:
            raise ValueError("it ends too early")
        piece = self.data[self.at:self.at + count]
        self.at += count
        return piece

    def integer(self, size):
        return int.from_bytes(self.take(size), "big")

    def binary(self):
        return self.take(self.integer(2))

    def text(self):
        return shown(self.binary())

    def varint(self):
        value = shift = 0
        while True:
            byte = self.integer(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def properties(self):
        end = self.varint()
        inner = Reader(self.take(end))
        found = []
        while inner.left():
            name, kind = PROPERTIES[inner.varint()]
            if kind == "p":
                value = inner.text() + ":" + inner.text()
            elif kind == "s":
                value = inner.text()
            elif kind == "b":
                value = inner.binary().hex()
            else:
                value = inner.varint() if kind == "v" else inner.integer(kind)
            found.append((name, f" {name}={value}"))
        # One of a name keeps its place among those of that name; otherwise their order means nothing.
        return "".join(text for _, text in sorted(found, key=lambda each: each[0]))


def shown(data):
    return "'" + data.decode("utf-8", "backslashreplace") + "'"


def connect_line(reader):
    protocol, level = reader.binary().decode("latin-1"), reader.integer(1)
    flags, keep_alive = reader.integer(1), reader.integer(2)
    line = f"CONNECT {protocol} {level} flags={flags:02x} keep-alive={keep_alive}"
    if level == 5:
        line += reader.properties()
    line += f" id={reader.text()}"
    if flags & 4:
        properties = reader.properties() if level == 5 else ""
        line += f" will: q{flags >> 3 & 3} r{flags >> 5 & 1}{properties}"
        line += f" topic={reader.text()} payload={reader.binary().hex()} :"
    if flags & 0x80:
        line += f" user={reader.text()}"
    if flags & 0x40:
        line += f" password={reader.text()}"
    return line, level


def publish_line(first, reader, level):
    qos = first >> 1 & 3
    topic = reader.text()
    line = f"PUBLISH d{first >> 3 & 1} q{qos} r{first & 1}"
    if qos:
        line += f" id={reader.integer(2)}"
    line += f" topic={topic}"
    if level == 5:
        line += reader.properties()
    return line + f" payload={reader.take(reader.left()).hex()}"


def filters_line(first, reader, level):
    line = f"{NAMES[first >> 4]} id={reader.integer(2)}"
    if level == 5:
        line += reader.properties()
    while reader.left():
        line += f" {reader.text()}"
        if first >> 4 == 8:
            line += f" options={reader.integer(1):02x}"
    return line


def ack_line(first, reader, level):
    line = NAMES[first >> 4]
    if first >> 4 != 14:
        line += f" id={reader.integer(2)}"
    reason = reader.integer(1) if reader.left() else 0
    if reason:
        line += f" reason={reason:02x}"
    return line + (reader.properties() if level == 5 and reader.left() else "")


def line_of(first, body, level):
    """The line for a packet that a client sent, and the protocol level that holds from it on."""
    kind, reader = first >> 4, Reader(body)
    try:
        if kind == 1:
            line, level = connect_line(reader)
        elif kind == 3:
            line = publish_line(first, reader, level)
        elif kind in (8, 10):
            line = filters_line(first, reader, level)
        elif kind in (4, 5, 6, 7, 14):
            line = ack_line(first, reader, level)
        else:
            line = NAMES[kind] + (" " + body.hex() if body else "")
    except (ValueError, KeyError) as wrong:
        return f"{NAMES[kind]} malformed ({wrong}): {body.hex()}", level
    if reader.left() and kind not in (0, 2, 9, 11, 12, 13, 15):
        line += f" and behind it {reader.take(reader.left()).hex()}"
    return line, level


# ---- a client of our own ----

def varint(value):
    out = b""
    while True:
        value, byte = value >> 7, value & 127
        out += bytes([byte | (128 if value else 0)])
        if not value:
            return out


def binary(data):
    return len(data).to_bytes(2, "big") + data


def properties(pairs):
    out = b""
    for name, value in pairs:
        identifier, kind = BY_NAME[name]
        out += bytes([identifier])
        if kind == "p":
            key, _, of_key = value.partition(b":")
            out += binary(key) + binary(of_key)
        elif kind in ("s", "b"):
            out += binary(value)
        else:
            out += varint(int(value)) if kind == "v" else int(value).to_bytes(kind, "big")
    return varint(len(out)) + out


def packet(first, body):
    return bytes([first]) + varint(len(body)) + body


class Client:
    """Connects with MQTT 5, and each of its operations lasts until the broker has confirmed it."""

    def __init__(self, port):
        self.port = port
        self.cutter = Cutter()
        self.ready = []
        self.last = 0

    async def open(self, identifier=b"", expiry=0, level=5):
        self.level = level
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = binary(b"MQTT") + bytes([level, 0 if expiry else 2]) + b"\0\0"
        if level == 5:
            head += properties([("session-expiry-interval", expiry)])
        self.writer.write(packet(0x10, head + binary(identifier)))
        await self.answer(2)
        return self

    async def answer(self, kind):
        while True:
            for at, (first, body, _) in enumerate(self.ready):
                if first >> 4 == kind:
                    del self.ready[:at + 1]
                    return body
            data = await self.reader.read(65536)
            if not data:
                raise ConnectionError("the broker has closed the connection of the test's own client")
            self.ready += self.cutter.feed(data)

    async def publish(self, message):
        head = binary(message.topic)
        if message.qos:
            self.last += 1
            head += self.last.to_bytes(2, "big")
        body = head + properties(message.properties) + message.payload
        self.writer.write(packet(0x30 | message.qos << 1 | message.retain, body))
        if message.qos == 2:
            await self.answer(5)
            self.writer.write(packet(0x62, self.last.to_bytes(2, "big")))
            await self.answer(7)
        elif message.qos == 1:
            await self.answer(4)
        else: # what went before it has been dealt with when this is answered
            self.writer.write(packet(0xC0, b""))
            await self.answer(13)

    async def subscribe(self, topic, qos):
        self.last += 1
        self.writer.write(packet(0x82, self.last.to_bytes(2, "big") + (b"\0" if self.level == 5 else b"") + binary(topic)
                                 + bytes([qos])))
        await self.answer(9)

    async def close(self):
        self.writer.write(packet(0xE0, b""))
        self.writer.write_eof()
        await self.reader.read()
        self.writer.close()
