/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the helpers have in common that do one thing for a guest, and undo it with --release. */

/* Opens the machine's root at path and looks at the guest's name, as it comes from the command line and becomes part of paths;
 * then acts. Returns what act does, or -E_CONFIG or -errno after a message. */
int one_shot_run(const char *path, const char *guest, int (*act)(int root));
