# SPDX-License-Identifier: Apache-2.0
"""What a side of the comparison stands on: a broker of its own, so that both sides may use the same topics and client ids,
certificates, and proxies. All of it listens on loopback, and goes with `leave`."""

import asyncio
import contextlib
import os
import random
import socket
import ssl
import subprocess

ACL = """
user user
topic readwrite #
user denied
topic readwrite open/#
"""


def openssl(*words):
    subprocess.run(("openssl",) + words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


def make_certificates(folder):
    """A CA, a stranger's CA, and signed by the first a server's, one for another name, and a client's certificate."""
    os.makedirs(f"{folder}/ca.d")
    open(f"{folder}/empty", "wb").close()
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for name in ("ca", "stranger"):
        openssl("req", "-x509", *key, "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt", "-days", "9",
                "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for name, names in (("server", "DNS:localhost,IP:127.0.0.1"), ("other", "DNS:elsewhere.example"),
                        ("client", "DNS:client")):
        openssl("req", "-x509", *key, "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt", "-days", "9",
                "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key")
    with open(f"{folder}/ca.crt", "rb") as source, open(f"{folder}/ca.d/ca.pem", "wb") as copy:
        copy.write(source.read())
    openssl("rehash", f"{folder}/ca.d")
    with open(f"{folder}/garbage", "wb") as file:
        file.write(b"this is no certificate\n")


def tls_context(folder, kind):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    name = "other" if kind == "stranger" else "server"
    context.load_cert_chain(f"{folder}/{name}.crt", f"{folder}/{name}.key")
    context.set_alpn_protocols(["mqtt", "other"])
    if kind == "tls12":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if kind == "client":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(f"{folder}/ca.crt")
    return context


class Ground:
    def __init__(self, folder, certificates):
        self.folder = folder
        self.certificates = certificates
        self.children = []
        self.ports = {}
        self.contexts = {kind: tls_context(certificates, kind) for kind in ("tls", "tls12", "client", "stranger")}
        os.makedirs(folder)

    def write(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    async def start(self):
        passwords = self.write("passwords", "user:secret\ndenied:secret\n")
        subprocess.run(("mosquitto_passwd", "-U", passwords), check=True)
        acl, psk = self.write("acl", ACL), self.write("psk", "someone:00112233445566778899aabbccddeeff\n")
        await self.listening(("plain", "auth", "psk"), lambda ports: ("mosquitto", "-c", self.write("broker.conf", f"""
per_listener_settings true
persistence false
user {subprocess.check_output(("id", "-un"), text=True).strip()}
log_dest file {self.folder}/broker.log
log_type all
listener {ports[0]} 127.0.0.1
allow_anonymous true
listener {ports[1]} 127.0.0.1
allow_anonymous false
password_file {passwords}
acl_file {acl}
listener {ports[2]} 127.0.0.1
allow_anonymous true
psk_hint a hint
psk_file {psk}
""")))
        await self.listening(("socks",), lambda ports: ("microsocks", "-i", "127.0.0.1", "-p", str(ports[0])))
        await self.listening(("socks-auth",), lambda ports: ("microsocks", "-i", "127.0.0.1", "-p", str(ports[0]), "-u",
                                                             "user", "-P", "secret"))

    async def listening(self, names, command):
        """Starts a program at ports below those that the kernel gives away, and waits until it takes connections."""
        for _ in range(9):
            ports = random.sample(range(20000, 32000), len(names))
            child = subprocess.Popen(command(ports), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            self.children.append(child)
            for _ in range(1000):
                if child.poll() is not None:
                    break
                if all(connects(port) for port in ports):
                    self.ports.update(zip(names, ports))
                    return
                await asyncio.sleep(0.01)
        raise RuntimeError(f"{command([0] * len(names))[0]} does not start")

    def leave(self):
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            child.wait()


def connects(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
