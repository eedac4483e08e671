# SPDX-License-Identifier: Apache-2.0
"""The doors that a client under test connects to. Each run of a command line has one of its own, which writes down each
packet of the client as one line (wire.py) and passes it on to the broker, or answers it by a script of bytes.

`finished` waits until everything that the client sent has been read; what cannot be connected to leaves no lines."""

import asyncio
import contextlib
import socket
import ssl

from mosquitto import wire


class Door:
    """answers: None, or a list of (name of a packet, bytes or None to close): the script, in place of a broker."""

    def __init__(self, broker_port, answers=None):
        self.broker_port = broker_port
        self.answers = answers
        self.lines = []
        self.connections = 0
        self.open = set()
        self.seen = {}
        self.server = None

    async def listen(self, kind, context=None, path=None):
        if kind == "unix":
            self.server = await asyncio.start_unix_server(self.serve, path)
            return 0
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context)
        return self.server.sockets[0].getsockname()[1]

    def event(self, name):
        """Set once such a packet has passed: those of the client by their name, those to it likewise."""
        return self.seen.setdefault(name, asyncio.Event())

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.open.add(task)
        self.connections += 1
        if self.connections > 1:
            self.lines.append(f"(connection {self.connections})")
        secured = writer.get_extra_info("ssl_object")
        if secured:
            self.lines.append(tls_line(secured))
        try:
            await (self.play if self.answers is not None else self.relay)(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self.open.discard(task)

    async def packets(self, reader):
        """The client's packets as they come: (name, first byte, all bytes); at the end a line says how it ended."""
        cutter, level, name = wire.Cutter(), 4, ""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await reader.read(65536):
                if not name and data.startswith(b"\x16\x03"):
                    self.lines.append("(a TLS handshake)")
                    yield "TLS", 0, data
                    continue
                for first, body, whole in cutter.feed(data):
                    name = wire.NAMES[first >> 4]
                    if name != "PINGREQ":
                        line, level = wire.line_of(first, body, level)
                        self.lines.append(line)
                    yield name, first, whole
        if cutter.rest:
            self.lines.append(f"(half a packet: {cutter.rest.hex()})")
        if name != "DISCONNECT":
            self.lines.append("(closed without DISCONNECT)")

    async def relay(self, reader, writer):
        from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self.broker_port)
        back = asyncio.ensure_future(self.relay_back(from_broker, writer))
        try:
            async for name, first, whole in self.packets(reader):
                to_broker.write(whole)
                await to_broker.drain()
                self.event(name).set()
                if name == "PUBLISH" and not first & 6:
                    self.event("PUBLISHED").set()
        finally:
            to_broker.close()
            await back

    async def relay_back(self, from_broker, writer):
        cutter = wire.Cutter()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := await from_broker.read(65536):
                writer.write(data)
                await writer.drain()
                for first, _, _ in cutter.feed(data):
                    self.event(wire.NAMES[first >> 4]).set()
                    if first >> 4 in (4, 7):
                        self.event("PUBLISHED").set()
        writer.close()

    async def play(self, reader, writer):
        rest = list(self.answers)
        async for name, _, _ in self.packets(reader):
            while rest and rest[0][0] == name:
                answer = rest.pop(0)[1]
                if answer is None:
                    writer.close()
                    return
                writer.write(answer)
            self.event(name).set()

    async def finished(self):
        self.server.close()
        while self.open:
            await asyncio.wait(self.open)


def tls_line(secured):
    peer = secured.getpeercert() or {}
    names = [value for row in peer.get("subject", ()) for key, value in row if key == "commonName"]
    return f"TLS {secured.version()} {secured.cipher()[0]} alpn={secured.selected_alpn_protocol()} client={names}"


def refusing_port():
    """A port that refuses connections as long as the socket is held: bound, and nobody listens."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held, held.getsockname()[1]
