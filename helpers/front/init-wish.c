/* SPDX-License-Identifier: BSD-3-Clause */
/* What somebody wants of a new guest: by options, checked by the table that guest files are read by, or by answers, of which each is
 * proposed such that it fits this machine. */

#include <ctype.h>
#include <inttypes.h>

#include "cpu-host.h"
#include "device-spec.h"
#include "exit-status.h"
#include "gpu-report.h"
#include "guest-files.h"
#include "guest-keys.h"
#include "init.h"
#include "log.h"
#include "memory-nodes.h"
#include "root.h"

#define GIB (UINT64_C(1) << 30)

/* Options whose value goes into a key. */
static const struct {
        const char *option, *section, *key;
} option_keys[] = {
        { "preset", "Guest", "Preset" },
        { "memory", "Memory", "Size" },
        { "cpus", "CPU", "Count" },
        { "disk", "Disk", "Size" },
        { "iso", "CDROM", "Path" },
};

/* A value that a guest file could have; into memory that nobody looks at. */
static bool key_takes(const GuestKey *k, const char *value) {
        union {
                Guest guest;
                GuestDisk disk;
        } *scratch = calloc(1, sizeof *scratch);
        bool disk = streq(k->section, "Disk") || streq(k->section, "CDROM"), good;

        if (!scratch)
                return true; /* told later */
        good = k->parse(value, (char *) scratch + k->offset) >= 0;
        if (disk)
                free(scratch->disk.path);
        else
                free(scratch->guest.preset);
        free(scratch);
        return good;
}

static int refuse(const char *option, const char *value, const char *expects) {
        _cleanup_(freep) char *clean = strdup(value);

        fprintf(stderr, "vxm init: --%s %s: expected %s.\n", option, clean ? text_clean(clean) : "", expects);
        return -EINVAL;
}

static bool is_one_line(const char *value) {
        for (const char *p = value; *p; p++)
                if (iscntrl((unsigned char) *p))
                        return false;
        return utf8_is_valid(value);
}

static int check_gpu(const char *value) {
        DeviceSpec spec = {};

        if (streq(value, "none"))
                return 0;
        if (device_spec_parse(value, &spec) < 0)
                return refuse("gpu", value, "a PCI address, ids, part of a name, auto or none");
        device_spec_done(&spec);
        return 0;
}

int init_wish_check(const char *option, const char *value) {
        if (!value)
                return 0;
        if (!is_one_line(value) || isempty(value))
                return refuse(option, value, "a line of text");
        if (streq(option, "gpu"))
                return check_gpu(value);
        for (size_t i = 0; i < ELEMENTSOF(option_keys); i++)
                if (streq(option_keys[i].option, option)) {
                        const GuestKey *k = guest_key_find(option_keys[i].section, option_keys[i].key);

                        return key_takes(k, value) ? 0 : refuse(option, value, k->expects);
                }
        return 0;
}

int init_wish_find_iso(const char *iso, char **ret) {
        *ret = *iso == '/' ? strdup(iso) : realpath(iso, NULL);
        if (*ret)
                return 0;
        return errno == ENOMEM ? log_oom() : log_error_errno(E_CONFIG, "--iso %s: %m; name the installer's image.", iso);
}

/* ---- questions ---- */

typedef struct Dialogue {
        int root;
        InitWish *wish; /* what has been said so far */
        InitAnswers *answers;
        const Guest *base; /* the preset alone */
} Dialogue;

void init_answers_done(InitAnswers *answers) {
        for (size_t i = 0; i < answers->n; i++)
                free(answers->texts[i]);
        *answers = (InitAnswers){};
}

/* Reads one line; an empty one means what is proposed. Returns -ECANCELED at the end of the input. */
static int read_answer(const char *proposed, char **ret) {
        _cleanup_(freep) char *line = NULL;
        const char *text;
        size_t size = 0;

        fflush(stdout);
        if (getline(&line, &size, stdin) < 0) {
                putchar('\n');
                return -ECANCELED;
        }
        text = strstrip(line);
        return free_and_strdup(ret, *text ? text : proposed) < 0 ? log_oom() : 0;
}

/* What a shell would have made of it on the command line. */
static int expand_path(const Dialogue *d, const char *option, char **answer) {
        const char *home = getenv("HOME"), *rest = startswith(*answer, "~/");
        _cleanup_(freep) char *path = NULL, *whole = NULL;
        int r;

        if (format(&path, "%s%s%s", rest && home ? home : "", rest && home ? "/" : "", rest && home ? rest : *answer) < 0)
                return log_oom();
        if (streq(option, "iso") && root_is_this_machine(d->root)) {
                r = init_wish_find_iso(path, &whole);
                if (r < 0)
                        return r;
        }
        free(*answer);
        *answer = whole ? TAKE_PTR(whole) : TAKE_PTR(path);
        return 0;
}

/* Takes an answer, if it is one; what is wrong with it is told. */
static int take_answer(Dialogue *d, const char *option, char **answer, const char **ret) {
        int r = 0;

        if (**answer && (streq(option, "iso") || streq(option, "ssh-key")))
                r = expand_path(d, option, answer);
        if (r >= 0 && **answer)
                r = init_wish_check(option, *answer);
        if (r < 0)
                return r;
        *ret = **answer ? *answer : NULL;
        r = init_plan_judge(d->root, d->wish, option);
        if (r < 0)
                *ret = NULL;
        else if (*ret)
                d->answers->texts[d->answers->n++] = TAKE_PTR(*answer);
        return r;
}

/* Whether another answer may be a better one. What the machine lacks for this GPU it may have for another one, or for none. */
static bool is_wrong_answer(const char *option, int r) {
        return r == -EINVAL || r == -E_CONFIG || (streq(option, "gpu") && (r == -E_LACKS || r == -E_BUSY));
}

/* Asks until the answer is one. Nothing may be an answer where nothing is proposed. */
static int ask(Dialogue *d, const char *option, const char *question, const char *proposed, const char **ret) {
        for (;;) {
                _cleanup_(freep) char *answer = NULL;
                int r;

                printf("%s%s%s%s: ", question, proposed ? " [" : "", proposed ? proposed : "", proposed ? "]" : "");
                r = read_answer(proposed ? proposed : "", &answer);
                if (r < 0)
                        return r;
                r = take_answer(d, option, &answer, ret);
                if (!is_wrong_answer(option, r))
                        return r;
        }
}

int init_ask_go_on(void) {
        for (;;) {
                _cleanup_(freep) char *answer = NULL;
                int r;

                printf("\nGo on? [Y/n]: ");
                r = read_answer("y", &answer);
                if (r < 0)
                        return r;
                if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
                        return 0;
                if (strcasecmp(answer, "n") == 0 || strcasecmp(answer, "no") == 0)
                        return -ECANCELED;
        }
}

/* A preset with what it says of itself, if it can be read. */
static int print_preset(int root, const char *name) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        if (format(&text, "[Guest]\nPreset=%s\n", name) < 0)
                return log_oom();
        r = guest_load_quietly(root, "preset", &(GuestDraft){ "etc/vxm/guests/preset.guest", text }, &g);
        printf("  %-16s %s\n", name, r >= 0 && g->description ? text_clean(g->description) : "");
        return 0;
}

static int ask_preset(Dialogue *d) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = preset_files_list(d->root, &names, &n);
        if (r < 0 || n == 0)
                return r < 0 ? log_error_errno(r, "Cannot list the presets: %s.", strerror(-r)) : 0;
        printf("What is it to be? See vxm-presets(7).\n");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = print_preset(d->root, names[i]);
        strings_free(names, n);
        return r < 0 ? r : ask(d, "preset", "Preset", "linux-desktop", &d->wish->preset);
}

/* One that the host can spare without going dark, and that nobody has open, is proposed. */
static int ask_gpu(Dialogue *d) {
        _cleanup_(gpu_reports_done) GpuReports l = {};
        const char *proposed = "none";
        int r = gpu_reports_read(d->root, &l);

        if (r < 0)
                return r;
        if (l.n > 0)
                printf("The GPUs of this machine:\n");
        for (size_t i = 0; i < l.n; i++) {
                const GpuReport *g = &l.items[i];

                printf("  %s  %s\n      %s\n", g->gpu.name, g->title, g->verdict);
                if (g->passable && !g->needs_single_gpu && !g->held && streq(proposed, "none"))
                        proposed = g->gpu.name;
        }
        return l.n > 0 ? ask(d, "gpu", "GPU", proposed, &d->wish->gpu) : 0;
}

static bool has_gpu(const InitWish *wish) {
        return wish->gpu && !streq(wish->gpu, "none");
}

/* Who gives a GPU away wants to play: half of the machine. Else what the preset says, if that leaves the host as much. */
static int ask_memory(Dialogue *d) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        _cleanup_(freep) char *proposed = NULL;
        uint64_t half, size = d->base->memory_size;

        if (memory_nodes_read(d->root, 0, &nodes) < 0 || nodes.n == 0)
                return ask(d, "memory", "Memory", NULL, &d->wish->memory);
        half = memory_nodes_total(&nodes) / 2;
        if ((has_gpu(d->wish) && half > size) || size > half)
                size = half >= GIB ? half / GIB * GIB : size;
        if (format(&proposed, "%" PRIu64 "M", size >> 20) < 0)
                return log_oom();
        return ask(d, "memory", "Memory", proposed, &d->wish->memory);
}

static int ask_cpus(Dialogue *d) {
        _cleanup_(host_cpus_done) HostCpus cpus = {};
        _cleanup_(freep) char *proposed = NULL;
        uint64_t count = d->base->cpu_count;

        if (host_cpus_load(d->root, &cpus) >= 0) {
                if (has_gpu(d->wish) && cpus.n > count + 2)
                        count = cpus.n - 2; /* the host keeps some */
                if (count > cpus.n)
                        count = cpus.n;
        }
        if (count > GUEST_CPUS_MAX)
                count = GUEST_CPUS_MAX;
        if (format(&proposed, "%" PRIu64, count) < 0)
                return log_oom();
        return ask(d, "cpus", "CPUs", proposed, &d->wish->cpus);
}

/* What the preset says, if that leaves the host a quarter of what is free. */
static int ask_disk(Dialogue *d) {
        uint64_t room = init_plan_room(d->root) / 4 * 3, size = 0;
        _cleanup_(freep) char *proposed = NULL;
        const Guest *base = d->base;

        for (size_t i = 0; i < base->n_disks; i++)
                if (streq(base->disks[i].name, "system"))
                        size = base->disks[i].size;
        if (size == 0)
                return 0;
        if (room >= GIB && size > room)
                size = room / GIB * GIB;
        if (format(&proposed, "%" PRIu64 "M", size >> 20) < 0)
                return log_oom();
        return ask(d, "disk", "Disk", proposed, &d->wish->disk);
}

static bool begins_as_image(const Guest *base) {
        for (size_t i = 0; i < base->n_downloads; i++)
                if (base->downloads[i].disk)
                        return true;
        return false;
}

/* With one, the disk is empty at first; else it begins as an image, if the preset has one. */
static int ask_iso(Dialogue *d) {
        bool image = begins_as_image(d->base) && !d->wish->no_download;

        if (d->base->n_disks == 0)
                return 0;
        return ask(d, "iso", image ? "Installer, the path of its ISO image (none: a ready image is fetched)" : "Installer, the path of its ISO image (none)",
                NULL, &d->wish->iso);
}

static int ask_image(Dialogue *d) {
        const char *first = NULL;
        const Guest *base = d->base;

        if (d->wish->no_download || d->wish->iso)
                return 0;
        for (size_t i = 0; i < base->n_downloads; i++) {
                if (!base->downloads[i].disk)
                        continue;
                printf("%s%s", first ? ", " : "What its disk begins as: ", base->downloads[i].name);
                first = first ? first : base->downloads[i].name;
        }
        if (!first)
                return 0;
        putchar('\n');
        return ask(d, "image", "Image", first, &d->wish->image);
}

static int ask_user(Dialogue *d) {
        int r = init_plan_lacks(d->root, d->wish, "user");

        return r <= 0 ? r : ask(d, "user", "User in the guest", INIT_USER, &d->wish->user);
}

/* Who has made one in the meantime needs no name for it. */
static int ask_key(Dialogue *d) {
        int r = init_plan_lacks(d->root, d->wish, "ssh-key");

        return r <= 0 ? r : ask(d, "ssh-key", "Your public SSH key, a file such as ~/.ssh/id_ed25519.pub; Ctrl-C gives up", NULL, &d->wish->key_file);
}

static const struct {
        const char *option;
        size_t offset; /* of what is said, in a wish */
        int (*ask)(Dialogue *d);
} questions[] = {
        { "gpu", offsetof(InitWish, gpu), ask_gpu },
        { "memory", offsetof(InitWish, memory), ask_memory },
        { "cpus", offsetof(InitWish, cpus), ask_cpus },
        { "disk", offsetof(InitWish, disk), ask_disk },
        { "iso", offsetof(InitWish, iso), ask_iso },
        { "image", offsetof(InitWish, image), ask_image },
        { "user", offsetof(InitWish, user), ask_user },
        { "ssh-key", offsetof(InitWish, key_file), ask_key },
};

static const char **find_said(InitWish *wish, size_t question) {
        return (const char **) (void *) ((char *) wish + questions[question].offset);
}

int init_ask(int root, InitWish *wish, InitAnswers *answers) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        Dialogue d = { root, wish, answers, NULL };
        InitWish given = *wish;
        int r;

        /* Each is judged at its place, along with nothing but what has been said before it: the name first. */
        *wish = (InitWish){ .name = given.name, .no_download = given.no_download, .patience = given.patience };
        r = init_plan_judge(root, wish, "name");
        wish->preset = given.preset;
        if (r >= 0 && !wish->preset)
                r = ask_preset(&d);
        r = r < 0 ? r : init_plan_begin(root, wish, &plan);
        d.base = plan.base;
        if (r >= 0 && given.iso) { /* the one that is wrong most often, so before the questions */
                wish->iso = given.iso;
                r = init_plan_judge(root, wish, "iso");
                wish->iso = NULL;
        }
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(questions); i++) {
                *find_said(wish, i) = *find_said(&given, i);
                r = *find_said(wish, i) ? init_plan_judge(root, wish, questions[i].option) : questions[i].ask(&d);
        }
        return r;
}
