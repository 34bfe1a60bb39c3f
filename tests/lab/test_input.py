# SPDX-License-Identifier: BSD-3-Clause
"""Keyboard and mouse: what is pressed outside arrives in the guest or on the host, as the keys of Toggle= say; devices are pulled out
and come back; and the host has them again however the guest ends."""

import base64
import re
import shlex
import struct

import pytest

import demo
from inputs import KEYBOARD, MOUSE, plug, plug_anew, unplug
from vxmlab import png

pytestmark = pytest.mark.slow

KEYS = {"a": 30, "b": 48, "c": 46, "d": 32, "e": 18, "scroll_lock": 70, "leftctrl": 29}
EVENT = struct.Struct("qqHHi")  # struct input_event of linux/input.h

# What takes the devices to the host and back, by the value of Toggle=.
TOGGLES = {"ctrl-ctrl": "ctrl-ctrl_r", "alt-alt": "alt-alt_r", "shift-shift": "shift-shift_r", "meta-meta": "meta_l-meta_r",
           "scrolllock": "scroll_lock", "ctrl-scrolllock": "ctrl-scroll_lock"}

# Reads the keyboard in the guest: the one that QEMU emulates.
_LISTEN = ("for e in /sys/class/input/event*; do grep -q 'AT Translated' $e/device/name && cat /dev/input/${e##*/} >/run/heard 2>&1 & done; "
           "sleep 1")
# Shows on the guest's screen what is typed on its terminal.
_TYPE = ("(exec </dev/tty1; stty -icanon -echo; text=; while IFS= read -r -n 1 key; do text=$text$key; echo \"typed: $text\" | screen; done) "
         ">/dev/null 2>&1 & true")
_HEARD = "base64 /run/heard | tr -d '\\n'"


# How many input devices QEMU has open.
_OPEN = "ls -l /proc/$(pgrep -P $(systemctl show -P MainPID vxm-guest@{}))/fd | grep -c /dev/input/event"

# Takes each of the machine's USB keyboards and mice for itself (EVIOCGRAB), and says how many there are.
_GRAB = """
import fcntl, glob
nodes = glob.glob("/dev/input/by-id/usb-QEMU_*-event-*")
for node in nodes:
    fcntl.ioctl(open(node, "rb"), 0x40044590, 1)
print(len(nodes))
"""


def input_file(*lines):
    return demo.guest_file(f"[Input]\nDevices={KEYBOARD}\nDevices={MOUSE}\n" + "\n".join(lines))


def pressed(data):
    """The codes of the keys that went down, of a stream of events."""
    return [code for _, _, kind, code, value in EVENT.iter_unpack(data[:len(data) // EVENT.size * EVENT.size])
            if kind == 1 and value == 1]


class Host:
    """The host's own reader of its keyboard: it hears what nobody has taken for himself."""

    def __init__(self, lab):
        self.lab = lab

    def node(self):
        found = self.lab.run(f"grep -lx {shlex.quote(KEYBOARD)} /sys/class/input/event*/device/name").stdout
        return "/dev/input/" + found.split("/")[4]

    def listen(self):
        self.lab.run("systemctl stop lab-reader; rm -f /run/heard; systemctl reset-failed lab-reader; true")
        self.lab.run(f"systemd-run -q --unit=lab-reader sh -c 'exec cat {self.node()} >/run/heard'")
        self.lab.wait(f"ls -l /proc/$(systemctl show -P MainPID lab-reader)/fd | grep -q '{self.node()}$'")

    def heard(self):
        return pressed(base64.b64decode(self.lab.run("base64 -w 0 /run/heard").stdout))


@pytest.fixture
def host(lab_shared):
    plug_anew(lab_shared)
    host = Host(lab_shared)
    host.listen()
    yield host
    lab_shared.run("systemctl kill --signal=KILL 'vxm-guest@*'", check=False)
    demo.wait_undone(lab_shared)
    demo.wait_undone(lab_shared, "rival")
    lab_shared.run("systemctl stop lab-reader; systemctl reset-failed 'vxm-*' lab-reader; rm -f /etc/vxm/guests/*.guest; "
                   "systemctl daemon-reload", check=False)


def wait_given(lab, *kinds, name="demo"):
    """Waits until QEMU has just these devices: one each of these kinds."""
    shown = f"ls /run/vxm/evdev/{name} | sed 's/-.*//' | sort | tr '\\n' ' '"
    objects = _OPEN.format(name)
    # The file of what is gone stays until something comes.
    lab.wait(f"case \"$({shown})\" in '{' '.join(sorted(kinds))} '*|*'{' '.join(sorted(kinds))} ') [ \"$({objects})\" = {len(kinds)} ];; "
             "*) false;; esac",
             show=f"{shown}; {objects}; journalctl -b -o cat -u vxm-guest@{name} -u 'vxm-plug-input@*' | tail")


def press(lab, *chords):
    """One after the other, each let go of before the next: QEMU holds keys for a tenth of a second."""
    for chord in chords:
        lab.sendkeys(chord)
        lab.run("sleep 1")


def guest_heard(lab):
    return pressed(base64.b64decode(demo.sh(lab, _HEARD)))


def test_ctrl_ctrl(host, tmp_path):
    """To the guest only, where it is seen on its screen, to the host only, to the guest only; and the way back."""
    lab = host.lab
    demo.install(lab, text=input_file() + "\n[GPU]\nDevice=01:00.0\n")
    before = demo.state(lab)
    demo.start(lab)
    assert re.search(r"keyboard “QEMU QEMU USB Keyboard” \(event\d+\) is the guest's", lab.run("journalctl -b -o cat -u vxm-input@demo").stdout)
    demo.report(lab)
    demo.sh(lab, _LISTEN)
    wait_given(lab, "keyboard", "pointer")
    locks = lab.run("busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager ListInhibitors").stdout
    assert '"sleep:idle:handle-lid-switch" "vxm"' in locks, locks

    press(lab, "a", "ctrl-ctrl_r", "b", "ctrl-ctrl_r", "c")
    guest, own = guest_heard(lab), host.heard()
    assert KEYS["a"] in guest and KEYS["b"] not in guest and KEYS["c"] in guest, (guest, own)
    assert own == [KEYS["b"], KEYS["leftctrl"], 97], (guest, own)  # and what was pressed to leave for the guest

    demo.sh(lab, _TYPE)
    press(lab, "d", "ctrl-ctrl_r", "b", "ctrl-ctrl_r", "e")
    seen = []
    while seen[-2:-1] != seen[-1:] or len(seen) < 3:  # until it draws no more
        lab.run("sleep 3")
        lab.screendump("gpu1", tmp_path / "typed.png")
        seen.append(png.load(tmp_path / "typed.png").rows)
    demo.sh(lab, "echo 'typed: acde' | screen")  # a terminal keeps what nobody has read yet
    lab.screendump("gpu1", tmp_path / "expected.png")
    assert seen[-1] == png.load(tmp_path / "expected.png").rows, f"see {tmp_path}"

    demo.end(lab, "kill qemu")
    demo.wait_undone(lab)
    press(lab, "d")
    assert host.heard()[-1] == KEYS["d"]
    demo.assert_as_before(before, demo.state(lab))


def test_pulled_out_and_back(host):
    """Twenty times; nothing else is lost. It is another node each time, or the same."""
    lab = host.lab
    demo.install(lab, text=input_file())
    demo.start(lab)
    demo.report(lab)
    demo.sh(lab, _LISTEN)
    wait_given(lab, "keyboard", "pointer")
    for i in range(20):
        unplug(lab)
        if i % 2:
            lab.wait(f"[ $({_OPEN.format('demo')}) = 1 ]", show=_OPEN.format("demo"))
        if i % 5 == 4:
            unplug(lab, "mouse")
            plug(lab, "mouse")
        plug(lab)
        wait_given(lab, "keyboard", "pointer")
    host.listen()
    press(lab, "a", "ctrl-ctrl_r", "b", "ctrl-ctrl_r", "c")
    guest, own = guest_heard(lab), host.heard()
    assert KEYS["a"] in guest and KEYS["b"] not in guest and KEYS["c"] in guest, (guest, own)
    assert KEYS["b"] in own and KEYS["a"] not in own and KEYS["c"] not in own, (guest, own)

    # The mouse goes with the keyboard that has come back: while the host has both, nobody holds them.
    press(lab, "ctrl-ctrl_r")
    assert lab.run(["python3", "-c", _GRAB]).stdout == "2\n"
    demo.stop(lab)
    demo.wait_undone(lab)


def test_missing_at_the_start(host):
    lab = host.lab
    unplug(lab)
    demo.install(lab, text=demo.guest_file(f"[Input]\nDevices={KEYBOARD}\nInhibitIdle=no"))
    demo.start(lab)
    demo.assert_says(lab.run("journalctl -b -o cat -u vxm-input@demo").stdout, f"[Input] Devices={KEYBOARD}: nothing of the kind is there")
    assert lab.run("systemctl is-active vxm-sleep@demo", check=False).stdout == "inactive\n"
    plug(lab)
    wait_given(lab, "keyboard")
    host.listen()
    press(lab, "a")
    assert host.heard() == []
    lab.run(f"kill -9 {demo.main_pid(lab)}")
    demo.wait_undone(lab)
    press(lab, "b")
    assert host.heard() == [KEYS["b"]]


def test_each_toggle(host):
    """The guest itself need not have booted."""
    lab = host.lab
    for value, keys in TOGGLES.items():
        demo.install(lab, text=input_file(f"Toggle={value}"))
        demo.start(lab)
        wait_given(lab, "keyboard", "pointer")
        host.listen()
        press(lab, "a", keys, "b", keys, "c")
        own = host.heard()
        assert KEYS["a"] not in own and KEYS["b"] in own and KEYS["c"] not in own, (value, own)
        demo.end(lab, "kill qemu")
        demo.wait_undone(lab)
        lab.run("systemctl reset-failed 'vxm-*'")


def test_two_guests(host):
    """Who comes second is refused, and told who has them."""
    lab = host.lab
    demo.install(lab, text=input_file("Devices=auto"))
    demo.install(lab, "rival", demo.guest_file("[Input]\nDevices=auto"))
    demo.start(lab)
    kinds = lab.run("ls /run/vxm/evdev/demo | sed 's/-.*//' | sort").stdout.split()
    assert kinds[:3] == ["keyboard", "keyboard", "pointer"], kinds
    done = lab.run("systemctl start vxm-guest@rival", check=False)
    assert done.returncode != 0
    demo.assert_says(lab.run("journalctl -b -o cat -u vxm-user@rival -u vxm-input@rival -u vxm-guest@rival").stdout, "is in use by guest demo")
    # Nobody else is let in.
    nodes = lab.run("ls /dev/input/event*").stdout.split()
    for node in nodes:
        assert lab.run(["runuser", "-u", "nobody", "--", "test", "-r", node], check=False).returncode != 0
    given = [node for node in nodes if lab.run(["runuser", "-u", "vxm-demo", "--", "test", "-w", node], check=False).returncode == 0]
    assert len(given) == len(kinds), (given, kinds)


@pytest.mark.parametrize("lines, words", [
    ("Devices=Power Button", ("Devices=Power Button", "is no keyboard and no mouse")),
    ("Devices=/dev/input/event0", ("Devices=/dev/input/event0", "others after the next boot")),
    ("Devices=auto\nToggle=ctrl-alt", ("Toggle=ctrl-alt", "expected ctrl-ctrl")),
])
def test_refused(lab_shared, lines, words):
    demo.install(lab_shared, text=demo.guest_file(f"[Input]\n{lines}"))
    demo.assert_says(demo.refusal(lab_shared), *words)
