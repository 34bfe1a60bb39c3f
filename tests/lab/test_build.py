# SPDX-License-Identifier: BSD-3-Clause
"""Debian 13's compiler and libraries: the checkout builds there without a warning, and its tests pass."""

from vxmlab import product


def test_builds_and_passes_inside_debian_13():
    printed = product.check()
    assert "Fail: 0" in " ".join(printed.split()), printed
