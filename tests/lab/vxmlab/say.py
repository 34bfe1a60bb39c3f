# SPDX-License-Identifier: BSD-3-Clause
"""What the lab tells the person in front of it: progress of long steps, and errors in one line.

All of it goes to stderr; stdout belongs to the command that the lab runs.
"""

import sys
import time

_started = time.monotonic()


class LabError(Exception):
    """Something the user can act on. The text names the value involved and the next step."""


def step(text):
    """Announces a step that takes seconds, with the time since the lab started."""
    print(f"[{time.monotonic() - _started:3.0f} s] {text}", file=sys.stderr, flush=True)
