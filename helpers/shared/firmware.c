/* SPDX-License-Identifier: BSD-3-Clause */
/* Chooses firmware by its descriptors. */

#include <fnmatch.h>

#include "firmware.h"
#include "json.h"
#include "log.h"
#include "parse.h"
#include "root.h"

/* Strongest first; a file name in one directory hides the same name in those below it, an empty file hides and is
 * nothing itself. Among what is left the names decide, in order. */
static const char *const directories[] = { "etc/qemu/firmware", "usr/share/qemu/firmware" };

/* Features the machine we build cannot or should not serve: it has no SMM, and keys enrolled by somebody else are for
 * guests that asked for Secure Boot. */
static bool feature_is_strange(const char *feature) {
        return streq(feature, "requires-smm") || streq(feature, "enrolled-keys");
}

void firmware_done(Firmware *f) {
        free(f->code);
        free(f->vars);
        free(f->format);
        *f = (Firmware){};
}

static bool array_has_string(const json_t *array, const char *wanted) {
        const json_t *item;
        size_t i;

        json_array_foreach(array, i, item)
                if (json_is_string(item) && streq(json_string_value(item), wanted))
                        return true;
        return false;
}

static bool has_strange_feature(const json_t *features) {
        const json_t *item;
        size_t i;

        json_array_foreach(features, i, item)
                if (json_is_string(item) && feature_is_strange(json_string_value(item)))
                        return true;
        return false;
}

/* The descriptor's machines are globs on full names, “pc-q35-*”; ours may be the alias “q35”. */
static bool fits_machine(const json_t *targets, const char *machine) {
        _cleanup_(freep) char *full = NULL;
        const json_t *target, *glob;
        size_t i, j;

        if (format(&full, "pc-%s-0.0", machine) < 0)
                return false;
        json_array_foreach(targets, i, target) {
                const char *architecture = json_get_string(target, "architecture");

                if (!architecture || !streq(architecture, "x86_64"))
                        continue;
                json_array_foreach(json_object_get(target, "machines"), j, glob) {
                        const char *pattern = json_string_value(glob);

                        if (pattern && (fnmatch(pattern, machine, 0) == 0 || fnmatch(pattern, full, 0) == 0))
                                return true;
                }
        }
        return false;
}

static int take_mapping(const json_t *mapping, Firmware *ret) {
        const json_t *executable = json_object_get(mapping, "executable"), *nvram = json_object_get(mapping, "nvram-template");
        const char *device = json_get_string(mapping, "device"), *mode = json_get_string(mapping, "mode");
        const char *code = json_get_string(executable, "filename"), *vars = json_get_string(nvram, "filename");
        const char *code_format = json_get_string(executable, "format"), *vars_format = json_get_string(nvram, "format");
        _cleanup_(firmware_done) Firmware f = {};

        if (!device || !streq(device, "flash") || (mode && !streq(mode, "split")))
                return 0;
        if (!code || !vars || !code_format || !vars_format || !streq(code_format, vars_format))
                return 0;
        if (!path_is_clean(code) || !path_is_clean(vars) || (!streq(code_format, "raw") && !streq(code_format, "qcow2")))
                return 0;

        if (free_and_strdup(&f.code, code) < 0 || free_and_strdup(&f.vars, vars) < 0 ||
                free_and_strdup(&f.format, code_format) < 0)
                return -ENOMEM;
        *ret = f;
        f = (Firmware){};
        return 1;
}

int firmware_parse(const char *text, size_t size, const char *machine, Firmware *ret) {
        _cleanup_(json_decrefp) json_t *descriptor = json_loadb(text, size, JSON_UNTRUSTED, NULL);

        if (!json_is_object(descriptor))
                return -EINVAL;
        if (!array_has_string(json_object_get(descriptor, "interface-types"), "uefi") ||
                !fits_machine(json_object_get(descriptor, "targets"), machine) ||
                has_strange_feature(json_object_get(descriptor, "features")))
                return 0;
        return take_mapping(json_object_get(descriptor, "mapping"), ret);
}

/* Collects the names of all descriptors, each once, sorted over all directories. */
static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int collect_names(int root, char ***names, size_t *n) {
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                char **found = NULL;
                size_t n_found = 0;
                int r;

                r = root_list(root, directories[i], &found, &n_found);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                for (size_t j = 0; j < n_found; j++) {
                        char **slot = ARRAY_GROW(*names, *n);

                        if (!slot) {
                                strings_free(found, n_found);
                                return -ENOMEM;
                        }
                        *slot = TAKE_PTR(found[j]);
                        (*n)++;
                }
                strings_free(found, n_found);
        }
        if (*n > 0)
                qsort(*names, *n, sizeof **names, compare_names);
        return 0;
}

static int try_descriptor(int root, const char *name, const char *machine, Firmware *ret) {
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(freep) char *path = NULL, *text = NULL;
                int r;

                r = format(&path, "%s/%s", directories[i], name);
                if (r < 0)
                        return r;
                r = root_read(root, path, &text);
                if (r == -ENOENT)
                        continue;
                if (r >= 0 && isempty(text))
                        return 0;
                if (r >= 0)
                        r = firmware_parse(text, strlen(text), machine, ret);
                if (r < 0 && r != -ENOMEM) {
                        log_debug("/%s is passed over: %s.", path, strerror(-r));
                        return 0;
                }
                return r;
        }
        return 0;
}

int firmware_find(int root, const char *machine, Firmware *ret) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = collect_names(root, &names, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                const char *dot = strrchr(names[i], '.');

                if (names[i][0] == '.' || !dot || !streq(dot, ".json") || (i > 0 && streq(names[i], names[i - 1])))
                        continue;
                r = try_descriptor(root, names[i], machine, ret);
                if (r > 0 && (!root_exists(root, ret->code + 1) || !root_exists(root, ret->vars + 1))) {
                        log_debug("Firmware descriptor %s names files that are not there.", names[i]);
                        firmware_done(ret);
                        r = 0;
                }
        }
        strings_free(names, n);
        return r < 0 ? r : r == 0 ? -ENOENT : 0;
}
