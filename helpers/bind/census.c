/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has the devices, and whether that keeps the guest from having them. Only reads. */

#include <poll.h>
#include <sys/pidfd.h>
#include <time.h>

#include "census.h"
#include "display.h"
#include "exit-status.h"
#include "holders.h"
#include "log.h"
#include "messages.h"

enum {
        WAIT_MSEC = 10000, /* how long the processes of a stopped session have to end */
        SHOWN_MAX = 6,     /* holders in one message */
};

static bool guest_stops(const Guest *g, const char *unit) {
        for (size_t i = 0; i < g->n_stop_units; i++)
                if (streq_ptr(unit, g->stop_units[i]))
                        return true;
        return false;
}

/* logind closes its own descriptors when a device or a session goes. */
static bool lets_go(const Holder *h) {
        return h->yields || streq_ptr(h->unit, "systemd-logind.service");
}

/* Stopping a display manager, by whatever name, ends sessions. */
static bool goes_with_units(const Guest *g, const Holder *h) {
        return guest_stops(g, h->unit) || h->session || h->user_unit;
}

static void drop_holder(Holders *l, size_t i) {
        Holders one = { .items = malloc(sizeof(Holder)), .n = 1 };

        if (one.items) {
                one.items[0] = l->items[i];
                holders_done(&one);
        }
        memmove(&l->items[i], &l->items[i + 1], (l->n - i - 1) * sizeof *l->items);
        l->n--;
}

static int find_blocking(int root, const Guest *g, const PciFunction functions[], size_t n, bool units_will_stop, Holders *ret) {
        _cleanup_(holders_done) Holders l = {};
        int r;

        r = holders_find(root, functions, n, &l);
        if (r < 0)
                return log_error_errno(r, "Cannot find out who has the devices: %s.", strerror(-r));
        for (size_t i = 0; i < l.n;) {
                if (lets_go(&l.items[i]) || (units_will_stop && goes_with_units(g, &l.items[i])))
                        drop_holder(&l, i);
                else
                        i++;
        }
        *ret = l;
        l = (Holders){};
        return 0;
}

static int describe(const Holders *l, char **ret) {
        _cleanup_(freep) char *list = NULL;

        for (size_t i = 0; i < l->n && i < SHOWN_MAX; i++) {
                _cleanup_(freep) char *one = NULL;
                char *longer = NULL;

                if (holder_describe(&l->items[i], &one) < 0 ||
                        format(&longer, "%s%s%s", list ? list : "", list ? ", " : "", one) < 0)
                        return -ENOMEM;
                free(list);
                list = longer;
        }
        if (l->n > SHOWN_MAX) {
                char *longer = NULL;

                if (format(&longer, "%s and %zu more", list, l->n - SHOWN_MAX) < 0)
                        return -ENOMEM;
                free(list);
                list = longer;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

static int refuse_busy(const Guest *g, const PciFunction *f, const Holders *l) {
        _cleanup_(freep) char *list = NULL;
        bool sessions = false;

        if (describe(l, &list) < 0)
                return log_oom();
        for (size_t i = 0; i < l->n; i++)
                sessions |= l->items[i].session || l->items[i].user_unit;
        return log_event_errno(E_BUSY, MESSAGE_DEVICE_BUSY, FIELDS("VXM_DEVICE", f->name),
                "%s is in use: %s. %s, or name the units that hold it in [GPU] StopUnits= of %s.", f->name, list,
                sessions ? "Close these programs, or keep your desktop off this GPU (see vxm-bind(8))" : "Stop these first",
                g->file);
}

static int refuse_console(const Guest *g, const PciFunction *f) {
        return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name),
                "%s shows the host's only console, which would go dark; set SingleGpu=yes in [GPU] of %s to let the guest have it.",
                f->name, g->file);
}

static int now_msec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (int) (t.tv_sec % 1000000 * 1000 + t.tv_nsec / 1000000);
}

/* Waits until one of the holders has ended, or msec have passed. */
static int wait_for_end(const Holders *l, int msec) {
        _cleanup_(freep) struct pollfd *fds = calloc(l->n, sizeof *fds);
        int r = 0;

        if (!fds)
                return log_oom();
        for (size_t i = 0; i < l->n; i++)
                fds[i] = (struct pollfd){ .fd = pidfd_open(l->items[i].pid, 0), .events = POLLIN };
        for (size_t i = 0; r == 0 && i < l->n; i++)
                r = fds[i].fd < 0; /* gone by now */
        if (r == 0)
                r = poll(fds, l->n, msec);
        for (size_t i = 0; i < l->n; i++)
                if (fds[i].fd >= 0)
                        close(fds[i].fd);
        return r < 0 && errno != EINTR ? -errno : 0;
}

static int check_holders(int root, const Guest *g, const PciFunction functions[], size_t n, bool units_will_stop) {
        bool wait = !units_will_stop && (g->single_gpu || g->n_stop_units > 0);
        int end = now_msec() + WAIT_MSEC;

        for (;;) {
                _cleanup_(holders_done) Holders l = {};
                int r, left = end - now_msec();

                r = find_blocking(root, g, functions, n, units_will_stop, &l);
                if (r < 0 || l.n == 0)
                        return r;
                if (!wait || left <= 0)
                        return refuse_busy(g, &functions[0], &l);
                r = wait_for_end(&l, left);
                if (r < 0)
                        return r;
        }
}

int census_check(int root, const Guest *g, const GuestFunctions *functions, bool units_will_stop) {
        _cleanup_(freep) PciFunction *list = reallocarray(NULL, functions->n + 1, sizeof *list);
        _cleanup_(host_console_done) HostConsole console = {};
        int r;

        if (!list)
                return log_oom();
        for (size_t i = 0; i < functions->n; i++)
                list[i] = functions->items[i].pci;
        if (functions->n == 0)
                return 0;
        r = host_console_read(root, list, functions->n, &console);
        if (r < 0)
                return log_error_errno(r, "Cannot find out where the host's console is: %s.", strerror(-r));
        if (console.n_vtconsoles > 0 && !g->single_gpu)
                return refuse_console(g, &list[0]);
        return check_holders(root, g, list, functions->n, units_will_stop);
}
