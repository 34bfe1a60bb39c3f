#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Writes down what vxm wants to know of this machine's PCI functions, as a .tree file on standard output: ids, classes,
# drivers, IOMMU groups; no serial numbers, no addresses of any other kind. Needs no privileges and changes nothing.
# The result, sent with a report, is the next fixture.
#
# Usage: record.sh [ROOT] > NAME.tree
set -eu
LC_ALL=C
export LC_ALL
cd "${1:-/}"

record_file() {
        [ -e "$1" ] || return 0
        content=$(cat "$1")
        echo "$1 =${content:+ $content}"
}

record_link() {
        [ -L "$1" ] || return 0
        echo "$1 -> $(readlink "$1")"
}

record_function() {
        directory=$(realpath --relative-to=. "$1")

        record_link "$1"
        for attribute in boot_vga class device driver_override subsystem_device subsystem_vendor vendor; do
                record_file "$directory/$attribute"
        done
        for link in driver iommu_group; do
                record_link "$directory/$link"
        done
}

record() {
        for function in sys/bus/pci/devices/*; do
                record_function "$function"
        done
        for link in sys/bus/pci/drivers/*/[0-9a-f]*:*:*.[0-7] sys/kernel/iommu_groups/*/devices/*; do
                record_link "$link"
        done
        if [ -d sys/bus/pci/drivers/vfio-pci ]; then
                echo "sys/bus/pci/drivers/vfio-pci/"
        fi
        echo "sys/bus/pci/drivers_probe ="
        echo "sys/kernel/iommu_groups/"
}

record | sort
