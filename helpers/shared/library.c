/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libraries with dlopen(3). They stay until the process ends. */

#include <dlfcn.h>
#include <errno.h>

#include "library.h"
#include "log.h"

static bool are_found(const LibraryFunction functions[]) {
        while (functions->name && *functions->pointer)
                functions++;
        return !functions->name;
}

int library_load(const char *name, const LibraryFunction functions[]) {
        void *library;

        if (are_found(functions))
                return 0;
        library = dlopen(name, RTLD_LAZY);
        for (; library && functions->name; functions++) {
                *functions->pointer = dlsym(library, functions->name);
                if (!*functions->pointer)
                        break;
        }
        if (library && !functions->name)
                return 0;
        log_debug("Cannot load a library: %s.", dlerror());
        return -ENOPKG;
}
