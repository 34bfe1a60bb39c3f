/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads kernel modules as modprobe(8) does, in this process. */

#include "kmod-library.h"
#include "module.h"
#include "util.h"

int module_load(const char *name) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        const KmodLibrary *kmod = kmod_library();
        struct kmod_list *found = NULL;
        int r;

        if (!kmod)
                return -ENOPKG;
        ctx = kmod->new(NULL, NULL);
        if (!ctx)
                return -ENOMEM;
        r = kmod->module_new_from_lookup(ctx, name, &found);
        if (r < 0)
                return r;
        if (!found)
                return -ENOENT;

        for (struct kmod_list *item = found; r >= 0 && item; item = kmod->list_next(found, item)) {
                struct kmod_module *module = kmod->module_get_module(item);

                r = kmod->module_probe_insert_module(module, 0, NULL, NULL, NULL, NULL);
                kmod->module_unref(module);
        }
        kmod->module_unref_list(found);
        return r > 0 ? 0 : r;
}

int module_exists(const char *name) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        const KmodLibrary *kmod = kmod_library();
        struct kmod_list *found = NULL;
        int r;

        if (!kmod)
                return -ENOPKG;
        ctx = kmod->new(NULL, NULL);
        if (!ctx)
                return -ENOMEM;
        r = kmod->module_new_from_lookup(ctx, name, &found);
        if (r < 0)
                return r;
        r = found != NULL;
        kmod->module_unref_list(found);
        return r;
}
