#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Expands machine descriptions into directories.

A .tree file has a path a line, below the root and without a leading slash; what is missing above it is made:

    path = content      a file; a newline follows the content, no content makes an empty file
    path += content     one more line of that file
    path =x digits      a file of these bytes, in hexadecimal digits; spaces between them are free
    path -> target      a symbolic link
    path/               a directory
    !path               takes away what an earlier line or file has put there
    # …                 a comment

tests/unit/fixture.c reads the same format; record.sh writes it.

Usage: tree.py DIRECTORY NAME…
"""

import pathlib
import sys

MACHINES = pathlib.Path(__file__).resolve().parent


def expand_line(root, line):
    if line.startswith("!"):
        (root / line[1:]).unlink()
        return
    if line.endswith("/") and " " not in line:
        (root / line).mkdir(parents=True, exist_ok=True)
        return

    path, sign, rest = line.partition(" ")
    operator, _, value = rest.partition(" ")
    if operator not in ("=", "+=", "=x", "->"):
        raise ValueError(f"neither “path = content” nor “path -> target”: {line}")
    target = root / path
    if operator == "+=":
        with target.open("a") as file:
            file.write(value + "\n")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if operator == "->":
        target.symlink_to(value)
    elif operator == "=x":
        target.write_bytes(bytes.fromhex(value))
    else:
        target.write_text(value + "\n" if value else "")


def expand_lines(root, lines):
    for line in lines:
        line = line.rstrip("\n")
        if line and not line.startswith("#"):
            expand_line(root, line)


def expand_machine(root, name):
    expand_lines(root, (MACHINES / f"{name}.tree").read_text().splitlines())


if __name__ == "__main__":
    for machine in sys.argv[2:]:
        expand_machine(pathlib.Path(sys.argv[1]), machine)
