# SPDX-License-Identifier: BSD-3-Clause
"""Commands in guests by their agents: vxm exec, cp, alias and shell, and @NAME, as installed and with guests that run."""

import json
import time

import pytest

import demo
import shapes

_ONE = demo.guest_file()

# Answers where QEMU would, or does not: a guest that has taken its QEMU over. argv: the socket, what to say once somebody has asked.
_HOSTILE = r"""
import os, socket, sys
os.unlink(sys.argv[1])
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(8)
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    try:
        while connection.recv(65536):
            while sys.argv[2] == "flood":
                connection.sendall(b"x" * 65536)
            if sys.argv[2] == "garbage":
                connection.sendall(b"\xff\xff[2J\x00 nonsense\n" * 100)
    except OSError:
        pass
"""


def outcome(lab, command):
    """Status, output and errors of a shell line in the lab."""
    done = lab.run(f"{{ {command}\n}} </dev/null", check=False)
    return done.returncode, done.stdout, done.stderr


def test_long_command_does_not_keep_the_guest_from_its_shutdown(lab):
    demo.install(lab, text=_ONE)
    demo.start(lab)
    demo.report(lab)
    lab.wait("vxm exec --timeout 20 demo true </dev/null")
    held = lab.spawn("vxm exec demo 'echo begun; exec sleep 1000' </dev/null")
    assert held.stdout.readline() == "begun\n"
    demo.stop(lab)
    assert "Guest agent answers; it powers the guest off." in demo.journal(lab)
    assert held.wait() == 1  # the guest is gone in the middle of the command
    said = held.stderr.read()
    assert "hung up" in said or "does not run" in said


def test_no_guest_no_agent(lab):
    status, _, errors = outcome(lab, "vxm exec nobody true")
    assert status == 78 and "There is no guest “nobody”" in errors
    demo.install(lab, text=_ONE)
    status, _, errors = outcome(lab, "vxm exec demo true")
    assert status == 1 and "Guest demo does not run" in errors
    demo.start(lab)
    demo.report(lab)
    lab.run("vxm pause demo")
    status, _, errors = outcome(lab, "vxm exec demo true")
    assert (status, errors) == (75, "vxm: The agent of guest demo does not answer, as the guest is paused; see vxm status demo.\n")
    lab.run("vxm resume demo")
    demo.sh(lab, "killall qemu-ga")
    status, _, errors = outcome(lab, "vxm exec demo true")
    assert status == 69 and "No guest agent runs in guest demo" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("what", ["silent", "garbage", "flood"])
def test_hostile_agent(lab, what):
    demo.install(lab, text=_ONE)
    demo.start(lab)
    lab.write("/root/hostile.py", _HOSTILE)
    liar = lab.spawn("exec setpriv --reuid=vxm-demo --regid=vxm-demo --clear-groups python3 - "
                     f"/run/vxm/sockets/demo/agent {what} </root/hostile.py")
    assert liar.stdout.readline() == "ready\n"
    began = time.monotonic()
    status, said, errors = outcome(lab, "vxm exec demo true")
    assert status in (1, 69, 75) and not said and len(errors.splitlines()) == 1, (status, said, errors)
    assert "\x1b" not in errors and time.monotonic() - began < 60


def test_nobody_else_is_taken_for_the_guest(lab):
    """A socket in the place of the agent's that another user listens on: with a link there, that could be another guest's."""
    demo.install(lab, text=_ONE)
    demo.start(lab)
    lab.write("/root/hostile.py", _HOSTILE)
    liar = lab.spawn("exec python3 - /run/vxm/sockets/demo/agent silent </root/hostile.py")
    assert liar.stdout.readline() == "ready\n"
    status, _, errors = outcome(lab, "vxm exec demo true")
    assert status == 1 and "It is not guest demo that listens" in errors


# Last, as these two guests run to the end.

@pytest.fixture(scope="module")
def two(request):
    """The lab with two guests that run, and their agents."""
    lab = request.getfixturevalue("lab_shared")
    for name in ("demo", "other"):
        demo.install(lab, name, _ONE)
        demo.start(lab, name)
    for name in ("demo", "other"):
        demo.report(lab, name)
        lab.wait(f"vxm exec --timeout 20 {name} true </dev/null")
    yield lab
    for name in ("demo", "other"):
        lab.run(f"systemctl kill --signal=KILL vxm-guest@{name}", check=False)


def test_streams_and_status(two):
    assert outcome(two, "vxm exec demo 'echo out; echo err >&2; exit 3'") == (3, "out\n", "err\n")
    assert outcome(two, "vxm exec demo true") == (0, "", "")
    assert outcome(two, "vxm exec demo 'kill -KILL $$'")[0] == 137
    assert outcome(two, "vxm exec demo -- printf '%s|' 'a b' '$HOME'") == (0, "a b|$HOME|", "")
    assert outcome(two, "vxm exec demo no-such-program")[0] == 127
    assert outcome(two, "echo in | vxm exec demo cat") == (0, "in\n", "")
    assert outcome(two, "echo in | vxm exec --no-input demo cat") == (0, "", "")
    assert demo.sh(two, "ls /tmp").strip() == "", "something is left in the guest"


@pytest.mark.slow
def test_ten_megabytes_both_ways(two):
    two.run("head -c 10485760 /dev/urandom >/root/big")
    two.run("vxm exec demo 'cat >/tmp/big' <big && vxm exec demo 'cat /tmp/big' </dev/null | cmp - big")
    two.run("vxm shell --command '@demo cat /tmp/big | @other cat > @spirit /root/back' && cmp back big")
    two.run("vxm shell --command '@demo cat /tmp/big | @demo cat > @demo /tmp/twice' && vxm cp demo:/tmp/twice twice && cmp twice big")
    two.run("vxm cp demo:/tmp/big other:/tmp/ && vxm cp other:/tmp/big there && cmp there big")
    two.run("vxm exec demo rm /tmp/big /tmp/twice; vxm exec other rm /tmp/big")
    assert demo.sh(two, "ls /tmp").strip() == "", "something is left in the guest"


def test_output_comes_while_the_command_runs(two):
    two.run("vxm exec demo mkfifo /tmp/go </dev/null")
    reader = two.spawn("vxm exec demo 'echo first; read -r x </tmp/go; echo second' </dev/null")
    assert reader.stdout.readline() == "first\n"
    two.run("vxm exec demo 'echo x >/tmp/go; rm /tmp/go' </dev/null")  # while the other one runs
    assert reader.stdout.readline() == "second\n"
    assert reader.wait() == 0


def test_ctrl_c_ends_the_guests_process(two):
    victim = two.spawn("exec timeout --signal=INT --preserve-status 20 vxm exec demo 'exec sleep 4711' </dev/null")
    two.wait("vxm exec demo 'ps | grep \"[s]leep 4711\"' </dev/null")
    assert victim.wait() == 130
    assert demo.sh(two, "ps | grep '[s]leep 4711'").strip() == ""
    assert outcome(two, "vxm exec --timeout 1 demo 'sleep 4712'")[0] == 124
    assert demo.sh(two, "ps | grep '[s]leep 4712'").strip() == ""


def test_shell(two):
    lines = "@demo hostname | wc -c\n\n# nothing\nfalse\n"
    two.write("/root/lines", lines)
    assert outcome(two, "vxm shell <lines; echo $?")[1].splitlines()[-1] == "1"
    assert outcome(two, "vxm shell --command '@demo echo x > @spirit /tmp/x' && cat /tmp/x") == (0, "x\n", "")
    assert outcome(two, "vxm shell --command '@demo exit 3 | @other cat'")[0] == 3
    assert outcome(two, "vxm shell --command '@demo yes | @other head -n 1'")[:2] == (141, "y\n")
    status, _, errors = outcome(two, "vxm shell --command '@demo x > @nobody /x'")
    assert status == 78 and "There is no guest “nobody”" in errors


def test_shell_at_a_terminal(two):
    """History and completion, by script(1), whose input is typed."""
    done = two.run(r"printf '@dem\techo typed\n\020\nexit\n' | TERM=vt100 script -qec 'vxm shell' /dev/null")
    assert done.stdout.replace("\r", "").split("\n").count("typed") == 2, done.stdout
    assert "@demo echo typed" in two.read("/root/.local/state/vxm/history").replace("\\040", " ")


def test_aliases(two):
    two.run("vxm alias --system demo spirit")
    assert outcome(two, "@demo echo there") == (0, "there\n", "")
    assert outcome(two, "@spirit echo here") == (0, "here\n", "")
    listed = json.loads(two.run("vxm alias --list --json").stdout)
    assert not shapes.differs(listed, shapes.promised()["vxm alias --list"])
    assert [alias["name"] for alias in listed] == ["demo", "spirit"]
    assert all(alias["target"] == "/usr/bin/vxm" for alias in listed)
    assert max(map(len, two.run("vxm alias").stdout.splitlines())) <= 80
    assert "Guest demo has no snapshots." in two.run("@demo --snapshot list").stdout
    two.run("@demo --pause")
    assert "paused" in two.run("@demo --status").stdout
    two.run("@demo --resume")
    assert outcome(two, "vxm shell --command '@docker true'")[0] == 69
    two.run("vxm alias --system --remove demo spirit && ! ls /usr/local/bin/@*")


@pytest.mark.slow
def test_copies_leave_nothing_half_made(two):
    two.run("head -c 300000000 /dev/zero >/root/huge")  # more than the guest has memory
    assert outcome(two, "vxm cp huge demo:/tmp/huge")[0] == 1
    assert demo.sh(two, "ls /tmp").strip() == ""
    status, _, errors = outcome(two, "vxm cp demo:/proc/nothing /root/copy")
    assert status == 1 and errors.strip().endswith("/proc/nothing is not there.")
    two.run("mkdir small && mount -t tmpfs -o size=64k none small")
    assert outcome(two, "vxm cp demo:/bin/busybox small/x")[0] == 1
    assert outcome(two, "ls -A small; umount small; rmdir small")[1] == ""
    two.run("rm huge")


def test_who_may(two):
    status, _, errors = outcome(two, "setpriv --reuid=nobody --regid=nogroup --clear-groups vxm exec demo true")
    assert status == 1 and "You may not talk to guest demo" in errors
    assert outcome(two, "setpriv --reuid=vxm-demo --regid=vxm-demo --clear-groups vxm exec demo true")[0] == 0
    two.run("usermod -aG vxm person")
    assert outcome(two, "runuser -u person -- vxm exec demo 'echo to a member'") == (0, "to a member\n", "")
