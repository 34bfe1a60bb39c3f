# SPDX-License-Identifier: BSD-3-Clause
"""Asks a paused QEMU by QMP whether all is there that its command line names."""

import re

from vxmlab.qmp import QmpError
from words import Value


def inspect(qmp, adapted, pairs):
    """What of the pairs of option and value is missing or different, and what QEMU does not know, as lines."""
    wrong = []
    for option, text in pairs:
        if option in _LOOKS:
            wrong += _LOOKS[option](qmp, Value(text))
    wrong += _anonymous(qmp, pairs)
    for kind, name, properties in adapted.unseen:
        wrong += _unseen(qmp, kind, name, properties)
    status = qmp.command("query-status")["status"]
    if status != "prelaunch":
        wrong.append(f"status {status}, not prelaunch")
    return wrong


def _types(qmp, path):
    """By name, the types of a QOM object's children."""
    return {entry["name"]: re.sub(r"^child<(.*)>$", r"\1", entry["type"]) for entry in qmp.command("qom-list", path=path)
            if entry["type"].startswith("child<")}


def _is_a(qmp, there, asked):
    """A type can be asked for by another name of it: virtio-rng-pci is virtio-rng-pci, or what implements it."""
    return there == asked or there in {entry["name"] for entry in qmp.command("qom-list-types", implements=asked)}


def _device(qmp, value):
    name = value.get("id")
    if name is None:
        return []
    there = _types(qmp, "/machine/peripheral").get(name)
    if there is None or not _is_a(qmp, there, value.head):
        return [f"device {name} is {there}, not {value.head}"]
    return _place(qmp, f"/machine/peripheral/{name}", value)


def _place(qmp, path, value):
    """Of a device: whether it is on the bus and at the address that the command line says."""
    wrong = []
    if "bus" in value.properties:
        bus = qmp.command("qom-get", path=path, property="parent_bus").split("/")[-1]
        if bus != value.get("bus"):
            wrong.append(f"{path} is on bus {bus}, not {value.get('bus')}")
    if "addr" in value.properties and not value.head.startswith("usb-"):
        slot, _, function = value.get("addr").partition(".")
        addr, wanted = qmp.command("qom-get", path=path, property="addr"), 8 * int(slot, 16) + int(function or "0", 16)
        if addr != wanted:
            wrong.append(f"{path} has address {addr}, not {wanted}: {value.get('addr')}")
    return wrong


def _anonymous(qmp, pairs):
    """Devices without an id: as many of each type, each where it shall be, in their order."""
    wanted = [Value(text) for option, text in pairs if option == "-device" and "id" not in Value(text).properties]
    there = sorted(_types(qmp, "/machine/peripheral-anon").items(), key=lambda item: int(re.sub(r"\D", "", item[0])))
    if len(wanted) != len(there):
        return [f"there are {len(there)} devices without an id, not {len(wanted)}"]
    wrong = []
    for value, (name, kind) in zip(wanted, there):
        if not _is_a(qmp, kind, value.head):
            wrong.append(f"device {name} is {kind}, not {value.head}")
        wrong += _place(qmp, f"/machine/peripheral-anon/{name}", value)
    return wrong


def _object(qmp, value):
    there = _types(qmp, "/objects").get(value.get("id"))
    return [] if there == value.head else [f"object {value.get('id')} is {there}, not {value.head}"]


def _blockdev(qmp, value):
    nodes = {node["node-name"]: node for node in qmp.command("query-named-block-nodes", flat=True)}
    node = nodes.get(value.get("node-name"))
    if node is None or node["drv"] != value.get("driver"):
        return [f"node {value.get('node-name')} is {node and node['drv']}, not {value.get('driver')}"]
    wrong = []
    if node["ro"] != (value.get("read-only") == "on"):
        wrong.append(f"node {value.get('node-name')}: read-only is {node['ro']}")
    if node["cache"]["direct"] != (value.get("cache.direct") == "on"):
        wrong.append(f"node {value.get('node-name')}: cache.direct is {node['cache']['direct']}")
    return wrong


def _chardev(qmp, value):
    labels = {entry["label"] for entry in qmp.command("query-chardev")}
    return [] if value.get("id") in labels else [f"there is no character device {value.get('id')}"]


def _netdev(qmp, value):
    text = qmp.command("human-monitor-command", command_line="info network")
    return [] if f"{value.get('id')}: " in text else [f"there is no network {value.get('id')}"]


def _tpmdev(qmp, value):
    there = {entry["id"]: entry["options"]["type"] for entry in qmp.command("query-tpm")}
    return [] if there.get(value.get("id")) == value.head else [f"TPM {value.get('id')} is not there: {there}"]


def _audiodev(qmp, value):
    try:
        there = {entry["id"]: entry["driver"] for entry in qmp.command("query-audiodevs")}
    except QmpError:
        return []  # before 8.0 nothing tells; a device that uses it would not be there
    return [] if there.get(value.get("id")) == value.head else [f"audio backend {value.get('id')} is not there: {there}"]


def _machine(qmp, value):
    wrong = []
    if qmp.command("query-kvm")["enabled"] != (value.get("accel") == "kvm"):
        wrong.append(f"accel={value.get('accel')} is not what is used")
    machine = qmp.command("qom-get", path="/machine", property="type")
    if not machine.startswith("pc-q35") or value.head != "q35":
        wrong.append(f"the machine is {machine}, not {value.head}")
    for name in ("pflash0", "pflash1", "memory-backend"):
        if name not in value.properties:
            continue
        there = qmp.command("qom-get", path="/machine", property=name).split("/")[-1]
        if there != value.get(name):
            wrong.append(f"{name} is {there}, not {value.get(name)}")
    return wrong


def _smp(qmp, value):
    cpus = [entry["props"] for entry in qmp.command("query-cpus-fast")]
    wrong = [] if len(cpus) == int(value.head) else [f"there are {len(cpus)} CPUs, not {value.head}"]
    for name, key in (("sockets", "socket-id"), ("cores", "core-id"), ("threads", "thread-id")):
        there = len({props[key] for props in cpus})
        if name in value.properties and there != int(value.get(name)):
            wrong.append(f"there are {there} {name}, not {value.get(name)}")
    return wrong


def _memory(qmp, value):
    size = qmp.command("query-memory-size-summary")["base-memory"]
    wanted = value.get("size") or value.head
    return [] if f"{size >> 20}M" == wanted else [f"the memory is {size >> 20}M, not {wanted}"]


def _name(qmp, value):
    there = qmp.command("query-name").get("name")
    return [] if there == value.get("guest") else [f"the guest is called {there}, not {value.get('guest')}"]


def _uuid(qmp, value):
    there = qmp.command("query-uuid")["UUID"]
    return [] if there.replace("-", "") == value.head.replace("-", "").lower() else [f"the UUID is {there}, not {value.head}"]


def _spice(qmp, _):
    return [] if qmp.command("query-spice")["enabled"] else ["there is no SPICE server"]


def _vnc(qmp, value):
    there = [server["service"] for entry in qmp.command("query-vnc-servers") for server in entry["server"]]
    return [] if value.head.removeprefix("unix:") in there else [f"VNC listens at {there}, not at {value.head}"]


def _global(qmp, value):
    """Of each device of that type that is there: "driver=TYPE,property=…", or "TYPE.PROPERTY=…"."""
    kind = value.get("driver") or next(iter(value.properties)).partition(".")[0]
    return [] if kind in {entry["name"] for entry in qmp.command("qom-list-types")} else [f"-global: there is no type {kind}"]


_LOOKS = {"-device": _device, "-object": _object, "-blockdev": _blockdev, "-chardev": _chardev, "-netdev": _netdev,
          "-tpmdev": _tpmdev, "-audiodev": _audiodev, "-machine": _machine, "-smp": _smp, "-m": _memory, "-name": _name,
          "-uuid": _uuid, "-spice": _spice, "-vnc": _vnc, "-global": _global}


def _unseen(qmp, kind, name, properties):
    """Whether QEMU knows what was not given to it."""
    query = "qom-list-properties" if kind == "object" else "device-list-properties"
    known = {entry["name"] for entry in qmp.command(query, typename=name)} | {"id", "bus"}
    return [f"{name} has no property {word}" for word in properties if word not in known]
