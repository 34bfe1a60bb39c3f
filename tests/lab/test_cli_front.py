# SPDX-License-Identifier: BSD-3-Clause
"""vxm, the command for people: guests started, looked at and talked to with it, by root, by a member of the group vxm, and by somebody who is
neither; what it prints fits a terminal, and its JSON is what vxm(1) says."""

import json
import re

import pytest

import demo
from vxmlab import png

pytestmark = pytest.mark.slow

_DISPLAY = "[Display]\nVNC=yes\nModel=vga"

# The shapes that vxm(1) documents: a type, a tuple of types, or a list or dictionary of shapes. None is a type, too.
_UNIT = {"unit": str, "active": str, "sub": str, "job": (str, None)}
_STATUS = {"guest": str, "state": str, "description": (str, None), "failed": [str], "units": [_UNIT]}
_STATUS_ONE = {**_STATUS, "status": (str, None), "since": (int, None), "pid": (int, None), "memory": (int, None), "result": str,
               "at_boot": bool, "needs_reload": bool}
_LIST = {"guest": str, "file": (str, None), "preset": (str, None), "description": (str, None), "user": (str, None), "cpus": (int, None),
         "memory": (int, None), "devices": [str], "error": (str, None)}
_SNAPSHOTS = {"snapshots": [{"tag": str, "date": int, "size": int, "whole": bool}], "obstacle": (str, None)}


def assert_shape(value, shape, where="$"):
    if isinstance(shape, dict):
        assert isinstance(value, dict) and set(value) == set(shape), f"{where} has {value}"
        for key, inner in shape.items():
            assert_shape(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{where} is {value}"
        for number, item in enumerate(value):
            assert_shape(item, shape[0], f"{where}[{number}]")
    else:
        types = shape if isinstance(shape, tuple) else (shape,)
        assert any(value is None if t is None else type(value) is t for t in types), f"{where} is {value!r}"


def vxm(lab, *words, user=None, status=0, data=None):
    """Runs vxm, as a user of the lab; returns what it prints on both outputs."""
    command = [*(["runuser", "-u", user, "--"] if user else []), "vxm", *words]
    done = lab.run(command, check=False, **({"input": data} if data is not None else {}))
    assert done.returncode == status, f"vxm {words}: {done.returncode}\n{done.stdout}{done.stderr}\n{demo.journal(lab)}"
    return done.stdout + done.stderr


def told(lab, *words, user=None):
    return json.loads(vxm(lab, *words, "--json", user=user))


def assert_fits(text):
    for line in text.splitlines():
        assert len(line) <= 80, f"{len(line)} columns: {line}"


@pytest.fixture(scope="module")
def machine(lab_shared):
    """Who sits in front of the desktop is a member of the group."""
    lab_shared.run("usermod -aG vxm person")
    return lab_shared


@pytest.fixture
def tidy(machine):
    yield machine
    machine.run("systemctl stop 'vxm-guest@*'; rm -f /etc/vxm/guests/*.guest; systemctl daemon-reload; systemctl reset-failed 'vxm-*'; true")
    demo.wait_undone(machine)


@pytest.mark.parametrize("user", [None, "person"])
def test_life(tidy, tmp_path, user):
    """All verbs on one guest with the second GPU, by root and by a member of the group."""
    lab = tidy
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0", _DISPLAY))
    before = demo.state(lab)
    assert told(lab, "status", "demo", user=user)["state"] == "off"

    text = vxm(lab, "start", "demo", user=user)
    assert_fits(text)
    assert re.search(r"^ +[0-9.]+ s  up +vxm-bind@demo +devices$", text, re.M), text
    assert text.index("vxm-bind@demo") < text.index("vxm-guest@demo") < text.index("Guest demo runs, after ")
    assert vxm(lab, "start", "demo", user=user) == "Guest demo runs already.\n"
    demo.report(lab)

    one = told(lab, "status", "demo", user=user)
    assert_shape(one, _STATUS_ONE)
    assert one["state"] == "running" and one["pid"] == demo.main_pid(lab) and not one["failed"]
    assert [unit["active"] for unit in one["units"] if unit["unit"] == "vxm-bind@demo.service"] == ["active"]
    for guest in told(lab, "status", user=user)["guests"]:
        assert_shape(guest, _STATUS)
    for text in (vxm(lab, "status", user=user), vxm(lab, "status", "demo", user=user), vxm(lab, "list", user=user)):
        assert_fits(text)
        assert "demo" in text
    for guest in told(lab, "list", user=user)["guests"]:
        assert_shape(guest, _LIST)
    assert vxm(lab, "list", "--names", user=user) == "demo\n"

    assert "VM status: running" in vxm(lab, "monitor", "demo", "info", "status", user=user)
    assert json.loads(vxm(lab, "monitor", "--qmp", "demo", "query-status", user=user))["status"] == "running"
    assert "is paused" in vxm(lab, "pause", "demo", user=user)
    assert "paused" in vxm(lab, "monitor", "demo", user=user, data="info status\n")
    assert "goes on" in vxm(lab, "resume", "demo", user=user)
    vxm(lab, "screenshot", "demo", f"/tmp/of-{user}.png", user=user)
    lab.get(f"/tmp/of-{user}.png", tmp_path)
    png.load(tmp_path / f"of-{user}.png")
    assert_shape(told(lab, "snapshot", "demo", "list", user=user), _SNAPSHOTS)
    assert "PCI device of the host" in vxm(lab, "snapshot", "demo", "save", "one", user=user, status=69)

    assert "was reset" in vxm(lab, "reset-hard", "demo", user=user)
    demo.report(lab)
    text = vxm(lab, "restart", "demo", user=user)
    assert "vxm-bind@demo" not in text and "Guest demo runs, after " in text
    demo.report(lab)

    text = vxm(lab, "stop", "demo", user=user)
    assert text.index("vxm-guest@demo") < text.index("vxm-bind@demo") < text.index("Guest demo is off, after ")
    demo.assert_as_before(before, demo.state(lab)) # at once: stop has waited for it
    assert vxm(lab, "stop", "demo", user=user) == "Guest demo is off already.\n"


def test_console(tidy):
    """A script that says all and then waits for the guest; a terminal whose escape key leaves."""
    lab = tidy
    demo.install(lab, text=demo.guest_file())
    vxm(lab, "start", "demo")
    demo.report(lab)
    said = lab.run("(printf 'sh echo the-$((40 + 2))\\n'; sleep 3) | timeout 60 runuser -u person -- vxm console demo | grep -m1 the-42")
    assert "the-42" in said.stdout
    said = lab.run("{ sleep 1; printf '\\035'; } | timeout 60 script -qec 'vxm console demo' /dev/null")
    assert "You have left the console of guest demo." in said.stdout


def test_log(tidy):
    lab = tidy
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    vxm(lab, "start", "demo")
    story = vxm(lab, "log", "demo", "--no-pager", "--output=cat", "--boot")
    assert "→ vfio-pci" in story and "Guest demo" in story
    assert "→ vfio-pci" not in vxm(lab, "log", "other", "--no-pager", "--output=cat", "--boot")


def test_failure(tidy):
    """What has failed is named, with its words and its status, and what had been prepared is undone by then."""
    lab = tidy
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0", "[Disk gone]\nPath=/srv/gone.raw\nFormat=raw"))
    before = demo.state(lab)
    text = vxm(lab, "start", "demo", status=78)
    assert_fits(text.split(" has failed:")[0])
    assert " has failed:\n" in text and "/srv/gone.raw" in text
    assert "Guest demo has not started; vxm log demo --catalog tells all." in text
    demo.assert_as_before(before, demo.state(lab))
    assert told(lab, "status", "demo")["state"] == "failed"
    assert "has failed" in vxm(lab, "status")


def test_refusals(tidy):
    """One line each, with the next step, and nothing done."""
    lab = tidy
    demo.install(lab)
    assert "did you mean “demo”?" in vxm(lab, "start", "demmo", status=78)
    assert "did you mean “status”?" in vxm(lab, "stauts", status=64)
    assert "does not run; start it with vxm start demo" in vxm(lab, "pause", "demo", status=1)
    lab.write("/etc/vxm/guests/new.guest", demo.guest_file())
    assert "systemd has not read the file of guest new yet; run systemctl daemon-reload" in vxm(lab, "start", "new", status=78)
    lab.run("systemctl start vxm-guest@demo; sleep 1; touch /etc/vxm/guests/demo.guest")
    text = vxm(lab, "restart", "demo", status=78)
    assert len(text.splitlines()) == 1 and "has changed since systemd has read it; run systemctl daemon-reload" in text
    assert told(lab, "status", "demo")["needs_reload"] is True
    lab.write("/etc/vxm/guests/new.guest", "[Guest]\nnonsense\n")
    assert "/etc/vxm/guests/new.guest:2:" in vxm(lab, "start", "new", status=78)
    assert any(guest["error"] for guest in told(lab, "list")["guests"] if guest["guest"] == "new")


def test_rights(tidy):
    """Who is in no group may look at units and no more; a member has guests, and nothing else of systemd's."""
    lab = tidy
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    lab.run("id stranger 2>/dev/null || useradd stranger")
    assert "be root, or in the group vxm" in vxm(lab, "start", "demo", user="stranger", status=1)
    vxm(lab, "start", "demo", user="person")
    assert "be root, or in the group vxm" in vxm(lab, "stop", "demo", user="stranger", status=1)
    for words in (["pause", "demo"], ["console", "demo"], ["monitor", "demo", "info", "status"]):
        assert "You may not talk to guest demo" in vxm(lab, *words, user="stranger", status=1)
    assert told(lab, "status", "demo", user="stranger")["state"] == "running"
    for command in ("stop vxm-bind@demo", "kill vxm-guest@demo", "stop ssh", "daemon-reload", "enable vxm-guest@demo",
                    "set-property --runtime vxm-guest@demo MemoryMax=1G"):
        done = lab.run(f"runuser -u person -- systemctl --no-ask-password {command}", check=False)
        assert done.returncode != 0, f"a member of vxm may {command}"
    assert lab.run("systemctl is-active vxm-guest@demo").stdout == "active\n"
    done = lab.run("runuser -u person -- sh -c 'ls /run/vxm/sockets/demo; touch /run/vxm/sockets/demo/x; rm -f /run/vxm/sockets/demo/qmp'", check=False)
    assert done.returncode != 0
    assert lab.run("ls /run/vxm/sockets/demo").stdout.split() == ["agent", "console", "qmp"]


def test_sandbox_of_a_member(tidy):
    """A guest that runs as a member of the group: its QEMU, in its namespaces and as that user, can open no other guest's sockets, which its
    user can, and guests' own users cannot either."""
    lab = tidy
    demo.install(lab, "mine", demo.guest_file("[Guest]\nUser=person"))
    demo.install(lab, "other", demo.guest_file())
    for name in ("mine", "other"):
        vxm(lab, "start", name)
    connect = "python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])'"
    assert lab.run(f"runuser -u person -- {connect} /run/vxm/sockets/other/console", check=False).returncode == 0
    inside = f"nsenter -t {demo.qemu_pid(lab, 'mine')} -m setpriv --reuid person --regid person --init-groups"
    assert lab.run(f"{inside} {connect} /run/vxm/sockets/mine/console", check=False).returncode == 0
    assert lab.run(f"{inside} {connect} /run/vxm/sockets/other/console", check=False).returncode != 0
    assert lab.run(f"{inside} ls /run/vxm/sockets").stdout.split() == ["mine"]
    assert lab.run(f"setpriv --reuid vxm-other --regid vxm-other --clear-groups {connect} /run/vxm/sockets/mine/console", check=False).returncode != 0
    groups = lab.run(f"grep ^Groups: /proc/{demo.qemu_pid(lab, 'other')}/status").stdout.split()[1:]
    assert lab.run("getent group vxm").stdout.split(":")[2] not in groups


def test_watch(tidy):
    """It says by itself what has changed."""
    lab = tidy
    demo.install(lab, text=demo.guest_file())
    lab.run("systemd-run -q --unit=watch --service-type=exec -p StandardOutput=file:/tmp/watched vxm status demo --watch --json")
    vxm(lab, "start", "demo")
    vxm(lab, "stop", "demo")
    lab.wait("tail -n 1 /tmp/watched | grep -q '\"state\":\"off\"'", show="cat /tmp/watched")
    lab.run("systemctl stop watch")
    states = [json.loads(line)["state"] for line in lab.run("cat /tmp/watched").stdout.splitlines()]
    assert states[0] == "off" and "running" in states and states[-1] == "off"


def test_another_machine(tidy):
    """This one, by ssh: start and status by D-Bus from here, the others there."""
    lab = tidy
    demo.install(lab, text=demo.guest_file(_DISPLAY))
    lab.run("mkdir -p -m 700 /root/.ssh; test -e /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; "
            "cat /root/.ssh/id_ed25519.pub >>/root/.ssh/authorized_keys; ssh-keyscan localhost >>/root/.ssh/known_hosts 2>/dev/null")
    assert "Guest demo runs, after " in vxm(lab, "-H", "root@localhost", "start", "demo")
    assert "running" in vxm(lab, "-H", "root@localhost", "status")
    assert vxm(lab, "-H", "root@localhost", "list", "--names") == "demo\n"
    assert "VM status" in vxm(lab, "-H", "root@localhost", "monitor", "demo", "info", "status")
    lab.run("vxm -H root@localhost screenshot demo - >/tmp/remote.png && head -c 8 /tmp/remote.png | grep -q PNG")
    assert "Guest demo is off, after " in vxm(lab, "-H", "root@localhost", "stop", "demo")
