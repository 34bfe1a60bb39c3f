# SPDX-License-Identifier: BSD-3-Clause
"""Machine: one emulated workstation with the installed product, as tests, benches and the demo see it.

    with Machine() as machine:
        machine.run("systemctl start vxm-guest@demo")
        machine.screendump("gpu1", "guest.png")
"""

import functools
import os
import shlex
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from vxmlab import cache, host, image, png, product, shape, snapshot, ssh
from vxmlab.say import LabError
from vxmlab.vm import Boot, Vm


@dataclass
class World:
    """What machines of one shape are made from. All of it stays in the cache as long as this process lives."""

    shape: shape.Shape
    host: host.Host
    base: Path
    product: Path
    snapshot: Path


@functools.cache
def _world(shape_name):
    """Prepares what is missing. One process sees one product: whoever edits it meanwhile does not disturb a test run."""
    description = shape.load(shape_name)
    with cache.locked():
        base, where, what = _prepared()
        made = snapshot.ensure(where, base, what, description)
        cache.prune("run", keep=0)
    return World(description, where, base, what, made)


@functools.cache
def _prepared():
    base = image.ensure()
    cache.hold(base)
    where = host.detect(base)
    cache.hold(where.qemu.directory)
    what = product.ensure(base)
    cache.hold(what)
    return base, where, what


# The eight bars at the top of the demo guest's picture, see demo-guest/screen.c.
_BARS = (0xffffff, 0xffff00, 0x00ffff, 0x00ff00, 0xff00ff, 0xff0000, 0x0000ff, 0xff8000)

# The desktop's only colour, see image/root/etc/xdg/weston/weston.ini.
_DESKTOP = 0x206040


class Machine:
    """A machine that has booted, as fresh as after installing the product; it is gone when the with block ends."""

    def __init__(self, shape_name="two-gpu"):
        self._world = _world(shape_name)
        self._shape = self._world.shape
        self._directory, self._hold = cache.scratch("run")
        self._vm = None
        self._ssh = None
        self.lost = False

    def __enter__(self):
        try:
            world = self._world
            self._vm = snapshot.restore(world.host, world.base, world.snapshot, world.shape, self._directory)
            self._connect()
            self.began = time.time()  # by the machine's clock too
            self.run(["date", "--utc", "--set", f"@{self.began:.3f}"])
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the machine and forgets its disk."""
        self.power_cut()
        os.close(self._hold)
        shutil.rmtree(self._directory)

    # Power

    def boot(self, initrd=None, arguments="", shape_name=None):
        """Boots from the disk as the last power_cut() or power_off() left it.

        initrd: a file on the host, the image's own when None. arguments: added to the kernel's command line.
        shape_name: other hardware from now on, as if somebody had opened the case.
        """
        world = self._world
        if shape_name:
            self._shape = shape.load(shape_name)
        memory = self._directory / "ram"
        memory.unlink(missing_ok=True)
        start = Boot(world.base / "vmlinuz", Path(initrd) if initrd else world.base / "initrd.img",
                     self._directory / "disk.qcow2", memory, arguments=arguments)
        self._vm = Vm(world.host, self._shape, start, self._directory)
        self._vm.wait_ready(snapshot.BOOT_TIMEOUT)
        self._connect()

    def power_cut(self):
        """Pulls the plug: what had not been flushed to the disk is lost."""
        self._disconnect()
        if self._vm:
            self._vm.kill()
            self._vm = None

    def power_off(self, timeout=120):
        """Shuts the machine down in an orderly way, as "systemctl poweroff" does."""
        self.run("systemctl poweroff", check=False)
        self._disconnect()
        self._vm.wait_end(timeout)
        self._vm = None

    def reboot(self):
        """Reboots in an orderly way and waits until the machine is up again."""
        self.run("systemctl reboot", check=False)
        self._disconnect()
        self._vm.wait_ready(snapshot.BOOT_TIMEOUT)
        self._connect()

    def _connect(self):
        self.lost = False  # whether the connection has broken off: the machine hangs, or has started anew by itself
        self._ssh = ssh.Ssh(self._vm.ssh_port(), self._world.base / "ssh_key")

    def _disconnect(self):
        if self._ssh:
            self._ssh.close()
            self._ssh = None

    def installed(self):
        """A context manager: the file system as installed, read-only, for running the product's programs natively."""
        return image.mounted(self._world.product / product.DISK, self._directory / "root", read_only=True)

    # Commands and files

    def run(self, command, check=True, timeout=300, input=None):
        """Runs a command as root: a shell line, or a list taken word by word.

        Returns subprocess.CompletedProcess with stdout and stderr as text. With check, a status other than 0 raises
        ssh.CommandFailed, which shows the output.
        """
        try:
            done = self._ssh.run(command, check, timeout, input)
        except LabError:
            self._vm.assert_alive()
            raise
        if done.returncode == ssh.CONNECTION_LOST:
            self._vm.assert_alive()
            self.lost = True
        return done

    def wait(self, condition, show="true", seconds=240, every=0.3):
        """Waits until a shell condition holds; when it does not in that many seconds, fails with what show prints. What asks much of
        the machine is better not asked as often: the guest has what is left of its processors."""
        loop = shlex.quote(f"until {condition}; do sleep {every}; done")
        return self.run(f"timeout {seconds} sh -c {loop} || {{ {show}; exit 1; }}", timeout=seconds + 60)

    def spawn(self, command, **options):
        """Starts a command; returns subprocess.Popen with text pipes. options: as for Popen."""
        return self._ssh.spawn(command, **options)

    def stream(self, command, tty=False):
        """Runs a command on this process's stdin, stdout and stderr; returns its exit status."""
        return self._ssh.stream(command, tty)

    def put(self, source, directory="/root"):
        """Copies a file or directory of the host into a directory inside."""
        self._ssh.put(source, directory)

    def get(self, source, directory="."):
        """Copies a file or directory from inside (relative to /root) into a directory of the host."""
        self._ssh.get(source, directory)

    def write(self, path, text, mode="644"):
        """Writes a file inside, making its directory when missing."""
        path = shlex.quote(str(path))
        self.run(f"mkdir -p $(dirname {path}) && cat >{path} && chmod {mode} {path}", input=text)

    def read(self, path):
        """The text of a file inside."""
        return self.run(["cat", path]).stdout

    # What a person in front of the machine does and sees

    def screendump(self, gpu, path):
        """Photographs the screen of gpu0 or gpu1 into a PNG file on the host."""
        self.qmp("screendump", device=gpu, filename=str(Path(path).absolute()), format="png")

    def assert_demo_picture(self, gpu, path):
        """Photographs the screen of a GPU into a PNG file and raises AssertionError unless it is the demo guest's."""
        self.screendump(gpu, path)
        picture = png.load(path)
        found = [picture.color((2 * i + 1) * picture.width // 16, picture.height // 8) for i in range(len(_BARS))]
        assert found == list(_BARS), (
            f"{gpu} does not show the demo guest's bars; see {path}\n"
            f"expected {' '.join(f'{color:06x}' for color in _BARS)}\n"
            f"found    {' '.join(f'{color:06x}' for color in found)}")

    def assert_desktop(self, gpu, path, timeout=60):
        """Photographs the screen of a GPU into a PNG file until it shows the desktop, whose colour stands in weston.ini."""
        deadline = time.monotonic() + timeout
        while True:
            self.screendump(gpu, path)
            picture = png.load(path)
            found = {picture.color(picture.width * i // 8, picture.height * i // 8) for i in range(1, 8)}
            if found == {_DESKTOP}:
                return
            assert time.monotonic() < deadline, (
                f"{gpu} does not show the desktop within {timeout} s; see {path}\n"
                f"expected {_DESKTOP:06x}, found {' '.join(f'{color:06x}' for color in sorted(found))}")
            time.sleep(0.5)

    def sendkeys(self, *chords):
        """Presses keys on the USB keyboard, each chord being QEMU's key names joined by dashes: "ctrl-alt-f2", "a"."""
        for chord in chords:
            keys = [{"type": "qcode", "data": name} for name in chord.split("-")]
            self.qmp("send-key", keys=keys)

    def qmp(self, command, **arguments):
        """Runs a command on the monitor of the QEMU that emulates this machine."""
        return self._vm.qmp.command(command, **arguments)

    @property
    def console_log(self):
        """Everything the machine's serial console has shown since it was made."""
        return self._vm.console.read_text(errors="replace")
