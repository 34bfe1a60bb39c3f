# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: times "sh -c true" in a guest, taking turns, and prints the milliseconds as JSON.

    python3 exec.py ROUNDS

Two guests run at the same time, with the same kernel, initramfs, memory and CPUs, so with the same agent: one of vxm's, one of libvirt's. vxm
is "vxm exec plain true". virsh is what takes its place there: "virsh qemu-agent-command" with guest-exec, and then with
guest-exec-status until the command has ended. Timed is all of the processes, from the first fork to the last exit.
"""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 360
GUEST = "[Guest]\nPreset=demo\n\n[Firmware]\nType=bios\n"
DOMAIN = """
<domain type='kvm'>
  <name>theirs</name>
  <memory unit='MiB'>256</memory>
  <vcpu>1</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/var/lib/vxm/images/demo/vmlinuz</kernel>
    <initrd>/var/lib/vxm/images/demo/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='null'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""


def run(*argv):
    """Runs a command to its end; returns its status and what it has said."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False)
    return done.returncode, done.stdout


def must(*argv):
    status, text = run(*argv)
    if status != 0:
        sys.exit(f"{shlex.join(argv)} ended with status {status}:\n{text}")
    return text


def ask(command, **arguments):
    """What the agent of libvirt's guest answers."""
    text = must("virsh", "qemu-agent-command", "theirs", json.dumps({"execute": command, "arguments": arguments}))
    return json.loads(text)["return"]


def ours():
    must("vxm", "exec", "plain", "true")


def theirs():
    pid = ask("guest-exec", path="/bin/sh", arg=["-c", "true"], **{"capture-output": True})["pid"]
    while True:
        status = ask("guest-exec-status", pid=pid)
        if status["exited"]:
            break
    if status["exitcode"] != 0:
        sys.exit(f"the command ended with {status}")


def wait(*argv):
    """Until a command succeeds: a guest boots."""
    deadline = time.monotonic() + PATIENCE
    while (outcome := run(*argv))[0] != 0:
        if time.monotonic() > deadline:
            sys.exit(f"{shlex.join(argv)}: not within {PATIENCE} s: {outcome[1]}")
        time.sleep(0.5)


def start():
    Path("/etc/vxm/guests").mkdir(parents=True, exist_ok=True)
    Path("/etc/vxm/guests/plain.guest").write_text(GUEST)
    must("systemctl", "daemon-reload")
    must("systemctl", "start", "virtlogd.service", "libvirtd.service", "vxm-guest@plain.service")
    Path("/run/theirs.xml").write_text(DOMAIN)
    must("virsh", "define", "/run/theirs.xml")
    must("virsh", "start", "theirs")
    wait("vxm", "exec", "plain", "true")
    wait("virsh", "qemu-agent-command", "theirs", '{"execute": "guest-ping"}')


def milliseconds(act):
    started = time.monotonic()
    act()
    return 1000 * (time.monotonic() - started)


def main(rounds):
    start()
    # Round 0 warms up and is not counted.
    samples = {"vxm": [], "virsh": []}
    for number in range(rounds + 1):
        for label, act in (("vxm", ours), ("virsh", theirs)):
            took = milliseconds(act)
            if number > 0:
                samples[label].append(took)
    json.dump(samples, sys.stdout)
    must("virsh", "destroy", "theirs")
    must("systemctl", "kill", "--signal=KILL", "vxm-guest@plain")


if __name__ == "__main__":
    main(int(sys.argv[1]))
