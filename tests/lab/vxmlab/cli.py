# SPDX-License-Identifier: BSD-3-Clause
"""The lab's command line: one function per verb."""

import argparse
import os
import signal
import sys
from pathlib import Path

from vxmlab import bench, cache, shape, tour
from vxmlab.machine import Machine
from vxmlab.say import LabError, step

_LAB = Path(__file__).resolve().parent.parent

# What belongs together, by the names of files test_NAME.py.
_GROUPS = {
    "cli": ("cli_front", "cli_init", "cli_package", "cli_proxy"),
    "devices": ("devices_failures", "devices_held", "devices_names", "devices_shapes", "devices_single", "static", "units"),
    "guest": ("cpus", "desktop_user", "firmware", "frames", "isolation", "lifecycle", "memory", "netjack", "network", "sound", "storage",
              "usb", "whole"),
}

_EPILOG = """
The lab needs root and a Debian 12 or 13; it installs what else it needs. What it builds is kept in
${VXM_LAB_CACHE:-${XDG_CACHE_HOME:-~/.cache}/vxm-lab}, about 5 GB, until "lab clean".
"""


def _run(args):
    if not args.command:
        raise LabError("lab run needs a command: lab run -- lspci")
    command = args.command[0] if len(args.command) == 1 else args.command
    with Machine(args.machine) as machine:
        for path in args.put:
            machine.put(path)
        status = machine.stream(command)
        for path in args.get:
            machine.get(path)
    return status


def _shell(args):
    with Machine(args.machine) as machine:
        step("a root shell on the lab's machine; leaving it ends the machine")
        machine.stream("exec bash -l", tty=sys.stdin.isatty())
    return 0


# What one machine needs while a guest starts in it: memory, and two processors that have little else to do. With less than that
# guests hang now and then, as emulated interrupts come late.
_MEMORY = 7 << 30
_PROCESSORS = 2


def _jobs():
    """How many machines this host can run at once."""
    memory = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(len(os.sched_getaffinity(0)) // _PROCESSORS, memory // _MEMORY, 8))


def _test(args):
    import pytest  # the one thing that is not in Python itself

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # pytest takes a SystemExit for the failure of one test
    options = ["-p", "no:cacheprovider", "-rs", "--durations=15", "--strict-markers", f"--rootdir={_LAB}", "-c", os.devnull]
    jobs = args.jobs or _jobs()
    if jobs > 1:
        options += ["-n", str(jobs), "--dist", "loadgroup"]
    names = [name for word in args.filter for name in _GROUPS.get(word, (word,))]
    files = [_LAB / f"test_{name}.py" for name in names]
    words = [name for name, file in zip(names, files) if not file.exists()]
    if words:
        options += ["-k", " or ".join(words)]
    if args.exitfirst:
        options.append("-x")
    if args.minutes:
        options.append(f"--minutes={args.minutes}")  # as one word: pytest reads its conftest.py only after that
    if not args.filter and not args.all:
        step("leaving out the tests marked slow, more of the same in many variants; “lab test --all” runs them, too")
        options += ["-m", "not slow"]
    paths = [str(file) for file in files if file.exists()] or [str(_LAB)]
    return int(pytest.main([*options, *paths]))


def _demo(args):
    return tour.give(args.out.absolute())


def _bench(args):
    bench.run(args.name, args.rounds, args.json)
    return 0


def _clean(_):
    cache.clean()
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="lab", epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="An emulated two-GPU workstation with the installed product in it.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    run = verbs.add_parser("run", help="run a command as root in a fresh machine, with the product as checked out")
    _add_machine(run)
    run.add_argument("--put", action="append", default=[], metavar="PATH", help="first copy this file or directory to /root")
    run.add_argument("--get", action="append", default=[], metavar="PATH",
                     help="then copy this file or directory (relative to /root) to the current directory")
    run.add_argument("command", nargs="*", metavar="COMMAND", help="one word is a shell line, several are taken as they are")
    run.set_defaults(function=_run)

    shell = verbs.add_parser("shell", help="a root shell in a fresh machine")
    _add_machine(shell)
    shell.set_defaults(function=_shell)

    test = verbs.add_parser("test", help="run the lab's tests, each on a fresh machine")
    test.add_argument("-x", "--exitfirst", action="store_true", help="stop at the first failure")
    test.add_argument("--all", action="store_true", help="also those that take minutes; as is done for tests that a FILTER names")
    test.add_argument("--minutes", type=float, metavar="N", help="begin no test after N minutes; what is skipped is counted")
    test.add_argument("-j", "--jobs", type=int, metavar="N", help="machines at once (as many as there are processors and memory for)")
    test.add_argument("filter", nargs="*", metavar="FILTER",
                      help="life: the tests in test_life.py; devices, guest: those of several files; when there is no such file: tests "
                           "whose name contains it")
    test.set_defaults(function=_test)

    show = verbs.add_parser("demo", help="see a guest get a GPU, show a picture on it and give it back")
    show.add_argument("--out", type=Path, default=Path("lab-demo"), metavar="DIR", help="where the pictures go (lab-demo)")
    show.set_defaults(function=_demo)

    measure = verbs.add_parser("bench", help="measure, against QEMU alone and libvirt")
    measure.add_argument("--rounds", type=int, default=10, metavar="N", help="how often each thing is measured (10)")
    measure.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file, too")
    measure.add_argument("name", nargs="*", metavar="NAME", help=f"one of: {', '.join(bench.names())}; all when none is named")
    measure.set_defaults(function=_bench)

    clean = verbs.add_parser("clean", help="remove everything the lab keeps")
    clean.set_defaults(function=_clean)
    return parser


def _add_machine(parser):
    parser.add_argument("--machine", default="two-gpu", metavar="SHAPE", help=f"one of: {', '.join(shape.names())}")


def main():
    """Runs the verb on the command line and returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    args = _parser().parse_args()
    try:
        return args.function(args)
    except LabError as error:
        *context, last = str(error).splitlines()
        print("\n".join([*context, f"lab: {last}"]), file=sys.stderr)
        return 1
    except AssertionError as error:
        print(f"{error}\nlab: the product does not do what it should, see above", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
