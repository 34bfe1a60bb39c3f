#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Run by "meson install" when it installs into the running system: makes known to systemd, udev and the journal what has
# just been installed. Packages leave this to their triggers.
set -eu

systemd-sysusers
systemd-tmpfiles --create
journalctl --update-catalog
# Where this system's packages have it, or they would be passed over from now on.
if [ -e /etc/udev/hwdb.bin ]; then systemd-hwdb update; else systemd-hwdb --usr update; fi

# In a chroot there is nothing to tell.
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
udevadm control --reload
[ ! -e /dev/kvm ] || udevadm trigger --action=add --settle /dev/kvm
