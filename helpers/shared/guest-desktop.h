/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What [Display] and [Audio] mean together with the user that the guest runs as. Pure: nothing here has looked at the machine. */

#include "guest.h"

/* Returns 0, or -E_CONFIG, logged: keys contradict each other, or one is missing. */
int guest_desktop_verify(const Guest *g);

/* The backend as guest files call it. */
const char *audio_backend_name(AudioBackend backend);
