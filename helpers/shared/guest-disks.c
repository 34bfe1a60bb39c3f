/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks and shares of the guest model. */

#include "exit-status.h"
#include "conf.h"
#include "guest-disks.h"
#include "log.h"

enum {
        /* Of the root bus, which has 32: the first is the host bridge's, the last the ICH9's. */
        SLOTS_MAX = 30,
        SLOTS_FIXED = 2, /* virtio-serial and virtio-rng */
        SATA_PORTS = 6,  /* of each controller; the first is the ICH9's own */
        FUNCTIONS_MAX = 8,
};

static bool ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}

static int complete_disk(const Guest *g, GuestDisk *d) {
        if (d->format == DISK_FORMAT_UNSET)
                d->format = !d->path || ends_with(d->path, ".qcow2") ? DISK_QCOW2 : DISK_RAW;
        if (d->path || d->size == 0)
                return 0;
        return format(
                &d->path, "/var/lib/vxm/guests/%s/%s.%s", g->name, d->name, d->format == DISK_QCOW2 ? "qcow2" : "raw");
}

int guest_disks_complete(Guest *g) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                r = complete_disk(g, &g->disks[i]);
        for (size_t i = 0; r >= 0 && i < g->n_shares; i++)
                if (!g->shares[i].tag)
                        r = free_and_strdup(&g->shares[i].tag, g->shares[i].name);
        return r;
}

const char *guest_disk_section(const GuestDisk *d) {
        return d->cdrom ? "CDROM" : "Disk";
}

bool guest_disk_is_node(const GuestDisk *d) {
        return d->path && startswith(d->path, "/dev/") && !startswith(d->path, "/dev/shm/");
}

bool guest_disk_is_own(const Guest *g, const GuestDisk *d) {
        const char *rest = d->path ? startswith(d->path, "/var/lib/vxm/guests/") : NULL;

        rest = rest ? startswith(rest, g->name) : NULL;
        return rest && rest[0] == '/' && !strchr(rest + 1, '/');
}

bool guest_disk_needs_root(const Guest *g, const GuestDisk *d) {
        return guest_disk_is_node(d) || (d->size > 0 && !guest_disk_is_own(g, d));
}

bool guest_disks_need_root(const Guest *g) {
        for (size_t i = 0; i < g->n_disks; i++)
                if (guest_disk_needs_root(g, &g->disks[i]))
                        return true;
        return false;
}

unsigned guest_disk_boot_place(const Guest *g, const GuestDisk *d) {
        unsigned place = 1;

        for (const GuestDisk *other = g->disks; other < g->disks + g->n_disks; other++) {
                uint64_t theirs = other->boot_index - 1, ours = d->boot_index - 1; /* none: the largest there is */

                if (theirs < ours || (theirs == ours && other < d))
                        place++;
        }
        return place;
}

/* The units that open and judge files have a /tmp of their own (PrivateTmp=yes), and systemd-tmpfiles cleans the host's. */
static int verify_place(const Guest *g, const char *section, const char *name, const char *path) {
        const char *rest = !path ? NULL : startswith(path, "/var") ? path + STRLEN("/var") : path;

        rest = rest ? startswith(rest, "/tmp") : NULL;
        if (!rest || (*rest != '/' && *rest != '\0'))
                return 0;
        return conf_log(LOG_ERR, g->file, 0,
                "[%s %s] Path=%s is in a directory for temporary files, which no guest sees; move it, to /srv or "
                "/var/lib/vxm/images say.",
                section, name, path);
}

static int verify_disk(const Guest *g, const GuestDisk *d) {
        if (!d->path && !d->cdrom)
                return conf_log(LOG_ERR, g->file, 0, "[Disk %s] has no Path=; add one, or Size= to have an image made.",
                        d->name);
        if (verify_place(g, guest_disk_section(d), d->name, d->path) < 0)
                return -E_CONFIG;
        if (d->size > 0 && guest_disk_is_node(d))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Disk %s] Size= is set, but Path=%s is no image that could be made; remove Size=.", d->name,
                        d->path);
        if (d->size > 0 && d->read_only)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Disk %s] Size= and ReadOnly=yes are set: nothing could be written to the new image; remove "
                        "one.",
                        d->name);
        if (d->bus == DISK_SATA && d->read_only && !d->cdrom)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Disk %s] ReadOnly=yes and Bus=sata are set, and no SATA disk is read-only; use Bus=scsi.", d->name);
        return 0;
}

static int verify_pair(const Guest *g, const GuestDisk *a, const GuestDisk *b) {
        if (streq_ptr(a->path, b->path) && a->path && !(a->read_only && b->read_only))
                return conf_log(LOG_ERR, g->file, 0, "[%s %s] and [%s %s] have the same Path=%s; give each its own.",
                        guest_disk_section(a), a->name, guest_disk_section(b), b->name, a->path);
        if (a->boot_index > 0 && a->boot_index == b->boot_index)
                return conf_log(LOG_ERR, g->file, 0,
                        "[%s %s] and [%s %s] have the same BootIndex=%u; give each its own.", guest_disk_section(a),
                        a->name, guest_disk_section(b), b->name, (unsigned) a->boot_index);
        return 0;
}

static int verify_share(const Guest *g, const GuestShare *s) {
        if (!s->path)
                return conf_log(LOG_ERR, g->file, 0, "[Share %s] has no Path=; add one.", s->name);
        if (verify_place(g, "Share", s->name, s->path) < 0)
                return -E_CONFIG;
        for (const GuestShare *other = g->shares; other < s; other++)
                if (streq(other->tag, s->tag))
                        return conf_log(LOG_ERR, g->file, 0,
                                "[Share %s] and [Share %s] have the same Tag=%s; give each its own.", other->name,
                                s->name, s->tag);
        return 0;
}

/* Devices of one card of the host share a port; how many there will be at least can be told without a look at the machine. */
static size_t count_ports(const Guest *g) {
        size_t cards = 0, functions = 0;

        for (size_t i = 0; i < g->n_devices; i++)
                *(g->devices[i].gpu ? &cards : &functions) += g->devices[i].n_specs;
        return cards + (functions + FUNCTIONS_MAX - 1) / FUNCTIONS_MAX;
}

static size_t count_controllers(const Guest *g) {
        size_t scsi = 0, sata = 0;

        for (size_t i = 0; i < g->n_disks; i++) {
                scsi += g->disks[i].bus == DISK_SCSI;
                sata += g->disks[i].bus == DISK_SATA;
        }
        return (scsi > 0) + (sata > 0 ? (sata - 1) / SATA_PORTS : 0);
}

/* What is on the root bus, see qemu_add_disks() and what else adds a device. */
static int verify_slots(const Guest *g) {
        size_t disks = 0, networks = 0, others = SLOTS_FIXED + count_ports(g) + count_controllers(g), sum;

        for (size_t i = 0; i < g->n_disks; i++)
                disks += g->disks[i].bus == DISK_VIRTIO || g->disks[i].bus == DISK_NVME;
        for (size_t i = 0; i < g->n_networks; i++)
                networks += g->networks[i].type != NETWORK_NONE;
        /* With the tablet's USB controller, or keyboard and mouse; frames; sound; and that of the host's USB devices. */
        others += g->balloon + (guest_has_display(g) ? (g->looking_glass > 0) + 1 + (g->display_model != DISPLAY_NONE) : 0) +
                (g->looking_glass > 0) + (g->audio.backend != AUDIO_NONE) + guest_has_usb(g);
        /* What tells of a panic, and the watchdog. */
        others += (g->os == GUEST_OS_LINUX) + (g->watchdog != GUEST_POLICY_NONE);
        sum = disks + networks + g->n_shares + others;
        if (sum <= SLOTS_MAX)
                return 0;
        return conf_log(LOG_ERR, g->file, 0,
                "The guest needs %zu PCI slots, and there are %d: %zu disks with Bus=virtio or nvme, %zu shares, %zu "
                "networks, %zu of all else; give disks Bus=scsi.",
                sum, SLOTS_MAX, disks, g->n_shares, networks, others);
}

int guest_disks_verify(const Guest *g) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++) {
                r = verify_disk(g, &g->disks[i]);
                for (size_t j = 0; r >= 0 && j < i; j++)
                        r = verify_pair(g, &g->disks[j], &g->disks[i]);
        }
        for (size_t i = 0; r >= 0 && i < g->n_shares; i++)
                r = verify_share(g, &g->shares[i]);
        return r < 0 ? r : verify_slots(g);
}
