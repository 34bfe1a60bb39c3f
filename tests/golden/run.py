#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the built helpers on fixture machines and compares what comes out with what is written down.

Each tests/golden/NAME.case holds a machine, a command, files, and the outcome:

    # What the case shows.
    machine two-gpu host                    from tests/machines, laid over each other
    run vxm-qemu --dry-run demo
    !dev/kvm                                further lines of a tree, see tests/machines/tree.py
    ==== etc/vxm/guests/demo.guest          a file as it stands here, up to the next line of this kind
    [Guest]
    …
    ==== exit 0                             from here on the outcome: written by UPDATE=1, compared otherwise
    ==== stdout
    …
    ==== stderr
    …
    ==== made vxm-guest@demo.service.d/50-vxm.conf       what vxm-generator wrote
    ==== left run/vxm/bind/demo                          the undo records there are after vxm-bind or vxm-hugepages, and
                                                         of the latter the pools

A case whose command line is for newer QEMUs only says “QEMU 8.2 or newer” in its first lines: tests/qemu starts them all.
The product's own presets are there as if installed. A generator gets its directory, the root is always added, to vxm behind its verb.

Usage: [UPDATE=1] run.py BUILD-DIRECTORY [CASE…]; the output is TAP, a line a case, and the difference where there is one.
"""

import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "machines"))
import tree  # noqa: E402

MARK = "==== "


class Case:
    """A case file, taken apart."""

    def __init__(self, path):
        self.path = path
        self.machines, self.command, self.lines, self.files = [], None, [], []
        given, _, outcome = path.read_text().partition("\n" + MARK + "exit ")
        self.given = given.rstrip("\n") + "\n"
        self.outcome = MARK + "exit " + outcome if outcome else ""
        self._read(self.given.splitlines(keepends=True))

    def _read(self, lines):
        for line in lines:
            if line.startswith(MARK):
                self.files.append((line[len(MARK) :].rstrip("\n"), []))
            elif self.files:
                self.files[-1][1].append(line)
            elif line.startswith("machine "):
                self.machines = line.split()[1:]
            elif line.startswith("run "):
                self.command = line.split()[1:]
            else:
                self.lines.append(line)
        if not self.command:
            raise ValueError(f"{self.path}: no line “run …”")

    def lay_out(self, root):
        for preset in (HERE.parent.parent / "presets").glob("*.guest"):
            target = root / "usr/lib/vxm/presets" / preset.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(preset, target)
        for machine in self.machines:
            tree.expand_machine(root, machine)
        for path, lines in self.files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("".join(lines))
        tree.expand_lines(root, self.lines)


def section(title, text):
    if text and not text.endswith("\n"):
        text += "\n"
    return f"{MARK}{title}\n{text}" if text else ""


def printed(title, text):
    """What comes onto a terminal; without a newline at its end the shell's prompt would stand behind it."""
    return section(title, text if text.endswith("\n") or not text else text + "\n(no newline at the end)\n")


def files_below(directory, verb, start):
    """All that is below a directory, in order of names; links as their target."""
    text = ""
    for path in sorted(directory.rglob("*")):
        title = f"{verb} {path.relative_to(start)}"
        if path.is_symlink():
            text += section(title, f"-> {os.readlink(path)}")
        elif path.is_file():
            text += section(title, path.read_text())
    return text


def run_case(case, build, scratch):
    root, out = scratch / "root", scratch / "out"
    root.mkdir()
    out.mkdir()
    case.lay_out(root)

    name, *words = case.command
    if name == "vxm":
        command = [name, words[0], "--root", root, *words[1:]]
    else:
        command = [name, "--root", root, *words]
    if name == "vxm-generator":
        command += [out, out, out]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    environment.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
    done = subprocess.run(
        command,
        executable=build / name,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    outcome = f"{MARK}exit {done.returncode}\n" + printed("stdout", done.stdout) + printed("stderr", done.stderr)
    outcome += files_below(out, "made", out)
    if name == "vxm-bind":
        outcome += files_below(root / "run/vxm/bind", "left", root)
    if name == "vxm-hugepages":
        outcome += files_below(root / "run/vxm/hugepages", "left", root)
        outcome += "".join(section(f"left {path.relative_to(root)}", path.read_text())
                           for path in sorted(root.glob("sys/devices/system/node/node*/hugepages/*/nr_hugepages")))
    return outcome.replace(str(scratch), "SCRATCH")


def check(number, path, build):
    with tempfile.TemporaryDirectory(prefix="vxm-golden-") as scratch:
        case = Case(path)
        outcome = run_case(case, build, pathlib.Path(scratch))

    if os.environ.get("UPDATE") == "1" and outcome != case.outcome:
        path.write_text(case.given + outcome)
        print(f"ok {number} - {path.stem} (updated)")
        return True
    good = outcome == case.outcome
    print(f"{'ok' if good else 'not ok'} {number} - {path.stem}", flush=True)
    if not good:
        wanted, seen = case.outcome.splitlines(), outcome.splitlines()
        for line in difflib.unified_diff(wanted, seen, path.name, "what came out", lineterm=""):
            print(f"# {line}")
    return good


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    os.umask(0o022)  # some look at who may write
    cases = [HERE / f"{name}.case" for name in sys.argv[2:]] or sorted(HERE.glob("*.case"))
    print(f"1..{len(cases)}")
    results = [check(i, path, build) for i, path in enumerate(cases, 1)]
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
