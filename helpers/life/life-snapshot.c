/* SPDX-License-Identifier: BSD-3-Clause */
/* Snapshots of a running guest: memory, devices, UEFI variables, and all of its disks together, in its qcow2 images. QEMU does
 * them as jobs (snapshot-save, -load and -delete in qapi/migration.json, since 6.0); that one has come to its end is an event.
 *
 * The file of the UEFI variables is raw and holds no snapshot. It needs none: QEMU has all of it in the guest's memory, which is
 * saved, and writes it out as a whole once that has been loaded (postload_update_cb() in hw/block/pflash_cfi01.c). */

#include <inttypes.h>
#include <time.h>

#include "exit-status.h"
#include "life-images.h"
#include "life.h"
#include "log.h"

#define JOB "vxm-snapshot"
#define JOB_TIMEOUT (UINT64_C(30 * 60) * 1000000) /* a large memory on a slow disk */

static void note_job(const char *name, const json_t *data, void *userdata) {
        const char *id = json_get_string(data, "id"), *status = json_get_string(data, "status");
        bool *concluded = userdata;

        if (streq(name, "JOB_STATUS_CHANGE") && id && status && streq(id, JOB) && streq(status, "concluded"))
                *concluded = true;
}

static bool is_concluded(void *userdata) {
        return *(bool *) userdata;
}

/* The job's entry in the list of all, or NULL; borrowed from *ret_list. */
static int find_job(LifeSession *s, json_t **ret_list, const json_t **ret) {
        const json_t *job;
        size_t i;
        int r = life_call(s, "Cannot see QEMU's jobs", "query-jobs", NULL, ret_list);

        *ret = NULL;
        json_array_foreach(*ret_list, i, job)
                if (streq_ptr(json_get_string(job, "id"), JOB))
                        *ret = job;
        return r;
}

static int dismiss(LifeSession *s) {
        return life_call(s, "Cannot clear QEMU's job away", "job-dismiss", json_pack("{s:s}", "id", JOB), NULL);
}

/* A caller that went away in the middle has left its job: done by now, or still under way. */
static int clear_jobs(LifeSession *s) {
        _cleanup_(json_decrefp) json_t *list = NULL;
        const json_t *job;
        int r = find_job(s, &list, &job);

        if (r < 0 || !job)
                return r;
        if (!streq_ptr(json_get_string(job, "status"), "concluded"))
                return log_error_errno(E_BUSY, "Guest %s is busy with another snapshot; try again when that is done.", life_guest(s));
        return dismiss(s);
}

/* How the job has ended: its error, or none. */
static int judge_job(LifeSession *s, const char *what) {
        _cleanup_(json_decrefp) json_t *list = NULL;
        _cleanup_(freep) char *why = NULL;
        const json_t *job;
        const char *error;
        int r = find_job(s, &list, &job), q;

        if (r < 0)
                return r;
        error = json_get_string(job, "error");
        why = error ? life_clean(error) : NULL;
        q = job ? dismiss(s) : 0;
        return error ? log_error_errno(ECANCELED, "%s: QEMU says: %s.", what, why ? why : "nothing") : q;
}

static json_t *node_list(const LifeImages *l) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < l->n; i++)
                (void) json_array_append_new(list, json_string(l->nodes[i]));
        return list;
}

/* The guest's memory goes into the first disk's image. Deleting takes no such word. */
static int run_job(LifeSession *s, const LifeImages *l, const char *what, const char *command, const char *tag, bool state) {
        json_t *arguments = json_pack("{s:s, s:s, s:o}", "job-id", JOB, "tag", tag, "devices", node_list(l));
        bool concluded = false;
        int r;

        if (arguments && state)
                (void) json_object_set_new(arguments, "vmstate", json_string(l->nodes[0]));
        life_listen(s, note_job, &concluded);
        r = arguments ? life_call(s, what, command, arguments, NULL) : log_oom();
        if (r >= 0) {
                r = life_wait(s, JOB_TIMEOUT, is_concluded, &concluded);
                if (r < 0)
                        log_error_errno(r, "%s: QEMU has ended; see systemctl status vxm-guest@%s.", what, life_guest(s));
                else if (r == 0)
                        r = log_error_errno(E_BUSY, "%s: QEMU is still at it after 30 min; it goes on with that.", what);
        }
        life_listen(s, NULL, NULL);
        return r < 0 ? r : judge_job(s, what);
}

/* Asks QEMU for all that judging takes. */
static int read_images(LifeSession *s, LifeImages *ret) {
        _cleanup_(json_decrefp) json_t *blocks = NULL, *named = NULL, *unnamed = NULL, *migrate = NULL;
        const char *what = "Cannot see what the guest has";
        int r;

        r = life_call(s, what, "query-named-block-nodes", json_pack("{s:b}", "flat", 1), &blocks);
        r = r < 0 ? r : life_call(s, what, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral"), &named);
        r = r < 0 ? r : life_call(s, what, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral-anon"), &unnamed);
        r = r < 0 ? r : life_call(s, what, "query-migrate", NULL, &migrate);
        if (r < 0)
                return r;
        r = life_images_read(blocks, (const json_t *[]){ named, unnamed }, migrate, ret);
        return r < 0 ? log_error_errno(r, "Cannot make out what QEMU says of guest %s: %s.", life_guest(s), strerror(-r)) : 0;
}

static int check_tag(const char *tag) {
        return life_tag_is_valid(tag) ? 0
                                      : log_error_errno(EINVAL, "“%s” is no name for a snapshot; use a letter, then letters, digits, “.”, “_” "
                                                                "and “-”, at most %d characters.", tag, LIFE_TAG_MAX);
}

/* All that can be known before something is done. wanted: it has to be there, on every disk. */
static int prepare(LifeSession *s, const char *tag, bool wanted, LifeImages *ret) {
        const LifeSnapshot *found;
        int r = check_tag(tag);

        r = r < 0 ? r : read_images(s, ret);
        if (r < 0)
                return r;
        found = life_images_find(ret, tag);
        if (wanted && !found)
                return log_error_errno(ENOENT, "Guest %s has no snapshot “%s”; vxm snapshot %s list shows what there is.", life_guest(s),
                        tag, life_guest(s));
        if (!wanted && found)
                return log_error_errno(EEXIST, "Guest %s has a snapshot “%s” already; take another name, or delete it with vxm-qemu "
                        "--snapshot-delete %s %s.", life_guest(s), tag, tag, life_guest(s));
        return 0;
}

static int refuse_obstacle(LifeSession *s, const LifeImages *l) {
        return !l->obstacle ? 0
                            : log_error_errno(E_LACKS,
                                      "There can be no snapshot of guest %s while it runs: %s. What works: vxm pause %s, or to shut it "
                                      "down and run qemu-img snapshot -c TAG IMAGE for each of its qcow2 images.",
                                      life_guest(s), l->obstacle, life_guest(s));
}

int life_snapshot_save(LifeSession *s, const char *tag) {
        _cleanup_(life_images_done) LifeImages images = {};
        uint64_t begin = now_usec();
        int r = prepare(s, tag, false, &images);

        r = r < 0 ? r : refuse_obstacle(s, &images);
        r = r < 0 ? r : clear_jobs(s);
        r = r < 0 ? r : run_job(s, &images, "Cannot save the snapshot", "snapshot-save", tag, true);
        if (r >= 0)
                printf("Guest %s is saved as “%s”; it stood still for %.1f s.\n", life_guest(s), tag,
                        (double) (now_usec() - begin) / 1e6);
        return r;
}

int life_snapshot_load(LifeSession *s, const char *tag) {
        _cleanup_(life_images_done) LifeImages images = {};
        const LifeSnapshot *snapshot;
        const GuestState *state;
        int r = prepare(s, tag, true, &images);

        r = r < 0 ? r : refuse_obstacle(s, &images);
        if (r < 0)
                return r;
        snapshot = life_images_find(&images, tag);
        if (snapshot->state_size == 0 || snapshot->n_disks != images.n)
                return log_error_errno(ENOENT,
                        "Snapshot “%s” is not one of guest %s as a whole: %s. Shut the guest down and use qemu-img snapshot -a.", tag,
                        life_guest(s), snapshot->state_size == 0 ? "the guest's memory is not in it" : "not all of its disks have it");
        r = clear_jobs(s);
        r = r < 0 ? r : run_job(s, &images, "Cannot load the snapshot", "snapshot-load", tag, true);
        if (r < 0) {
                log_warning("If guest %s does not run as before, its disks are as saved, but its memory is not: start it anew with "
                            "vxm reset-hard %s.", life_guest(s), life_guest(s));
                return r;
        }
        r = life_ask_state(s, &state);
        if (r >= 0)
                printf("Guest %s is back at “%s”; it is %s.\n", life_guest(s), tag, state->text);
        return r;
}

int life_snapshot_delete(LifeSession *s, const char *tag) {
        _cleanup_(life_images_done) LifeImages images = {};
        int r = prepare(s, tag, true, &images);

        r = r < 0 ? r : clear_jobs(s);
        r = r < 0 ? r : run_job(s, &images, "Cannot delete the snapshot", "snapshot-delete", tag, false);
        if (r >= 0)
                printf("Snapshot “%s” of guest %s is deleted.\n", tag, life_guest(s));
        return r;
}

/* ---- the list ---- */

/* ASCII alone: names are QEMU's, and control characters of theirs would reach the terminal. */
static int print_json(const LifeImages *l) {
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:[], s:s?}", "snapshots", "obstacle", l->obstacle);
        json_t *list = json_object_get(top, "snapshots");

        for (size_t i = 0; i < l->n_snapshots; i++) {
                const LifeSnapshot *n = &l->snapshots[i];

                (void) json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:b}", "tag", n->tag, "date", (json_int_t) n->date, "size",
                        (json_int_t) n->state_size, "whole", n->n_disks == l->n && n->state_size > 0));
        }
        return !top || json_dumpf(top, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static void print_row(const LifeImages *l, const LifeSnapshot *n) {
        _cleanup_(freep) char *tag = life_clean(n->tag);
        char date[32] = "-", size[32] = "-";
        time_t when = (time_t) n->date;
        struct tm tm;

        if (localtime_r(&when, &tm))
                (void) strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
        if (n->state_size > 0)
                (void) snprintf(size, sizeof size, "%" PRIu64 "M", (n->state_size + (1 << 20) - 1) >> 20);
        printf("%-32.32s  %-19s  %8s  %zu of %zu\n", tag ? tag : "?", date, size, n->n_disks, l->n);
}

int life_snapshots(LifeSession *s, bool json) {
        _cleanup_(life_images_done) LifeImages images = {};
        int r = read_images(s, &images);

        if (r < 0)
                return r;
        if (json)
                return print_json(&images);
        if (images.n_snapshots == 0)
                printf("Guest %s has no snapshots.\n", life_guest(s));
        else
                printf("%-32s  %-19s  %8s  %s\n", "TAG", "SAVED", "MEMORY", "DISKS");
        for (size_t i = 0; i < images.n_snapshots; i++)
                print_row(&images, &images.snapshots[i]);
        if (images.obstacle)
                printf("%sThere can be none of it while it runs: %s.\n", images.n_snapshots > 0 ? "\n" : "", images.obstacle);
        return ferror(stdout) ? -EIO : 0;
}
