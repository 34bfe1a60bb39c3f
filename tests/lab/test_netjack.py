# SPDX-License-Identifier: BSD-3-Clause
"""JACK's sound between guest and host: the guest joins by itself, what the host sends comes back changed as the guest changes
it, and it ends with the guest. Periods are long, as both ends are emulated."""

from pathlib import Path

import pytest

import demo

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
HOST, GUEST, MAC = "10.77.0.1", "10.77.0.2", "52:54:00:00:00:01"
AS_PERSON = "runuser -u person -G audio -- env JACK_DEFAULT_SERVER=vxm-demo JACK_PROMISCUOUS_SERVER=audio"

NETWORK = f"[Network lan]\nType=bridge\nBridge=br0\nMAC={MAC}\n"
NETJACK = "[NetJack]\nEnable=yes\nFrames=2048\nRate=48000\nChannels=2 3\n"
JACK_GUEST = ("[Boot]\nInitrd=/var/lib/vxm/images/demo/jack.img\n"
              f"CommandLine=console=ttyS0 quiet vxm.address={MAC}/{GUEST}/24 jack\n")

# A tone of 1 kHz at 0.8, for a minute, in a file; and the loudness of that frequency in another, as the middle one of many short
# pieces, so that a gap here and there does no harm.
_TONE = """
import array, math, wave
with wave.open("/tmp/tone.wav", "wb") as f:
    f.setparams((1, 2, 48000, 0, "NONE", ""))
    f.writeframes(array.array("h", [int(32767 * 0.8 * math.sin(2 * math.pi * i / 48)) for i in range(48000)]).tobytes() * 60)
"""
_LOUDNESS = """
import array, math, wave
with wave.open("/tmp/heard.wav", "rb") as f:
    heard = array.array("h", f.readframes(f.getnframes()))
pieces = []
for start in range(0, len(heard) - 480, 480):
    s = sum(heard[start + i] * math.sin(2 * math.pi * i / 48) for i in range(480)) / 240
    c = sum(heard[start + i] * math.cos(2 * math.pi * i / 48) for i in range(480)) / 240
    pieces.append(math.hypot(s, c) / 32767)
pieces = sorted(piece for piece in pieces if piece > 0.01)
print(len(pieces), pieces[len(pieces) // 2] if pieces else 0)
"""


def build_probe(lab):
    """jack-probe.c, in the machine."""
    lab.run("mkdir -p /root/tests/inside /root/tests/demo-guest")
    lab.write("/root/tests/inside/jack-probe.c", (HERE / "inside/jack-probe.c").read_text())
    lab.write("/root/tests/demo-guest/jack-api.h", (HERE / "demo-guest/jack-api.h").read_text())
    lab.run("gcc -O2 -o /usr/local/bin/jack-probe /root/tests/inside/jack-probe.c /usr/lib/x86_64-linux-gnu/libjack.so.0")


@pytest.fixture
def bridge(lab_shared):
    """A lab with a bridge that has the host's address."""
    lab = lab_shared
    lab.run(f"ip link add br0 type bridge && ip address add {HOST}/24 dev br0 && ip link set br0 up")
    yield lab
    lab.run("systemctl kill --signal=KILL 'vxm-guest@*'", check=False)
    demo.wait_undone(lab)
    lab.run("systemctl reset-failed 'vxm-*'; ip link delete br0; rm -f /etc/vxm/guests/*.guest; systemctl daemon-reload")


def assert_gone(lab):
    """Server, port and shared memory."""
    assert lab.run("systemctl show -P ActiveState vxm-netjack@demo").stdout.strip() == "inactive"
    assert lab.run("ss -Hlun sport = :19000").stdout == ""
    assert lab.run("find /dev/shm -user vxm-demo; ls /run/vxm/netjack").stdout == ""


def test_sound_comes_back_changed(bridge):
    """With a JACK server of its own, which is killed once, and with different numbers of channels."""
    lab = bridge
    build_probe(lab)
    demo.install(lab, text=demo.guest_file(JACK_GUEST, NETWORK, NETJACK))
    before = demo.state(lab)
    demo.start(lab)
    said = lab.run(f"{AS_PERSON} jack-probe 40 200", check=False)
    assert said.returncode == 0, said.stdout + said.stderr + "\n".join(demo.report(lab))
    assert "rate 48000 period 2048" in said.stdout, said.stdout
    assert "jack: rate 48000 period 2048 capture 2 playback 3" in demo.report(lab)

    # Of the guest's user, in real time, on the bridge alone, and not for other users.
    jackd = int(lab.run("systemctl show -P MainPID vxm-netjack@demo").stdout)
    assert lab.run(f"ps -o user:20= -p {jackd}").stdout.strip() == "vxm-demo"
    assert {"FF", "RR"} & set(lab.run(f"ps -L -o cls= -p {jackd}").stdout.split())
    assert lab.run("systemctl show -P RestrictNetworkInterfaces vxm-netjack@demo").stdout.strip() == "br0"
    assert lab.run("runuser -u nobody -- env JACK_DEFAULT_SERVER=vxm-demo JACK_PROMISCUOUS_SERVER=audio jack_lsp",
                   check=False).returncode != 0

    # The guest runs on without it, and joins the next one.
    qemu = demo.qemu_pid(lab)
    lab.run(f"kill -9 {jackd}")
    lab.wait(f"[ $(systemctl show -P MainPID vxm-netjack@demo) -gt 0 ] && {AS_PERSON} jack_lsp >/dev/null 2>&1")
    said = lab.run(f"{AS_PERSON} jack-probe 40 120", check=False)
    assert said.returncode == 0, said.stdout + said.stderr + "\n".join(demo.report(lab))
    assert demo.qemu_pid(lab) == qemu

    demo.end(lab, "kill qemu")
    demo.wait_undone(lab)
    assert_gone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_sound_through_the_users_pipewire(bridge):
    """The unit as a user who has a session with PipeWire: a tone that is played there comes back half as loud."""
    lab = bridge
    lab.run("loginctl enable-linger person")
    lab.wait("[ -S /run/user/1000/pipewire-0 ]")
    lab.run(["python3", "-c", _TONE])
    demo.install(lab, text=demo.guest_file("[Guest]\nUser=person", JACK_GUEST, NETWORK, NETJACK.replace("2 3", "2")))
    demo.start(lab)
    session = "runuser -u person -- env XDG_RUNTIME_DIR=/run/user/1000"
    lab.wait(f"{session} pw-link -iol | grep -q vxm-demo-receive", show="journalctl -b -o cat -u vxm-netjack@demo | tail -n 20", every=3)
    story = lab.run("journalctl -q -b -u vxm-netjack@demo -o cat").stdout
    assert "as a client of PipeWire" in story, story
    seen = lab.run("nsenter -t $(systemctl show -P MainPID vxm-netjack@demo) -m find /run/user ! -type d").stdout.split()
    assert seen == ["/run/user/1000/pipewire-0"], seen
    lab.run(f"""
        {session} pw-play --target 0 /tmp/tone.wav &
        {session} pw-record --target 0 --rate 48000 --channels 1 --format s16 /tmp/heard.wav &
        for i in $(seq 100); do
            {session} pw-link -i | grep -q pw-record && {session} pw-link -o | grep -q pw-play && break
            sleep 0.2
        done
        {session} pw-link "$({session} pw-link -o | grep pw-play | head -n 1)" "$({session} pw-link -i | grep vxm-demo-send | head -n 1)"
        {session} pw-link "$({session} pw-link -o | grep vxm-demo-receive | head -n 1)" "$({session} pw-link -i | grep pw-record | head -n 1)"
        sleep 15
        kill -INT $(pidof pw-record) $(pidof pw-play); wait
    """)
    pieces, loudness = lab.run(["python3", "-c", _LOUDNESS]).stdout.split()
    assert int(pieces) > 100 and 0.36 < float(loudness) < 0.44, (pieces, loudness, demo.report(lab))
    demo.stop(lab)
    demo.wait_undone(lab)
    lab.run("loginctl disable-linger person")


# What is done to the machine before, what is written into the guest file, what the one line must say.
REFUSALS = {
    "no bridge": ("true", "[Network lan]\nType=none\n" + NETJACK, "[NetJack] Enable=yes is set, but no network of Type=bridge"),
    "no address": ("ip address flush dev br0", NETWORK + NETJACK, "[NetJack] The bridge br0 has no IPv4 address"),
    "port taken": ("systemd-run -q --unit=lab-port python3 -c 'import socket, time; s = socket.socket(type=socket.SOCK_DGRAM); "
                   "s.bind((\"\", 19000)); time.sleep(600)'; until ss -Hlun | grep -q :19000; do sleep 0.1; done",
                   NETWORK + NETJACK, "[NetJack] Port=19000: "),
    "frames": ("true", NETWORK + NETJACK.replace("2048", "1000"), "Frames=1000: expected a power of two from 16 to 8192"),
    "rate": ("true", NETWORK + NETJACK.replace("48000", "384000"), "Rate=384000: expected frames a second from 8000 to 192000"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_before_anything_changes(bridge, case):
    command, text, message = REFUSALS[case]
    bridge.run(command)
    demo.install(bridge, text=demo.guest_file(text))
    demo.assert_says(demo.refusal(bridge), message)
    bridge.run("systemctl stop lab-port", check=False)


@pytest.mark.machine("four-cpus")
def test_preset_dsp(lab):
    """The preset itself, with the demo guest on it: CPUs and memory for it alone, and JACK's server with the preset's figures."""
    lab.run(f"ip link add br0 type bridge && ip address add {HOST}/24 dev br0 && ip link set br0 up")
    demo.install(lab, text="[Guest]\nPreset=dsp\n[Memory]\nSize=256M\n[Firmware]\nType=bios\n[Disk system]\nSize=64M\n"
                           "[Boot]\nKernel=/var/lib/vxm/images/demo/vmlinuz\nInitrd=/var/lib/vxm/images/demo/initrd.img\n"
                           "CommandLine=console=ttyS0 quiet\n")
    before = demo.state(lab)
    demo.start(lab)
    qemu = demo.qemu_pid(lab)
    policies = [line.split() for line in lab.run(f"ps -L -o comm=,cls= -p {qemu}").stdout.splitlines() if "/KVM" in line]
    assert [words[-1] for words in policies] == ["FF", "FF"], policies
    assert int(lab.run(f"awk '/^VmLck:/ {{ print $2 }}' /proc/{qemu}/status").stdout) > 0
    assert int(lab.run(f"awk '/^HugetlbPages:/ {{ print $2 }}' /proc/{qemu}/status").stdout) == 256 * 1024
    server = lab.run("tr '\\0' ' ' </proc/$(systemctl show -P MainPID vxm-netjack@demo)/cmdline").stdout
    assert "--rate 96000 --period 128 --capture 2 --playback 2" in server, server
    demo.stop(lab)
    demo.wait_undone(lab)
    assert_gone(lab)
    demo.assert_as_before(before, demo.state(lab))
