/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record of vxm-disks: a node a line, “8:16 0 /dev/sdb devices/pci0000:00/…/block/sdb”.
 * “0:1000” in place of “0”: it was root's, and is given to another user than the guest's own. */

#include <sys/sysmacros.h>

#include "disks-record.h"
#include "parse.h"
#include "record-file.h"

#define RECORD_KIND "disks"

enum {
        NODES_MAX = 256, /* what a guest file can name, and what earlier runs have left */
        WORD_MAX = 1024,
};

/* A word of a line: what udev makes of names has no white space. */
static bool is_word(const char *s) {
        return !isempty(s) && strlen(s) <= WORD_MAX && !s[strcspn(s, " \t\r\n")];
}

int disk_nodes_add(DiskNodes *l, const DiskNode *node) {
        DiskNode *slot;

        if (!is_word(node->device) || !is_word(node->node) || !startswith(node->node, "/dev/") ||
                !path_is_clean(node->node))
                return -EINVAL;
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].number == node->number && streq(l->items[i].node, node->node))
                        return l->items[i].given = node->given, 0;
        if (l->n >= NODES_MAX)
                return -E2BIG;
        slot = ARRAY_GROW(l->items, l->n);
        if (!slot)
                return -ENOMEM;
        l->n++;
        slot->number = node->number;
        slot->uid = node->uid;
        slot->given = node->given;
        slot->device = strdup(node->device);
        slot->node = strdup(node->node);
        return slot->device && slot->node ? 0 : -ENOMEM;
}

void disk_nodes_done(DiskNodes *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].device);
                free(l->items[i].node);
        }
        free(l->items);
        *l = (DiskNodes){};
}

static int parse_line(char *line, DiskNodes *l) {
        char *major_text = strsep(&line, ":"), *minor_text = strsep(&line, " "), *uids = strsep(&line, " "),
             *node = strsep(&line, " "), *uid_text = strsep(&uids, ":");
        uint64_t major_number, minor_number, uid, given = 0;
        int r;

        if (!minor_text || !uid_text || !node || !line)
                return -EBADMSG;
        /* As wide as the kernel has them (MINORBITS). -1 is no owner. */
        if (parse_number(major_text, 0, 0xfff, &major_number) < 0 ||
                parse_number(minor_text, 0, 0xfffff, &minor_number) < 0 ||
                parse_number(uid_text, 0, UINT32_MAX - 1, &uid) < 0 ||
                (uids && parse_number(uids, 1, UINT32_MAX - 1, &given) < 0))
                return -EBADMSG;
        r = disk_nodes_add(
                l, &(DiskNode){ makedev((unsigned) major_number, (unsigned) minor_number), (uid_t) uid, line, node, (uid_t) given });
        return r == -EINVAL || r == -E2BIG ? -EBADMSG : r;
}

int disks_record_parse(char *text, DiskNodes *ret) {
        _cleanup_(disk_nodes_done) DiskNodes record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = parse_line(line, &record);

                if (r < 0)
                        return r;
        }
        *ret = record;
        record = (DiskNodes){};
        return 0;
}

static int record_print(FILE *f, const void *userdata) {
        const DiskNodes *record = userdata;

        for (size_t i = 0; i < record->n; i++) {
                const DiskNode *n = &record->items[i];

                fprintf(f, "%u:%u %u", major(n->number), minor(n->number), n->uid);
                if (n->given != 0)
                        fprintf(f, ":%u", n->given);
                fprintf(f, " %s %s\n", n->node, n->device);
        }
        return 0;
}

int disks_record_save(int root, const char *guest, const DiskNodes *record) {
        return record_file_save(root, RECORD_KIND, guest, record_print, record);
}

int disks_record_load(int root, const char *guest, DiskNodes *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : disks_record_parse(text, ret);
}

int disks_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}

static bool is_part_of(const char *part, const char *whole) {
        const char *rest = startswith(part, whole);

        return rest && (*rest == '\0' || *rest == '/');
}

static int record_has(int root, const char *guest, const void *userdata) {
        _cleanup_(disk_nodes_done) DiskNodes record = {};
        const char *device = userdata;
        int r = disks_record_load(root, guest, &record);

        for (size_t i = 0; r == 0 && i < record.n; i++)
                if (is_part_of(record.items[i].device, device) || is_part_of(device, record.items[i].device))
                        r = 1;
        return r;
}

int disks_record_holder(int root, const char *guest, const char *device, char **ret_holder) {
        return record_file_holder(root, RECORD_KIND, guest, record_has, device, ret_holder);
}
