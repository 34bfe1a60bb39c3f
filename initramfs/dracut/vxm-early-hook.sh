#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# dracut without systemd sources its hooks, so this one must not exit.
/usr/lib/vxm/initramfs/vxm-early || :
