/* SPDX-License-Identifier: BSD-3-Clause */
/* What is still to come. */
#include "bind-list.h"

int bind_list(int root, bool json, FILE *f) { (void) root; (void) json; (void) f; return -EOPNOTSUPP; }
int bind_tree(int root, bool json, FILE *f) { (void) root; (void) json; (void) f; return -EOPNOTSUPP; }
