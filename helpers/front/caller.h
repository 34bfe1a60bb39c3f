/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Who is at the keyboard. */

#include <pwd.h>

/* Who has called us, be it by sudo; NULL: the machine does not know. Lasts as getpwnam(3) has it. */
const struct passwd *caller_find(void);
