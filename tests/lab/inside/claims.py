# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: starts two guests that want the same card at nearly the same moment, again and again. Prints for each round,
as JSON, which of them started, and what the journal of the other said.

    python3 claims.py ROUNDS GUEST GUEST
"""

import json
import subprocess
import sys
import time

PATIENCE = 60

# Seconds by which one is asked for before the other.
LEADS = (0, 0.05, 0.2, 0.5, 1.5)


def run(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          check=False)


def start_both(guests, lead):
    """The names of those that have started. The first is asked for so many seconds before the other."""
    processes = {}
    for guest in guests:
        processes[guest] = subprocess.Popen(["systemctl", "start", f"vxm-guest@{guest}"], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(lead)
        lead = 0
    return [guest for guest, process in processes.items() if process.wait() == 0]


def end(guests):
    """Ends what runs, at once, and waits until all has been undone."""
    units = [f"vxm-{part}@{guest}.service" for part in ("guest", "bind") for guest in guests]
    run("systemctl", "kill", "--signal=KILL", *(unit for unit in units if "guest@" in unit))
    deadline = time.monotonic() + PATIENCE
    while set(run("systemctl", "show", "--value", "-p", "ActiveState", *units).stdout.split()) - {"inactive", "failed"}:
        if time.monotonic() > deadline:
            sys.exit("the guests do not end")
        time.sleep(0.2)
    run("systemctl", "reset-failed", *units)


def said_since(cursor, guest):
    run("journalctl", "--sync")
    return run("journalctl", "-q", "-b", "-o", "cat", "-u", f"vxm-guest@{guest}", "--after-cursor", cursor).stdout


def cursor_now():
    return run("journalctl", "-q", "-n", "0", "--show-cursor").stdout.partition("-- cursor: ")[2].strip()


def main(rounds, guests):
    found = []
    for number in range(rounds):
        cursor = cursor_now()
        started = start_both(guests if number % 2 else guests[::-1], LEADS[number // 2 % len(LEADS)])
        said = "".join(said_since(cursor, guest) for guest in guests if guest not in started)
        end(guests)
        found.append({"started": started, "said": said})
        print(f"round {number + 1} of {rounds}: {started}", file=sys.stderr, flush=True)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
