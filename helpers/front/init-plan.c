/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans a new guest. Looks only. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "archive-library.h"
#include "caller.h"
#include "devices.h"
#include "disk-check.h"
#include "disk-image.h"
#include "exit-status.h"
#include "guest-disks.h"
#include "guest-downloads.h"
#include "guest-files.h"
#include "guest-write.h"
#include "init.h"
#include "log.h"
#include "memory-nodes.h"
#include "messages.h"
#include "parse.h"
#include "root.h"
#include "seed.h"

#define GUESTS "var/lib/vxm/guests"
#define SEED "seed" /* the name of its drive, and of its file */
#define INSTALLER "install"

void init_plan_done(InitPlan *plan) {
        for (size_t i = 0; i < plan->n_downloads; i++)
                download_done(&plan->found[i]);
        guest_free(plan->base);
        guest_free(plan->guest);
        free(plan->file);
        free(plan->directory);
        free(plan->text);
        free(plan->user);
        free(plan->key);
        *plan = (InitPlan){};
}

/* ---- the name ---- */

static int judge_name(int root, InitPlan *plan) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        const char *name = plan->wish->name;
        int r;

        if (!guest_name_is_valid(name))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                        "“%s” is no name for a guest; use a-z, 0-9 and “-”, a letter first, at most %d characters.", name, GUEST_NAME_MAX);
        if (format(&plan->file, "etc/vxm/guests/%s.guest", name) < 0 || format(&plan->directory, GUESTS "/%s", name) < 0)
                return log_oom();
        r = guest_files_find(root, GUEST_FILES, name, &f);
        if (r >= 0)
                return log_error_errno(E_CONFIG, "There is a guest “%s” already, /%s; take another name, or change it: vxm edit %s", name, f.paths[0],
                        name);
        if (r != -ENOENT)
                return log_error_errno(r, "Cannot look for guest %s: %s.", name, strerror(-r));
        if (root_exists(root, plan->directory))
                return log_error_errno(E_CONFIG,
                        "/%s is there, of an earlier guest of that name; take another name, or remove it: vxm reset %s --disks",
                        plan->directory, name);
        return 0;
}

/* ---- what is fetched ---- */

static bool has_same_target(const GuestDownload *a, const GuestDownload *b) {
        return streq_ptr(a->disk, b->disk) && streq_ptr(a->cdrom, b->cdrom);
}

static const GuestDownload *find_image(const Guest *g, const char *name) {
        for (size_t i = 0; i < g->n_downloads; i++)
                if (streq(g->downloads[i].name, name))
                        return &g->downloads[i];
        return NULL;
}

static int refuse_image(const InitPlan *plan) {
        _cleanup_(freep) char *names = NULL;

        for (size_t i = 0; i < plan->base->n_downloads; i++)
                if (list_append(&names, ", ", "%s", plan->base->downloads[i].name) < 0)
                        return log_oom();
        return log_error_errno(E_CONFIG, "--image %s: %s%s%s.", plan->wish->image, names ? "there are " : "the preset has none",
                names ? names : "", plan->wish->preset ? "" : ", and no preset is named");
}

/* Of those that are for the same disk or drive one: the one that was asked for, else the first. An installer wants an empty disk. */
static int choose_downloads(InitPlan *plan) {
        const GuestDownload *wanted = plan->wish->image ? find_image(plan->base, plan->wish->image) : NULL;

        if (plan->wish->image && !wanted)
                return refuse_image(plan);
        for (size_t i = 0; i < plan->base->n_downloads && !plan->wish->no_download; i++) {
                const GuestDownload *d = &plan->base->downloads[i];
                bool taken = wanted && wanted != d && has_same_target(wanted, d);

                for (size_t j = 0; j < plan->n_downloads; j++)
                        taken |= has_same_target(plan->downloads[j], d);
                if (!taken && !(plan->wish->iso && d->disk))
                        plan->downloads[plan->n_downloads++] = d;
        }
        return 0;
}

static bool wants_seed(const InitPlan *plan) {
        for (size_t i = 0; i < plan->n_downloads; i++)
                if (plan->downloads[i]->cloud_init)
                        return true;
        return false;
}

/* What is fetched would be of no use without it. */
static int judge_library(_unused_ int root, InitPlan *plan) {
        bool needed = wants_seed(plan);

        for (size_t i = 0; i < plan->n_downloads; i++)
                needed |= plan->downloads[i]->unpack != DOWNLOAD_AS_IS;
        return needed && !archive_library() ? -E_LACKS : 0;
}

int init_plan_source(const InitPlan *plan, const GuestDisk *d) {
        for (size_t i = 0; i < plan->n_downloads; i++)
                if (!d->cdrom && streq_ptr(plan->downloads[i]->disk, d->name))
                        return (int) i;
        return -1;
}

/* ---- who may come in ---- */

static int read_key(const char *path, char **ret) {
        _cleanup_(closep) int here = root_open("/");
        _cleanup_(freep) char *absolute = NULL, *text = NULL;
        int r;

        absolute = path[0] == '/' ? strdup(path) : realpath(path, NULL);
        if (here < 0 || !absolute)
                return here < 0 ? here : -errno;
        r = root_read(here, absolute + 1, &text);
        if (r < 0)
                return r;
        if (!seed_key_is_valid(text))
                return -EINVAL;
        *ret = TAKE_PTR(text);
        return 0;
}

static int find_key(const char *home, char **ret) {
        static const char *const usual[] = { "id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub" };

        for (size_t i = 0; home && i < ELEMENTSOF(usual); i++) {
                _cleanup_(freep) char *path = NULL;
                int r = format(&path, "%s/.ssh/%s", home, usual[i]);

                if (r < 0 || read_key(path, ret) >= 0)
                        return r;
        }
        return -ENOENT;
}

/* The caller's name, if it can be that of a user in the guest. */
static const char *caller_name(void) {
        const struct passwd *who = caller_find();

        return who && who->pw_uid != 0 && seed_user_is_valid(who->pw_name) ? who->pw_name : NULL;
}

static int find_caller_key(char **ret) {
        const struct passwd *who = caller_find();

        return find_key(who ? who->pw_dir : NULL, ret);
}

static int judge_user(_unused_ int root, InitPlan *plan) {
        const char *name = caller_name(), *user = plan->wish->user ? plan->wish->user : name ? name : INIT_USER;

        if (!wants_seed(plan))
                return 0;
        if (!seed_user_is_valid(user))
                return log_error_errno(E_CONFIG, "--user %s: expected a name of a-z, 0-9, “_” and “-”, a letter first, other than root.", user);
        return free_and_strdup(&plan->user, user) < 0 ? log_oom() : 0;
}

static int judge_key(_unused_ int root, InitPlan *plan) {
        const char *file = plan->wish->key_file;
        int r;

        if (!wants_seed(plan))
                return 0;
        r = file ? read_key(file, &plan->key) : find_caller_key(&plan->key);
        if (r >= 0)
                return 0;
        if (file)
                return log_error_errno(E_CONFIG, "--ssh-key %s: %s; name the file with your public key, such as ~/.ssh/id_ed25519.pub.", file,
                        r == -EINVAL ? "this is no public key of SSH" : strerror(-r));
        return log_error_errno(E_CONFIG,
                "You have no SSH key by which you could come into the guest; make one with ssh-keygen, or name its public part by --ssh-key.");
}

/* ---- the guest file ---- */

/* A GPU keeps all of the guest's memory in its place. An installer, and Windows, have to be seen. */
static void write_machine(const InitPlan *plan, FILE *f) {
        const InitWish *w = plan->wish;
        bool gpu = w->gpu && !streq(w->gpu, "none");

        if (w->memory || (gpu && plan->base->balloon))
                fputs("\n[Memory]\n", f);
        if (w->memory)
                fprintf(f, "Size=%s\n", w->memory);
        if (gpu && plan->base->balloon)
                fputs("Balloon=no\n", f);
        if (w->cpus)
                fprintf(f, "\n[CPU]\nCount=%s\n", w->cpus);
        if (gpu)
                fprintf(f, "\n[GPU]\nDevice=%s\n", w->gpu);
        /* Beside an emulated display the GPU would be the second one, and its monitor dark until a desktop uses both. */
        if (gpu && guest_has_display(plan->base))
                fprintf(f, "\n[Display]\n%s%s", plan->base->spice != DISPLAY_NO ? "SPICE=no\n" : "", plan->base->vnc != DISPLAY_NO ? "VNC=no\n" : "");
        if (!gpu && !guest_has_devices(plan->base) && !guest_has_display(plan->base) && (w->iso || plan->base->os == GUEST_OS_WINDOWS))
                fputs("\n[Display]\nSPICE=yes\n", f);
}

static void write_networks(const InitPlan *plan, FILE *f) {
        for (size_t i = 0; i < plan->base->n_networks; i++)
                if (plan->ssh[i] != plan->base->networks[i].ssh)
                        fprintf(f, "\n[Network %s]\n# Another guest has the preset's.\nSSH=%" PRIu64 "\n", plan->base->networks[i].name, plan->ssh[i]);
}

static void write_drives(const InitPlan *plan, FILE *f) {
        if (plan->wish->iso)
                fprintf(f, "\n[CDROM " INSTALLER "]\nPath=%s\n", plan->wish->iso);
        for (size_t i = 0; i < plan->n_downloads; i++) {
                const GuestDownload *d = plan->downloads[i];

                if (d->cdrom)
                        fprintf(f, "\n[CDROM %s]\nPath=/" DOWNLOADS "/%s\n", d->cdrom,
                                plan->found[i].name ? plan->found[i].name : url_file_name(d->url));
        }
        if (plan->user)
                fprintf(f, "\n[CDROM " SEED "]\nPath=/%s/" SEED ".iso\n", plan->directory);
}

static int write_text(const InitPlan *plan, char **ret) {
        const InitWish *w = plan->wish;
        size_t size;
        FILE *f = open_memstream(ret, &size);

        if (!f)
                return log_oom();
        fputs("# Made by vxm init; yours to change: vxm.guest(5) has all keys.\n", f);
        if (w->preset)
                fprintf(f, "[Guest]\nPreset=%s\n", w->preset);
        write_machine(plan, f);
        if (w->disk)
                fprintf(f, "\n[Disk system]\nSize=%s\n", w->disk);
        write_networks(plan, f);
        write_drives(plan, f);
        return fclose(f) != 0 ? log_oom() : 0;
}

int init_plan_write(int root, InitPlan *plan) {
        _cleanup_(freep) char *text = NULL;
        Guest *g = NULL;
        int r;

        r = write_text(plan, &text);
        if (r < 0)
                return r;
        r = guest_load_draft(root, plan->wish->name, &(GuestDraft){ plan->file, text }, &g);
        if (r < 0)
                return r;
        guest_free(plan->guest);
        plan->guest = g;
        free(plan->text);
        plan->text = TAKE_PTR(text);
        return 0;
}

/* The preset alone: what it has to say decides what more is written. */
static int load_base(int root, InitPlan *plan) {
        _cleanup_(freep) char *text = NULL;

        if (format(&text, "[Guest]\n%s%s\n", plan->wish->preset ? "Preset=" : "", plan->wish->preset ? plan->wish->preset : "") < 0)
                return log_oom();
        return guest_load_draft(root, plan->wish->name, &(GuestDraft){ plan->file, text }, &plan->base);
}

/* ---- whether the machine has it ---- */

static int judge_devices(int root, InitPlan *plan) {
        _cleanup_(guest_functions_done) GuestFunctions functions = {};

        return guest_has_devices(plan->guest) ? guest_devices_find(root, plan->guest, &functions) : 0;
}

/* What the preset has besides is no fault of this answer. */
static int judge_gpu(int root, InitPlan *plan) {
        return plan->wish->gpu && !streq(plan->wish->gpu, "none") ? judge_devices(root, plan) : 0;
}

/* What is available now may be more later; what there is not never comes. */
static int judge_memory(int root, InitPlan *plan) {
        const Guest *g = plan->guest;
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        char wanted[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX];
        int r = memory_nodes_read(root, 0, &nodes);

        if (r < 0)
                return log_error_errno(r, "Cannot read how much memory there is: %s.", strerror(-r));
        if (nodes.n == 0 || g->memory_size < memory_nodes_total(&nodes))
                return 0;
        return log_error_errno(E_CONFIG, "The guest is to have %s of memory, and the machine has %s; name less by --memory.",
                size_text(g->memory_size, wanted), size_text(memory_nodes_total(&nodes), total));
}

uint64_t init_plan_room(int root) {
        _cleanup_(closep) int directory = root_openat(root, GUESTS, O_PATH | O_DIRECTORY);
        struct statvfs fs;

        return directory < 0 || fstatvfs(directory, &fs) < 0 ? 0 : (uint64_t) fs.f_bavail * fs.f_frsize;
}

static int judge_room(int root, const GuestDisk *d) {
        uint64_t room = init_plan_room(root);

        if (room == 0 || d->size <= room)
                return 0;
        return log_error_errno(E_CONFIG, "[Disk %s] is to grow to %" PRIu64 "M, and %" PRIu64 "M are free in /" GUESTS "; name a smaller size by --disk.",
                d->name, d->size >> 20, room >> 20);
}

static int judge_disk(int root, const Guest *g, const GuestDisk *d) {
        int r = 0;

        if (d->size > 0 && !d->cdrom && !root_exists(root, d->path + 1))
                r = disk_image_judge(root, g, d);
        if (r >= 0 && d->size > 0 && guest_disk_is_own(g, d))
                r = judge_room(root, d);
        return r;
}

static int judge_disks(int root, const InitPlan *plan) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->guest->n_disks; i++)
                r = judge_disk(root, plan->guest, &plan->guest->disks[i]);
        return r;
}

/* The one that --disk is for, if it goes where guests' disks go. */
static int judge_system_disk(int root, InitPlan *plan) {
        const Guest *g = plan->guest;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                if (streq(g->disks[i].name, "system") && guest_disk_is_own(g, &g->disks[i]))
                        r = judge_disk(root, g, &g->disks[i]);
        return r;
}

/* Each download has a disk that is to be made. */
static int judge_targets(const InitPlan *plan) {
        for (size_t i = 0; i < plan->n_downloads; i++) {
                const GuestDownload *d = plan->downloads[i];
                bool found = !d->disk;

                for (size_t j = 0; j < plan->guest->n_disks && !found; j++) {
                        const GuestDisk *disk = &plan->guest->disks[j];

                        found = streq(disk->name, d->disk) && !disk->cdrom && disk->size > 0 && guest_disk_is_own(plan->guest, disk);
                }
                if (!found)
                        return log_error_errno(E_CONFIG, "[Download %s] is for [Disk %s], which the guest does not have, or which has Path=; use --no-download.",
                                d->name, d->disk);
        }
        return 0;
}

static int judge_iso_file(int root, const char *iso) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        if (!iso)
                return 0;
        if (iso[0] != '/')
                return log_error_errno(E_CONFIG, "--iso %s: expected an absolute path.", iso);
        fd = root_openat(root, iso + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return log_error_errno(E_CONFIG, "--iso %s: %s; name the installer's image.", iso, strerror(-fd));
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
                return log_error_errno(E_CONFIG, "--iso %s: this is no image; name the installer's.", iso);
        return 0;
}

static int judge_iso_access(int root, const InitPlan *plan) {
        const Guest *g = plan->guest;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                if (plan->wish->iso && g->disks[i].cdrom && streq(g->disks[i].name, INSTALLER))
                        r = disk_judge_access(root, g, &g->disks[i]);
        return r;
}

static int judge_iso(int root, InitPlan *plan) {
        int r = judge_iso_file(root, plan->wish->iso);

        return r < 0 ? r : judge_iso_access(root, plan);
}

int init_plan_begin(int root, const InitWish *wish, InitPlan *ret) {
        _cleanup_(init_plan_done) InitPlan plan = { .wish = wish };
        int r;

        r = judge_name(root, &plan);
        r = r < 0 ? r : guest_write_judge(root);
        r = r < 0 ? r : load_base(root, &plan);
        r = r < 0 ? r : init_ports_choose(root, &plan);
        if (r < 0)
                return r;
        *ret = plan;
        plan = (InitPlan){};
        return 0;
}

int init_plan(int root, const InitWish *wish, InitPlan *ret) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        int r;

        r = init_plan_begin(root, wish, &plan);
        r = r < 0 ? r : choose_downloads(&plan);
        r = r < 0 ? r : judge_library(root, &plan);
        r = r < 0 ? r : judge_iso_file(root, wish->iso);
        r = r < 0 ? r : judge_user(root, &plan);
        r = r < 0 ? r : judge_key(root, &plan);
        r = r < 0 ? r : init_plan_write(root, &plan);
        r = r < 0 ? r : judge_iso_access(root, &plan);
        r = r < 0 ? r : judge_targets(&plan);
        r = r < 0 ? r : judge_devices(root, &plan);
        r = r < 0 ? r : judge_memory(root, &plan);
        r = r < 0 ? r : judge_disks(root, &plan);
        if (r < 0)
                return r;
        *ret = plan;
        plan = (InitPlan){};
        return 0;
}

int init_plan_judge(int root, const InitWish *wish, const char *option) {
        static const struct {
                const char *option;
                int (*judge)(int root, InitPlan *plan);
        } judges[] = {
                { "gpu", judge_gpu },
                { "memory", judge_memory },
                { "disk", judge_system_disk },
                { "iso", judge_iso },
                { "image", judge_library },
                { "user", judge_user },
                { "ssh-key", judge_key },
        };
        _cleanup_(init_plan_done) InitPlan plan = {};
        int r;

        r = init_plan_begin(root, wish, &plan);
        r = r < 0 ? r : choose_downloads(&plan);
        r = r < 0 ? r : init_plan_write(root, &plan);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(judges); i++)
                if (streq(judges[i].option, option))
                        r = judges[i].judge(root, &plan);
        return r;
}

int init_plan_lacks(int root, const InitWish *wish, const char *option) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        int r;

        r = init_plan_begin(root, wish, &plan);
        r = r < 0 ? r : choose_downloads(&plan);
        if (r < 0 || !wants_seed(&plan))
                return r;
        return streq(option, "user") ? !caller_name() : find_caller_key(&plan.key) < 0;
}

/* ---- for people ---- */

void init_plan_print(const InitPlan *plan, FILE *f) {
        for (size_t i = 0; i < plan->n_downloads; i++)
                fprintf(f, "fetch   %s\n", plan->downloads[i]->url);
        fprintf(f, "make    /%s\n", plan->directory);
        for (size_t i = 0; i < plan->guest->n_disks; i++) {
                const GuestDisk *d = &plan->guest->disks[i];
                int source = init_plan_source(plan, d);

                if (d->size > 0 && guest_disk_is_own(plan->guest, d))
                        fprintf(f, "make    %s  %" PRIu64 "M, %s%s%s\n", d->path, d->size >> 20, d->format == DISK_QCOW2 ? "qcow2" : "raw",
                                source < 0 ? "" : ", begins as ", source < 0 ? "" : plan->downloads[source]->name);
        }
        if (plan->user)
                fprintf(f, "make    /%s/" SEED ".iso  for cloud-init: user %s, by SSH\n", plan->directory, plan->user);
        fprintf(f, "write   /%s\n", plan->file);
        for (const char *line = plan->text; *line;) {
                size_t n = strcspn(line, "\n");

                fprintf(f, "%s%.*s\n", n > 0 ? "        " : "", (int) n, line);
                line += n + (line[n] == '\n');
        }
}
