/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads details of PCI functions from sysfs (Documentation/ABI/testing/sysfs-bus-pci). Only reads. */

#include "pci-details.h"
#include "root.h"
#include "sysfs.h"

void pci_details_done(PciDetails *d) {
        strings_free(d->reset_methods, d->n_reset_methods);
        free(d->power_control);
        free(d->power_state);
        free(d->link_speed);
        free(d->link_width);
        free(d->link_speed_max);
        free(d->link_width_max);
        *d = (PciDetails){};
}

/* As sysfs_read(); *ret stays NULL when there is no such attribute, or its reading needs what is not there (a link, say). */
static int read_if_any(int root, const PciFunction *f, const char *name, char **ret) {
        int r = sysfs_read(root, f->path, name, ret);

        if (r == -ENOENT || r == -EINVAL || r == -ENODEV || r == -EACCES)
                return 0;
        return r;
}

/* The same of a word that is to be shown. */
static int read_word(int root, const PciFunction *f, const char *name, char **ret) {
        int r = read_if_any(root, f, name, ret);

        if (r >= 0 && *ret)
                text_clean(*ret);
        return r;
}

/* “resource1_resize” is a bit mask, in hexadecimal without 0x. */
static int read_sizes(int root, const PciFunction *f, PciBar *bar) {
        _cleanup_(freep) char *name = NULL, *text = NULL;
        unsigned long long sizes;
        char *end;
        int r;

        r = format(&name, "resource%u_resize", bar->index);
        r = r < 0 ? r : read_if_any(root, f, name, &text);
        if (r < 0 || !text)
                return r;
        errno = 0;
        sizes = strtoull(text, &end, 16);
        if (errno > 0 || end == text || *end)
                return -EINVAL;
        bar->sizes = sizes;
        return 0;
}

static int read_reset_methods(int root, const PciFunction *f, PciDetails *d) {
        _cleanup_(freep) char *text = NULL;
        int r;

        r = read_if_any(root, f, "reset_method", &text);
        if (r < 0 || !text)
                return r;
        d->knows_reset_methods = true;
        for (char *save = NULL, *method = strtok_r(text, " ", &save); r >= 0 && method; method = strtok_r(NULL, " ", &save))
                r = strings_add(&d->reset_methods, &d->n_reset_methods, text_clean(method));
        return r;
}

static int read_power(int root, const PciFunction *f, PciDetails *d, bool *ret_asleep) {
        _cleanup_(freep) char *status = NULL, *allowed = NULL;
        int r;

        r = read_word(root, f, "power/control", &d->power_control);
        r = r < 0 ? r : read_word(root, f, "power_state", &d->power_state);
        r = r < 0 ? r : read_if_any(root, f, "d3cold_allowed", &allowed);
        r = r < 0 ? r : read_if_any(root, f, "power/runtime_status", &status);
        if (r < 0)
                return r;
        d->d3cold_allowed = !allowed ? -1 : streq(allowed, "1");
        *ret_asleep = streq_ptr(status, "suspended");
        return 0;
}

static int read_link(int root, const PciFunction *f, PciDetails *d) {
        int r;

        r = read_word(root, f, "current_link_speed", &d->link_speed);
        r = r < 0 ? r : read_word(root, f, "current_link_width", &d->link_width);
        r = r < 0 ? r : read_word(root, f, "max_link_speed", &d->link_speed_max);
        return r < 0 ? r : read_word(root, f, "max_link_width", &d->link_width_max);
}

int pci_details_read(int root, const PciFunction *f, PciDetails *ret) {
        _cleanup_(pci_details_done) PciDetails d = {};
        bool asleep = false;
        int r;

        r = pci_bars_read(root, f, d.bars, &d.n_bars);
        r = r < 0 ? r : read_reset_methods(root, f, &d);
        r = r < 0 ? r : read_power(root, f, &d, &asleep);
        if (!asleep) {
                for (size_t i = 0; r >= 0 && i < d.n_bars; i++)
                        r = read_sizes(root, f, &d.bars[i]);
                r = r < 0 ? r : read_link(root, f, &d);
        }
        if (r < 0)
                return r;

        *ret = d;
        d = (PciDetails){};
        return 0;
}
