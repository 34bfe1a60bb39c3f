/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks, CD-ROM drives and shares on QEMU's command line. Names of a user's choice get a prefix that no other node or
 * device has; QEMU takes 31 characters for a node. */

#include <inttypes.h>

#include "guest-disks.h"
#include "qemu-disks.h"

enum {
        SATA_PORTS = 6, /* of an ICH9; the machine has one, called “ide” */
};

/* What a cache mode means to QEMU (qemu(1), "-drive cache="): whether the host's page cache is left out and flushes are
 * ignored, which the nodes are told, and whether each write is followed by a flush, which the device is told. */
static const struct {
        bool direct, no_flush, write_through;
} cache_modes[] = {
        [DISK_WRITEBACK] = { false, false, false },
        [DISK_NONE] = { true, false, false },
        [DISK_WRITETHROUGH] = { false, false, true },
        [DISK_DIRECTSYNC] = { true, false, true },
        [DISK_UNSAFE] = { false, true, false },
};

static const char *drive_of(const GuestDisk *d) {
        return d->cdrom ? "cdrom" : "disk";
}

/* io_uring costs the fewest system calls; without it, only reads and writes past the page cache can be asynchronous in
 * the kernel ("native" refuses others), and for the rest there are threads. */
static const char *aio_of(const GuestDisk *d, const QemuFacts *facts) {
        return facts->io_uring ? "io_uring" : cache_modes[d->cache].direct ? "native" : "threads";
}

/* The image as a file or a node of the host, and above it its format. Zeroes that a guest writes are given back to the
 * host as what it discards is: a guest that wipes its free space shrinks its image, too. */
static int add_nodes(Argv *a, const GuestDisk *d, const QemuFacts *facts) {
        _cleanup_(freep) char *path = argv_double_commas(d->path), *common = NULL;
        const char *file = d->cdrom ? "iso" : "file";
        bool discards = d->discard && !d->read_only;
        int r;

        if (!path)
                return -ENOMEM;
        r = format(&common, "discard=%s%s%s%s", discards ? "unmap" : "ignore",
                cache_modes[d->cache].direct ? ",cache.direct=on" : "",
                cache_modes[d->cache].no_flush ? ",cache.no-flush=on" : "", d->read_only ? ",read-only=on" : "");
        r = r < 0 ? r
                  : argv_add(a, "-blockdev", "driver=%s,node-name=%s-%s,filename=%s,aio=%s,%s",
                            guest_disk_is_node(d) ? "host_device" : "file", file, d->name, path, aio_of(d, facts),
                            common);
        return r < 0 ? r
                     : argv_add(a, "-blockdev", "driver=%s,node-name=%s-%s,file=%s-%s,%s%s",
                               d->format == DISK_QCOW2 ? "qcow2" : "raw", drive_of(d), d->name, file, d->name, common,
                               discards ? ",detect-zeroes=unmap" : "");
}

/* Each virtio disk has a thread of its own, so that a busy one delays no other, nor the guest's CPUs; threads of idle
 * disks cost nothing. The SCSI controller has one for all disks behind it. */
static int add_thread(Argv *a, const char *name) {
        return argv_add(a, "-object", "iothread,id=io-%s", name);
}

static int add_virtio(Argv *a, const GuestDisk *d, const char *common, unsigned port _unused_) {
        int r = add_thread(a, d->name);

        return r < 0 ? r : argv_add(a, "-device", "virtio-blk-pci,iothread=io-%s,%s", d->name, common);
}

static int add_scsi(Argv *a, const GuestDisk *d _unused_, const char *common, unsigned port) {
        int r = 0;

        if (port == 0) {
                r = argv_add(a, "-object", "iothread,id=scsi-io");
                r = r < 0 ? r : argv_add(a, "-device", "virtio-scsi-pci,id=scsi,iothread=scsi-io");
        }
        return r < 0 ? r : argv_add(a, "-device", "scsi-hd,bus=scsi.0,rotation_rate=1,%s", common);
}

/* The machine has one controller; each of those that follow is announced by its first port. */
static int add_sata(Argv *a, const GuestDisk *d, const char *common, unsigned port) {
        unsigned controller = port / SATA_PORTS;
        char bus[24] = "ide";
        int r = 0;

        if (controller > 0)
                (void) snprintf(bus, sizeof bus, "sata%u", controller);
        if (controller > 0 && port % SATA_PORTS == 0)
                r = argv_add(a, "-device", "ich9-ahci,id=%s", bus);
        return r < 0 ? r
                     : argv_add(a, "-device", "%s,bus=%s.%u,%s", d->cdrom ? "ide-cd" : "ide-hd,rotation_rate=1", bus,
                               port % SATA_PORTS, common);
}

static int add_nvme(Argv *a, const GuestDisk *d _unused_, const char *common, unsigned port _unused_) {
        return argv_add(a, "-device", "nvme,%s", common);
}

static int (*const buses[])(Argv *a, const GuestDisk *d, const char *common, unsigned port) = {
        [DISK_VIRTIO] = add_virtio,
        [DISK_SCSI] = add_scsi,
        [DISK_SATA] = add_sata,
        [DISK_NVME] = add_nvme,
};

/* The device's options that are the same on each bus. */
static int describe_device(const Guest *g, const GuestDisk *d, char **ret) {
        int r;

        r = list_append(ret, ",", "id=%s-%s", drive_of(d), d->name);
        if (r >= 0 && d->path)
                r = list_append(ret, ",", "drive=%s-%s", drive_of(d), d->name);
        r = r < 0 ? r : list_append(ret, ",", "bootindex=%u", guest_disk_boot_place(g, d));
        r = r < 0 ? r : list_append(ret, ",", "serial=%.*s", DISK_SERIAL_MAX, d->serial ? d->serial : d->name);
        if (r >= 0 && cache_modes[d->cache].write_through)
                r = list_append(ret, ",", "write-cache=off");
        return r;
}

int qemu_add_disks(Argv *a, const Guest *g, const QemuFacts *facts) {
        unsigned ports[ELEMENTSOF(buses)] = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++) {
                _cleanup_(freep) char *common = NULL;
                const GuestDisk *d = &g->disks[i];

                r = describe_device(g, d, &common);
                if (r >= 0 && d->path)
                        r = add_nodes(a, d, facts);
                r = r < 0 ? r : buses[d->bus](a, d, common, ports[d->bus]++);
        }
        return r;
}

/* Each has a server of its own behind a socket, vxm-share@GUEST:NAME; the guest's memory is shared with it. */
int qemu_add_shares(Argv *a, const Guest *g, const QemuFacts *facts _unused_) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_shares; i++) {
                const GuestShare *s = &g->shares[i];

                r = argv_add(a, "-chardev", "socket,id=share-%s,path=/run/vxm/shares/%s:%s", s->name, g->name, s->name);
                r = r < 0 ? r
                          : argv_add(a, "-device", "vhost-user-fs-pci,id=share-%s,chardev=share-%s,tag=%s", s->name,
                                    s->name, s->tag);
        }
        return r;
}
