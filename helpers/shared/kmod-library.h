/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of libkmod is used, see library.h. It brings libraries for compression and signatures along, and the modules that are
 * wanted are mostly there already. */

#include <libkmod.h>

typedef struct KmodLibrary {
        __typeof__(kmod_new) *new;
        __typeof__(kmod_unref) *unref;
        __typeof__(kmod_set_log_priority) *set_log_priority;
        __typeof__(kmod_list_next) *list_next;
        __typeof__(kmod_module_new_from_lookup) *module_new_from_lookup;
        __typeof__(kmod_module_get_module) *module_get_module;
        __typeof__(kmod_module_get_name) *module_get_name;
        __typeof__(kmod_module_probe_insert_module) *module_probe_insert_module;
        __typeof__(kmod_module_unref) *module_unref;
        __typeof__(kmod_module_unref_list) *module_unref_list;
} KmodLibrary;

/* Returns NULL where there is none. */
const KmodLibrary *kmod_library(void);

void kmod_unrefp(struct kmod_ctx **ctx);
