#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Module of dracut(8): puts static binding into the initramfs, if it is enabled. dracut asks check() of each module it
# finds, so no dracut.conf.d file has to name this one, which would break dracut once vxm is gone.
# shellcheck disable=SC2154 # dracut sets initdir, moddir and systemdsystemunitdir

check() {
        [[ -e /etc/vxm/static-devices ]] || return 1
        return 0
}

depends() {
        return 0
}

# Without hostonly: whether vfio-pci is in use right now is of no interest. -o: a kernel may have it built in, or not at all.
installkernel() {
        hostonly='' instmods -o vfio-pci
}

install() {
        inst_simple /etc/vxm/static-devices
        inst_multiple -o mkdir modprobe /etc/modprobe.d/vxm-static.conf /usr/lib/modprobe.d/vxm.conf \
                /etc/udev/rules.d/60-vxm-static.rules /usr/lib/udev/rules.d/61-vxm-static.rules
        inst_script /usr/lib/vxm/initramfs/vxm-early /usr/lib/vxm/initramfs/vxm-early
        if dracut_module_included systemd; then
                inst_simple /usr/lib/vxm/initramfs/vxm-early.service "$systemdsystemunitdir/vxm-early.service"
                mkdir -p "$initdir$systemdsystemunitdir/sysinit.target.wants"
                ln_r "$systemdsystemunitdir/vxm-early.service" \
                        "$systemdsystemunitdir/sysinit.target.wants/vxm-early.service"
        else
                inst_hook pre-udev 01 "$moddir/vxm-early-hook.sh"
        fi
        return 0
}
