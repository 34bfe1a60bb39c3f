# SPDX-License-Identifier: BSD-3-Clause
"""The lab: an emulated two-GPU workstation, booted in seconds, with the installed product in it."""
