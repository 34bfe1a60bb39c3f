# SPDX-License-Identifier: BSD-3-Clause
"""A small QMP client on a connected socket: commands, and events with deadlines."""

import json
import time

from vxmlab.say import LabError


class QmpError(LabError):
    """QEMU refused a command."""


class Qmp:
    """One monitor. Every wait has a deadline, in seconds."""

    def __init__(self, sock):
        self._sock = sock
        self._buffer = b""
        self._events = []

    def handshake(self, timeout=30):
        """Reads QEMU's greeting and enters command mode."""
        self._receive(time.monotonic() + timeout)
        self.command("qmp_capabilities")

    def command(self, name, timeout=60, **arguments):
        """Runs one command and returns its answer. Underscores in argument names stand for dashes."""
        request = {"execute": name, "arguments": {key.replace("_", "-"): value for key, value in arguments.items()}}
        self._sock.sendall(json.dumps(request).encode() + b"\n")
        deadline = time.monotonic() + timeout
        while True:
            message = self._receive(deadline)
            if "error" in message:
                raise QmpError(f"QEMU refused {name} {arguments}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]
            self._events.append(message)

    def wait_event(self, name, timeout=60, accept=lambda data: True):
        """The data of the next event of that name for which accept(data) holds; older ones are dropped."""
        deadline = time.monotonic() + timeout
        while True:
            message = self._events.pop(0) if self._events else self._receive(deadline)
            if message.get("event") == name and accept(message.get("data", {})):
                return message.get("data", {})

    def _receive(self, deadline):
        while b"\n" not in self._buffer:
            self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._sock.recv(65536)
            except TimeoutError as error:
                raise LabError("QEMU's monitor did not answer in time") from error
            except ConnectionError:
                data = b""
            if not data:
                raise LabError("QEMU ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)
