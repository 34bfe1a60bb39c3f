#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Writes down what vxm wants to know of this machine, as a .tree file (tree.py tells the format): PCI functions with their
# drivers and IOMMU groups; more of GPUs; on which devices disks, swap, network, keyboards, displays and consoles hang; how much
# memory; processors with their caches, and which of them take which interrupts; which programs have a GPU open. No serial
# numbers, network addresses, UUIDs, file names or arguments of programs; names of mount points and of Bluetooth devices that
# might be anybody's are replaced. Changes nothing. Without root it leaves out what only root may see: other users' programs, and
# where in memory the boot framebuffer lies.
# The result, sent with a report, is the next fixture.
#
# Usage: record.sh NAME [ROOT]      writes NAME.tar.gz with NAME.tree in it
#        record.sh - [ROOT]         writes the .tree to standard output
set -eu
LC_ALL=C
export LC_ALL

name=${1:?"usage: record.sh NAME|- [ROOT]"}
case $name in
-) ;;
*[!A-Za-z0-9_.-]* | .*)
        echo "record.sh: not a plain name for a file: $name" >&2
        exit 64
        ;;
esac
start=$PWD
cd "${2:-/}"

# ---- lines of a tree ----

# Reads the content from standard input.
record_lines() {
        awk -v path="$1" '{ print path (NR == 1 ? " =" : " +=") (length($0) ? " " $0 : "") } END { if (!NR) print path " =" }'
}

record_file() {
        [ -r "$1" ] || return 0
        content=$(cat "$1" 2>/dev/null) || return 0
        printf '%s\n' "$content" | record_lines "$1"
}

record_files() {
        directory=$1
        shift
        for attribute; do
                record_file "$directory/$attribute"
        done
}

record_link() {
        [ -L "$1" ] || return 0
        echo "$1 -> $(readlink "$1")"
}

# Where a link in /sys leads, relative to the root.
directory_of() {
        realpath -m --relative-to=. "$1"
}

# ---- PCI ----

record_function() {
        directory=$(directory_of "$1")

        record_link "$1"
        record_files "$directory" boot_display boot_vga class device driver_override subsystem_device subsystem_vendor vendor
        for link in driver iommu_group physfn; do
                record_link "$directory/$link"
        done
}

is_gpu() {
        case $(cat "$1/class" 2>/dev/null) in
        0x03*) return 0 ;;
        esac
        return 1
}

# What only matters of a GPU and the other functions of its slot.
record_card() {
        directory=$(directory_of "$1")

        record_files "$directory" resource reset_method d3cold_allowed power_state power/control power/runtime_status \
                current_link_speed current_link_width max_link_speed max_link_width
        for bar in "$directory"/resource*_resize; do
                record_file "$bar"
        done
        find "$directory" -name uevent -type f | while read -r uevent; do
                case ${uevent#"$directory"} in
                */????:??:??.?/*) continue ;; # another function's
                esac
                grep -q '^DEVNAME=' "$uevent" 2>/dev/null || continue
                grep -E '^(MAJOR|MINOR|DEVNAME|DEVTYPE)=' "$uevent" | record_lines "$uevent"
        done
}

record_pci() {
        for function in sys/bus/pci/devices/*; do
                [ -L "$function" ] || continue
                record_function "$function"
                is_gpu "$function" || continue
                for sibling in "${function%.*}".*; do
                        record_card "$sibling"
                done
        done
        for link in sys/bus/pci/drivers/*/[0-9a-f]*:*:*.[0-7] sys/kernel/iommu_groups/*/devices/*; do
                record_link "$link"
        done
        if [ -d sys/bus/pci/drivers/vfio-pci ]; then
                echo "sys/bus/pci/drivers/vfio-pci/"
        fi
        echo "sys/bus/pci/drivers_probe ="
        echo "sys/kernel/iommu_groups/"
        for information in proc/driver/nvidia/gpus/*/information; do
                [ -r "$information" ] || continue
                grep '^Device Minor:' "$information" | record_lines "$information"
        done
}

# ---- disks ----

record_block() {
        for link in sys/class/block/*; do
                case $link in
                */loop* | */ram* | */zram*) continue ;;
                esac
                [ -L "$link" ] || continue
                record_link "$link"
                directory=$(directory_of "$link")
                for slave in "$directory"/slaves/*; do
                        record_link "$slave"
                done
                number=$(cat "$link/dev" 2>/dev/null) || continue
                grep -qs '^E:ID_FS_TYPE=zfs_member$' "run/udev/data/b$number" || continue
                record_file "$directory/dev"
                grep -E '^E:ID_FS_(TYPE|LABEL)=' "run/udev/data/b$number" | record_lines "run/udev/data/b$number"
        done
        for link in sys/dev/block/*; do
                case $(readlink "$link") in
                */loop* | */ram* | */zram*) ;;
                *) record_link "$link" ;;
                esac
        done
        for link in sys/devices/virtual/nvme-subsystem/*/nvme*; do
                record_link "$link"
        done
}

# File systems themselves know which disks they are on.
record_file_systems() {
        for directory in sys/fs/ext4/* sys/fs/f2fs/* sys/fs/xfs/*; do
                [ ! -L "sys/class/block/${directory##*/}" ] || echo "$directory/"
        done
        number=0
        for directory in sys/fs/btrfs/*/devices; do
                [ -d "$directory" ] || continue
                number=$((number + 1))
                for device in "$directory"/*; do
                        echo "sys/fs/btrfs/btrfs-$number/devices/${device##*/}/"
                done
        done
}

# “/dev/mapper/luks-…” becomes “/dev/dm-0”.
kernel_name() {
        case $1 in
        /dev/*)
                if [ -L ".$1" ]; then
                        echo "/dev/$(basename "$(readlink ".$1")")"
                else
                        echo "$1"
                fi
                ;;
        *) echo "$1" ;;
        esac
}

# A mount point that is not among the usual ones could tell something about its owner.
neutral_point() {
        case $1 in
        / | /boot | /boot/efi | /boot/firmware | /efi | /home | /nix | /nix/store | /opt | /root | /srv | /sysroot | /tmp | \
                /usr | /usr/local | /var | /var/lib | /var/log | /var/tmp)
                echo "$1"
                ;;
        *)
                others=$((others + 1))
                echo "/mnt/$others"
                ;;
        esac
}

# Only what has a disk behind it; the fields that vxm does not read are the same in all lines. What is mounted in several
# places under names of its own is recorded once.
mounts() {
        others=0
        seen=" "
        while read -r _ _ device _ point rest; do
                rest=${rest#*"- "}
                type=${rest%% *}
                source=${rest#* }
                source=${source%% *}
                case $device in
                0:*)
                        case $type in
                        btrfs | bcachefs) source=$(kernel_name "$source") ;;
                        zfs) source=${source%%/*} ;;
                        *) continue ;;
                        esac
                        device=0:0
                        ;;
                *)
                        [ -L "sys/dev/block/$device" ] || continue
                        case $(readlink "sys/dev/block/$device") in
                        */loop* | */ram*) continue ;;
                        esac
                        source=/dev/$(basename "$(readlink "sys/dev/block/$device")")
                        ;;
                esac
                # Not in a subshell, for it counts.
                neutral_point "$point" >"$scratch/point"
                point=$(cat "$scratch/point")
                case $point in
                /mnt/*)
                        case $seen in
                        *" $device,$source "*)
                                others=$((others - 1))
                                continue
                                ;;
                        esac
                        ;;
                esac
                case $seen in
                *" $point "*) continue ;;
                esac
                seen="$seen$device,$source $point "
                echo "1 1 $device / $point rw - $type $source rw"
        done <proc/self/mountinfo
}

# A swap file counts for the file system it is on.
swaps() {
        read -r header <proc/swaps
        echo "${header%%[ 	]*}"
        tail -n +2 proc/swaps | while read -r swap _; do
                case $swap in
                /dev/zram*) continue ;;
                /dev/*) kernel_name "$swap" ;;
                *)
                        best=/
                        while read -r _ _ _ _ point _; do
                                case $swap in
                                "$point"/*) [ ${#point} -gt ${#best} ] && best=$point ;;
                                esac
                        done <"$scratch/mounts"
                        echo "${best%/}/swapfile"
                        ;;
                esac
        done
}

record_disks() {
        record_block
        record_file_systems
        [ -r proc/self/mountinfo ] || return 0
        mounts >"$scratch/mounts"
        record_lines proc/self/mountinfo <"$scratch/mounts"
        [ ! -r proc/swaps ] || swaps | record_lines proc/swaps
}

# ---- network and input ----

record_network() {
        for link in sys/class/net/*; do
                [ "$link" = sys/class/net/lo ] && continue
                [ -L "$link" ] || continue
                record_link "$link"
                directory=$(directory_of "$link")
                record_files "$directory" flags operstate
                for lower in "$directory"/lower_*; do
                        record_link "$lower"
                done
        done
        # “default by interface”, and nothing else of the addresses.
        if [ -r proc/net/route ]; then
                awk 'NR == 1 { print "Iface Destination Gateway Flags RefCnt Use Metric Mask" }
                        NR > 1 && $2 == "00000000" && $8 == "00000000" { print $1, $2, "00000000", $4, 0, 0, 0, $8 }' \
                        proc/net/route | record_lines proc/net/route
        fi
        if [ -r proc/net/ipv6_route ]; then
                awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { print $1, $2, $1, "00", $1, "00000000", "00000000", "00000000", $9, $10 }' \
                        proc/net/ipv6_route | record_lines proc/net/ipv6_route
        fi
}

record_input() {
        for link in sys/class/input/input*; do
                [ -L "$link" ] || continue
                record_link "$link"
                directory=$(directory_of "$link")
                record_files "$directory" capabilities/abs capabilities/key capabilities/rel id/bustype
                case $(cat "$directory/id/bustype") in
                0005) echo "$directory/name = a Bluetooth device" ;; # people give these names of their own
                *) record_file "$directory/name" ;;
                esac
        done
        for link in sys/class/bluetooth/*; do
                record_link "$link"
        done
}

# ---- displays and consoles ----

record_displays() {
        for link in sys/class/drm/card*; do
                [ -L "$link" ] || continue
                record_link "$link"
                record_files "$(directory_of "$link")" dpms enabled status
        done
        for link in sys/class/graphics/fb[0-9]* sys/bus/platform/devices/*framebuffer*; do
                [ -L "$link" ] || continue
                record_link "$link"
                record_link "$(directory_of "$link")/driver"
        done
        for link in sys/class/vtconsole/*; do
                [ -L "$link" ] || continue
                record_link "$link"
                record_files "$(directory_of "$link")" bind name
        done
        # The boot framebuffer, and what it lies in.
        [ -r proc/iomem ] || return 0
        awk '
                { match($0, /^ */); depth = RLENGTH / 2; line[depth] = $0; told[depth] = 0 }
                / : (BOOTFB|simpledrm|simple-framebuffer|efidrm|vesadrm|efifb|vesafb)$/ {
                        for (i = 0; i <= depth; i++)
                                if (!told[i]++)
                                        print line[i]
                }' proc/iomem >"$scratch/iomem"
        [ ! -s "$scratch/iomem" ] || record_lines proc/iomem <"$scratch/iomem"
}

# ---- memory ----

record_memory() {
        for node in sys/devices/system/node/node[0-9]*; do
                record_file "$node/meminfo"
                record_file "$node/cpulist"
                for pool in "$node"/hugepages/hugepages-*; do
                        record_files "$pool" nr_hugepages free_hugepages surplus_hugepages
                done
        done
}

# ---- processors and interrupts ----

record_cpus() {
        # Of one processor; they are all alike in this.
        [ ! -r proc/cpuinfo ] || awk -F '\t*: ' '/^$/ { exit } /^(processor|vendor_id|model name|flags)\t/ { print $1 "\t: " $2 }' \
                proc/cpuinfo | record_lines proc/cpuinfo
        record_file sys/module/kvm_intel/parameters/nested
        record_files sys/devices/system/cpu online possible present
        for cpu in sys/devices/system/cpu/cpu[0-9]*; do
                record_files "$cpu/topology" core_id physical_package_id thread_siblings_list
                for cache in "$cpu"/cache/index*; do
                        record_files "$cache" id level shared_cpu_list size
                done
        done
        record_file proc/irq/default_smp_affinity
        for mask in proc/irq/*/smp_affinity_list; do
                record_file "$mask"
        done
}

# ---- who has a GPU open ----

record_process() {
        record_file "$1/comm"
        [ ! -r "$1/cgroup" ] || grep '^0::' "$1/cgroup" | record_lines "$1/cgroup"
}

record_holders() {
        for directory in proc/[0-9]*; do
                known=no
                for link in "$directory"/fd/*; do
                        target=$(readlink "$link" 2>/dev/null) || continue
                        case $target in
                        /dev/dri/* | /dev/nvidia* | /dev/snd/* | /dev/vfio/*) ;;
                        *) continue ;;
                        esac
                        [ $known = yes ] || record_process "$directory"
                        known=yes
                        echo "$link -> $target"
                done
        done
}

# ---- the whole ----

# Names made of a network address: “enx001122334455”.
hide_addresses() {
        awk '{
                while (match($0, /(en|wl|ww)x[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]/)) {
                        found = substr($0, RSTART, RLENGTH)
                        if (!(found in names))
                                names[found] = substr(found, 1, 2) "x" ++n
                        $0 = substr($0, 1, RSTART - 1) names[found] substr($0, RSTART + RLENGTH)
                }
                print
        }'
}

record() {
        record_pci
        record_disks
        record_network
        record_input
        record_displays
        record_memory
        record_cpus
        record_holders
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
record >"$scratch/lines"
# By path; the lines of one file stay in order.
sort -s -t ' ' -k 1,1 "$scratch/lines" | hide_addresses >"$scratch/tree"

if [ "$name" = - ]; then
        cat "$scratch/tree"
        exit 0
fi
{
        echo "# SPDX-License-Identifier: BSD-3-Clause"
        echo "# A machine that runs Linux $(uname -r)."
        cat "$scratch/tree"
} >"$scratch/$name.tree"
tar -czf "$start/$name.tar.gz" --owner=0 --group=0 --numeric-owner -C "$scratch" "$name.tree"
cat <<END
$name.tar.gz holds $name.tree, $(wc -l <"$scratch/$name.tree") lines of text on this machine's hardware. Look through it:
        tar -xzOf $name.tar.gz | less
then attach it to your report. There are no addresses, serial numbers or names of yours in it.
END
[ "$(id -u)" = 0 ] || echo "Run as root it would also tell which other users' programs have a GPU open."
