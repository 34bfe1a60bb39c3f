/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-disks: gives a guest's user the block devices that are its disks, and takes them back; makes images where that
 * user could not.
 *
 * Started by vxm-disks@.service, one instance a guest, for guests that have such disks: once to give (ExecStart=), once
 * to take back (ExecStopPost=, with --release, idempotent). Changes owners of nodes in /dev, makes files that are not
 * there yet, and writes its record in /run/vxm/disks, nothing else. An image that it has made stays: it is the guest's.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "cli.h"
#include "disk-check.h"
#include "disk-image.h"
#include "exit-status.h"
#include "guest-disks.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "qemu-facts.h"
#include "root.h"

/* A disk that is to be given, and its node. */
typedef struct Given {
        const GuestDisk *disk;
        DiskNode node;
        int fd;
} Given;

typedef struct Plan {
        Given *nodes;
        size_t n;
} Plan;

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_dry_run;

static void plan_done(Plan *plan) {
        for (size_t i = 0; i < plan->n; i++) {
                disk_node_done(&plan->nodes[i].node);
                closep(&plan->nodes[i].fd);
        }
        free(plan->nodes);
}

/* Who has a node that a record says to be given: the user that was noted with it, or the guest's own. */
static int find_holder(const DiskNode *node, uid_t *ret) {
        _cleanup_(freep) char *own = NULL;
        int r;

        if (node->given != 0)
                return *ret = node->given, 0;
        r = format(&own, "vxm-%s", arg_guest);
        return r < 0 ? r : guest_user_find(own, ret, NULL);
}

static int plan_node(int root, const Guest *g, const GuestDisk *d, Plan *plan) {
        Given *slot = ARRAY_GROW(plan->nodes, plan->n);
        int r;

        if (!slot)
                return log_oom();
        slot->fd = -EBADF;
        slot->disk = d;
        plan->n++;
        r = disk_node_find(root, d, &slot->node, &slot->fd);
        if (r < 0)
                return log_error_errno(r, "Cannot find %s: %s.", d->path, strerror(-r));
        r = disk_node_judge(root, g, d, &slot->node);
        return r < 0 || arg_dry_run ? r : disk_node_claim(g, d, slot->fd);
}

static int make_plan(int root, const Guest *g, Plan *plan) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                if (guest_disk_is_node(&g->disks[i]))
                        r = plan_node(root, g, &g->disks[i], plan);
        return r;
}

static void print_plan(int root, const Guest *g, const Plan *plan) {
        for (size_t i = 0; i < plan->n; i++)
                printf("chown   %s to %s\n", plan->nodes[i].node.node, g->user);
        for (size_t i = 0; i < g->n_disks; i++) {
                const GuestDisk *d = &g->disks[i];

                if (!guest_disk_is_node(d) && guest_disk_needs_root(g, d) && !root_exists(root, d->path + 1))
                        printf("make    %s\n", d->path);
        }
}

/* What an earlier run has noted and not given back goes on, as it was then. */
static int save_record(int root, const Guest *g, const Plan *plan, uid_t uid) {
        _cleanup_(disk_nodes_done) DiskNodes record = {};
        int r;

        r = disks_record_load(root, arg_guest, &record);
        r = r == -ENOENT ? 0 : r;
        for (size_t i = 0; r >= 0 && i < plan->n; i++) {
                DiskNode node = plan->nodes[i].node;

                node.given = guest_has_named_user(g) ? uid : 0;
                r = disk_nodes_add(&record, &node);
        }
        if (r >= 0 && record.n > 0)
                r = disks_record_save(root, arg_guest, &record);
        return r < 0 ? log_error_errno(r, "Cannot renew the undo record /run/vxm/disks/%s: %s; no disk has been given.",
                               arg_guest, strerror(-r))
                     : 0;
}

static int give_nodes(const Plan *plan, uid_t uid) {
        for (size_t i = 0; i < plan->n; i++) {
                const Given *given = &plan->nodes[i];

                /* The group stays, as udev would set it again whenever somebody has written to the disk. */
                if (fchownat(given->fd, "", uid, (gid_t) -1, AT_EMPTY_PATH) < 0)
                        return log_error_errno(errno, "Cannot give %s to the guest's user: %m.", given->node.node);
                log_event(LOG_INFO, MESSAGE_DISK_GIVEN, FIELDS("VXM_DISK", given->disk->name),
                        "[Disk %s] %s belongs to the guest.", given->disk->name, given->node.node);
        }
        return 0;
}

static int make_images(int root, const Guest *g, uid_t uid, gid_t gid) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                if (!guest_disk_is_node(&g->disks[i]) && guest_disk_needs_root(g, &g->disks[i]))
                        r = disk_image_make(root, g, &g->disks[i], uid, gid);
        return r < 0 ? r : 0;
}

static int give(int root) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(plan_done) Plan plan = {};
        _cleanup_(closep) int lock = -EBADF;
        uid_t uid;
        gid_t gid;
        int r;

        r = guest_load(root, arg_guest, &g);
        r = r < 0 ? r : qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_WITHOUT_NETWORK, &facts);
        if (r >= 0 && !arg_dry_run) {
                r = guest_user_get(g, &uid, &gid);
                r = r < 0 ? r : one_shot_lock(root, "disks", arg_dry_run, &lock);
        }
        r = r < 0 ? r : make_plan(root, g, &plan);
        if (r < 0)
                return r;
        if (arg_dry_run)
                return print_plan(root, g, &plan), 0;

        r = save_record(root, g, &plan, uid);
        r = r < 0 ? r : give_nodes(&plan, uid);
        return r < 0 ? r : make_images(root, g, uid, gid);
}

/* A disk that has been pulled out, or is another one now, has nothing to be given back. Returns 1, 0 or -errno. */
static int take_back(int root, const DiskNode *node) {
        _cleanup_(closep) int fd = root_openat(root, node->node + 1, O_PATH | O_NOFOLLOW);
        struct stat st;
        uid_t holder;
        int r;

        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        r = find_holder(node, &holder);
        if (r < 0)
                return r;
        if (!S_ISBLK(st.st_mode) || st.st_rdev != node->number || st.st_uid != holder)
                return 0;
        return fchownat(fd, "", node->uid, (gid_t) -1, AT_EMPTY_PATH) < 0 ? -errno : 1;
}

/* All of them are tried. */
static int take_all_back(int root, const DiskNodes *record) {
        int first_error = 0;

        for (size_t i = 0; i < record->n; i++) {
                const char *node = record->items[i].node;
                int r = take_back(root, &record->items[i]);

                if (r > 0)
                        log_event(LOG_INFO, MESSAGE_DISK_RETURNED, FIELDS("VXM_DISK", node),
                                "%s is back with the host.", node);
                if (r < 0) {
                        log_error_errno(r, "Cannot take %s back from the guest's user: %s; try again: %s --release %s",
                                node, strerror(-r), program_invocation_name, arg_guest);
                        first_error = first_error < 0 ? first_error : r;
                }
        }
        return first_error;
}

static int forget_record(int root) {
        int r = disks_record_forget(root, arg_guest);

        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/disks/%s: %s.", arg_guest, strerror(-r)) : 0;
}

static int release(int root) {
        _cleanup_(disk_nodes_done) DiskNodes record = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = one_shot_lock(root, "disks", arg_dry_run, &lock);
        if (r < 0)
                return r;
        r = disks_record_load(root, arg_guest, &record);
        if (r == -ENOENT)
                return arg_dry_run ? 0 : forget_record(root);
        if (r < 0)
                return log_error_errno(r,
                        "Cannot read the undo record /run/vxm/disks/%s: %s; correct it, then try again: %s --release "
                        "%s",
                        arg_guest, strerror(-r), program_invocation_name, arg_guest);
        if (arg_dry_run) {
                for (size_t i = 0; i < record.n; i++)
                        printf("chown   %s to uid %u\n", record.items[i].node, record.items[i].uid);
                return 0;
        }

        r = take_all_back(root, &record);
        return r < 0 ? r : forget_record(root);
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "take back what an earlier run gave, by its record", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-disks", "Gives disks to a guest's user, and takes them back.", "GUEST", 1,
                options, .root_alone = "goes with --dry-run; the disks given would be those of this machine." };

        return one_shot_main(&cli, argc, argv, &(OneShot) { &arg_root, &arg_guest, &arg_release, give, release });
}
