/* SPDX-License-Identifier: BSD-3-Clause */
/* What is still to come. */
#include "bind-list.h"
#include "static.h"

int bind_list(int root, bool json, FILE *f) { (void) root; (void) json; (void) f; return -EOPNOTSUPP; }
int bind_tree(int root, bool json, FILE *f) { (void) root; (void) json; (void) f; return -EOPNOTSUPP; }
int static_enable(int root, bool dry_run) { (void) root; (void) dry_run; return -EOPNOTSUPP; }
int static_disable(int root, bool dry_run) { (void) root; (void) dry_run; return -EOPNOTSUPP; }
int static_bind(int root, bool dry_run) { (void) root; (void) dry_run; return -EOPNOTSUPP; }
