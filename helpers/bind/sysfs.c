/* SPDX-License-Identifier: BSD-3-Clause */
/* Helps the readers of the host's state; see the header. Only reads. */

#include "root.h"
#include "sysfs.h"

/* Joins a directory and a link's text, taking “..” away component by component. */
static int join(const char *directory, const char *target, char **ret) {
        _cleanup_(freep) char *path = NULL;
        size_t n;
        int r;

        r = format(&path, "%s/%s", directory, target);
        if (r < 0)
                return r;
        n = 0;
        for (char *save = NULL, *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
                size_t length = strlen(part);

                if (streq(part, "."))
                        continue;
                if (streq(part, "..")) {
                        while (n > 0 && path[--n] != '/')
                                ;
                        continue;
                }
                /* What is written never overtakes what is read: each part moves to the left, or stays. */
                if (n > 0)
                        path[n++] = '/';
                memmove(path + n, part, length);
                n += length;
        }
        path[n] = '\0';
        *ret = TAKE_PTR(path);
        return 0;
}

int sysfs_resolve(int root, const char *path, char **ret) {
        _cleanup_(freep) char *target = NULL, *directory = NULL, *joined = NULL;
        const char *slash = strrchr(path, '/'), *below;
        int r;

        r = root_readlink(root, path, &target);
        if (r < 0)
                return r;
        if (!slash || *target == '/')
                return -EINVAL;
        directory = strndup(path, (size_t) (slash - path));
        r = directory ? join(directory, target, &joined) : -ENOMEM;
        if (r < 0)
                return r;
        below = startswith(joined, "sys/");
        return below ? free_and_strdup(ret, below) : -EINVAL;
}

int sysfs_read(int root, const char *directory, const char *name, char **ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = format(&path, "sys/%s/%s", directory, name);
        return r < 0 ? r : root_read(root, path, ret);
}

int sysfs_list(int root, const char *directory, const char *name, char ***ret, size_t *ret_n) {
        _cleanup_(freep) char *path = NULL;
        int r;

        *ret = NULL;
        *ret_n = 0;
        r = format(&path, "sys/%s%s%s", directory, name ? "/" : "", name ? name : "");
        r = r < 0 ? r : root_list(root, path, ret, ret_n);
        return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

bool path_is_within(const char *path, const char *directory) {
        const char *rest = startswith(path, directory);

        return rest && (*rest == '\0' || *rest == '/');
}

const char *path_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

size_t path_front(const char *path, unsigned n) {
        size_t length = 0;

        for (; n > 0; n--) {
                length += path[length] == '/';
                length += strcspn(path + length, "/");
        }
        return length;
}

bool is_pci_name(const char *name, size_t length) {
        char text[PCI_ADDRESS_TEXT], canonical[PCI_ADDRESS_TEXT];
        PciAddress address;

        if (length >= sizeof text)
                return false;
        memcpy(text, name, length);
        text[length] = '\0';
        return pci_address_parse(text, &address) >= 0 && streq(pci_address_format(address, canonical), text);
}

size_t pci_part_of(const char *path) {
        size_t found = 0;

        for (const char *part = path; *part;) {
                size_t length = strcspn(part, "/");

                if (is_pci_name(part, length))
                        found = (size_t) (part - path) + length;
                part += length;
                part += *part == '/';
        }
        return found;
}

int strings_add(char ***strings, size_t *n, const char *s) {
        char **slot = ARRAY_GROW(*strings, *n);

        if (!slot)
                return -ENOMEM;
        *slot = strdup(s);
        if (!*slot)
                return -ENOMEM;
        (*n)++;
        return 0;
}

bool strings_contain(char *const *strings, size_t n, const char *s) {
        for (size_t i = 0; i < n; i++)
                if (streq(strings[i], s))
                        return true;
        return false;
}
