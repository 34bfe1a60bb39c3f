# SPDX-License-Identifier: BSD-3-Clause
"""The command channel: one SSH connection into the machine, shared by all commands."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from vxmlab.say import LabError

# Cheap under emulation; nobody but this host can listen in.
_OPTIONS = {
    "KexAlgorithms": "curve25519-sha256", "Ciphers": "chacha20-poly1305@openssh.com",
    "StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "LogLevel": "ERROR",
    "BatchMode": "yes", "IdentitiesOnly": "yes", "ConnectTimeout": "30",
}

# ssh's own exit status when the machine cannot be reached (any more).
CONNECTION_LOST = 255


class CommandFailed(LabError):
    """A command inside the lab ended with a status other than 0. result: the subprocess.CompletedProcess."""

    def __init__(self, result):
        self.result = result
        super().__init__(f"{result.stdout}{result.stderr}\n"
                         f"in the lab, '{_line(result.args)}' ended with status {result.returncode}")


class Ssh:
    """An open connection. Commands are a shell line, or a list that is taken word by word."""

    def __init__(self, port, key):
        # A socket's path has to be short, so it does not live in the cache.
        self._directory = tempfile.mkdtemp(prefix="vxm-lab-")
        options = {**_OPTIONS, "Port": port, "IdentityFile": key, "ControlPath": f"{self._directory}/ssh"}
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        self._ssh = ["ssh", "-F", "none", *words, "root@127.0.0.1"]
        self._connect()

    def _connect(self):
        log = Path(self._directory) / "log"
        with open(log, "wb") as output:
            done = subprocess.run([*self._ssh, "-f", "-N", "-M"], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  check=False, start_new_session=True)
        if done.returncode != 0:
            raise LabError(f"{log.read_text().rstrip()}\ncannot log in to the lab")

    def argv(self, command, tty=False):
        """The host's command line that runs a command inside."""
        return [*self._ssh, *(["-t"] if tty else []), "--", _line(command)]

    def run(self, command, check=True, timeout=300, input=None):
        """Runs a command to its end; the result has stdout and stderr as text, and returncode."""
        try:
            done = subprocess.run(self.argv(command), capture_output=True, text=True, errors="replace",
                                  timeout=timeout, input=input or "", check=False)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{_text(error.stdout)}{_text(error.stderr)}\n"
                           f"in the lab, '{_line(command)}' took longer than {timeout} s") from error
        done.args = command
        if check and done.returncode != 0:
            raise CommandFailed(done)
        return done

    def stream(self, command, tty=False):
        """Runs a command on this process's own stdin, stdout and stderr; returns its exit status."""
        return subprocess.run(self.argv(command, tty), check=False).returncode

    def spawn(self, command, **options):
        """Starts a command and returns its subprocess.Popen, with stdin, stdout and stderr as text pipes."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(self.argv(command), **{**pipes, **options})

    def put(self, source, directory):
        """Copies a file or directory of the host into a directory inside."""
        source = Path(source).absolute()
        if not os.path.lexists(source):
            raise LabError(f"no such file: {source}")
        pack = ["tar", "-C", source.parent, "-c", "--", source.name]
        self._pipe(pack, self.argv(["tar", "-C", str(directory), "-x", "--no-same-owner"]), f"copy {source} into the lab")

    def get(self, source, directory):
        """Copies a file or directory from inside (relative paths start at /root) into a directory of the host."""
        source = Path("/root") / source
        pack = self.argv(["tar", "-C", str(source.parent), "-c", "--", source.name])
        self._pipe(pack, ["tar", "-C", directory, "-x", "--no-same-owner"], f"copy {source} out of the lab")

    def _pipe(self, pack, unpack, what):
        with subprocess.Popen(pack, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as writer:
            reader = subprocess.run(unpack, stdin=writer.stdout, check=False)
            writer.stdout.close()
        if writer.returncode != 0 or reader.returncode != 0:
            raise LabError(f"cannot {what}: tar's words are above")

    def close(self):
        """Ends the connection."""
        subprocess.run([*self._ssh, "-O", "exit"], check=False, capture_output=True)
        shutil.rmtree(self._directory, ignore_errors=True)


def _line(command):
    return command if isinstance(command, str) else shlex.join(str(word) for word in command)


def _text(output):
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
