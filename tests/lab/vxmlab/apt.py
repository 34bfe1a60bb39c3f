# SPDX-License-Identifier: BSD-3-Clause
"""Where Debian packages come from: the mirrors, keys and proxies that this machine's own apt is set up with.

Only sources that say they are Debian's are taken; the suite is replaced by the one the lab wants.
"""

import re
from pathlib import Path

from vxmlab.process import call
from vxmlab.say import LabError

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FORMAT = "$(REPO_URI)\t$(ORIGIN)\t$(LABEL)\t$(SOURCESENTRY)"

# The options that decide whether this machine reaches its mirror; everything else is left at its default.
_OPTIONS = re.compile(r"^Acquire::(https?|Retries|ForceIPv[46]|Check-Valid-Until|Check-Date)\b.* \"[^\"]+\";$")


def sources(suite):
    """The sources.list lines that serve suite from this machine's mirrors, security updates included."""
    lines = []
    for uri, label, entry in _debian_repositories():
        names = [f"{suite}-security"] if label == "Debian-Security" else [suite, f"{suite}-updates"]
        keys = ",".join(_keys(uri, entry))
        lines += [f"deb [signed-by={keys}] {uri} {name} main" for name in names]
    if not any(f" {suite} " in line for line in lines):
        raise LabError("apt knows no Debian mirror on this machine: look at /etc/apt/sources.list.d, then apt-get update")
    return lines


def options():
    """This machine's apt.conf lines for proxies, certificates and the like."""
    dump = call(["apt-config", "dump"], "read apt's configuration")
    return [line for line in dump.splitlines() if _OPTIONS.match(line)]


def _debian_repositories():
    argv = ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"]
    targets = call(argv, "read apt's sources").splitlines()
    if not any("\tDebian\t" in line for line in targets):
        call(["apt-get", "update"], "update apt's lists")
        targets = call(argv, "read apt's sources").splitlines()
    found = {}
    for line in targets:
        uri, origin, label, entry = line.split("\t")
        if origin == "Debian" and label in ("Debian", "Debian-Security"):
            found.setdefault((uri, label), entry)
    return [(uri, label, entry) for (uri, label), entry in found.items()]


def _keys(uri, entry):
    """The keyrings named by the source entry of uri, and Debian's own, which knows newer releases too."""
    file = Path(entry.rpartition(":")[0])
    stanzas = file.read_text().split("\n\n" if file.suffix == ".sources" else "\n") if file.exists() else []
    mine = "\n".join(stanza for stanza in stanzas if uri.rstrip("/") in stanza)
    named = re.findall(r"signed-by\s*[:=]\s*(/[^\]\s]+)", mine, re.IGNORECASE)
    return sorted({key for keys in named for key in keys.split(",")} | {_KEYRING})
