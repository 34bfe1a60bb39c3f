#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A guest agent that lies. It listens on descriptor 3, says so on descriptor 4, and answers as the scenario of its one argument says.

A scenario maps a command to what is sent for it: bytes as they are, None for nothing at all, or a function of the connection and
the command's arguments that returns bytes. What it does not name is answered as a good agent would.
"""

import base64
import json
import os
import re
import socket
import sys
import time

GOOD = {
    "guest-get-osinfo": b'{"return": {"id": "debian"}}\n',
    "guest-exec": b'{"return": {"pid": 4711}}\n',
    "guest-exec-status": b'{"return": {"exited": true, "exitcode": 0, "out-data": "Q2hpCg=="}}\n',  # "Chi\n"
    "guest-file-open": b'{"return": 1000}\n',
    "guest-file-seek": b'{"return": {"position": 0, "eof": false}}\n',
    "guest-file-read": b'{"return": {"count": 0, "buf-b64": "", "eof": true}}\n',
    "guest-file-write": b'{"return": {"count": 1, "eof": false}}\n',
    "guest-file-flush": b'{"return": {}}\n',
    "guest-file-close": b'{"return": {}}\n',
}


def flood(connection, _):
    """Without an end of line, for as long as anybody reads."""
    while True:
        connection.sendall(b"x" * 65536)


def chatter(connection, _):
    """Lines without end, none of which is an answer."""
    while True:
        connection.sendall(b'{"event": "x"}\n' * 4096)


def hang_up(connection, _):
    connection.close()
    raise ConnectionError


def status(**members):
    return json.dumps({"return": members}).encode() + b"\n"


class FullDisk:
    """A command that runs for half a second where no file can be written; in the end it tells how many files are still open."""

    def __init__(self):
        self.open = 0
        self.since = None

    def opened(self, *_):
        self.open += 1
        return b'{"return": %d}\n' % (1000 + self.open)

    def closed(self, *_):
        self.open -= 1
        return b'{"return": {}}\n'

    def run(self, *_):
        self.since = self.since or time.monotonic()
        if time.monotonic() < self.since + 0.5:
            return status(exited=False)
        return status(exited=True, exitcode=0, **{"out-data": base64.b64encode(b"C%d" % self.open).decode()})


FULL = FullDisk()


class Windows:
    """Files, by the names that they were opened with. Of each program that has been run, C:\\log has the command line, and the batch file
    if it was one; C:\\d is a directory."""

    def __init__(self, page):
        self.files, self.opened, self.log, self.ended = {}, [], b"", {}
        self.page = page

    def open(self, path, mode):
        if path == "C:\\log":
            self.files[path] = self.log
        if mode == "w":
            self.files[path] = b""
        self.opened.append(path)
        return len(self.opened) - 1

    def write(self, handle, data):
        self.files[self.opened[handle]] += data

    def read(self, handle):
        data, self.files[self.opened[handle]] = self.files[self.opened[handle]], b""
        return data

    def run(self, words):
        batch = self.files.get(words[-1], b"")
        self.log += " ".join(words).encode() + b"\n" + batch
        out = b"Active code page: %d" % self.page if words[-1] == "chcp" else self.log if words[-1] == "type C:\\log" else b""
        exists = batch.startswith(b'@if exist "C:\\d\\*" exit 3\r\n')
        self.ended = {"exited": True, "exitcode": 3 if exists else 0, "out-data": base64.b64encode(out).decode()}

    def answer(self, command, message):
        if command == "guest-file-open":
            return self.open(message["path"], message["mode"])
        if command == "guest-file-write":
            data = base64.b64decode(message["buf-b64"])
            self.write(message["handle"], data)
            return {"count": len(data), "eof": False}
        if command == "guest-file-read":
            data = self.read(message["handle"])
            return {"count": len(data), "buf-b64": base64.b64encode(data).decode(), "eof": not data}
        if command == "guest-exec":
            self.run([message["path"], *message["arg"]])
            return {"pid": 4711}
        return self.ended

    def scenario(self):
        """Those of its commands that need their arguments."""
        def answers(command):
            return lambda connection, message: json.dumps({"return": self.answer(command, message)}).encode() + b"\n"

        names = ("guest-file-open", "guest-file-write", "guest-file-read", "guest-exec", "guest-exec-status")
        return {"guest-get-osinfo": b'{"return": {"id": "mswindows"}}\n', **{name: answers(name) for name in names}}


SCENARIOS = {
    "good": {},
    "silent": {"guest-sync-delimited": None},
    "silent-later": {"guest-exec-status": None},
    "half": {"guest-exec": b'{"return": {"pid": 47'},
    "flood": {"guest-sync-delimited": flood},
    "chatter": {"guest-exec-status": chatter},
    "garbage": {"guest-exec": b"\x00\xff\x1b[2J nonsense\n"},
    "list": {"guest-exec": b"[1, 2]\n"},
    "twice": {"guest-exec": b'{"return": {"pid": 1}, "return": {"pid": 2}}\n'},
    "both": {"guest-exec": b'{"return": {"pid": 1}, "error": {"desc": "no"}}\n'},
    "pid-text": {"guest-exec": b'{"return": {"pid": "1"}}\n'},
    "pid-negative": {"guest-exec": b'{"return": {"pid": -1}}\n'},
    "pid-huge": {"guest-exec": b'{"return": {"pid": 1e30}}\n'},
    "runs-on": {"guest-exec-status": status(exited=False)},
    "exited-text": {"guest-exec-status": status(exited="yes")},
    "exit-none": {"guest-exec-status": status(exited=True)},
    "exit-huge": {"guest-exec-status": status(exited=True, exitcode=1 << 40)},
    "base64": {"guest-exec-status": status(exited=True, exitcode=0, **{"out-data": "Q?=="})},
    "base64-type": {"guest-exec-status": status(exited=True, exitcode=0, **{"out-data": 5})},
    "huge": {"guest-exec-status": status(exited=True, exitcode=0, **{"out-data": "QQ==" + "A" * (60 << 20)})},
    "hang-up": {"guest-exec-status": hang_up},
    "refusal": {"guest-exec": b'{"error": {"class": "GenericError", "desc": "\\u001b[2J no\\nway."}}\n'},
    "forgets": {"guest-exec-status": b'{"error": {"class": "GenericError", "desc": "PID 4711 does not exist"}}\n'},
    # Output is in files, and goes on and on, as that of what runs in the background; the command itself has written three bytes.
    "endless": {
        "guest-exec-status": status(exited=True, exitcode=0, **{"out-data": "Rg=="}),
        "guest-file-seek": b'{"return": {"position": 3, "eof": false}}\n',
        "guest-file-read": b'{"return": {"count": 1, "buf-b64": "QQ==", "eof": false}}\n',
    },
    "full": {
        "guest-file-open": FULL.opened,
        "guest-file-flush": b'{"error": {"class": "GenericError", "desc": "No space left on device"}}\n',
        "guest-file-close": FULL.closed,
        "guest-exec-status": FULL.run,
    },
    "seek-text": {
        "guest-exec-status": status(exited=True, exitcode=0, **{"out-data": "Rg=="}),
        "guest-file-seek": b'{"return": {"position": "3", "eof": false}}\n',
    },
    "read-hang-up": {"guest-file-read": hang_up},
    "read-huge": {"guest-file-read": b'{"return": {"count": 2000000, "buf-b64": "QQ==", "eof": false}}\n'},
    "windows-files": Windows(850).scenario(),
    "windows-odd": Windows(4711).scenario(),
    "windows": {
        "guest-get-osinfo": b'{"return": {"id": "mswindows"}}\n',
        # "Active code page: 850\r\nÜ" in that page; the same for chcp and the command
        "guest-exec-status": status(exited=True, exitcode=0x1FF, **{"out-data": "QWN0aXZlIGNvZGUgcGFnZTogODUwDQqa"}),
    },
}


def answer(connection, behaviour, message):
    command = message["execute"]
    if command in behaviour:
        text = behaviour[command]
        text = text(connection, message.get("arguments", {})) if callable(text) else text
    elif command == "guest-sync-delimited":
        text = b'\xff{"return": %d}\n' % message["arguments"]["id"]
    else:
        text = GOOD[command]
    if text is not None:
        connection.sendall(text)


def serve(connection, behaviour):
    data = b""
    while portion := connection.recv(65536):
        *lines, data = (data + portion).split(b"\n")
        for line in lines:
            answer(connection, behaviour, json.loads(re.sub(rb"^\xff", b"", line)))


def main():
    listener = socket.socket(fileno=3)
    os.write(4, b"x")
    os.close(4)
    while True:
        connection, _ = listener.accept()
        try:
            serve(connection, SCENARIOS[sys.argv[1]])
        except ConnectionError:
            pass
        connection.close()


main()
