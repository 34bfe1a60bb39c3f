# SPDX-License-Identifier: BSD-3-Clause
"""What a monitor costs a guest's start, when it works and when it does not answer: the same guest without [Monitor], with one that works
and with one that is broken, taking turns. Timed is "systemctl start", which returns when the guest runs."""

import demo
import monitors
from vxmlab.bench import Bench

_WANTS = "[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=hdmi-1\nHostInput=dp-1"
_WAYS = {"none": "no monitor", "works": "a monitor that works", "broken": "a monitor that does not answer"}
_TIMED = "begin=$(date +%s%N); systemctl start vxm-guest@{} && echo $(($(date +%s%N) - begin))"


def bench(machine, rounds):
    monitor = monitors.plug(machine)[0]
    for way in _WAYS:
        demo.install(machine, way, demo.guest_file() if way == "none" else monitors.fixed(machine, _WANTS))
    samples = {way: [] for way in _WAYS}
    for number in range(rounds + 1):  # the first round warms up and is not counted
        for way in _WAYS:
            monitor.set(asleep=monitors.FOR_EVER if way == "broken" else 0)
            took = int(machine.run(_TIMED.format(way)).stdout) / 1e9
            if way != "none":
                machine.wait(f"systemctl show -P ActiveState vxm-ddc@{way} | grep -qE '^(active|failed)$'")
                assert (monitor.get("orders") > 0) == (way == "works"), way
            monitor.set(asleep=0)
            demo.end(machine, "kill qemu", way)
            demo.wait_undone(machine, way)
            machine.run("systemctl reset-failed")
            monitor.set(orders=0)
            if number > 0:
                samples[way].append(took)
    result = Bench()
    medians = {way: result.add(f"start: {title}", samples[way], "s") for way, title in _WAYS.items()}
    result.ratios |= {"start_with_monitor": medians["works"] / medians["none"], "start_broken_monitor": medians["broken"] / medians["none"]}
    return result
