# SPDX-License-Identifier: BSD-3-Clause
"""Sound: a tone that the guest plays is heard in the session of the user that it runs as, or on the host's sound card; without a
session the guest is refused, with the way out."""

import base64
import math
import struct

import pytest

import demo

pytestmark = pytest.mark.slow

TONE, OTHER, RATE, SECONDS, TRIES = 1000, 1370, 48000, 10, 8

_FILE = demo.guest_file("{guest}", f"[Boot]\n{demo.DEVICES}\nCommandLine=console=ttyS0 quiet tone={TONE}", "[Audio]\n{audio}")
PERSON = "[Guest]\nUser=person"

# A sink in person's session that nobody hears; PipeWire keeps it until it ends.
_SINK = """pw-cli create-node adapter '{ factory.name=support.null-audio-sink node.name=vxm-test media.class=Audio/Sink
object.linger=true audio.position=[FL FR] audio.rate=48000 }'"""
_RECORD = """timeout -s INT {seconds} pw-record --rate 48000 --channels 1 --format s16 --target vxm-test \
-P '{{ stream.capture.sink=true }}' /tmp/heard.wav"""


def guest_file(audio, guest=PERSON):
    return _FILE.replace("{guest}", guest).replace("{audio}", audio)


def as_person(lab, command, **options):
    """A shell line in person's session."""
    return lab.run(["runuser", "-u", "person", "--", "env", "XDG_RUNTIME_DIR=/run/user/1000", "sh", "-c", command], **options)


def strength(samples, hertz):
    """How much of all there is in samples is one frequency, from 0 to 1, by Goertzel's algorithm."""
    last = before = 0.0
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    for sample in samples:
        last, before = sample + factor * last - before, last
    power = last * last + before * before - factor * last * before
    energy = sum(sample * sample for sample in samples)
    return 2 * power / (len(samples) * energy) if energy else 0.0


def purest(data):
    """The tenth of a second with the most of the tone in a recording of 16 bits: how much that is, and how much of another one."""
    samples = struct.unpack(f"<{len(data) // 2}h", data[:len(data) // 2 * 2])
    window = RATE // 10
    parts = [samples[begin:begin + window] for begin in range(0, len(samples) - window, window)]
    return max(((strength(part, TONE), strength(part, OTHER)) for part in parts), default=(0.0, 0.0))


def assert_tone(lab, record, path, header=44):
    """Fails unless at some time what is recorded is the tone and no other. Where all is emulated, there are gaps, and the guest may
    take a while until it plays."""
    heard = []
    for _ in range(TRIES):
        record()
        data = base64.b64decode(lab.run(f"base64 -w 0 {path}").stdout)[header:]
        heard.append((len(data), *purest(data)))
        if heard[-1][1] > 0.8:
            break
    assert heard[-1][1] > 0.8 and heard[-1][2] < 0.05, f"bytes, at best so much of the tone, and of another: {heard}"


@pytest.fixture(scope="module")
def session(lab_shared):
    """A session of person's that is there without a login, with a sink in it."""
    lab_shared.run("loginctl enable-linger person")
    lab_shared.wait("test -S /run/user/1000/pipewire-0 && test -S /run/user/1000/pulse/native")
    as_person(lab_shared, _SINK)
    return lab_shared


def play(lab, audio, guest=PERSON):
    """Starts the guest, and waits until it plays."""
    demo.install(lab, text=guest_file(audio, guest))
    before = demo.state(lab)
    demo.start(lab)
    cards = [line for line in demo.report(lab) if line.startswith("card: ")]
    assert cards and "tone:" not in cards[0] and "no soundcards" not in cards[0], cards
    return before


def end(lab, before):
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_refused_without_session(lab_shared):
    """Before anybody of person's is there."""
    demo.install(lab_shared, text=guest_file("Backend=auto"))
    demo.assert_says(demo.refusal(lab_shared), "[Audio] Backend=auto: person has no session", "loginctl enable-linger person")


@pytest.mark.parametrize("audio, client, sockets", [
    ("Backend=auto\nLatency=100ms", "pipewire", ("pipewire-0", "pulse/native")),
    ("Backend=pulseaudio\nDevice=vxm-test\nModel=virtio-sound", "pa", ("pulse/native",)),
])
def test_session(session, audio, client, sockets):
    before = play(session, audio)
    command = session.run(f"tr '\\0' '\\n' </proc/{demo.qemu_pid(session)}/cmdline").stdout
    assert f"\n{client},id=audio" in command, command
    assert_tone(session, lambda: as_person(session, _RECORD.format(seconds=SECONDS), check=False), "/tmp/heard.wav")
    # Nothing but these sockets is there of the session.
    inside = session.run(f"nsenter -t {demo.qemu_pid(session)} -m find /run/user ! -type d").stdout.split()
    assert sorted(inside) == [f"/run/user/1000/{name}" for name in sockets], inside
    end(session, before)


def test_jack(session):
    session.run("systemd-run --uid person --unit vxm-test-jack -q jackd --no-realtime -d dummy -r 48000 -p 1024; "
                "runuser -u person -- jack_wait -w -t 30")
    before = play(session, "Backend=jack")
    session.wait("runuser -u person -- jack_lsp | grep -q 'output 0'", show="runuser -u person -- jack_lsp -c", every=2)
    ports = session.run("runuser -u person -- jack_lsp -c").stdout
    source = next(line.strip() for line in ports.splitlines() if "output 0" in line)
    assert f"   {source}" in ports.split("system:playback_1\n")[1], ports
    assert_tone(session, lambda: session.run(f"runuser -u person -- jack_rec -f /tmp/jack.wav -d {SECONDS} -b 16 '{source}'"),
                "/tmp/jack.wav")
    end(session, before)
    session.run("systemctl stop vxm-test-jack")


def test_alsa(session):
    """The loopback card plays what it is given into its other device."""
    session.run("modprobe snd-aloop")
    before = play(session, "Backend=alsa\nDevice=plughw:CARD=Loopback,DEV=0", guest="[Guest]\nOS=linux")
    record = f"arecord -q -D plughw:CARD=Loopback,DEV=1 -f S16_LE -r 48000 -c 1 -d {SECONDS} /tmp/alsa.wav"
    assert_tone(session, lambda: session.run(record), "/tmp/alsa.wav")
    end(session, before)
