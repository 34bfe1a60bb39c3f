/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine that a verb is about. */

#include "log.h"
#include "pci-names.h"
#include "root.h"
#include "verb-root.h"

int verb_root_open(const char *path) {
        int root = root_open(path);

        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", path, strerror(-root));
        pci_names_from(root);
        return root;
}
