# SPDX-License-Identifier: BSD-3-Clause
"""vxm, the command for people: guests started, looked at and talked to with it, by root, by a member of the group vxm, and by somebody who is
neither; what it prints fits a terminal, and its JSON is what vxm(1) says."""

import json
import re

import pytest

import demo
import shapes
from vxmlab import png

USERS = [None, pytest.param("person", marks=pytest.mark.slow)]

_DISPLAY = "[Display]\nVNC=yes\nModel=vga"

def vxm(lab, *words, user=None, status=0, data=None):
    """Runs vxm, as a user of the lab; returns what it prints on both outputs."""
    command = [*(["runuser", "-u", user, "--"] if user else []), "vxm", *words]
    done = lab.run(command, check=False, **({"input": data} if data is not None else {}))
    assert done.returncode == status, f"vxm {words}: {done.returncode}\n{done.stdout}{done.stderr}\n{demo.journal(lab)}"
    return done.stdout + done.stderr


def told(lab, *words, user=None, status=0):
    """What a command tells as JSON, which is as vxm(1) promises."""
    value = json.loads(vxm(lab, *words, "--json", user=user, status=status))
    command, shape = shapes.of(["vxm", *words])
    assert command and not shapes.differs(value, shape), f"{command}: {shapes.differs(value, shape)}\n{value}"
    return value


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


@pytest.mark.parametrize("user", USERS)
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
    assert one["state"] == "running" and one["pid"] == demo.main_pid(lab) and not one["failed"]
    assert [unit["active"] for unit in one["units"] if unit["unit"] == "vxm-bind@demo.service"] == ["active"]
    assert [guest["guest"] for guest in told(lab, "status", user=user)["guests"]] == ["demo"]
    for text in (vxm(lab, "status", user=user), vxm(lab, "status", "demo", user=user), vxm(lab, "list", user=user)):
        assert_fits(text)
        assert "demo" in text
    assert [guest["devices"] for guest in told(lab, "list", user=user)["guests"]] == [["01:00.0"]]
    assert vxm(lab, "list", "--names", user=user) == "demo\n"

    assert "VM status: running" in vxm(lab, "monitor", "demo", "info", "status", user=user)
    assert json.loads(vxm(lab, "monitor", "--qmp", "demo", "query-status", user=user))["status"] == "running"
    assert "is paused" in vxm(lab, "pause", "demo", user=user)
    assert "paused" in vxm(lab, "monitor", "demo", user=user, data="info status\n")
    assert "goes on" in vxm(lab, "resume", "demo", user=user)
    vxm(lab, "screenshot", "demo", f"/tmp/of-{user}.png", user=user)
    lab.get(f"/tmp/of-{user}.png", tmp_path)
    png.load(tmp_path / f"of-{user}.png")
    assert "PCI device of the host" in told(lab, "snapshot", "demo", "list", user=user)["obstacle"]
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


@pytest.mark.slow
@pytest.mark.parametrize("user", [None, "person"])
def test_snapshots(tidy, user):
    lab = tidy
    demo.install(lab, text=demo.guest_file("[Disk system]\nSize=16M"))
    vxm(lab, "start", "demo")
    demo.report(lab)
    demo.sh(lab, "echo before >/run/word")
    assert "is saved as “one”" in vxm(lab, "snapshot", "demo", "save", "one", user=user)
    demo.sh(lab, "echo behind >/run/word")
    assert [snapshot["tag"] for snapshot in told(lab, "snapshot", "demo", "list", user=user)["snapshots"]] == ["one"]
    assert_fits(vxm(lab, "snapshot", "demo", "list", user=user))
    assert "it is running" in vxm(lab, "snapshot", "demo", "load", "one", user=user)
    assert demo.sh(lab, "cat /run/word") == "before\n"
    assert "is deleted" in vxm(lab, "snapshot", "demo", "delete", "one", user=user)
    assert told(lab, "snapshot", "demo", "list", user=user) == {"snapshots": [], "obstacle": None}
    assert "has no snapshot “one”" in vxm(lab, "snapshot", "demo", "load", "one", user=user, status=1)


@pytest.mark.slow
@pytest.mark.parametrize("user", [None, "person"])
def test_dsp(tidy, user):
    """The host's end of NETJACK, seen and started anew, while the guest runs on."""
    lab = tidy
    lab.run("ip link add br0 type bridge && ip address add 10.77.0.1/24 dev br0 && ip link set br0 up")
    demo.install(lab, text=demo.guest_file("[Network lan]\nType=bridge\nBridge=br0", "[NetJack]\nEnable=yes"))
    assert "does not run, and so has no NETJACK" in vxm(lab, "dsp", "netjack-restart", user=user, status=1)
    vxm(lab, "start", "demo", user=user)
    demo.report(lab)
    assert re.search(r"^Guest demo\n  guest +active.*\n  NETJACK +active", vxm(lab, "dsp", "status", user=user))
    told = json.loads(vxm(lab, "dsp", "status", "--json", user=user))
    assert not shapes.differs(told, shapes.promised()["vxm dsp status"]) and told["netjack"]["active"] == "active", told
    server, qemu = (f"systemctl show -P MainPID vxm-{unit}@demo" for unit in ("netjack", "guest"))
    before = [lab.run(server).stdout, lab.run(qemu).stdout]
    assert "has been restarted" in vxm(lab, "dsp", "netjack-restart", user=user)
    after = [lab.run(server).stdout, lab.run(qemu).stdout]
    assert int(after[0]) > 0 and after[0] != before[0] and after[1] == before[1]
    said = vxm(lab, "dsp", "console", "demo", user=user, data="sh echo the-$((40 + 2)); poweroff -f\n")
    assert "the-42" in said
    vxm(lab, "stop", "demo", user=user)
    lab.run("ip link delete br0")


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


def test_files(tidy):
    """What a guest is made of, as everybody may see it."""
    lab = tidy
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    shown = vxm(lab, "cat", "demo", user="person")
    assert "# /etc/vxm/guests/demo.guest:8\nDevice=01:00.0\n" in shown, shown
    keys = told(lab, "cat", "demo", user="person")["keys"]
    assert ("GPU", "Device", "01:00.0") in [(key["section"], key["key"], key["value"]) for key in keys]
    lab.write("/etc/vxm/guests/same.guest", shown)  # it is a guest file itself
    assert [guest["error"] for guest in told(lab, "list", user="person")["guests"]] == [None, None]
    assert vxm(lab, "argv", "same", user="person") == lab.run("vxm-qemu --dry-run same").stdout


def test_log(tidy):
    lab = tidy
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    vxm(lab, "start", "demo")
    story = vxm(lab, "log", "demo", "--no-pager", "--output=cat", "--boot")
    assert "→ vfio-pci" in story and "Guest demo" in story
    lab.write("/etc/vxm/guests/other.guest", demo.guest_file())
    assert "→ vfio-pci" not in vxm(lab, "log", "other", "--no-pager", "--output=cat", "--boot")
    demo.report(lab)
    vxm(lab, "stop", "demo")
    lab.run("rm /etc/vxm/guests/demo.guest")
    assert "→ vfio-pci" in vxm(lab, "log", "demo", "--no-pager", "--output=cat", "--boot")
    assert "There is no guest “nobody-ever”" in vxm(lab, "log", "nobody-ever", status=78)


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


@pytest.mark.slow
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
    demo.report(lab)
    vxm(lab, "stop", "demo")
    lab.wait("tail -n 1 /tmp/watched | grep -q '\"state\":\"off\"'", show="cat /tmp/watched")
    lab.run("systemctl stop watch")
    states = [json.loads(line)["state"] for line in lab.run("cat /tmp/watched").stdout.splitlines()]
    assert states[0] == "off" and "running" in states and states[-1] == "off"


@pytest.mark.slow
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
    demo.report(lab)
    lab.run("vxm -H root@localhost screenshot demo - >/tmp/remote.png && head -c 8 /tmp/remote.png | grep -q PNG")
    assert "Guest demo is off, after " in vxm(lab, "-H", "root@localhost", "stop", "demo")
