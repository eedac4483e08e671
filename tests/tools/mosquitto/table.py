# SPDX-License-Identifier: Apache-2.0
"""The table of command lines (cases.txt, whose head explains its words) and the table of exceptions (differs.txt).

Both are read whole before anything runs; a line that cannot be understood ends the test with its number."""

import dataclasses
import re
import shlex

from mosquitto import wire

PROGRAMS = ("pub", "sub", "rr")
FIELDS = ("door", "stdin", "feed", "on", "retained", "session", "queued", "answers", "config", "home", "file", "env",
          "signal", "clock", "unordered")
DOORS = ("plain", "auth", "tls", "tls12", "client", "stranger", "psk", "unix", "socks", "socks-auth", "refused", "none")


class Wrong(Exception):
    """A line of a table that cannot be understood."""


@dataclasses.dataclass
class Message:
    topic: bytes
    payload: bytes
    qos: int
    retain: int
    properties: list


@dataclasses.dataclass
class Case:
    number: int
    line: str
    program: str
    words: list
    fields: dict
    attempt: int = 0

    @property
    def prefix(self):
        return f"c{self.number:03d}{'abcdefgh'[self.attempt]}"

    def get(self, name, default=None):
        return self.fields.get(name, default)


def expanded(text, names):
    """Bytes of a text in which {name} stands for what `names` has, {0a} for a byte, {61*9} for nine of it."""
    def put(match):
        word = match.group(1)
        if word in names:
            return names[word].encode().decode("latin-1")
        byte, _, count = word.partition("*")
        return chr(int(byte, 16)) * int(count or 1)
    latin = text.encode().decode("latin-1")
    pattern = r"\{(" + "|".join(list(names) + [r"[0-9a-f]{2}(?:\*[0-9]+)?"]) + r")\}"
    return re.sub(pattern, put, latin).encode("latin-1")


def messages(text, names):
    """"q=1 r=1 content-type=text TOPIC PAYLOAD ; ..." as messages."""
    found = []
    for part in text.split(" ; "):
        qos = retain = 0
        properties, words = [], [expanded(word, names) for word in shlex.split(part)]
        while words and b"=" in words[0]:
            name, _, value = words.pop(0).partition(b"=")
            name = name.decode()
            if name == "q":
                qos = int(value)
            elif name == "r":
                retain = int(value)
            elif name in wire.BY_NAME:
                properties.append((name, value))
            else:
                raise Wrong(f"'{name}' is no part of a message")
        if not 1 <= len(words) <= 2:
            raise Wrong(f"a message is '[NAME=VALUE...] TOPIC [PAYLOAD]', not '{part}'")
        found.append(Message(words[0], words[1] if len(words) > 1 else b"", qos, retain, properties))
    return found


def answers(text):
    """"CONNECT=20020005 PUBLISH=close" as the script of a door."""
    found = []
    for word in text.split():
        name, _, value = word.partition("=")
        if name not in wire.NAMES:
            raise Wrong(f"'{name}' is no packet")
        found.append((name, None if value == "close" else bytes.fromhex(value)))
    return found


def split(line):
    """A line at its " | "; within quotes that is text."""
    parts, part = [], ""
    for piece in re.split(r"((?:^|\s)\|(?=\s|$))", line):
        if piece.strip() == "|" and part.count("'") % 2 == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += piece
    return parts + [part.strip()]


def case_of(number, line):
    command, *rest = split(line)
    words = shlex.split(command)
    if not words or words[0] not in PROGRAMS:
        raise Wrong(f"it begins with one of {', '.join(PROGRAMS)}")
    fields = {}
    for field in rest:
        name, _, value = field.partition(":")
        if name not in FIELDS:
            raise Wrong(f"'{name}' is no field")
        fields[name] = value.strip()
    if fields.get("door", "plain") not in DOORS:
        raise Wrong(f"'{fields['door']}' is no door")
    return Case(number, line, words[0], words[1:], fields)


def rows(path):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line.strip() and not line.startswith("#"):
                yield number, re.sub(r" {2,}(?=\| )", " ", line)


def cases(path):
    found, lines = [], set()
    for number, line in rows(path):
        try:
            case = case_of(len(found) + 1, line)
        except (Wrong, ValueError) as wrong:
            raise Wrong(f"{path}:{number}: {wrong}") from wrong
        if line in lines:
            raise Wrong(f"{path}:{number}: the same line stands there already")
        lines.add(line)
        found.append(case)
    return found


def exceptions(path):
    """line of a case -> name of the row that explains its difference"""
    found = {}
    for number, line in rows(path):
        row, separator, case = line.partition(" | ")
        if not separator:
            raise Wrong(f"{path}:{number}: an exception is 'ROW | LINE OF THE CASE'")
        found[case.strip()] = row.strip()
    return found


def explained(path):
    """The names of the rows of all tables of a Markdown page: its first cells."""
    try:
        with open(path, encoding="utf-8") as file:
            return {line.split("|")[1].strip().strip("`*") for line in file if line.startswith("|")}
    except FileNotFoundError:
        return set()
