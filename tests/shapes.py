# SPDX-License-Identifier: BSD-3-Clause
"""The shapes of JSON that vxm(1) promises, as they stand there, and whether something has one of them.

A shape as the manual writes it: {"name", "other"?, "inner": {...}}, [SHAPE] for a list of such, [...] for a list of texts or numbers.
What has no shape of its own is a text, a number, true or false; what has a "?" may be null.
"""

import re
from pathlib import Path

_MANUAL = Path(__file__).resolve().parent.parent / "man" / "vxm.1.scd"
_TOKEN = re.compile(r'\s*(?:"([a-z0-9_]+)"(\?)?|(\.\.\.|[][{},:]))')


class _Reader:
    """Takes a shape apart: from text to lists, dictionaries of (may be null, shape), "scalar" and "names"."""

    def __init__(self, text):
        self._text, self._at = text, min(at for at in (text.find("["), text.find("{")) if at >= 0)
        self._next()

    def _next(self):
        match = _TOKEN.match(self._text, self._at)
        self._at = match.end() if match else len(self._text)
        self.name, self.optional, self.sign = (match[1], bool(match[2]), match[3]) if match else (None, False, None)

    def _take(self, sign):
        if self.sign != sign:
            raise ValueError(f"“{sign}” expected before: {self._text[self._at:][:40]}")
        self._next()

    def _skip(self, sign):
        if self.sign == sign:
            self._next()
            return True
        return False

    def shape(self):
        if self._skip("["):
            shape = ["scalar"] if self._skip("...") else [self.shape()]
            self._take("]")
            return shape
        self._take("{")
        if self._skip("..."):
            shape = "names"
        else:
            shape = dict([self._member()])
            while self._skip(","):
                shape |= [self._member()]
        self._take("}")
        return shape

    def _member(self):
        name, optional = self.name, self.optional
        if not name:
            raise ValueError(f"a name expected before: {self._text[self._at:][:40]}")
        self._next()
        return name, (optional, self.shape() if self._skip(":") else "scalar")


def promised():
    """All shapes of the manual, by the command that prints them: "vxm list"."""
    section = _MANUAL.read_text().partition("\n# JSON\n")[2].partition("\n# ")[0]
    found = {}
    for commands, text in re.findall(r"^(\*.*\*)\n((?:\t.*\n)+)", section, re.M):
        shape = _Reader(text).shape()
        found |= {command.replace("\\", ""): shape for command in re.findall(r"\*(.*?)\*", commands)}
    return found


def of(line):
    """What is promised of a command line as a list of words: the command with most of its words, its shape; or two times None. NAME
    stands for a word that is none of the others."""
    words = set(line)
    return max(((command, shape) for command, shape in promised().items()
                if set(command.split()) - {"NAME"} <= words
                and ("NAME" not in command or any(not word.startswith("-") for word in words - set(command.split())))),
               key=lambda found: (len(set(found[0].split()) - {"NAME"}), "NAME" in found[0]), default=(None, None))


def differs(value, shape, where="$"):
    """What is not as the shape says, as a text; None when all is."""
    if shape == "scalar":
        return f"{where} is {value!r}" if value is None or isinstance(value, (list, dict)) else None
    if not isinstance(value, list if isinstance(shape, list) else dict):
        return f"{where} is {value!r}"
    if shape == "names":
        return None
    if isinstance(shape, list):
        return next(filter(None, (differs(item, shape[0], f"{where}[{i}]") for i, item in enumerate(value))), None)
    if set(value) != set(shape):
        return f"{where}: {', '.join(sorted(set(value) ^ set(shape)))} only in one of output and manual"
    return next(filter(None, (differs(value[name], inner, f"{where}.{name}") for name, (optional, inner) in shape.items()
                              if not (optional and value[name] is None))), None)
