/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libkmod. */

#include "kmod-library.h"
#include "library.h"
#include "util.h"

const KmodLibrary *kmod_library(void) {
        static KmodLibrary kmod;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(kmod.new, kmod_new),
                LIBRARY_FUNCTION(kmod.unref, kmod_unref),
                LIBRARY_FUNCTION(kmod.set_log_priority, kmod_set_log_priority),
                LIBRARY_FUNCTION(kmod.list_next, kmod_list_next),
                LIBRARY_FUNCTION(kmod.module_new_from_lookup, kmod_module_new_from_lookup),
                LIBRARY_FUNCTION(kmod.module_get_module, kmod_module_get_module),
                LIBRARY_FUNCTION(kmod.module_get_name, kmod_module_get_name),
                LIBRARY_FUNCTION(kmod.module_probe_insert_module, kmod_module_probe_insert_module),
                LIBRARY_FUNCTION(kmod.module_unref, kmod_module_unref),
                LIBRARY_FUNCTION(kmod.module_unref_list, kmod_module_unref_list),
                {},
        };

        return library_load("libkmod.so.2", functions) < 0 ? NULL : &kmod;
}

void kmod_unrefp(struct kmod_ctx **ctx) {
        if (*ctx)
                kmod_library()->unref(*ctx);
}
