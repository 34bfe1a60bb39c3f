# SPDX-License-Identifier: BSD-3-Clause
"""What a golden case names and the testing machine lacks, and what stands there for it. The rules:

paths        all lie below the case's own directory. Firmware is the release's own; an image is an empty one of its format, a kernel
             the head of one, any other file 64 KiB long.
sockets      QEMU's own are made by it. At a TPM's listens swtpm, at a share's virtiofsd: the real ones, see peers.py.
descriptors  real ones under the numbers named: QEMU's monitor, taps of an own network, /dev/vhost-net. Where no tap can be made,
             “-netdev tap” becomes “-netdev stream”, whose other end nobody reads; without vhost-net, vhost=off.
KVM          if there is none that QEMU takes, accel=tcg; for the processor “host”, “max”, which has the same properties. Those of
             Hyper-V's interface are KVM's part: QEMU is asked whether it knows them, see “unseen”.
memory       huge pages become ordinary ones and nothing is touched (prealloc=off), nor locked; a node that the machine has not is 0.
host_device  a block device becomes a file (driver=file).
devices      one that hands the host's over becomes one that needs no host and has the same id, bus, addr and multifunction. QEMU is
             asked whether it knows the properties that are left out: see “unseen”.
objects      in the same way.
sound        a sound server's backend becomes “none”, with the same id. Whether QEMU takes the properties is tried apart, see “sound”.

Nothing else is changed, and nothing is left out without a word: adapt() tells each option that it has changed, and each file.
"""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from words import Value

# By the type of a device: what stands for it. "id", "bus", "addr" and "multifunction" stay.
_DEVICES = {"vfio-pci": "pci-testdev", "usb-host": "usb-tablet", "virtio-input-host-pci": "virtio-tablet-pci"}
_OBJECTS = {"input-linux": "can-bus"}
_KEPT = ("id", "bus", "port", "addr", "multifunction")
_SOUND = ("pa", "pipewire", "jack", "alsa", "sndio", "oss", "sdl", "dbus")

# The sizes of Debian's OVMF_CODE_4M.fd and OVMF_VARS_4M.fd: together a flash of 4 MiB.
_CODE, _NVRAM = 3653632, 540672
_IMAGE = 64 << 20
_FILE = b"\x55\xaa" + bytes((64 << 10) - 2)


@dataclass
class Adapted:
    """A command line for this machine, and what it needs to be there."""

    pairs: list = field(default_factory=list)
    told: list = field(default_factory=list)  # a line for each replacement
    images: list = field(default_factory=list)  # (path, format, size) to be made
    peers: list = field(default_factory=list)  # (kind, socket) that have to listen before QEMU starts
    descriptors: dict = field(default_factory=dict)  # by number: "tap", "vhost" or "stream"
    unseen: list = field(default_factory=list)  # (kind, type, properties) that QEMU has to know
    sound: list = field(default_factory=list)  # values of -audiodev that QEMU has to take


@dataclass
class Means:
    """What the testing machine has. tree: of the unpacked release."""

    tree: Path
    kvm: bool
    tap: bool
    vhost: bool


def adapt(pairs, scratch, means):
    """The command line for this machine; files are below scratch."""
    result = Adapted()
    wanted = [(option, None if value is None else Value(value)) for option, value in pairs]
    formats = _formats(wanted)
    for (option, before), (_, value) in zip(pairs, wanted):
        if option in _RULES:
            _RULES[option](value, result, means)
        after = before if value is None else str(value)
        if after is not None:
            after = _below(option, value, after, scratch, result, means, formats)
        result.pairs.append((option, after))
        if option in _RULES and before.replace(" ", "") != (str(value)).replace(" ", ""):
            result.told.append(f"{option} {before}  →  {value}")
    return result


# ---- files ----

def _formats(wanted):
    """By the node of each file: the format of the image in it and how large it shall be."""
    flash = {}
    for option, value in wanted:
        if option == "-machine":
            flash = {value.get("pflash0"): _CODE, value.get("pflash1"): _NVRAM}
    return {value.get("file"): (value.get("driver"), flash.get(value.get("node-name"), _IMAGE))
            for option, value in wanted if option == "-blockdev" and value.get("file")}


def _below(option, value, text, scratch, result, means, formats):
    """The value with each path below scratch, where what has to be there is made."""
    for path in re.findall(r"(?:^|=|unix:)(/[^,]*(?:,,[^,]*)*)", text):
        real = path.replace(",,", ",")
        target = scratch / real.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if option == "-blockdev":
            _make_image(target, real, *formats.get(value.get("node-name"), ("raw", _IMAGE)), result, means)
        elif option == "-chardev" and value.get("server") != "on":
            result.peers.append(("tpm" if "/tpm/" in real else "share", target))
            result.told.append(f"{real}  →  {'swtpm' if '/tpm/' in real else 'virtiofsd'} listens there")
        elif option in ("-kernel", "-initrd") or value.get("romfile") == real or value.get("file") == real:
            target.write_bytes(_kernel() if option == "-kernel" else _FILE)
            result.told.append(f"{real}  →  {'the head of a kernel' if option == '-kernel' else 'a file of 64 KiB'}")
        text = text.replace(path, f"{scratch}{path}", 1)
    return text


def _make_image(target, path, kind, size, result, means):
    """Firmware of the release's own, if it has such a file."""
    own = means.tree / path.lstrip("/")
    if own.is_file():
        shutil.copy(own, target)
        result.told.append(f"{path}  →  the release's own")
        return
    result.told.append(f"{path}  →  an empty image, {kind}, of {size >> 10} KiB")
    if kind == "raw":
        with open(target, "wb") as file:
            file.truncate(size)
    else:
        result.images.append((target, kind, size))


def _kernel():
    """Of Documentation/arch/x86/boot.rst what QEMU reads: the boot protocol's magic and version, four sectors of setup."""
    head = bytearray(8192)
    head[0x1f1] = 4
    head[0x202:0x206] = b"HdrS"
    head[0x206:0x208] = (0x020c).to_bytes(2, "little")
    head[0x211] = 1
    head[0x22c:0x230] = (0x7fffffff).to_bytes(4, "little")
    return bytes(head)


# ---- the rules, by option ----

def _machine(value, _, means):
    if value.get("accel") == "kvm" and not means.kvm:
        value.properties["accel"] = "tcg"


def _cpu(value, result, means):
    if value.head != "host" or means.kvm:
        return
    value.head = "max"
    hyperv = [name for name in value.properties if name.startswith("hv-")]
    result.unseen.append(("cpu", "max-x86_64-cpu", hyperv))
    for name in hyperv:
        del value.properties[name]


def _overcommit(value, _, __):
    if value.get("mem-lock") == "on":
        value.properties["mem-lock"] = "off"


def _object(value, result, _):
    if value.head in _OBJECTS:
        _stand_in(value, "object", _OBJECTS[value.head], result)
    if value.head.startswith("memory-backend-"):
        for name in ("hugetlb", "prealloc"):
            if value.get(name) == "on":
                value.properties[name] = "off"
    for name in ("host-nodes", "node-affinity"):
        if name in value.properties and not Path(f"/sys/devices/system/node/node{value.get(name)}").exists():
            value.properties[name] = "0"


def _device(value, result, _):
    if value.head in _DEVICES:
        _stand_in(value, "device", _DEVICES[value.head], result)


def _stand_in(value, kind, other, result):
    result.unseen.append((kind, value.head, list(value.properties)))
    value.head = other
    value.properties = {name: text for name, text in value.properties.items() if name in _KEPT}


def _blockdev(value, _, __):
    if value.get("driver") in ("host_device", "host_cdrom"):
        value.properties["driver"] = "file"


def _netdev(value, result, means):
    if value.head == "tap" and not means.tap:
        value.head = "stream"
        value.properties = {"id": value.get("id"), "server": "off", "addr.type": "fd", "addr.str": value.get("fd")}
    if value.head == "tap" and value.get("vhost") == "on" and not means.vhost:
        value.properties["vhost"] = "off"
        del value.properties["vhostfd"]
    for name, kind in (("fd", "tap"), ("vhostfd", "vhost"), ("addr.str", "stream")):
        if value.get(name, "").isdigit():
            result.descriptors[int(value.get(name))] = kind


def _audiodev(value, result, _):
    if value.head in _SOUND:
        result.sound.append(str(value))
        value.head, value.properties = "none", {"id": value.get("id")}


def _chardev(value, result, _):
    if value.get("fd"):
        result.descriptors[int(value.get("fd"))] = "stream"


_RULES = {"-machine": _machine, "-cpu": _cpu, "-overcommit": _overcommit, "-object": _object, "-device": _device,
          "-blockdev": _blockdev, "-netdev": _netdev, "-audiodev": _audiodev, "-chardev": _chardev}
