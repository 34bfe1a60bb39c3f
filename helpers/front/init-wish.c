/* SPDX-License-Identifier: BSD-3-Clause */
/* What somebody wants of a new guest: by options, checked by the table that guest files are read by, or by answers, of which each is
 * proposed such that it fits this machine. */

#include <ctype.h>
#include <inttypes.h>

#include "cpu-host.h"
#include "device-spec.h"
#include "exit-status.h"
#include "gpu-report.h"
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

/* ---- questions ---- */

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

/* Asks until the answer is one. Nothing is an answer where nothing is proposed. */
static int ask(InitAnswers *answers, const char *option, const char *question, const char *proposed, const char **ret) {
        for (;;) {
                _cleanup_(freep) char *answer = NULL;
                int r;

                printf("%s%s%s%s: ", question, proposed ? " [" : "", proposed ? proposed : "", proposed ? "]" : "");
                r = read_answer(proposed ? proposed : "", &answer);
                if (r < 0)
                        return r;
                if (!*answer)
                        return 0;
                if (init_wish_check(option, answer) < 0)
                        continue;
                *ret = answers->texts[answers->n++] = TAKE_PTR(answer);
                return 0;
        }
}

int init_ask_go_on(void) {
        _cleanup_(freep) char *answer = NULL;
        int r;

        printf("\nGo on? [Y/n]: ");
        r = read_answer("y", &answer);
        return r < 0 ? r : *answer == 'y' || *answer == 'Y' ? 0 : -ECANCELED;
}

/* A preset with what it says of itself, if it can be read. */
static int print_preset(int root, const char *name, size_t length) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        if (format(&text, "[Guest]\nPreset=%.*s\n", (int) length, name) < 0)
                return log_oom();
        r = guest_load_quietly(root, "preset", &(GuestDraft){ "etc/vxm/guests/preset.guest", text }, &g);
        printf("  %-16.*s %s\n", (int) length, name, r >= 0 && g->description ? text_clean(g->description) : "");
        return 0;
}

static int ask_preset(int root, InitAnswers *answers, InitWish *wish) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, "usr/lib/vxm/presets", &names, &n);
        if (r < 0)
                return r == -ENOENT ? 0 : log_error_errno(r, "Cannot list /usr/lib/vxm/presets: %s.", strerror(-r));
        printf("What is it to be? See vxm-presets(7).\n");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const char *dot = strrchr(names[i], '.');

                if (dot && streq(dot, ".guest"))
                        r = print_preset(root, names[i], (size_t) (dot - names[i]));
        }
        strings_free(names, n);
        return r < 0 ? r : ask(answers, "preset", "Preset", "linux-desktop", &wish->preset);
}

/* One that the host can spare without going dark, and that nobody has open, is proposed. */
static int ask_gpu(int root, InitAnswers *answers, InitWish *wish) {
        _cleanup_(gpu_reports_done) GpuReports l = {};
        const char *proposed = "none";
        int r = gpu_reports_read(root, &l);

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
        return l.n > 0 ? ask(answers, "gpu", "GPU", proposed, &wish->gpu) : 0;
}

/* Who gives a GPU away wants to play: half of the machine. Else what the preset says, if that leaves the host as much. */
static int ask_memory(int root, InitAnswers *answers, InitWish *wish, const Guest *base) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        _cleanup_(freep) char *proposed = NULL;
        uint64_t half, size = base->memory_size;

        if (memory_nodes_read(root, 0, &nodes) < 0 || nodes.n == 0)
                return ask(answers, "memory", "Memory", NULL, &wish->memory);
        half = memory_nodes_total(&nodes) / 2;
        if ((wish->gpu && !streq(wish->gpu, "none") && half > size) || size > half)
                size = half >= GIB ? half / GIB * GIB : size;
        if (format(&proposed, "%" PRIu64 "M", size >> 20) < 0)
                return log_oom();
        return ask(answers, "memory", "Memory", proposed, &wish->memory);
}

static int ask_cpus(int root, InitAnswers *answers, InitWish *wish, const Guest *base) {
        _cleanup_(host_cpus_done) HostCpus cpus = {};
        _cleanup_(freep) char *proposed = NULL;
        uint64_t count = base->cpu_count;

        if (host_cpus_load(root, &cpus) >= 0) {
                if (wish->gpu && !streq(wish->gpu, "none") && cpus.n > count + 2)
                        count = cpus.n - 2; /* the host keeps some */
                if (count > cpus.n)
                        count = cpus.n;
        }
        if (count > GUEST_CPUS_MAX)
                count = GUEST_CPUS_MAX;
        if (format(&proposed, "%" PRIu64, count) < 0)
                return log_oom();
        return ask(answers, "cpus", "CPUs", proposed, &wish->cpus);
}

/* What the preset says, if that leaves the host a quarter of what is free. */
static int ask_disk(int root, InitAnswers *answers, InitWish *wish, const Guest *base) {
        uint64_t room = init_plan_room(root) / 4 * 3, size = 0;
        _cleanup_(freep) char *proposed = NULL;

        for (size_t i = 0; i < base->n_disks; i++)
                if (streq(base->disks[i].name, "system"))
                        size = base->disks[i].size;
        if (size == 0)
                return 0;
        if (room >= GIB && size > room)
                size = room / GIB * GIB;
        if (format(&proposed, "%" PRIu64 "M", size >> 20) < 0)
                return log_oom();
        return ask(answers, "disk", "Disk", proposed, &wish->disk);
}

static bool begins_as_image(const Guest *base) {
        for (size_t i = 0; i < base->n_downloads; i++)
                if (base->downloads[i].disk)
                        return true;
        return false;
}

static int ask_image(InitAnswers *answers, InitWish *wish, const Guest *base) {
        const char *first = NULL;

        if (wish->no_download || wish->iso)
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
        return ask(answers, "image", "Image", first, &wish->image);
}

int init_ask(int root, InitWish *wish, InitAnswers *answers) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        int r = 0;

        if (!wish->preset)
                r = ask_preset(root, answers, wish);
        /* What the preset says is proposed, and its name is judged, before more is asked. */
        r = r < 0 ? r : init_plan_begin(root, wish, &plan);
        if (r >= 0 && !wish->gpu)
                r = ask_gpu(root, answers, wish);
        if (r >= 0 && !wish->memory)
                r = ask_memory(root, answers, wish, plan.base);
        if (r >= 0 && !wish->cpus)
                r = ask_cpus(root, answers, wish, plan.base);
        if (r >= 0 && !wish->disk)
                r = ask_disk(root, answers, wish, plan.base);
        if (r >= 0 && !wish->iso && !begins_as_image(plan.base) && plan.base->n_disks > 0)
                r = ask(answers, "iso", "Installer, the path of its ISO image (none)", NULL, &wish->iso);
        if (r >= 0 && !wish->image)
                r = ask_image(answers, wish, plan.base);
        return r;
}
