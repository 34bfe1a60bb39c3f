/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads a guest: finds its files, reads them in order into one Guest, and checks what only the whole can tell. */

#include "exit-status.h"
#include "guest-desktop.h"
#include "guest-disks.h"
#include "guest-downloads.h"
#include "guest-files.h"
#include "guest-keys.h"
#include "guest-lines.h"
#include "guest-monitors.h"
#include "log.h"
#include "messages.h"
#include "netjack.h"
#include "network-verify.h"
#include "parse.h"
#include "root.h"

enum {
        DEFAULT_CPUS = 2, /* of a guest that says nothing of it */
};

static void devices_done(GuestDevices *d) {
        for (size_t i = 0; i < d->n_specs; i++)
                device_spec_done(&d->specs[i]);
        for (size_t i = 0; i < d->n_pins; i++)
                device_pin_done(&d->pins[i]);
        free(d->specs);
        free(d->pins);
        free(d->reset_method);
        free(d->power_control);
        free(d->d3cold);
        free(d->rom_file);
        free(d->name);
}

static void network_done(GuestNetwork *n) {
        free(n->forwards);
        free(n->bridge);
        free(n->mac);
        free(n->name);
}

static void download_done(GuestDownload *d) {
        free(d->name);
        free(d->url);
        free(d->checksums);
        free(d->disk);
        free(d->cdrom);
}

Guest *guest_free(Guest *g) {
        if (!g)
                return NULL;

        for (size_t i = 0; i < g->n_disks; i++) {
                free(g->disks[i].name);
                free(g->disks[i].path);
                free(g->disks[i].serial);
        }
        free(g->disks);
        for (size_t i = 0; i < g->n_shares; i++) {
                free(g->shares[i].name);
                free(g->shares[i].path);
                free(g->shares[i].tag);
        }
        free(g->shares);
        for (size_t i = 0; i < g->n_networks; i++)
                network_done(&g->networks[i]);
        free(g->networks);
        free(g->usb);
        for (size_t i = 0; i < g->n_inputs; i++)
                input_spec_done(&g->inputs[i]);
        free(g->inputs);
        for (size_t i = 0; i < g->n_devices; i++)
                devices_done(&g->devices[i]);
        free(g->devices);
        strings_free(g->stop_units, g->n_stop_units);
        free(g->cpu_model);
        free(g->command_line);
        free(g->initrd);
        free(g->kernel);
        free(g->firmware_vars);
        free(g->firmware_code);
        free(g->looking_glass_user);
        for (size_t i = 0; i < g->n_monitors; i++)
                free(g->monitors[i].name);
        free(g->monitors);
        for (size_t i = 0; i < g->n_downloads; i++)
                download_done(&g->downloads[i]);
        free(g->downloads);
        free(g->audio.device);
        free(g->user);
        free(g->uuid);
        free(g->preset);
        free(g->description);
        free(g->file);
        free(g->name);
        free(g);
        return NULL;
}

bool guest_has_devices(const Guest *g) {
        for (size_t i = 0; i < g->n_devices; i++)
                if (g->devices[i].n_specs > 0)
                        return true;
        return false;
}

bool guest_has_usb(const Guest *g) {
        return g->n_usb > 0;
}

bool guest_has_input(const Guest *g) {
        return g->n_inputs > 0;
}

bool guest_has_network(const Guest *g, NetworkType type) {
        for (size_t i = 0; i < g->n_networks; i++)
                if (g->networks[i].type == type)
                        return true;
        return false;
}

bool guest_has_networks(const Guest *g) {
        for (size_t i = 0; i < g->n_networks; i++)
                if (g->networks[i].type != NETWORK_NONE)
                        return true;
        return false;
}

bool guest_has_display(const Guest *g) {
        return g->spice != DISPLAY_NO || g->vnc != DISPLAY_NO;
}

bool guest_needs_link(const Guest *g) {
        return guest_has_networks(g) || g->spice >= DISPLAY_PORT_MIN || g->vnc >= DISPLAY_PORT_MIN;
}

bool guest_has_named_user(const Guest *g) {
        const char *name = g->user ? startswith(g->user, "vxm-") : NULL; /* a guest that has not been loaded has none */

        return g->user && (!name || !streq(name, g->name));
}

bool guest_plays_in_session(const Guest *g) {
        return guest_has_named_user(g) && (g->audio.backend == AUDIO_AUTO || g->audio.backend == AUDIO_PIPEWIRE ||
                                                  g->audio.backend == AUDIO_PULSEAUDIO || g->audio.backend == AUDIO_JACK);
}

size_t network_n_forwards(const GuestNetwork *n) {
        return n->type == NETWORK_NONE ? 0 : n->n_forwards + (n->ssh != 0);
}

Forward network_forward(const GuestNetwork *n, size_t index) {
        return index < n->n_forwards ? n->forwards[index] : (Forward){ .host = (uint16_t) n->ssh, .guest = 22 };
}

bool guest_stops_units(const Guest *g) {
        return g->single_gpu || g->n_stop_units > 0;
}

bool guest_inhibits_sleep(const Guest *g) {
        return g->sleep == GUEST_SLEEP_INHIBIT || (g->sleep == GUEST_SLEEP_AUTO && guest_has_devices(g));
}

const char *guest_inhibits(const Guest *g) {
        bool idle = guest_has_input(g) && g->input_inhibit_idle;

        if (guest_inhibits_sleep(g))
                return idle ? "sleep:idle:handle-lid-switch" : "sleep:handle-lid-switch";
        return idle ? "idle" : NULL;
}

/* A preset cannot stand on another one. */
static int assign_in_preset(const ConfLine *line, void *guest) {
        if (line->key && streq(line->section, "Guest") && streq(line->key, "Preset"))
                return conf_log(LOG_ERR, line->file, line->line, "A preset cannot have a Preset= of its own.");
        return guest_assign(line, guest);
}

static int load_preset(int root, const GuestFiles *f, const GuestDraft *draft, Guest *g) {
        _cleanup_(guest_files_done) GuestFiles preset = {};
        _cleanup_(freep) char *name = NULL;
        int r;

        r = guest_lines_preset(root, f, draft, &name);
        if (r < 0)
                return log_oom();
        if (!name)
                return 0;

        r = guest_files_find(root, PRESET_FILES, name, &preset);
        if (r == -ENOENT || (r >= 0 && preset.masked))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Guest] Preset=%s: there is no such preset; `ls /usr/lib/vxm/presets` shows what there is.", name);
        if (r < 0)
                return log_error_errno(r, "Cannot look for preset %s: %s.", name, strerror(-r));
        return guest_lines_read(root, &preset, NULL, assign_in_preset, g);
}

static bool is_qcow2(const char *path) {
        const char *dot = strrchr(path, '.');

        return dot && streq(dot, ".qcow2");
}

static int verify_firmware(const Guest *g) {
        const char *uefi_only = g->secure_boot ? "SecureBoot=yes" : g->firmware_code || g->firmware_vars ? "Code=" : NULL;

        if (g->firmware != FIRMWARE_UEFI && uefi_only)
                return conf_log(LOG_ERR, g->file, 0, "[Firmware] %s is for UEFI, but Type=bios; set Type=uefi, or remove it.",
                        uefi_only);
        if (!g->firmware_code != !g->firmware_vars)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Firmware] %s= is set, but not %s=; they are a pair, set both or none.",
                        g->firmware_code ? "Code" : "Vars", g->firmware_code ? "Vars" : "Code");
        if (g->firmware_code && is_qcow2(g->firmware_code) != is_qcow2(g->firmware_vars))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Firmware] One of Code= and Vars= is qcow2, the other raw; name a pair.");
        return 0;
}

/* Ballooning takes pages away from the guest one by one. vfio has pinned all of them, which QEMU heeds by not ballooning at
 * all (ram_block_discard_disable()); of a huge page nothing can be taken away; and what is locked is to stay. */
static int verify_memory(const Guest *g) {
        if (g->huge_page_size > 0 && g->memory_size % g->huge_page_size != 0)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Memory] Size= is no multiple of HugePages=1G; choose a Size= in steps of 1G.");
        if (g->balloon && guest_has_devices(g))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Memory] Balloon=yes is set, and a PCI device, which needs all of the guest's memory at any time; "
                        "remove one of them.");
        if (g->balloon && (g->huge_page_size > 0 || g->memory_lock))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Memory] Balloon=yes is set, and %s, which keeps all of the guest's memory in its place; "
                        "remove one of them.",
                        g->huge_page_size > 0 ? "HugePages=" : "Lock=yes");
        return 0;
}

static size_t topology_size(const Guest *g) {
        return (size_t) g->cpu_topology.sockets * g->cpu_topology.cores * g->cpu_topology.threads;
}

/* How many CPUs a guest has that does not say: those that it names otherwise. */
static uint64_t default_cpu_count(const Guest *g) {
        if (topology_size(g) > 0)
                return topology_size(g);
        return g->cpu_pin.kind == CPU_PIN_LIST ? cpu_set_count(&g->cpu_pin.list) : DEFAULT_CPUS;
}

static int verify_cpus(const Guest *g) {
        size_t pinned = cpu_set_count(&g->cpu_pin.list), seen = topology_size(g);

        if (g->cpu_pin.kind == CPU_PIN_LIST && pinned < g->cpu_count)
                return conf_log(LOG_ERR, g->file, 0,
                        "[CPU] Pin= names %zu CPUs of the host for the guest's %zu; name one for each.", pinned,
                        (size_t) g->cpu_count);
        if (g->cpu_count > GUEST_CPUS_MAX)
                return conf_log(LOG_ERR, g->file, 0, "[CPU] Pin= names %zu CPUs, a guest can have %d; set Count=.",
                        pinned, GUEST_CPUS_MAX);
        if (seen > 0 && seen != g->cpu_count)
                return conf_log(LOG_ERR, g->file, 0,
                        "[CPU] Topology=%u:%u:%u makes %zu CPUs, the guest has %zu; correct one of them.",
                        g->cpu_topology.sockets, g->cpu_topology.cores, g->cpu_topology.threads, seen,
                        (size_t) g->cpu_count);
        if (g->cpu_isolate && g->cpu_pin.kind == CPU_PIN_NONE)
                return conf_log(LOG_ERR, g->file, 0,
                        "[CPU] Isolate=yes is set, but not Pin=; set it to auto, or name the CPUs.");
        if (g->cpu_realtime && !g->cpu_isolate)
                return conf_log(LOG_ERR, g->file, 0,
                        "[CPU] Realtime=yes is set, but not Isolate=yes; without it the host would starve on the "
                        "guest's CPUs.");
        return 0;
}

/* What no single line can tell. */
static int verify(const Guest *g) {
        int r;

        if (g->initrd && !g->kernel)
                return conf_log(LOG_ERR, g->file, 0, "[Boot] Initrd= is set, but not Kernel=; set both or none.");
        if (g->command_line && !g->kernel)
                return conf_log(LOG_ERR, g->file, 0, "[Boot] CommandLine= is set, but not Kernel=; it needs a kernel.");
        if (guest_stops_units(g) && !guest_has_devices(g))
                return conf_log(LOG_ERR, g->file, 0, "[GPU] %s= is set, but no Device=; name the GPU.",
                        g->single_gpu ? "SingleGpu" : "StopUnits");
        r = guest_disks_verify(g);
        r = r < 0 ? r : network_verify(g);
        r = r < 0 ? r : netjack_verify(g);
        r = r < 0 ? r : guest_desktop_verify(g);
        r = r < 0 ? r : guest_monitors_verify(g);
        r = r < 0 ? r : guest_downloads_verify(g);
        r = r < 0 ? r : verify_memory(g);
        r = r < 0 ? r : verify_cpus(g);
        return r < 0 ? r : verify_firmware(g);
}

static int find_files(int root, const char *name, GuestFiles *ret) {
        int r;

        if (!guest_name_is_valid(name))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                        "“%s” is no name for a guest; use a-z, 0-9 and “-”, a letter first, at most %d characters.", name,
                        GUEST_NAME_MAX);

        r = guest_files_find(root, GUEST_FILES, name, ret);
        if (r == -ENOENT)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                        "There is no guest “%s”; write /etc/vxm/guests/%s.guest, then run systemctl daemon-reload.", name,
                        name);
        if (r < 0)
                return log_error_errno(r, "Cannot look for guest %s: %s.", name, strerror(-r));
        if (ret->masked)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                        "Guest “%s” is masked: /%s is empty, or a link to /dev/null. Fill or remove it to use the guest.", name, ret->paths[0]);
        return 0;
}

/* The files of a guest, and among them the draft, whether that is there already or not. */
static int find_draft(int root, const char *name, const GuestDraft *draft, GuestFiles *ret) {
        _cleanup_(freep) char *main_file = NULL;
        int r;

        if (!guest_name_is_valid(name))
                return find_files(root, name, ret); /* says so */
        if (format(&main_file, "etc/vxm/guests/%s.guest", name) < 0)
                return log_oom();
        if (!streq(draft->path, main_file)) {
                r = find_files(root, name, ret);
                return r >= 0 && guest_files_add(ret, draft->path) < 0 ? log_oom() : r;
        }
        r = guest_files_find_for(root, name, main_file, ret);
        return r < 0 ? log_error_errno(r, "Cannot look for guest %s: %s.", name, strerror(-r)) : 0;
}

int guest_load(int root, const char *name, Guest **ret) {
        return guest_load_draft(root, name, NULL, ret);
}

int guest_load_draft(int root, const char *name, const GuestDraft *draft, Guest **ret) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        int r, q;

        r = draft ? find_draft(root, name, draft, &f) : find_files(root, name, &f);
        if (r < 0)
                return r;

        g = calloc(1, sizeof *g);
        if (!g || free_and_strdup(&g->name, name) < 0 || format(&g->file, "/%s", f.paths[0]) < 0 ||
                guest_apply_initial(g) < 0)
                return log_oom();

        /* Both, so that all that is wrong is told at once. */
        r = load_preset(root, &f, draft, g);
        q = guest_lines_read(root, &f, draft, guest_assign, g);
        g->cpu_count = g->cpu_count > 0 ? g->cpu_count : default_cpu_count(g);
        r = r < 0 ? r : q;
        if (r >= 0 && ((!g->user && format(&g->user, "vxm-%s", name) < 0) || guest_disks_complete(g) < 0))
                return log_oom();
        r = r < 0 ? r : verify(g);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(g);
        return 0;
}

int guest_load_quietly(int root, const char *name, const GuestDraft *draft, Guest **ret) {
        int previous = log_get_max_priority(), r;

        log_set_max_priority(-1);
        r = guest_load_draft(root, name, draft, ret);
        log_set_max_priority(previous);
        return r;
}

bool guest_runs(int root, const char *name) {
        char sockets[64];

        (void) snprintf(sockets, sizeof sockets, "run/vxm/sockets/%s", name);
        return root_exists(root, sockets);
}
