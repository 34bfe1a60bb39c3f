/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads kernel modules as modprobe(8) does, in this process. */

#include <libkmod.h>

#include "module.h"
#include "util.h"

static void kmod_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                kmod_unref(*ctx);
}

int module_load(const char *name) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        struct kmod_list *found = NULL, *item;
        int r;

        ctx = kmod_new(NULL, NULL);
        if (!ctx)
                return -ENOMEM;
        r = kmod_module_new_from_lookup(ctx, name, &found);
        if (r < 0)
                return r;
        if (!found)
                return -ENOENT;

        kmod_list_foreach(item, found) {
                struct kmod_module *module = kmod_module_get_module(item);

                r = kmod_module_probe_insert_module(module, 0, NULL, NULL, NULL, NULL);
                kmod_module_unref(module);
                if (r < 0)
                        break;
        }
        kmod_module_unref_list(found);
        return r > 0 ? 0 : r;
}

int module_exists(const char *name) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = kmod_new(NULL, NULL);
        struct kmod_list *found = NULL;
        int r;

        if (!ctx)
                return -ENOMEM;
        r = kmod_module_new_from_lookup(ctx, name, &found);
        if (r < 0)
                return r;
        r = found != NULL;
        kmod_module_unref_list(found);
        return r;
}
