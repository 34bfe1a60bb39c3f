/* SPDX-License-Identifier: BSD-3-Clause */
/* Chooses firmware by its descriptors, or by the names of its files. */

#include <fnmatch.h>

#include "firmware.h"
#include "json.h"
#include "log.h"
#include "parse.h"
#include "root.h"

/* Strongest first; a file name in one directory hides the same name in those below it, an empty file hides and is
 * nothing itself. Among what is left the names decide, in order. */
static const char *const directories[] = { "etc/qemu/firmware", "usr/share/qemu/firmware" };

/* Pairs as distributions have them, for packages without descriptors: those with 4 MiB of flash first, as later updates
 * of Secure Boot's list of revoked programs do not fit into 2 MiB. */
static const struct {
        const char *code, *vars;
        bool secure_boot, enrolled_keys;
} pairs[] = {
        /* Debian, Ubuntu */
        { "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", true, true },
        { "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", true, false },
        { "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", false, false },
        /* Fedora */
        { "/usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2", "/usr/share/edk2/ovmf/OVMF_VARS_4M.secboot.qcow2", true,
                true },
        { "/usr/share/edk2/ovmf/OVMF_CODE_4M.secboot.qcow2", "/usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2", true, false },
        { "/usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2", "/usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2", false, false },
        /* Arch */
        { "/usr/share/edk2/x64/OVMF_CODE.secboot.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd", true, false },
        { "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd", false, false },
        /* openSUSE */
        { "/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin", "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin", true, true },
        { "/usr/share/qemu/ovmf-x86_64-smm-code.bin", "/usr/share/qemu/ovmf-x86_64-smm-vars.bin", true, false },
        { "/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin", false, false },
        /* QEMU's own */
        { "/usr/share/qemu/edk2-x86_64-secure-code.fd", "/usr/share/qemu/edk2-i386-vars.fd", true, false },
        { "/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd", false, false },
        /* 2 MiB: Debian, Fedora, openSUSE */
        { "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.ms.fd", true, true },
        { "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd", true, false },
        { "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd", false, false },
        { "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd", true, true },
        { "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd", true, false },
        { "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd", false, false },
        { "/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin", false, false },
};

void firmware_done(Firmware *f) {
        free(f->code);
        free(f->vars);
        free(f->format);
        *f = (Firmware){};
}

const char *firmware_format(const char *path) {
        const char *dot = strrchr(path, '.');

        return dot && streq(dot, ".qcow2") ? "qcow2" : "raw";
}

int firmware_set(Firmware *ret, const char *code, const char *vars, const char *format) {
        _cleanup_(firmware_done) Firmware f = {};

        if (free_and_strdup(&f.code, code) < 0 || free_and_strdup(&f.vars, vars) < 0 ||
                free_and_strdup(&f.format, format) < 0)
                return -ENOMEM;
        *ret = f;
        f = (Firmware){};
        return 0;
}

static bool array_has_string(const json_t *array, const char *wanted) {
        const json_t *item;
        size_t i;

        json_array_foreach(array, i, item)
                if (json_is_string(item) && streq(json_string_value(item), wanted))
                        return true;
        return false;
}

/* Secure Boot is worth its name only with SMM: without it the guest's kernel can write the variables behind the
 * firmware's back. Firmware that requires SMM does not start without it, and keys that somebody else has enrolled are
 * for guests that asked for Secure Boot. */
static bool fits_features(const json_t *features, const FirmwareWish *wish) {
        if (wish->secure_boot && !array_has_string(features, "secure-boot"))
                return false;
        return array_has_string(features, "requires-smm") == wish->secure_boot &&
                array_has_string(features, "enrolled-keys") == (wish->secure_boot && wish->enrolled_keys);
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

        if (!device || !streq(device, "flash") || (mode && !streq(mode, "split")))
                return 0;
        if (!code || !vars || !code_format || !vars_format || !streq(code_format, vars_format))
                return 0;
        if (!path_is_clean(code) || !path_is_clean(vars) || (!streq(code_format, "raw") && !streq(code_format, "qcow2")))
                return 0;
        return firmware_set(ret, code, vars, code_format) < 0 ? -ENOMEM : 1;
}

int firmware_parse(const char *text, size_t size, const FirmwareWish *wish, Firmware *ret) {
        _cleanup_(json_decrefp) json_t *descriptor = json_loadb(text, size, JSON_UNTRUSTED, NULL);
        const json_t *features;
        int r;

        if (!json_is_object(descriptor))
                return -EINVAL;
        features = json_object_get(descriptor, "features");
        if (!array_has_string(json_object_get(descriptor, "interface-types"), "uefi") ||
                !fits_machine(json_object_get(descriptor, "targets"), wish->machine) || !fits_features(features, wish))
                return 0;
        r = take_mapping(json_object_get(descriptor, "mapping"), ret);
        if (r > 0) {
                ret->secure_boot = wish->secure_boot;
                ret->enrolled_keys = wish->secure_boot && wish->enrolled_keys;
                ret->s3 = array_has_string(features, "acpi-s3");
        }
        return r;
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

static int try_descriptor(int root, const char *name, const FirmwareWish *wish, Firmware *ret) {
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
                        r = firmware_parse(text, strlen(text), wish, ret);
                if (r < 0 && r != -ENOMEM) {
                        log_debug("/%s is passed over: %s.", path, strerror(-r));
                        return 0;
                }
                return r;
        }
        return 0;
}

static bool is_there(int root, const char *code, const char *vars) {
        return root_exists(root, code + 1) && root_exists(root, vars + 1);
}

/* Returns 1, 0 when none fits, or -errno. */
static int find_descriptor(int root, const FirmwareWish *wish, Firmware *ret) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = collect_names(root, &names, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                const char *dot = strrchr(names[i], '.');

                if (names[i][0] == '.' || !dot || !streq(dot, ".json") || (i > 0 && streq(names[i], names[i - 1])))
                        continue;
                r = try_descriptor(root, names[i], wish, ret);
                if (r > 0 && !is_there(root, ret->code, ret->vars)) {
                        log_debug("Firmware descriptor %s names files that are not there.", names[i]);
                        firmware_done(ret);
                        r = 0;
                }
        }
        strings_free(names, n);
        return r;
}

static int find_pair(int root, const FirmwareWish *wish, Firmware *ret) {
        bool enrolled_keys = wish->secure_boot && wish->enrolled_keys;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                if (pairs[i].secure_boot != wish->secure_boot || pairs[i].enrolled_keys != enrolled_keys ||
                        !is_there(root, pairs[i].code, pairs[i].vars))
                        continue;
                r = firmware_set(ret, pairs[i].code, pairs[i].vars, firmware_format(pairs[i].code));
                if (r < 0)
                        return r;
                ret->secure_boot = wish->secure_boot;
                ret->enrolled_keys = enrolled_keys;
                return 1;
        }
        return 0;
}

int firmware_find(int root, const FirmwareWish *wish, Firmware *ret) {
        int r = find_descriptor(root, wish, ret);

        if (r == 0)
                r = find_pair(root, wish, ret);
        return r < 0 ? r : r == 0 ? -ENOENT : 0;
}
