/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm gpu: who has each GPU; gives one to vfio-pci without a guest, and gives it back. Judges, notes, acts and undoes as vxm-bind does for
 * a guest: the undo record has a name of its own, “gpu-0000-01-00-0”, so that no guest is given what is passed through so. */

#include <fcntl.h>

#include "bind-record.h"
#include "bind-take.h"
#include "claims.h"
#include "cli.h"
#include "exit-status.h"
#include "gpu-report.h"
#include "json.h"
#include "log.h"
#include "root.h"
#include "text-table.h"
#include "verb-root.h"
#include "verb.h"

enum {
        SECONDS = 60, /* for a write to a driver, as vxm-bind has it */
};

typedef enum GpuState {
        GPU_HOST,
        GPU_GUEST,
        GPU_PASSTHROUGH, /* by this verb */
        GPU_VFIO,        /* by somebody else, at boot say */
} GpuState;

static const char *const state_names[] = { "host", "guest", "passthrough", "vfio" };

static const char *arg_root = "/";
static bool arg_json;
static bool arg_dry_run;

/* Who has it, by the records; who may not read them goes by the driver. *ret_guest is set for GPU_GUEST only. */
static int find_state(int root, const PciFunction *f, GpuState *ret, char **ret_guest) {
        char claim[PASSTHROUGH_NAME_SIZE];
        _cleanup_(freep) char *holder = NULL;
        int r;

        *ret = streq_ptr(f->driver, VFIO_DRIVER) ? GPU_VFIO : GPU_HOST;
        r = bind_record_holder(root, "", f->address, &holder);
        if (r < 0)
                return r == -EACCES || r == -EPERM || r == -ENOENT
                        ? 0
                        : log_error_errno(r, "Cannot read the undo record of %s: %s.", holder ? holder : "a guest", strerror(-r));
        if (r == 0)
                return 0;
        *ret = streq(holder, passthrough_name(f->address, claim)) ? GPU_PASSTHROUGH : GPU_GUEST;
        if (*ret == GPU_GUEST)
                *ret_guest = TAKE_PTR(holder);
        return 0;
}

/* ---- which one ---- */

static int refuse_choice(const GpuReports *l, const char *device) {
        _cleanup_(freep) char *list = NULL;

        for (size_t i = 0; i < l->n; i++)
                if (list_append(&list, "; ", "%s %s", l->items[i].gpu.name, l->items[i].title) < 0)
                        return log_oom();
        if (l->n == 0)
                return log_error_errno(E_LACKS, "There is no GPU in this machine.");
        if (!device)
                return log_error_errno(E_CONFIG, "Name the GPU that is meant: %s.", list);
        return log_error_errno(E_CONFIG, "“%s” fits no GPU, or several: %s.", device, list);
}

/* The one that is named; without a name the only one that could be meant. */
static int choose(int root, const GpuReports *l, const char *device, GpuState wanted, const GpuReport **ret) {
        DeviceSpec spec = {};
        int r = 0;

        *ret = NULL;
        if (device && device_spec_parse(device, &spec) < 0)
                return log_error_errno(E_CONFIG, "“%s” is no PCI address, no ids, and no part of a name.", device);
        for (size_t i = 0; r >= 0 && i < l->n; i++) {
                const GpuReport *g = &l->items[i];
                _cleanup_(freep) char *guest = NULL;
                GpuState state;
                bool fits;

                r = find_state(root, &g->gpu, &state, &guest);
                fits = device ? device_spec_matches(&spec, &g->gpu, g->title)
                              : state == wanted && (wanted != GPU_HOST || (g->passable && !g->needs_single_gpu));
                if (r < 0 || !fits)
                        continue;
                if (*ret)
                        r = refuse_choice(l, device);
                *ret = g;
        }
        device_spec_done(&spec);
        if (r >= 0 && !*ret && !device && l->n > 0 && wanted == GPU_PASSTHROUGH)
                return log_error_errno(E_CONFIG, "No GPU has been passed through; vxm gpu status shows who has which.");
        return r < 0 ? r : *ret ? 0 : refuse_choice(l, device);
}

/* ---- status ---- */

static int describe(int root, const GpuReport *g, GpuState *state, char **ret_guest, char **ret) {
        int r = find_state(root, &g->gpu, state, ret_guest);

        if (r < 0)
                return r;
        switch (*state) {
        case GPU_GUEST:
                r = format(ret, "guest %s", *ret_guest);
                break;
        case GPU_PASSTHROUGH:
                r = free_and_strdup(ret, "nobody; vxm gpu reclaim gives it back");
                break;
        case GPU_VFIO:
                r = free_and_strdup(ret, "nobody; bound at boot, or by hand");
                break;
        default:
                r = free_and_strdup(ret, !g->gpu.driver ? "nobody; it has no driver" : g->held ? "the host, in use" : "the host");
        }
        return r < 0 ? log_oom() : 0;
}

static int print_table(int root, const GpuReports *l, const GpuReport *only) {
        enum { COLUMNS = 3 };
        static const TextColumn columns[COLUMNS] = { { "GPU" }, { "DRIVER" }, { "WHO HAS IT" } };
        const char **cells = calloc(l->n, sizeof *cells * COLUMNS);
        char **who = calloc(l->n, sizeof *who);
        int r = cells && who ? 0 : log_oom();
        size_t n = 0;

        for (size_t i = 0; r >= 0 && i < l->n; i++) {
                const GpuReport *g = &l->items[i];
                _cleanup_(freep) char *guest = NULL;
                GpuState state;

                if (only && only != g)
                        continue;
                r = describe(root, g, &state, &guest, &who[n]);
                if (r < 0)
                        break;
                memcpy(cells + n * COLUMNS, (const char *[COLUMNS]){ g->gpu.name, g->gpu.driver ? g->gpu.driver : "-", who[n] },
                        sizeof *cells * COLUMNS);
                n++;
        }
        r = r < 0 ? r : text_table_print(stdout, columns, COLUMNS, cells, n);
        strings_free(who, who ? l->n : 0);
        free(cells);
        return r;
}

static int print_json(int root, const GpuReports *l, const GpuReport *only) {
        json_t *gpus = json_array();
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:o}", "gpus", gpus);

        for (size_t i = 0; top && i < l->n; i++) {
                const GpuReport *g = &l->items[i];
                _cleanup_(freep) char *who = NULL, *guest = NULL;
                GpuState state;
                int r;

                if (only && only != g)
                        continue;
                r = describe(root, g, &state, &guest, &who);
                if (r < 0)
                        return r;
                if (json_array_append_new(gpus, json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:b}", "address", g->gpu.name, "name", g->title, "driver",
                                                        g->gpu.driver, "state", state_names[state], "guest", guest, "held", g->held)) < 0)
                        return log_oom();
        }
        return !top ? log_oom() : json_dumpf(top, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static int status(int root, const char *device) {
        _cleanup_(gpu_reports_done) GpuReports l = {};
        const GpuReport *only = NULL;
        int r = gpu_reports_read(root, &l);

        if (r >= 0 && device)
                r = choose(root, &l, device, GPU_HOST, &only);
        if (r < 0)
                return r;
        if (arg_json)
                return print_json(root, &l, only);
        return l.n == 0 ? (puts("There is no GPU in this machine."), 0) : print_table(root, &l, only);
}

/* ---- there and back ---- */

/* Where the records cannot be read, everything looks as if nobody had it. */
static int judge_rights(int root) {
        if (faccessat(root, "run/vxm/bind", R_OK | X_OK, AT_EACCESS) < 0 && errno == EACCES)
                return log_error_errno(EACCES, "Only root gives GPUs away and takes them back; try again as root.");
        return 0;
}

static BindJob job_of(int root, const char *claim) {
        return (BindJob){ .root = root, .guest = claim, .deadline = SECONDS * UINT64_C(1000000), .dry_run = arg_dry_run };
}

/* A guest of one device, which nobody writes down. */
static int passthrough(int root, const char *device) {
        _cleanup_(gpu_reports_done) GpuReports l = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(freep) char *text = NULL, *path = NULL;
        char claim[PASSTHROUGH_NAME_SIZE];
        const GpuReport *gpu;
        BindJob job;
        int r;

        r = arg_dry_run ? 0 : judge_rights(root);
        r = r < 0 ? r : gpu_reports_read(root, &l);
        r = r < 0 ? r : choose(root, &l, device, GPU_HOST, &gpu);
        if (r < 0)
                return r;
        if (!gpu->passable || gpu->needs_single_gpu)
                return log_error_errno(gpu->gpu.group < 0 ? E_LACKS : E_CONFIG, "%s is not given away: %s; vxm list-gpus tells more.", gpu->gpu.name,
                        gpu->verdict);
        if (format(&text, "[GPU]\nDevice=%s\n", gpu->gpu.name) < 0 || format(&path, "etc/vxm/guests/%s.guest", passthrough_name(gpu->gpu.address, claim)) < 0)
                return log_oom();
        r = guest_load_draft(root, claim, &(GuestDraft){ path, text }, &g);
        job = job_of(root, claim);
        r = r < 0 ? r : bind_take(&job, g, 0);
        return r < 0 || arg_dry_run ? r : log_info("%s is with vfio-pci, for nobody yet; `vxm gpu reclaim %s` gives it back.", gpu->gpu.name, gpu->gpu.name);
}

static int refuse_reclaim(const GpuReport *g, GpuState state, const char *guest) {
        switch (state) {
        case GPU_GUEST:
                return log_error_errno(E_BUSY, "%s belongs to guest %s; it comes back when that ends: vxm stop %s", g->gpu.name, guest, guest);
        case GPU_VFIO:
                return log_error_errno(E_CONFIG, "%s was not passed through by vxm gpu; if it is bound at boot: vxm config --disable-binding", g->gpu.name);
        default:
                return log_info("%s is with the host.", g->gpu.name);
        }
}

static int reclaim(int root, const char *device) {
        _cleanup_(gpu_reports_done) GpuReports l = {};
        _cleanup_(freep) char *guest = NULL;
        char claim[PASSTHROUGH_NAME_SIZE];
        const GpuReport *gpu;
        GpuState state;
        BindJob job;
        int r;

        r = judge_rights(root);
        r = r < 0 ? r : gpu_reports_read(root, &l);
        r = r < 0 ? r : choose(root, &l, device, GPU_PASSTHROUGH, &gpu);
        r = r < 0 ? r : find_state(root, &gpu->gpu, &state, &guest);
        if (r < 0)
                return r;
        if (state != GPU_PASSTHROUGH)
                return refuse_reclaim(gpu, state, guest);
        job = job_of(root, passthrough_name(gpu->gpu.address, claim));
        return bind_give_back(&job);
}

static int act(int (*run)(int root, const char *device), const char *device) {
        _cleanup_(closep) int root = verb_root_open(arg_root);

        return root < 0 ? root : run(root, device);
}

int verb_gpu(int argc, char *argv[]) {
        static const struct {
                const char *name;
                int (*run)(int root, const char *device);
        } actions[] = { { "status", status }, { "passthrough", passthrough }, { "reclaim", reclaim } };
        static const CliOption options[] = {
                { "json", NULL, "with status: for machines", &arg_json, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "of the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm gpu", "Who has a GPU; gives one to vfio-pci without a guest, and back.", "status|passthrough|reclaim [DEV]", 1,
                options, .n_more = 1, .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        for (size_t i = 0; i < ELEMENTSOF(actions); i++)
                if (streq(actions[i].name, operands[0]) && (!arg_json || i == 0))
                        return exit_status(act(actions[i].run, operands[1]));
        fprintf(stderr, "vxm gpu: expected %s; see vxm gpu --help.\n", arg_json ? "--json with status only" : cli.operands);
        return STATUS_USAGE;
}
