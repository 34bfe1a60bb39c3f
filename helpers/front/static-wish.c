/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks guest files for Binding=static. */

#include "devices.h"
#include "guest-files.h"
#include "log.h"
#include "merged.h"
#include "root.h"
#include "static-wish.h"

static bool wants(const Guest *g, bool gpus) {
        return gpus ? guest_wants_static_gpu(g) : guest_wants_static(g);
}

int static_wish_count(int root, bool gpus, size_t *ret) {
        char **names = NULL;
        size_t n = 0;
        int r;

        *ret = 0;
        r = guest_files_list(root, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                *ret += guest_load_quietly(root, names[i], NULL, &g) < 0 || wants(g, gpus);
        }
        strings_free(names, n);
        return r < 0 ? log_error_errno(r, "Cannot list the guest files: %s.", strerror(-r)) : 0;
}

/* A section without devices asks for nothing. */
static bool has_device(const MergedGuest *m, const char *section) {
        for (size_t i = 0; i < m->n; i++)
                if (streq(m->items[i].section, section) && streq_ptr(m->items[i].key, "Device"))
                        return true;
        return false;
}

static bool is_gpu(const char *section) {
        return streq(section, "GPU") || startswith(section, "GPU ");
}

static bool asks(const MergedGuest *m, const MergedKey *k, bool gpus) {
        return streq_ptr(k->key, "Binding") && streq_ptr(k->value, "static") && (!gpus || is_gpu(k->section)) && has_device(m, k->section);
}

int static_wish_place(int root, const Guest *g, bool gpus, char **ret, bool *ret_drop_in) {
        _cleanup_(merged_guest_done) MergedGuest m = {};
        int r;

        *ret_drop_in = false;
        r = merged_guest_read(root, g->name, false, &m);
        for (size_t i = 0; r >= 0 && i < m.n; i++) {
                const MergedKey *k = &m.items[i];

                if (!asks(&m, k, gpus))
                        continue;
                *ret_drop_in = k->origin == MERGED_DROP_IN;
                return format(ret, "%s:%u", k->file, k->line) < 0 ? log_oom() : 0;
        }
        return free_and_strdup(ret, g->file) < 0 ? log_oom() : 0;
}
