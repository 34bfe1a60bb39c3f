/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges whether QEMU can make a snapshot of a guest, and collects those there are. What is asked is the QEMU that runs, not the
 * guest file, which may have been edited since. */

#include <ctype.h>

#include "life-images.h"
#include "life-session.h"

/* Devices that QEMU cannot save, by their types (qom-list). For the rest it has query-migrate. */
static const struct {
        const char *type, *text;
} obstacles[] = {
        { "child<vfio-pci>", "it has a PCI device of the host, whose state cannot be saved" },
        { "child<vhost-user-fs-pci>", "it has a share ([Share]), whose server's state cannot be saved" },
        { "child<usb-host>", "it has a USB device of the host ([USB]), whose state cannot be saved; unplug it first" },
        { "child<nvme>", "it has a disk with Bus=nvme, whose state QEMU cannot save" },
};

void life_images_done(LifeImages *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->nodes[i]);
        for (size_t i = 0; i < l->n_snapshots; i++)
                free(l->snapshots[i].tag);
        free(l->nodes);
        free(l->snapshots);
        free(l->obstacle);
        *l = (LifeImages){};
}

bool life_tag_is_valid(const char *tag) {
        size_t n = strspn(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

        return isalpha((unsigned char) tag[0]) && tag[n] == '\0' && n <= LIFE_TAG_MAX;
}

static LifeSnapshot *find(const LifeImages *l, const char *tag) {
        for (size_t i = 0; i < l->n_snapshots; i++)
                if (streq(l->snapshots[i].tag, tag))
                        return &l->snapshots[i];
        return NULL;
}

const LifeSnapshot *life_images_find(const LifeImages *l, const char *tag) {
        return find(l, tag);
}

static int64_t number_at(const json_t *object, const char *key) {
        json_int_t number = json_integer_value(json_object_get(object, key));

        return number > 0 ? (int64_t) number : 0;
}

static int add_snapshot(LifeImages *l, const json_t *snapshot) {
        const char *tag = json_get_string(snapshot, "name");
        LifeSnapshot *known;

        if (isempty(tag))
                return 0; /* not made by name, so not to be used by name */
        known = find(l, tag);
        if (!known) {
                if (l->n_snapshots >= LIFE_SNAPSHOTS_MAX)
                        return -EPROTO;
                known = ARRAY_GROW(l->snapshots, l->n_snapshots);
                if (!known || !(known->tag = strdup(tag)))
                        return -ENOMEM;
                l->n_snapshots++;
                known->date = number_at(snapshot, "date-sec");
        }
        known->n_disks++;
        if (known->state_size == 0)
                known->state_size = (uint64_t) number_at(snapshot, "vm-state-size");
        return 0;
}

static int obstruct(LifeImages *l, const char *text) {
        return l->obstacle ? 0 : free_and_strdup(&l->obstacle, text);
}

/* What the guest cannot write to needs no snapshot: CD-ROMs, disks with ReadOnly=yes. */
static int add_node(LifeImages *l, const json_t *node) {
        const char *name = json_get_string(node, "node-name"), *driver = json_get_string(node, "drv");
        const char *disk = name ? startswith(name, "disk-") : NULL;
        _cleanup_(freep) char *why = NULL, *shown = NULL;
        const json_t *snapshot, *list;
        char **slot;
        size_t i;
        int r = 0;

        if (!disk || !driver || json_is_true(json_object_get(node, "ro")))
                return 0;
        if (!streq(driver, "qcow2")) {
                shown = life_clean(disk);
                r = shown ? format(&why, "its disk %s is no qcow2 image, and only these can hold snapshots", shown) : -ENOMEM;
                return r < 0 ? r : obstruct(l, why);
        }
        if (l->n >= LIFE_DISKS_MAX)
                return -EPROTO;
        slot = ARRAY_GROW(l->nodes, l->n);
        if (!slot || !(*slot = strdup(name)))
                return -ENOMEM;
        l->n++;
        list = json_object_get(json_object_get(node, "image"), "snapshots");
        json_array_foreach(list, i, snapshot)
                if ((r = add_snapshot(l, snapshot)) < 0)
                        return r;
        return 0;
}

static int judge_devices(LifeImages *l, const json_t *devices) {
        const json_t *device;
        size_t i;
        int r = 0;

        json_array_foreach(devices, i, device) {
                const char *type = json_get_string(device, "type");

                for (size_t o = 0; type && r >= 0 && o < ELEMENTSOF(obstacles); o++)
                        if (streq(type, obstacles[o].type))
                                r = obstruct(l, obstacles[o].text);
        }
        return r;
}

/* What QEMU itself has against saving the guest, a sentence each. */
static int judge_migration(LifeImages *l, const json_t *migrate) {
        const char *reason = json_string_value(json_array_get(json_object_get(migrate, "blocked-reasons"), 0));
        _cleanup_(freep) char *shown = NULL, *why = NULL;
        int r;

        if (!reason)
                return 0;
        shown = life_clean(reason);
        r = shown ? format(&why, "QEMU says: %s", shown) : -ENOMEM;
        return r < 0 ? r : obstruct(l, why);
}

int life_images_read(const json_t *blocks, const json_t *const peripherals[2], const json_t *migrate, LifeImages *ret) {
        _cleanup_(life_images_done) LifeImages l = {};
        const json_t *node;
        size_t i;
        int r = 0;

        if (!json_is_array(blocks) || !json_is_object(migrate))
                return -EPROTO;
        for (size_t p = 0; p < 2 && r >= 0; p++)
                r = judge_devices(&l, peripherals[p]);
        if (r < 0)
                return r;
        json_array_foreach(blocks, i, node)
                if ((r = add_node(&l, node)) < 0)
                        return r;
        if (l.n == 0)
                r = obstruct(&l, "it has no qcow2 image that it can write to, and only these can hold snapshots");
        r = r < 0 ? r : judge_migration(&l, migrate);
        if (r < 0)
                return r;
        *ret = l;
        l = (LifeImages){};
        return 0;
}
