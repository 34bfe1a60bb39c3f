# SPDX-License-Identifier: BSD-3-Clause
"""Guests on a network, and their emulated display: what is to be reached is, by those it is meant for, and nothing is
left of it in the end."""

import pytest

import demo

HOST = "10.77.0.1"
MACS = {"demo": "52:54:00:00:00:01", "rival": "52:54:00:00:00:02"}
ADDRESSES = {"demo": "10.77.0.2", "rival": "10.77.0.3"}

NAT = "[Network out]\nSSH=2222\nForward=8080:80\nForward=5353:53/udp\n"

_FETCH = """
import sys, urllib.request
print(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/report", timeout=60).read().decode())
"""

# What the two say first: VNC by itself (RFC 6143, 7.1.1), SPICE when it is greeted (the SPICE protocol, "Link").
_ASK_DISPLAY = """
import socket, struct, sys
vnc = socket.socket(socket.AF_UNIX)
vnc.settimeout(20)
vnc.connect("/run/vxm/sockets/demo/vnc")
print(vnc.recv(12).decode().strip())
spice = socket.socket(socket.AF_UNIX)
spice.settimeout(20)
spice.connect("/run/vxm/sockets/demo/spice")
spice.sendall(b"REDQ" + struct.pack("<IIIIBBIII", 2, 2, 18, 0, 1, 0, 0, 0, 18))
print(spice.recv(4).decode())
"""

_ASK_PORT = """
import socket
vnc = socket.create_connection(("127.0.0.1", 5900), timeout=60)
print(vnc.recv(12).decode().strip())
"""

_MAKE_BRIDGE = (f"ip link add br0 address 52:54:00:77:00:01 type bridge && ip address add {HOST}/24 dev br0 && "
                "ip link set br0 up")


def guest_file(*sections, words=""):
    return demo.guest_file(f"[Boot]\nCommandLine=console=ttyS0 quiet {words}", *sections)


def bridged(name, words=""):
    """The file of a guest on br0, which pings the host when it has booted."""
    return guest_file(f"[Network lan]\nType=bridge\nBridge=br0\nMAC={MACS[name]}\n",
                      words=f"vxm.address={MACS[name]}/{ADDRESSES[name]}/24 vxm.ping={HOST} {words}")


def served(lab, port):
    """What the guest's web server has behind a port of the host."""
    return lab.run(["python3", "-c", _FETCH, str(port)]).stdout


def tap(lab, name="demo"):
    return lab.run(f"/usr/lib/vxm/vxm-net --dry-run {name}").stdout.split()[1].rstrip(",")


@pytest.fixture
def bridge(lab_shared):
    """A lab with a bridge that has the host's address."""
    lab = lab_shared
    lab.run(_MAKE_BRIDGE)
    yield lab
    lab.run("systemctl kill --signal=KILL 'vxm-guest@*'", check=False)
    for name in MACS:
        demo.wait_undone(lab, name)
    lab.run("systemctl reset-failed 'vxm-*'; ip link delete br0; rm -f /etc/vxm/guests/*.guest; systemctl daemon-reload")


def test_forwards_reach_the_guest(lab):
    """And what the host offers to itself alone stays out of the guest's reach. A restart makes all of it anew."""
    lab.run("ip route add default via 10.0.2.2")
    lab.run("mkdir /root/own && systemd-run -q -p WorkingDirectory=/root/own python3 -m http.server -b 127.0.0.1 9999")
    demo.install(lab, text=guest_file(NAT, words="vxm.fetch=10.0.2.2:9999"))
    before = demo.state(lab)
    demo.start(lab)
    listens = {word for word in lab.run("ss -Hltun").stdout.split() if word.endswith((":2222", ":8080", ":5353"))}
    assert listens == {"127.0.0.1:2222", "127.0.0.1:8080", "127.0.0.1:5353"}, listens
    report = demo.report(lab)
    cards = [line for line in report if line.startswith("net: ")]
    assert len(cards) == 1 and cards[0].startswith("net: 52:54:00:"), report
    assert cards[0].endswith("driver virtio_net address 10.0.2.15/24"), report
    assert "fetch: 10.0.2.2:9999 no" in report, report
    for port in (2222, 8080):
        assert cards[0] in served(lab, port)

    qemu = demo.qemu_pid(lab)
    assert lab.run(f"test /proc/{qemu}/ns/net -ef /proc/1/ns/net", check=False).returncode == 1
    assert set(lab.run("ps -o user:20= -C passt,passt.avx2").stdout.split()) == {"vxm-demo"}
    assert lab.run("systemctl show -P ActiveState -P SubState vxm-link@demo").stdout.split() == ["active", "exited"]

    lab.run("systemctl restart vxm-guest@demo")
    assert cards[0] in demo.report(lab)  # the same address
    assert cards[0] in served(lab, 2222)
    demo.stop(lab)
    demo.wait_undone(lab)
    assert lab.run("pgrep passt", check=False).stdout == ""
    demo.assert_as_before(before, demo.state(lab))


def test_host_network_is_open_to_the_guest(lab):
    lab.run("ip route add default via 10.0.2.2")
    lab.run("mkdir /root/own && systemd-run -q -p WorkingDirectory=/root/own python3 -m http.server -b 127.0.0.1 9999")
    demo.install(lab, text=guest_file("[Network out]\nType=host\nSSH=2222\nModel=e1000e\n", words="vxm.fetch=10.0.2.2:9999"))
    demo.start(lab)
    listens = lab.run("ss -Hltn").stdout.split()
    assert any(word in ("0.0.0.0:2222", "*:2222") for word in listens), listens
    report = demo.report(lab)
    assert any(line.startswith("net: ") and "driver e1000e" in line for line in report), report
    assert "fetch: 10.0.2.2:9999 yes" in report, report


def test_bridge_is_as_before(bridge):
    lab = bridge
    demo.install(lab, text=bridged("demo"))
    before = demo.state(lab)
    demo.start(lab)
    name = tap(lab)
    assert lab.run(f"readlink /sys/class/net/{name}/master").stdout.strip().endswith("/br0")
    assert lab.read(f"/sys/class/net/{name}/owner").strip() == lab.run("id -u vxm-demo").stdout.strip()
    assert lab.read(f"/sys/class/net/{name}/carrier").strip() == "1"
    report = demo.report(lab)
    assert f"net: {MACS['demo']} driver virtio_net address {ADDRESSES['demo']}/24" in report, report
    assert f"ping: {HOST} yes" in report, report
    demo.end(lab, "power off inside")
    demo.wait_undone(lab)
    assert lab.run(f"ip link show {name}", check=False).returncode != 0
    demo.assert_as_before(before, demo.state(lab))


def test_two_guests_on_one_bridge(bridge):
    """They reach each other, as machines of one network do, but not each other's taps; the end of one is nothing to the
    other."""
    lab = bridge
    for name, other in (("demo", "rival"), ("rival", "demo")):
        demo.install(lab, name, bridged(name).replace(f"vxm.ping={HOST}", f"vxm.ping={HOST},{ADDRESSES[other]}"))
    before = demo.state(lab)
    demo.start(lab)
    demo.start(lab, "rival")
    assert tap(lab) != tap(lab, "rival")
    demo.report(lab)
    demo.report(lab, "rival")
    report = demo.report(lab)  # once more: by now both have booted
    assert f"ping: {HOST} yes" in report and f"ping: {ADDRESSES['rival']} yes" in report, report

    # The node is open to all; it is the tap that is not.
    attach = ("import fcntl, os, struct, sys; fcntl.ioctl(os.open('/dev/net/tun', os.O_RDWR), 0x400454ca, "
              "struct.pack('16sH22x', sys.argv[1].encode(), 0x5002))")
    for user, name in (("vxm-rival", tap(lab)), ("person", tap(lab))):
        done = lab.run(["runuser", "-u", user, "--", "python3", "-c", attach, name], check=False)
        assert done.returncode != 0 and "Operation not permitted" in done.stderr, done.stderr

    demo.end(lab, "kill qemu", "rival")
    demo.wait_undone(lab, "rival")
    assert f"ping: {HOST} yes" in demo.report(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


# What is written into the guest file; what the one line must say.
REFUSALS = {
    "port taken": (NAT, "[Network out] Forward=8080:80: python3 (pid "),
    "port of root's": ("[Network out]\nSSH=22\n", "[Network out] SSH=22: ports of the host below 1024 are root's; "),
    "no bridge": ("[Network lan]\nType=bridge\nBridge=br7\n",
                  "[Network lan] Bridge=br7: there is no such interface; make the bridge (ip link add br7 type bridge"),
    "another interface": ("[Network lan]\nType=bridge\nBridge=lo\n", "[Network lan] Bridge=lo is no bridge; "),
}


@pytest.mark.parametrize("devices", ["", "[GPU]\nDevice=01:00.0\n"], ids=["no device", "gpu"])
@pytest.mark.parametrize("case", REFUSALS)
def test_refused_before_anything_changes(lab_shared, case, devices):
    text, message = REFUSALS[case]
    lab_shared.run("systemctl -q is-active lab-port || systemd-run -q --unit=lab-port python3 -m http.server 8080; "
                   "until ss -Hltn | grep -q :8080; do sleep 0.1; done")
    demo.install(lab_shared, text=demo.guest_file(text, devices))
    story = demo.refusal(lab_shared)
    assert story.count(message) == 1, story
    lab_shared.run("systemctl stop lab-port")


def test_undone_when_the_last_step_fails(bridge):
    """passt does not start: by then the GPU has been taken, and the tap made."""
    lab = bridge
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0\n", "[Network lan]\nType=bridge\nBridge=br0\n", NAT))
    before = demo.state(lab)
    lab.run("mount --bind /bin/false /usr/bin/passt")
    done = lab.run("systemctl start vxm-guest@demo", check=False)
    lab.run("umount /usr/bin/passt")
    assert done.returncode != 0
    demo.wait_undone(lab)
    story = demo.journal(lab)
    assert f"{demo.GPU}: " in story and "→ bochs-drm" in story and ": port of br0." in story, story
    assert "passt has not started" in lab.run("journalctl -q -b -u vxm-link@demo -o cat").stdout
    demo.assert_as_before(before, demo.state(lab))


def test_display_answers_its_user_only(lab_shared):
    """Its sockets, that is; a port, where the guest file has one, is for all of the host, and gone with the guest."""
    lab = lab_shared
    demo.install(lab, text=demo.guest_file("[Display]\nSPICE=yes\nVNC=5900\n"))
    before = demo.state(lab)
    demo.start(lab)
    for user in ("root", "vxm-demo"):
        said = lab.run(["runuser", "-u", user, "--", "python3", "-c", _ASK_DISPLAY]).stdout.split("\n")
        assert said[0].startswith("RFB 003.") and said[1] == "REDQ", said
    for user in ("person", "nobody"):
        done = lab.run(["runuser", "-u", user, "--", "python3", "-c", _ASK_DISPLAY], check=False)
        assert done.returncode != 0 and "PermissionError" in done.stderr, done.stderr
    assert lab.run(["runuser", "-u", "person", "--", "python3", "-c", _ASK_PORT]).stdout.startswith("RFB 003.")
    assert lab.run("ss -Hltn sport = :5900").stdout.split()[3] == "127.0.0.1:5900"
    report = demo.report(lab)
    assert any(line.startswith("gpu: ") and "1af4:1050" in line for line in report), report
    demo.stop(lab)
    demo.wait_undone(lab)
    lab.wait("! ss -Hltn sport = :5900 | grep -q .")
    demo.assert_as_before(before, demo.state(lab))
