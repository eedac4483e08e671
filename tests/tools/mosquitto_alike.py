#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same command lines with mosquitto_pub, mosquitto_sub and mosquitto_rr 2.0, and with the command called by links of these
names: stdout byte for byte, exit status, whether stderr is empty, and every packet that the broker got are the same.

    mosquitto_alike.py [--list] [--only PATTERN] [-v[v]] [--ours FOLDER] [SKIFF]

Each line of mosquitto/cases.txt is run on both sides at once, each against a broker of its own, and again, up to three
times in all, where they differ. What is by nature different
(`masked`) is made equal here and nowhere else. A difference is a failure, but for those of mosquitto/differs.txt, each of
which names the row of docs/from-mosquitto.md that explains it; an exception that no longer differs, or whose row is not
there, is a failure too. Exits 77 where the clients are missing, or not of the version that the table was written for.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from mosquitto import doors, ground, table, wire  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "from-mosquitto.md")
AT_ONCE = 8
PATIENCE = 20
ATTEMPTS = 3  # a client may end before its last bytes have crossed the relay: what differs only now and then is such a race


@dataclasses.dataclass
class Result:
    stdout: bytes
    stderr: bytes
    status: object
    saw: list

    def differs(self, other):
        """What differs, in words."""
        found = []
        if self.stdout != other.stdout:
            found.append("stdout")
        if self.status != other.status:
            found.append("exit status")
        if bool(self.stderr) != bool(other.stderr):
            found.append("stderr empty or not")
        if self.saw != other.saw:
            found.append("what the broker saw")
        return found


class Side:
    """One of both: a folder with the three programs, and its ground."""

    def __init__(self, name, programs, at):
        self.name = name
        self.programs = programs
        self.ground = at

    async def run(self, case):
        with contextlib.ExitStack() as held:
            names = {"t": case.prefix, "dir": f"{self.ground.folder}/{case.prefix}", "certs": self.ground.certificates,
                     "socks": str(self.ground.ports["socks"]), "socks-auth": str(self.ground.ports["socks-auth"])}
            os.makedirs(names["dir"] + "/own/.config")
            door = await self.open_door(case, names, held)
            await prepare(case, names, self.ground.ports["plain"])
            words = command_words(case, names)
            process = await asyncio.create_subprocess_exec(
                f"{self.programs}/mosquitto_{case.program}", *words, cwd=names["dir"], env=environment(case, names),
                stdin=subprocess.PIPE if "stdin" in case.fields else subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            meanwhile = asyncio.ensure_future(feed(case, names, door, process, self.ground.ports["plain"]))
            try:
                out, err = await asyncio.wait_for(process.communicate(stdin_of(case, names)), PATIENCE)
                status = process.returncode if process.returncode >= 0 else 128 - process.returncode  # as a shell has it
            except asyncio.TimeoutError:
                process.kill()
                out, err = await process.communicate()
                status = f"none, it was ended after {PATIENCE} seconds"
            meanwhile.cancel()
            await asyncio.wait([meanwhile])
            if not meanwhile.cancelled():
                meanwhile.result()
            await door.finished()
            saw = [masked(line.encode(), case, process.pid, names).decode() for line in door.lines]
            return Result(masked(out, case, process.pid, names), err, status,
                          sorted(saw) if "unordered" in case.fields else saw)

    async def open_door(self, case, names, held):
        kind = case.get("door", "plain")
        broker = self.ground.ports["auth" if kind == "auth" else "plain"]
        script = table.answers(case.get("answers")) if "answers" in case.fields else None
        door = doors.Door(broker, script)
        names["sock"] = names["dir"] + "/sock"
        port = await door.listen(kind, self.ground.contexts.get(kind), names["sock"])
        if kind == "refused":
            refusing, port = doors.refusing_port()
            held.enter_context(refusing)
        elif kind == "psk": # a handshake that Python has no part in: the broker itself, and nothing is seen
            port = self.ground.ports["psk"]
        names["port"] = str(port)
        return door


def command_words(case, names):
    """The words behind the program's name. Where they do not say where to connect, the door's place comes first."""
    words = [table.expanded(word, names) for word in case.words]
    kind = case.get("door", "plain")
    if kind == "none" or any("{port}" in word for word in case.words):
        return words
    if kind == "unix":
        return [b"--unix", names["sock"].encode()] + words
    host = b"localhost" if kind in ("tls", "tls12", "client", "stranger") else b"127.0.0.1"
    place = [b"-h", host, b"-p", names["port"].encode()]
    if kind == "socks":
        place += [b"--proxy", b"socks5h://127.0.0.1:" + names["socks"].encode()]
    return place + words


def environment(case, names):
    """A home without settings, but for those of the case."""
    found = {"PATH": os.environ.get("PATH", ""), "HOME": names["dir"] + "/own", "TZ": "UTC", "LC_ALL": "C"}
    program = f"mosquitto_{case.program}"
    for field, folder in (("config", "/xdg"), ("home", "/own/.config")):
        if field in case.fields:
            os.makedirs(names["dir"] + folder, exist_ok=True)
            with open(f"{names['dir']}{folder}/{program}", "wb") as file:
                file.write(table.expanded(case.get(field), names))
    if "config" in case.fields:
        found["XDG_CONFIG_HOME"] = names["dir"] + "/xdg"
    if "file" in case.fields:
        with open(names["dir"] + "/file", "wb") as file:
            file.write(table.expanded(case.get("file"), names))
    for word in case.get("env", "").split():
        name, _, value = word.partition("=")
        found[name] = table.expanded(value, names).decode()
    return found


def stdin_of(case, names):
    return table.expanded(case.get("stdin"), names) if "stdin" in case.fields else None


async def prepare(case, names, port):
    """Retained messages and a session with messages that wait in it, before the command runs."""
    if "retained" in case.fields:
        client = await wire.Client(port).open()
        for message in table.messages(case.get("retained"), names):
            message.retain = 1
            await client.publish(message)
        await client.close()
    if "session" in case.fields: # LEVEL ID TOPIC QOS
        level, identifier, topic, qos = case.get("session").split()
        client = await wire.Client(port).open(table.expanded(identifier, names), 3600, int(level))
        await client.subscribe(table.expanded(topic, names), int(qos))
        await client.close()
    if "queued" in case.fields:
        client = await wire.Client(port).open()
        for message in table.messages(case.get("queued"), names):
            await client.publish(message)
        await client.close()


async def feed(case, names, door, process, port):
    """Once the command's subscription stands (rr: its request has been sent), publishes what it is fed, and signals."""
    if "feed" not in case.fields and "signal" not in case.fields:
        return
    await door.event(case.get("on", "PUBLISHED" if case.program == "rr" else "SUBACK")).wait()
    if "feed" in case.fields:
        client = await wire.Client(port).open()
        for message in table.messages(case.get("feed"), names):
            await client.publish(message)
        await client.close()
    if "signal" in case.fields:
        process.send_signal(getattr(signal, "SIG" + case.get("signal")))


def masked(data, case, pid, names):
    """What no two runs have in common: ids with a process id, ids that a broker or a client makes up, clocks, places."""
    data = data.replace(names["dir"].encode(), b"{dir}").replace(f":{names['port']}".encode(), b":{port}")
    data = re.sub(rb"auto-[0-9A-F]{8}-[0-9A-F-]{27}", b"auto-{uuid}", data)
    data = re.sub(rb"\bmosq[-/][A-Za-z0-9]{16,18}|\bskiff-[0-9a-f]{16}\b", b"{made up}", data)
    if any(word in ("-I", "--id-prefix") for word in case.words):
        data = re.sub(rb"(?<![0-9])%d(?![0-9])" % pid, b"{pid}", data)
    data = re.sub(rb'("tst":\s*")([^"]*)', lambda found: found[1] + re.sub(rb"[0-9]", b"9", found[2]), data)
    return re.sub(rb"[0-9]", b"9", data) if "clock" in case.fields else data


# ---- both sides ----

def told(case, results):
    """Both sides, where they are not the same."""
    lines = []
    for name, result in results:
        lines.append(f"  {name}: exit status {result.status}")
        lines += [f"    stdout {line!r}" for line in result.stdout.splitlines(True)]
        lines += [f"    stderr {line!r}" for line in result.stderr.splitlines(True)]
        lines += [f"    broker {line}" for line in result.saw]
    return "\n".join(lines)


async def compare(cases, sides, exceptions, report):
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case):
        async with gate:
            begun = time.monotonic()
            for attempt in range(ATTEMPTS):
                again = dataclasses.replace(case, attempt=attempt)
                try:
                    results = await asyncio.gather(*(side.run(again) for side in sides))
                except (OSError, table.Wrong) as wrong:
                    raise table.Wrong(f"{case.line}: {wrong}") from wrong
                if not results[0].differs(results[1]) or case.line in exceptions:
                    break
            report(case, results, time.monotonic() - begun)

    await asyncio.gather(*(one(case) for case in cases))


async def played(cases, folders, exceptions, report):
    with tempfile.TemporaryDirectory(prefix="alike-") as work:
        certificates = f"{work}/certs"
        ground.make_certificates(certificates)
        sides = [Side(name, programs, ground.Ground(f"{work}/{name}", certificates)) for name, programs in folders]
        try:
            await asyncio.gather(*(side.ground.start() for side in sides))
            await compare(cases, sides, exceptions, report)
        finally:
            for side in sides:
                side.ground.leave()


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(77)


def theirs():
    """The folder of the mosquitto clients, if they are what the table is about."""
    found = [shutil.which(f"mosquitto_{program}") for program in table.PROGRAMS]
    for name in ("mosquitto", "mosquitto_passwd", "microsocks", "openssl"):
        if not shutil.which(name):
            skip(f"{name} is not installed")
    if not all(found):
        skip("the mosquitto clients are not installed")
    version = subprocess.run((found[0], "--version"), stdout=subprocess.PIPE, text=True, check=False).stdout
    if not version.startswith("mosquitto_pub version 2.0."):
        skip(f"the clients are not of mosquitto 2.0: {version.strip()}")
    return os.path.dirname(found[0])


def link(skiff, folder):
    for program in table.PROGRAMS:
        os.symlink(os.path.abspath(skiff), f"{folder}/mosquitto_{program}")
    first = subprocess.run((f"{folder}/mosquitto_pub", "--version"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True, check=False).stdout
    if not first.startswith("mosquitto_pub version 2."):
        skip("the command does not go by the names of the mosquitto clients")
    return folder


def main():
    parser = argparse.ArgumentParser(description="the mosquitto clients and the command called by their names, compared")
    parser.add_argument("skiff", nargs="?", default=os.environ.get("SKIFF"), metavar="SKIFF")
    parser.add_argument("--list", action="store_true", help="the cases, and nothing is run")
    parser.add_argument("--only", metavar="PATTERN", help="the cases whose line this regular expression finds")
    parser.add_argument("--ours", metavar="FOLDER", help="programs of these names, in place of links to SKIFF")
    parser.add_argument("-v", action="count", default=0,
                        help="both sides of each difference, explained or not; twice: of each case")
    options = parser.parse_args()
    try:
        cases = table.cases(f"{HERE}/mosquitto/cases.txt")
        exceptions = table.exceptions(f"{HERE}/mosquitto/differs.txt")
    except table.Wrong as wrong:
        sys.exit(f"FAIL: {wrong}")
    chosen = [case for case in cases if not options.only or re.search(options.only, case.line)]
    if options.list:
        print("\n".join(case.line for case in chosen))
        return
    rows = table.explained(PAGE)
    wrongs = [f"an exception is for no case: {line}" for line in exceptions if line not in {each.line for each in cases}]
    wrongs += [f"no row '{row}' in docs/from-mosquitto.md, which is to explain: {line}"
               for line, row in exceptions.items() if row not in rows]
    differing, times = [], []

    def report(case, results, seconds):
        times.append((seconds, case.line))
        found = results[0].differs(results[1])
        excused = exceptions.get(case.line)
        if found:
            differing.append(case)
        if found and (options.v or not excused):
            print(f"{'differs' if excused else 'FAIL'}: {case.line}\n  {', '.join(found)}")
        elif options.v > 1:
            print(f"same: {case.line}")
        if found and options.v or options.v > 1:
            print(told(case, zip(("mosquitto", "ours"), results)))
        if found and not excused:
            wrongs.append(case.line)
        if excused and not found:
            wrongs.append(f"the exception no longer differs: {case.line}")
            print(f"FAIL: {wrongs[-1]}")

    with tempfile.TemporaryDirectory(prefix="alike-links-") as links:
        sides = [("theirs", theirs()), ("ours", options.ours or link(options.skiff or "skiff", links))]
        begun = time.monotonic()
        try:
            asyncio.run(played(chosen, sides, exceptions, report))
        except table.Wrong as wrong:
            sys.exit(f"FAIL: {wrong}")
    for seconds, line in sorted(times, reverse=True)[:5] if options.v else ():
        print(f"{seconds:6.2f} s {line}")
    print(f"{len(chosen)} command lines in {time.monotonic() - begun:.0f} seconds: "
          f"{len(chosen) - len(differing)} the same, {len(differing)} differ, {len(wrongs)} wrong")
    for wrong in wrongs:
        print(f"wrong: {wrong}")
    sys.exit(1 if wrongs else 0)


if __name__ == "__main__":
    main()
