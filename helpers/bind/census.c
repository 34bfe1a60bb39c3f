/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has the devices, and whether that keeps the guest from having them. Only reads. */

#include <poll.h>
#include <sys/pidfd.h>

#include "census.h"
#include "exit-status.h"
#include "holders.h"
#include "log.h"
#include "messages.h"
#include "root.h"
#include "udev-settle.h"
#include "units-plan.h"

enum {
        /* How long the processes of a stopped session have to end. logind stops a user's manager 10 s after the last session
         * (UserStopDelaySec= in logind.conf(5)). */
        WAIT_USEC = 20000000,
        /* udev's workers are done in much less than this, if nothing is wrong with them. */
        UDEV_WAIT_USEC = 10000000,
        UDEV_WAITS_MAX = 5,   /* another device may come whenever one has been seen to */
        SHOWN_MAX = 6,        /* holders in one message */
};

static bool stops_units(const Guest *g) {
        return g->single_gpu || g->n_stop_units > 0;
}

/* Stopping a display manager, by whatever name, ends sessions. */
static bool goes_with_units(int root, const Guest *g, const Holder *h) {
        return stops_units(g) && ((h->unit && unit_is_wanted(root, g, h->unit)) || h->session || h->user_unit);
}

static int find_blocking(int root, const Guest *g, const PciFunction functions[], size_t n, bool units_will_stop, Holders *ret) {
        _cleanup_(holders_done) Holders l = {};
        int r;

        r = holders_find(root, functions, n, &l);
        if (r < 0)
                return log_error_errno(r, "Cannot find out who has the devices: %s.", strerror(-r));
        ret->items = calloc(l.n, sizeof *ret->items);
        if (!ret->items && l.n > 0)
                return log_oom();
        for (size_t i = 0; i < l.n; i++)
                if (!l.items[i].yields && !(units_will_stop && goes_with_units(root, g, &l.items[i]))) {
                        ret->items[ret->n++] = l.items[i];
                        l.items[i] = (Holder){};
                }
        ret->n_unseen = l.n_unseen;
        return 0;
}

static int describe(const Holders *l, char **ret) {
        _cleanup_(freep) char *list = NULL;

        for (size_t i = 0; i < l->n && i < SHOWN_MAX; i++) {
                _cleanup_(freep) char *one = NULL;

                if (holder_describe(&l->items[i], &one) < 0 || list_append(&list, ", ", "%s", one) < 0)
                        return -ENOMEM;
        }
        if (l->n > SHOWN_MAX && list_append(&list, " and ", "%zu more", l->n - SHOWN_MAX) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(list);
        return 0;
}

/* Whether one of them is a unit that should have been stopped, and would have been, if vxm-generator had seen the guest file as
 * it is. */
static bool has_wanted_unit(int root, const Guest *g, const Holders *l) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].unit && unit_is_wanted(root, g, l->items[i].unit))
                        return true;
        return false;
}

static int refuse_busy(int root, const Guest *g, const PciFunction *f, const Holders *l) {
        _cleanup_(freep) char *list = NULL;
        bool sessions = false;

        if (describe(l, &list) < 0)
                return log_oom();
        for (size_t i = 0; i < l->n; i++)
                sessions |= l->items[i].session || l->items[i].user_unit;
        if (has_wanted_unit(root, g, l))
                return log_event_errno(E_BUSY, MESSAGE_DEVICE_BUSY, FIELDS("VXM_DEVICE", f->name),
                        "%s is in use: %s. %s has that unit stopped, which has not happened; run systemctl daemon-reload, then start "
                        "the guest again.",
                        f->name, list, g->file);
        return log_event_errno(E_BUSY, MESSAGE_DEVICE_BUSY, FIELDS("VXM_DEVICE", f->name),
                "%s is in use: %s. %s, or name the units that hold it in [GPU] StopUnits= of %s.", f->name, list,
                sessions ? "Close these programs, or keep your desktop off this GPU (see vxm-bind(8))" : "Stop these first",
                g->file);
}

/* Only who is not root, or root in a sandbox, is kept from looking. */
static void warn_of_unseen(const Holders *l) {
        if (l->n_unseen > 0)
                log_warning("%zu processes may have the devices open and cannot be looked into; ask as root.", l->n_unseen);
}

static int refuse_console(const Guest *g, const PciFunction *f) {
        return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name),
                "%s shows the host's only console, which would go dark; set SingleGpu=yes in [GPU] of %s to let the guest have it.",
                f->name, g->file);
}

/* Waits until one of the holders has ended, or usec have passed. */
static int wait_for_end(const Holders *l, uint64_t usec) {
        _cleanup_(freep) struct pollfd *fds = calloc(l->n, sizeof *fds);
        bool gone = false;
        int r = 0;

        if (!fds)
                return log_oom();
        for (size_t i = 0; i < l->n; i++) {
                fds[i] = (struct pollfd){ .fd = r < 0 ? -EBADF : pidfd_open(l->items[i].pid, 0), .events = POLLIN };
                if (r >= 0 && fds[i].fd < 0)
                        r = errno == ESRCH ? (gone = true, 0) : -errno;
        }
        if (r >= 0 && !gone && poll(fds, l->n, (int) (usec / 1000)) < 0 && errno != EINTR)
                r = -errno;
        for (size_t i = 0; i < l->n; i++)
                if (fds[i].fd >= 0)
                        close(fds[i].fd);
        return r < 0 ? log_error_errno(r, "Cannot wait for who has the devices: %s.", strerror(-r)) : 0;
}

/* Whether nobody but udev has the devices: it has them for a moment after they have come to a driver. */
static bool are_of_udev(const Holders *l) {
        for (size_t i = 0; i < l->n; i++)
                if (!streq_ptr(l->items[i].unit, "systemd-udevd.service"))
                        return false;
        return true;
}

static int check_holders(int root, const Guest *g, const PciFunction functions[], size_t n, bool units_will_stop) {
        uint64_t end = now_usec() + (!units_will_stop && stops_units(g) ? WAIT_USEC : 0);
        unsigned waits_left = root_is_this_machine(root) ? UDEV_WAITS_MAX : 0;

        for (;;) {
                _cleanup_(holders_done) Holders l = {};
                uint64_t now = now_usec();
                int r;

                r = find_blocking(root, g, functions, n, units_will_stop, &l);
                if (r < 0)
                        return r;
                if (l.n == 0)
                        return warn_of_unseen(&l), 0;
                if (are_of_udev(&l) && waits_left > 0) {
                        waits_left = udev_settle(UDEV_WAIT_USEC) < 0 ? 0 : waits_left - 1;
                        continue;
                }
                if (now >= end || has_wanted_unit(root, g, &l))
                        return refuse_busy(root, g, &functions[0], &l);
                r = wait_for_end(&l, end - now);
                if (r < 0)
                        return r;
        }
}

int census_check(int root, const Guest *g, const GuestFunctions *functions, const HostConsole *console, bool units_will_stop) {
        _cleanup_(freep) PciFunction *list = reallocarray(NULL, functions->n + 1, sizeof *list);

        if (!list)
                return log_oom();
        for (size_t i = 0; i < functions->n; i++)
                list[i] = functions->items[i].pci;
        if (functions->n == 0)
                return 0;
        if (console->n_vtconsoles > 0 && !g->single_gpu)
                return refuse_console(g, &list[0]);
        return check_holders(root, g, list, functions->n, units_will_stop);
}

/* The functions of the record that vfio-pci has now. */
static int read_bound(int root, const BindRecord *record, PciFunctions *ret) {
        for (size_t i = 0; i < record->n; i++) {
                PciFunction f, *slot;

                if (pci_read_function(root, record->functions[i].address, &f) < 0)
                        continue; /* the way back says what is wrong with it */
                if (!streq_ptr(f.driver, VFIO_DRIVER)) {
                        pci_function_done(&f);
                        continue;
                }
                slot = ARRAY_GROW(ret->items, ret->n);
                if (!slot) {
                        pci_function_done(&f);
                        return log_oom();
                }
                ret->items[ret->n++] = f;
        }
        return 0;
}

int census_check_return(int root, const char *guest, const BindRecord *record) {
        _cleanup_(pci_functions_done) PciFunctions bound = {};
        _cleanup_(holders_done) Holders l = {};
        _cleanup_(freep) char *list = NULL;
        int r;

        r = read_bound(root, record, &bound);
        if (r < 0 || bound.n == 0)
                return r;
        r = holders_find(root, bound.items, bound.n, &l);
        if (r < 0)
                return log_error_errno(r, "Cannot find out who has the devices: %s.", strerror(-r));
        if (l.n == 0)
                return 0;
        if (describe(&l, &list) < 0)
                return log_oom();
        return log_event_errno(E_BUSY, MESSAGE_DEVICE_BUSY, FIELDS("VXM_DEVICE", bound.items[0].name),
                "%s is in use: %s. Stop the guest first: systemctl stop vxm-guest@%s", bound.items[0].name, list, guest);
}
