/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks libkmod, kernel by kernel: an initramfs is made for each, and the next boot may be into any of them. */

#include "kmod-library.h"
#include "log.h"
#include "root.h"
#include "static-modules.h"

#define MODULES_DIRECTORY "usr/lib/modules"

typedef struct Names {
        char **items;
        size_t n;
} Names;

static void names_done(Names *l) {
        l->items = strings_free(l->items, l->n);
}

/* In order, and once. */
static int names_insert(Names *l, const char *name) {
        size_t i = 0;
        char *copy;

        while (i < l->n && strcmp(l->items[i], name) < 0)
                i++;
        if (i < l->n && streq(l->items[i], name))
                return 0;
        copy = strdup(name);
        if (!copy || !ARRAY_GROW(l->items, l->n)) {
                free(copy);
                return -ENOMEM;
        }
        memmove(&l->items[i + 1], &l->items[i], (l->n - i) * sizeof *l->items);
        l->items[i] = copy;
        l->n++;
        return 0;
}

/* vfio-pci itself, and its variants for single devices, such as mlx5_vfio_pci. */
static bool is_vfio(const char *name) {
        return strstr(name, "vfio") != NULL;
}

/* libkmod knows no root handle; a path through the descriptor leads below ours. */
static int lookup(int root, const char *release, const char *modalias, Names *names) {
        _cleanup_(kmod_unrefp) struct kmod_ctx *ctx = NULL;
        _cleanup_(freep) char *path = NULL;
        const KmodLibrary *kmod = kmod_library();
        struct kmod_list *found = NULL;
        const char *const no_configuration[] = { NULL };
        int r;

        if (!kmod)
                return -ENOPKG;
        r = format(&path, "/proc/self/fd/%d/" MODULES_DIRECTORY "/%s", root, release);
        if (r < 0)
                return r;
        ctx = kmod->new(path, no_configuration);
        if (!ctx)
                return -ENOMEM;
        kmod->set_log_priority(ctx, LOG_CRIT);
        r = kmod->module_new_from_lookup(ctx, modalias, &found);
        if (r < 0) {
                log_debug("Cannot look up %s in the modules of kernel %s: %s.", modalias, release, strerror(-r));
                return 0;
        }
        for (struct kmod_list *item = found; item; item = kmod->list_next(found, item)) {
                struct kmod_module *module = kmod->module_get_module(item);

                if (r >= 0 && !is_vfio(kmod->module_get_name(module)))
                        r = names_insert(names, kmod->module_get_name(module));
                kmod->module_unref(module);
        }
        kmod->module_unref_list(found);
        return r;
}

static int add_by_modalias(int root, const PciFunction *f, char **releases, size_t n, Names *names) {
        _cleanup_(freep) char *path = NULL, *modalias = NULL;
        int r;

        r = format(&path, "sys/bus/pci/devices/%s/modalias", f->name);
        r = r < 0 ? r : root_read(root, path, &modalias);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = lookup(root, releases[i], modalias, names);
        return r;
}

/* A driver's name is not its module's: bochs-drm is in bochs. One that is part of the kernel has no module. */
static int add_bound(int root, const PciFunction *f, Names *names) {
        _cleanup_(freep) char *path = NULL, *module = NULL;
        int r;

        if (!f->driver || is_vfio(f->driver))
                return 0;
        r = format(&path, "sys/bus/pci/drivers/%s/module", f->driver);
        r = r < 0 ? r : root_readlink_name(root, path, &module);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return names_insert(names, module);
}

int static_modules_find(int root, const PciFunctions *functions, char ***ret, size_t *ret_n) {
        _cleanup_(names_done) Names names = {};
        char **releases = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, MODULES_DIRECTORY, &releases, &n);
        if (r == -ENOENT)
                r = 0;
        for (size_t i = 0; r >= 0 && i < functions->n; i++) {
                r = add_by_modalias(root, &functions->items[i], releases, n, &names);
                r = r < 0 ? r : add_bound(root, &functions->items[i], &names);
        }
        strings_free(releases, n);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(names.items);
        *ret_n = names.n;
        names.n = 0;
        return 0;
}
