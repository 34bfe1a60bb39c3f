# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's command line, taken apart: options, and the comma-separated properties that most of them have as value."""

import shlex

# Those that stand alone; all others have a value.
_ALONE = ("-nodefaults", "-no-user-config", "-S", "-no-reboot", "-no-shutdown")


def of_case(text):
    """The command line in a golden case's outcome, as words; None when there is none."""
    printed = text.partition("\n==== stdout\n")[2].partition("\n==== ")[0]
    return shlex.split(printed.replace("\\\n", " ")) if printed.startswith("/usr/bin/qemu-system-") else None


def options(words):
    """Words as pairs of option and value, the value None for an option that stands alone."""
    rest = iter(words)
    return [(option, None if option in _ALONE else next(rest)) for option in rest]


def joined(pairs):
    """The words of such pairs."""
    return [word for pair in pairs for word in pair if word is not None]


class Value:
    """One option's value: a head ("vfio-pci", "socket"), if there is one, and properties in their order. A comma in a property
    stands there twice, and once here."""

    def __init__(self, text):
        parts = _split(text)
        self.head = parts.pop(0) if parts and "=" not in parts[0] else None
        self.properties = dict(part.partition("=")[::2] for part in parts)

    def get(self, name, default=None):
        return self.properties.get(name, default)

    def __str__(self):
        parts = [] if self.head is None else [self.head]
        parts += [f"{key}={value}" for key, value in self.properties.items()]
        return ",".join(part.replace(",", ",,") for part in parts)


def _split(text):
    """At each comma that does not stand there twice."""
    return [part.replace("\0", ",") for part in text.replace(",,", "\0").split(",")]
