# SPDX-License-Identifier: BSD-3-Clause
"""python3 -m vxmlab: what the script "lab" runs."""

import sys

from vxmlab.cli import main

sys.exit(main())
