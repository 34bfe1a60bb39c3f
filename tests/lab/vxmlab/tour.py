# SPDX-License-Identifier: BSD-3-Clause
"""The tour that "lab demo" gives: a guest gets the second GPU, shows its picture there, and gives the GPU back.

Told on stdout in numbered steps, in 80 columns, with photographs of both screens.
"""

import difflib
import time

import demo
from vxmlab import png
from vxmlab.label import Font
from vxmlab.machine import Machine

_COLUMNS = 80
_INDENT = "   "

# The host's screen tells what the host sees, too: its login prompt alone would be a dull picture.
_HOST_SCREEN = """
{
    printf '\\33[H\\33[J'
    cat /etc/issue
    lspci -k -d ::0300
    echo
    SYSTEMD_COLORS=0 systemctl status -n 6 vxm-guest@demo | cut -c -150
} >/dev/tty1
"""

# What of the guest's report goes onto the screen.
_REPORTED = ("kernel", "firmware", "cpus", "memory", "gpu", "framebuffer")

_BACKGROUND, _TITLE = 0x1e293b, 0xffffff
_MARGIN = 16


class Tour:
    """The steps, in order; each speaks for itself."""

    def __init__(self, machine, out):
        self._machine = machine
        self._out = out
        self._number = 0
        self._before = None

    def give(self):
        """All of it; tells whether everything was as before in the end."""
        self._install()
        self._look_before()
        self._start()
        self._listen()
        self._photograph()
        self._stop()
        return self._compare()

    def _title(self, text):
        self._number += 1
        print(f"\n{self._number}. {text}\n", flush=True)

    def _install(self):
        self._title("A guest is a file: /etc/vxm/guests/demo.guest")
        _show(demo.GUEST_FILE)
        demo.install(self._machine)

    def _look_before(self):
        self._title("Before: the host's drivers have both GPUs")
        self._before = demo.state(self._machine)
        _show(_of_gpus(self._before))

    def _start(self):
        self._title("systemctl start vxm-guest@demo")
        started = time.monotonic()
        demo.start(self._machine)
        _show(f"started in {time.monotonic() - started:.1f} s of an emulated machine\n")
        _show(_of_gpus(demo.state(self._machine)))
        print()
        _show(self._machine.run(f"COLUMNS={_COLUMNS - len(_INDENT)} systemctl status -n 0 vxm-guest@demo").stdout)

    def _listen(self):
        self._title("What the guest says on its console about the machine it sees")
        report = demo.report(self._machine)
        _show("\n".join(line for line in report if line.partition(":")[0] in _REPORTED))

    def _photograph(self):
        self._title("The two screens, photographed")
        self._machine.run(_HOST_SCREEN)
        host, guest, both = (self._out / name for name in ("host-gpu.png", "guest-gpu.png", "demo.png"))
        self._machine.screendump("gpu0", host)
        self._machine.assert_demo_picture("gpu1", guest)
        _side_by_side(self._machine, host, guest).save(both)
        _show(f"{host}\n{guest}\n{both} (both)\n")
        _show("The passed-through GPU shows the guest's picture: its colour bars are there.")

    def _stop(self):
        self._title("systemctl stop vxm-guest@demo")
        started = time.monotonic()
        demo.stop(self._machine)
        demo.wait_undone(self._machine)
        _show(f"guest off, GPU back in {time.monotonic() - started:.1f} s; the whole story, as journalctl -u tells it:\n\n")
        _show(demo.journal(self._machine))

    def _compare(self):
        self._title("After")
        after = demo.state(self._machine)
        _show(_of_gpus(after))
        differences = difflib.unified_diff(self._before.splitlines(), after.splitlines(), "before", "after", lineterm="")
        same = after == self._before
        print(f"\nas before: {'yes' if same else 'NO'}", *differences, sep="\n")
        return same


def give(out):
    """Gives the tour, with the pictures going into the directory out; returns an exit status."""
    out.mkdir(parents=True, exist_ok=True)
    with Machine() as machine:
        return 0 if Tour(machine, out).give() else 1


def _show(text):
    """Prints text indented, its lines cut where the terminal would break them."""
    width = _COLUMNS - len(_INDENT)
    for line in text.rstrip().splitlines():
        print(f"{_INDENT}{line if len(line) <= width else line[:width - 1] + '…'}".rstrip(), flush=True)


def _of_gpus(state):
    """Of everything that can change, the lines on the two GPUs and the second one's sound."""
    functions = tuple(f"{function} driver " for function in ("0000:00:10.0", demo.GPU, demo.SOUND))
    lines = [line for line in state.splitlines() if line.startswith(functions)]
    return "\n".join(lines).replace(" override (null)", "")


def _side_by_side(machine, host, guest):
    font = Font(machine)
    pictures = ((png.load(host), "gpu0, the host's"), (png.load(guest), f"gpu1, the guest's: {demo.GPU} passed through"))
    top = font.height + 2 * _MARGIN
    width = sum(picture.width + _MARGIN for picture, _ in pictures) + _MARGIN
    canvas = png.Picture(width, top + max(picture.height for picture, _ in pictures) + _MARGIN, _BACKGROUND)
    x = _MARGIN
    for picture, title in pictures:
        font.draw(canvas, title, x, _MARGIN, _TITLE)
        canvas.paste(picture, x, top)
        x += picture.width + _MARGIN
    return canvas
