/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions about the machine that no guest file is needed for, and those about a guest that nobody else asks. */

#include <inttypes.h>
#include <sys/stat.h>

#include "devices.h"
#include "doctor.h"
#include "exit-status.h"
#include "firmware.h"
#include "gpu-report.h"
#include "guest-check.h"
#include "guest-files.h"
#include "guest.h"
#include "host-check.h"
#include "log.h"
#include "memory-nodes.h"
#include "messages.h"
#include "qemu-facts.h"
#include "root.h"
#include "static-files.h"
#include "static.h"
#include "tpm-state.h"

#define GENERATED "run/systemd/generator"

typedef struct Doctor {
        int root;
        bool is_this_machine;
        const char *guest;         /* NULL: of the machine */
        const GpuReport *gpu;      /* which one is asked about */
} Doctor;

/* ---- the processor ---- */

static int ask_argument(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;

        (void) verdict;
        return host_check_argument(d->root, ret_text);
}

static int ask_kvm(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;
        int r = qemu_check_kvm(d->root);

        (void) verdict;
        return r < 0 ? r : free_and_strdup(ret_text, "/dev/kvm");
}

static bool is_on(int root, const char *parameter) {
        _cleanup_(freep) char *text = NULL;

        return root_read(root, parameter, &text) >= 0 && (streq(text, "Y") || streq(text, "1"));
}

/* Windows with Hyper-V, WSL or memory integrity runs guests of its own. */
static int ask_nested(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;
        bool intel = root_exists(d->root, "sys/module/kvm_intel"), amd = root_exists(d->root, "sys/module/kvm_amd");

        if (!intel && !amd)
                return -ENODATA;
        if (is_on(d->root, intel ? "sys/module/kvm_intel/parameters/nested" : "sys/module/kvm_amd/parameters/nested"))
                return free_and_strdup(ret_text, "guests may run guests");
        *verdict = FINDING_NOTE;
        return format(ret_text, "guests cannot run guests, as WSL in Windows does; for that, load %s with nested=1",
                intel ? "kvm_intel" : "kvm_amd");
}

static int ask_memory(void *userdata, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        char available[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX];
        const Doctor *d = userdata;
        int r = memory_nodes_read(d->root, 0, &nodes);

        (void) verdict;
        if (r < 0)
                return log_error_errno(r, "Cannot read how much memory there is: %s.", strerror(-r));
        if (nodes.n == 0)
                return -ENODATA;
        return format(ret_text, "%s, of which %s are available now", size_text(memory_nodes_total(&nodes), total),
                size_text(memory_nodes_available(&nodes), available));
}

/* ---- programs ---- */

typedef struct Program {
        const char *path;
        const char *wanted_for; /* the end of a sentence */
        const char *package;    /* Debian's */
} Program;

static int ask_qemu(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;
        int r = qemu_check_program(d->root, QEMU_PATH);

        (void) verdict;
        return r < 0 ? r : free_and_strdup(ret_text, QEMU_PATH);
}

static int ask_programs(void *userdata, FindingVerdict *verdict, char **ret_text) {
        static const Program programs[] = {
                { QEMU_IMG_PATH, "disks of format qcow2", "qemu-utils" },
                { PASST_PATH, "networks of Type=nat and Type=host", "passt" },
                { VIRTIOFSD_PATH, "shares", "virtiofsd" },
                { TPM_PROGRAM, "a TPM, as Windows 11 wants it", "swtpm" },
                { TPM_SETUP_PROGRAM, "a TPM", "swtpm-tools" },
        };
        const Doctor *d = userdata;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(programs); i++)
                if (!root_exists(d->root, programs[i].path + 1)) {
                        *verdict = FINDING_NOTE;
                        r = list_append(ret_text, "\n", "%s is missing, for %s (Debian: %s)", programs[i].path, programs[i].wanted_for,
                                programs[i].package);
                }
        return r < 0 || *ret_text ? r : free_and_strdup(ret_text, "all that guest files may ask for");
}

static int ask_firmware(void *userdata, FindingVerdict *verdict, char **ret_text) {
        static const FirmwareWish plain = { .machine = "q35" }, secure = { .machine = "q35", .secure_boot = true, .enrolled_keys = true };
        _cleanup_(firmware_done) Firmware usual = {}, locked = {};
        const Doctor *d = userdata;

        if (firmware_find(d->root, &plain, &usual) < 0)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "There is no UEFI firmware for guests; install it (Debian: ovmf), or give guests [Firmware] Type=bios.");
        if (firmware_find(d->root, &secure, &locked) >= 0)
                return free_and_strdup(ret_text, "UEFI, also with Secure Boot");
        *verdict = FINDING_NOTE;
        return free_and_strdup(ret_text, "UEFI, but none with Secure Boot and keys, which Windows 11 wants (Debian: ovmf)");
}

/* ---- GPUs ---- */

static int ask_iommu(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;

        (void) verdict;
        return host_check_iommu(d->root, ret_text);
}

static int ask_module(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;

        return host_check_module(d->root, d->is_this_machine, verdict, ret_text);
}

/* The largest BAR that could be larger. */
static const PciBar *find_small_bar(const PciDetails *details) {
        for (size_t i = 0; i < details->n_bars; i++)
                if (details->bars[i].sizes >> 1 > details->bars[i].size >> 20)
                        return &details->bars[i];
        return NULL;
}

static int ask_gpu(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;
        const GpuReport *g = d->gpu;
        const PciBar *bar = find_small_bar(&g->details);
        int r;

        if (!g->passable || g->held || g->needs_single_gpu)
                *verdict = FINDING_NOTE;
        r = list_append(ret_text, "\n", "%s\ndriver %s; %s", g->title, g->gpu.driver ? g->gpu.driver : "none", g->verdict);
        if (r >= 0 && g->passable && bar)
                r = list_append(ret_text, "\n", "its BAR %u is %" PRIu64 " MiB and could be larger; see BarSize= in vxm.guest(5)", bar->index,
                        bar->size >> 20);
        if (r >= 0 && g->passable && g->details.knows_reset_methods && g->details.n_reset_methods == 0) {
                *verdict = FINDING_NOTE;
                r = list_append(ret_text, "\n", "it has no way to be reset; a guest may not start on it twice");
        }
        return r;
}

/* A machine without any GPU that could go is told so once more, as that is what somebody wants to know first. */
static int ask_gpus(int root, Doctor *d, Findings *l) {
        _cleanup_(gpu_reports_done) GpuReports reports = {};
        int r;

        r = gpu_reports_read(root, &reports);
        for (size_t i = 0; r >= 0 && i < reports.n; i++) {
                _cleanup_(freep) char *name = NULL;

                d->gpu = &reports.items[i];
                r = format(&name, "GPU %s", startswith(d->gpu->gpu.name, "0000:") ? d->gpu->gpu.name + STRLEN("0000:") : d->gpu->gpu.name);
                r = r < 0 ? r : findings_ask(l, name, ask_gpu, d);
        }
        if (r >= 0 && reports.n == 0)
                r = findings_add(l, "GPU", FINDING_NOTE, "there is none in this machine");
        return r;
}

/* ---- static binding ---- */

/* Whether a guest file that can be read wants a device at boot. Returns 1, 0 or -errno. */
static int wants_static(int root) {
        char **names = NULL;
        size_t n = 0;
        int r, found = 0;

        r = guest_files_list(root, &names, &n);
        for (size_t i = 0; r >= 0 && i < n && found == 0; i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                found = guest_load_quietly(root, names[i], NULL, &g) >= 0 && guest_wants_static(g);
        }
        strings_free(names, n);
        return r < 0 ? r : found;
}

/* Whether what is bound at boot is known to be something else than what guests want. What is wrong with one of them is told elsewhere. */
static bool is_outdated(int root) {
        int previous = log_get_max_priority(), r;

        log_set_max_priority(-1);
        r = static_is_current(root);
        log_set_max_priority(previous);
        return r == 0;
}

static int ask_static(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Doctor *d = userdata;
        bool enabled = root_exists(d->root, STATIC_DEVICES);
        int wanted = wants_static(d->root);

        if (wanted < 0)
                return log_error_errno(wanted, "Cannot list the guest files: %s.", strerror(-wanted));
        if (root_exists(d->root, STATIC_PENDING)) {
                *verdict = FINDING_NOTE;
                return format(ret_text, "the initramfs has not been finished; run vxm config --%s-binding once more", wanted ? "enable" : "disable");
        }
        if (wanted && enabled && is_outdated(d->root)) {
                *verdict = FINDING_NOTE;
                return free_and_strdup(ret_text, "is on, but for other devices than guest files say now; run vxm config --enable-binding");
        }
        if (wanted == enabled)
                return free_and_strdup(ret_text, enabled ? "is on: such devices go to vfio-pci at each boot" : "is off, and no guest file asks for it");
        *verdict = FINDING_NOTE;
        return free_and_strdup(ret_text, wanted ? "is off, though a guest file says Binding=static; run vxm config --enable-binding"
                                                : "is on, though no guest file asks for it any more; run vxm config --disable-binding");
}

int doctor_host(int root, bool is_this_machine, Findings *ret) {
        static const struct {
                const char *name;
                FindingQuestion question;
        } questions[] = {
                { "Kernel argument", ask_argument },
                { "KVM", ask_kvm },
                { "Nested guests", ask_nested },
                { "Memory", ask_memory },
                { "QEMU", ask_qemu },
                { "Programs", ask_programs },
                { "Firmware", ask_firmware },
                { "IOMMU", ask_iommu },
                { "Module", ask_module },
                { "Static binding", ask_static },
        };
        Doctor d = { .root = root, .is_this_machine = is_this_machine };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(questions); i++)
                r = findings_ask(ret, questions[i].name, questions[i].question, &d);
        return r < 0 ? log_oom() : ask_gpus(root, &d, ret);
}

/* ---- a guest ---- */

/* systemd reads no guest file, and so does not know that one is newer than what its generator has made of it. */
static int ask_reload(void *userdata, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        _cleanup_(freep) char *made = NULL;
        struct stat made_at, changed_at;
        const Doctor *d = userdata;
        int r;

        if (!root_exists(d->root, GENERATED))
                return -ENODATA;
        r = guest_files_find(d->root, GUEST_FILES, d->guest, &f);
        r = r < 0 ? r : format(&made, GENERATED "/vxm-guest@%s.service.d/50-vxm.conf", d->guest);
        if (r < 0)
                return r == -ENOENT ? -ENODATA : r;
        if (fstatat(d->root, made, &made_at, 0) < 0) {
                *verdict = FINDING_NOTE;
                return free_and_strdup(ret_text, "systemd has not read its file yet; run systemctl daemon-reload");
        }
        for (size_t i = 0; i < f.n; i++)
                if (fstatat(d->root, f.paths[i], &changed_at, 0) == 0 && changed_at.st_mtime > made_at.st_mtime) {
                        *verdict = FINDING_NOTE;
                        return format(ret_text, "systemd has not read /%s as it is now; run systemctl daemon-reload", f.paths[i]);
                }
        return free_and_strdup(ret_text, "systemd has read its files");
}

int doctor_guest(int root, bool is_this_machine, const char *guest, Findings *ret) {
        Doctor d = { .root = root, .is_this_machine = is_this_machine, .guest = guest };
        int r = guest_check_find(root, is_this_machine, guest, ret);

        if (r < 0)
                return r;
        return findings_ask(ret, "daemon-reload", ask_reload, &d) < 0 ? log_oom() : 0;
}
