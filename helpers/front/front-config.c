/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm config: which GPU a guest gets, and whether from boot on. Writes drop-ins of guest files, /etc/vxm/guests/NAME.guest.d, that are judged
 * first, and has vxm-bind's parts switch static binding. All of it is done, or nothing. */

#include "cli.h"
#include "conf.h"
#include "devices.h"
#include "exit-status.h"
#include "guest-files.h"
#include "guest-write.h"
#include "late-signal.h"
#include "log.h"
#include "messages.h"
#include "pin-guest.h"
#include "root.h"
#include "static-files.h"
#include "static-wish.h"
#include "static.h"
#include "verb-root.h"
#include "verb.h"

#define GPU_DROP_IN "60-gpu.conf"
#define BINDING_DROP_IN "61-binding.conf"
#define BINDING_HEAD "# Made by vxm config --enable-binding; --disable-binding removes it.\n"

static const char *arg_root = "/";
static const char *arg_gpu;
static bool arg_enable;
static bool arg_disable;

typedef struct Names {
        char **items;
        size_t n;
} Names;

static void names_done(Names *l) {
        l->items = strings_free(l->items, l->n);
}

static int list_guests(int root, Names *ret) {
        int r = guest_files_list(root, &ret->items, &ret->n);

        return r < 0 ? log_error_errno(r, "Cannot list the guest files: %s.", strerror(-r)) : 0;
}

static int drop_in_path(const char *guest, const char *name, char **ret) {
        return format(ret, "etc/vxm/guests/%s.guest.d/%s", guest, name) < 0 ? log_oom() : 0;
}

/* The guest that is named; without a name the only one. */
static int choose_guest(int root, const char *name, char **ret) {
        _cleanup_(names_done) Names l = {};
        int r;

        if (name)
                return free_and_strdup(ret, name) < 0 ? log_oom() : 0;
        r = list_guests(root, &l);
        if (r < 0)
                return r;
        if (l.n == 0)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "There is no guest yet; `vxm init NAME` makes one.");
        if (l.n > 1)
                return log_error_errno(E_CONFIG, "There are %zu guests; name the one that is meant, such as %s.", l.n, l.items[0]);
        return free_and_strdup(ret, l.items[0]) < 0 ? log_oom() : 0;
}

/* ---- a drop-in, and how to undo it ---- */

typedef struct DropIn {
        char *path;
        char *before; /* its text; NULL: it was not there */
        bool changed;
} DropIn;

static void drop_in_done(DropIn *d) {
        free(d->path);
        free(d->before);
}

static int refuse_write(const DropIn *d, int r) {
        if (r == -EACCES || r == -EPERM || r == -EROFS)
                return log_error_errno(r, "Only root can write /%s; try again as root.", d->path);
        return log_error_errno(r, "Cannot write /%s: %s; it is as it was.", d->path, strerror(-r));
}

static int look(int root, const char *guest, const char *name, DropIn *ret) {
        _cleanup_(freep) char *found = NULL;
        int r;

        r = drop_in_path(guest, name, &ret->path);
        if (r < 0)
                return r;
        r = root_read(root, ret->path, &found);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                return refuse_write(ret, r);
        return found && format(&ret->before, "%s\n", found) < 0 ? log_oom() : 0;
}

/* text: NULL removes it. */
static int put(int root, const char *guest, const char *name, const char *text, DropIn *ret) {
        int r = look(root, guest, name, ret);

        if (r < 0)
                return r;
        r = text ? guest_write(root, ret->path, text, true) : guest_unwrite(root, ret->path);
        ret->changed = r >= 0;
        return r < 0 ? refuse_write(ret, r) : 0;
}

/* Only what we have written: of what could not be read it is not known how it was. */
static void put_back(int root, const DropIn *d) {
        int r = 0;

        if (d->changed)
                r = d->before ? guest_write(root, d->path, d->before, true) : guest_unwrite(root, d->path);
        if (r < 0)
                log_error_errno(r, "Cannot put /%s back as it was: %s.", d->path, strerror(-r));
}

/* ---- the GPU ---- */

/* What has been recorded of another card is about to be recorded anew. */
static void forget_pins(Guest *g) {
        for (size_t i = 0; i < g->n_devices; i++) {
                GuestDevices *d = &g->devices[i];

                for (size_t j = 0; d->gpu && !d->name && j < d->n_pins; j++)
                        device_pin_done(&d->pins[j]);
                d->n_pins = d->gpu && !d->name ? 0 : d->n_pins;
        }
}

/* A drop-in that comes after ours may say otherwise. */
static int judge_outcome(const Guest *g) {
        _cleanup_(freep) char *gpu = strdup(arg_gpu);

        if (!gpu)
                return log_oom();
        for (size_t i = 0; i < g->n_devices; i++) {
                const GuestDevices *d = &g->devices[i];

                if (d->gpu && !d->name && d->n_specs == 1 && streq(d->specs[0].text, strstrip(gpu)))
                        return 0;
        }
        return log_error_errno(E_CONFIG, "Another drop-in of guest %s, which comes after " GPU_DROP_IN ", names a GPU, too; vxm cat %s shows which, remove it first.",
                g->name, g->name);
}

static bool has_gpu(const GuestDevices *d) {
        return d->gpu && d->n_specs > 0;
}

/* What we write is [GPU]: where the guest's GPU has a section with a name, that would be a second one. */
static int refuse_named(const Guest *g) {
        const GuestDevices *named = NULL;

        for (size_t i = 0; i < g->n_devices; i++) {
                if (has_gpu(&g->devices[i]) && !g->devices[i].name)
                        return 0;
                if (has_gpu(&g->devices[i]) && !named)
                        named = &g->devices[i];
        }
        return !named ? 0
                      : conf_log(LOG_ERR, g->file, 0,
                                "[GPU %s] names the guest's GPU, and --set-gpu would add another one; change it there: vxm edit %s",
                                named->name, g->name);
}

static int judge_gpu(int root, const char *guest, const char *path, const char *text) {
        _cleanup_(guest_functions_done) GuestFunctions functions = {};
        _cleanup_(guest_freep) Guest *g = NULL, *before = NULL;
        int r;

        r = guest_load(root, guest, &before); /* there has to be one, and it is to be right */
        r = r < 0 ? r : refuse_named(before);
        r = r < 0 ? r : guest_load_draft(root, guest, &(GuestDraft){ path, text }, &g);
        if (r < 0)
                return r;
        r = judge_outcome(g);
        if (r < 0)
                return r;
        forget_pins(g);
        return guest_devices_find(root, g, &functions);
}

static int record_again(int root, const char *guest, DropIn *ret) {
        int r = look(root, guest, "90-recorded.conf", ret);

        if (r < 0 || !ret->before)
                return r;
        r = pin_guest(root, guest, false);
        ret->changed = r >= 0;
        return r;
}

/* What is bound at boot is in a list: the card before is in it still, and the new one is not yet. */
static int bind_again(int root, const char *guest) {
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        if (!root_exists(root, STATIC_DEVICES))
                return 0;
        r = guest_load(root, guest, &g);
        return r < 0 || !guest_wants_static_gpu(g) ? r : static_enable(root, false);
}

static int set_gpu(int root, const char *name) {
        _cleanup_(freep) char *guest = NULL, *path = NULL, *text = NULL;
        _cleanup_(drop_in_done) DropIn d = {}, recorded = {};
        int r;

        r = choose_guest(root, name, &guest);
        r = r < 0 ? r : drop_in_path(guest, GPU_DROP_IN, &path);
        if (r < 0)
                return r;
        if (format(&text, "# Made by vxm config --set-gpu.\n[GPU]\nDevice=\nDevice=%s\n", arg_gpu) < 0)
                return log_oom();
        r = judge_gpu(root, guest, path, text);
        r = r < 0 ? r : put(root, guest, GPU_DROP_IN, text, &d);
        r = r < 0 ? r : record_again(root, guest, &recorded);
        r = r < 0 ? r : bind_again(root, guest);
        if (r < 0) {
                put_back(root, &recorded);
                put_back(root, &d);
                return r;
        }
        log_info("Guest %s gets %s from its next start on; /%s says so.", guest, arg_gpu, d.path);
        return guest_written(root);
}

/* ---- static binding ---- */

/* NULL: it has no GPU. */
static int make_wish(const Guest *g, char **ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_devices; i++) {
                const GuestDevices *d = &g->devices[i];

                if (has_gpu(d))
                        r = list_append(ret, "", "%s[GPU%s%s]\nBinding=static\n", *ret ? "" : BINDING_HEAD,
                                d->name ? " " : "", d->name ? d->name : "");
        }
        return r < 0 ? log_oom() : 0;
}

/* A card of [PCI] that is bound at boot says nothing about the GPU. */
static bool has_dynamic_gpu(const Guest *g) {
        for (size_t i = 0; i < g->n_devices; i++)
                if (has_gpu(&g->devices[i]) && !g->devices[i].binding_static)
                        return true;
        return false;
}

static int enable_for(int root, const char *name) {
        _cleanup_(drop_in_done) DropIn d = {};
        _cleanup_(freep) char *guest = NULL, *wish = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        r = choose_guest(root, name, &guest);
        r = r < 0 ? r : guest_load(root, guest, &g);
        r = r < 0 ? r : make_wish(g, &wish);
        if (r < 0)
                return r;
        if (!guest_wants_static(g) && !wish)
                return log_error_errno(E_CONFIG, "Guest %s has no GPU in [GPU]; give it one first: vxm config --set-gpu DEV %s", guest, guest);
        r = has_dynamic_gpu(g) ? put(root, guest, BINDING_DROP_IN, wish, &d) : 0;
        r = r < 0 ? r : static_enable(root, false);
        if (r < 0) {
                put_back(root, &d);
                return r;
        }
        return guest_written(root);
}

/* Without a name, guest files may have said which; where they name other devices than GPUs only, it has to be clear whose GPU is meant. */
static int enable(int root, const char *name) {
        _cleanup_(names_done) Names l = {};
        size_t gpus = 0, all = 0;
        int r;

        r = list_guests(root, &l);
        r = r < 0 ? r : static_wish_count(root, true, &gpus);
        r = r < 0 ? r : static_wish_count(root, false, &all);
        if (r < 0)
                return r;
        return !name && (gpus > 0 || (all > 0 && l.n > 1)) ? static_enable(root, false) : enable_for(root, name);
}

/* Where else a guest asks for it; gpus: for a GPU. Returns 1; 0: nowhere; -errno, logged. */
static int find_other_wish(int root, const char *guest, bool gpus, char **ret_place, bool *ret_drop_in) {
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        r = guest_load(root, guest, &g);
        if (r < 0 || !(gpus ? guest_wants_static_gpu(g) : guest_wants_static(g)))
                return r < 0 ? r : 0;
        r = static_wish_place(root, g, gpus, ret_place, ret_drop_in);
        return r < 0 ? r : 1;
}

static int refuse_other_wish(int root, const char *guest) {
        _cleanup_(freep) char *place = NULL, *next = NULL;
        bool drop_in;
        int r;

        r = find_other_wish(root, guest, true, &place, &drop_in);
        if (r <= 0)
                return r;
        if (!drop_in && format(&next, ": vxm edit %s", guest) < 0)
                return log_oom();
        return log_error_errno(E_CONFIG, "%s says Binding=static itself, so nothing has been changed; make it dynamic%s, then try again.", place,
                drop_in ? " there" : next);
}

/* They may stay: nothing is bound as long as static binding is off. */
static void tell_other_wishes(int root, const Names *l) {
        int previous = log_get_max_priority();

        for (size_t i = 0; i < l->n; i++) {
                _cleanup_(freep) char *place = NULL;
                bool drop_in;
                int r;

                log_set_max_priority(-1); /* what is wrong with a guest is told elsewhere */
                r = find_other_wish(root, l->items[i], false, &place, &drop_in);
                log_set_max_priority(previous);
                if (r > 0)
                        log_warning("%s says Binding=static still, and will count again with the next --enable-binding.", place);
        }
}

static int remove_drop_ins(int root, const char *name, const Names *l, DropIn *drop_ins, size_t *n) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < l->n; i++)
                if (!name || streq(name, l->items[i]))
                        r = put(root, l->items[i], BINDING_DROP_IN, NULL, &drop_ins[(*n)++]);
        if (r >= 0 && name && *n == 0)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "There is no guest “%s”; `vxm list` shows what there is.", name);
        return r;
}

/* What others ask for goes on. */
static int disable_for(int root, const char *name) {
        size_t left = 0;
        int r;

        r = refuse_other_wish(root, name);
        r = r < 0 ? r : static_wish_count(root, false, &left);
        return r < 0 ? r : left > 0 ? static_enable(root, false) : static_disable(root, false);
}

/* Of the guest that is named, or of all. */
static int disable(int root, const char *name) {
        _cleanup_(names_done) Names l = {};
        DropIn *drop_ins = NULL;
        size_t n = 0;
        int r;

        r = list_guests(root, &l);
        if (r < 0)
                return r;
        drop_ins = calloc(l.n + 1, sizeof *drop_ins);
        if (!drop_ins)
                return log_oom();
        r = remove_drop_ins(root, name, &l, drop_ins, &n);
        r = r < 0 ? r : name ? disable_for(root, name) : static_disable(root, false);
        for (size_t i = 0; i < n; i++) {
                if (r < 0)
                        put_back(root, &drop_ins[i]);
                drop_in_done(&drop_ins[i]);
        }
        free(drop_ins);
        if (r < 0)
                return r;
        if (!name)
                tell_other_wishes(root, &l);
        return guest_written(root);
}

/* From here on Ctrl-C waits until all has been done, or undone. What makes the initramfs ends by it at once, which is a failure. */
static int act(int root, const char *name) {
        sigset_t before;
        int r;

        r = late_signal_hold(&before);
        if (r < 0)
                return log_error_errno(r, "Cannot hold signals: %s.", strerror(-r));
        r = arg_gpu ? set_gpu(root, name) : arg_enable ? enable(root, name) : disable(root, name);
        late_signal_release(&before);
        return r;
}

static int config(const char *name) {
        _cleanup_(closep) int root = verb_root_open(arg_root);
        int r = root < 0 ? root : guest_write_judge(root);

        return r < 0 ? r : act(root, name);
}

int verb_config(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "set-gpu", "DEV", "the GPU it gets, as Device= has it", NULL, &arg_gpu },
                { "enable-binding", NULL, "bind its GPU at boot, from the next one on", &arg_enable, NULL },
                { "disable-binding", NULL, "not any more", &arg_disable, NULL },
                { "root", "DIR", "on the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm config", "Sets which GPU a guest gets, and whether from boot on.", "[NAME]", 1, options, true,
                .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        if (!!arg_gpu + arg_enable + arg_disable != 1 || (arg_gpu && (isempty(arg_gpu) || strpbrk(arg_gpu, "\n\r")))) {
                fprintf(stderr, "vxm config: expected --set-gpu DEV, --enable-binding or --disable-binding; see vxm config --help.\n");
                return STATUS_USAGE;
        }
        return exit_status(config(operands[0]));
}
