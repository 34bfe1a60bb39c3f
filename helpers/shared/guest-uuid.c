/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes UUIDs of guests. */

#include "exit-status.h"
#include "guest-uuid.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "root.h"

/* Keeps these IDs apart from those that other programs make of the machine's. */
#define GUESTS_OF_VXM SD_ID128_MAKE(3c, f1, 1f, 0a, 5e, 2d, 44, 8b, 9a, 61, 07, d4, 6b, 90, e2, c5)

/* A digit to the base of 38 for each character, 0 for none: 24 of them are less than 2^126. */
static unsigned digit(char c) {
        static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

        return (unsigned) (strchr(alphabet, c) - alphabet) + 1;
}

sd_id128_t guest_name_id(const char *name) {
        unsigned __int128 number = 0;
        sd_id128_t id = GUESTS_OF_VXM;

        for (; *name; name++)
                number = number * 38 + digit(*name);
        for (size_t i = sizeof id.bytes; i > 0; i--, number >>= 8)
                id.bytes[i - 1] ^= (uint8_t) number;
        return id;
}

/* A keyed hash (HMAC-SHA256 by libsystemd): a guest must not learn the machine's own ID, machine-id(5). */
int guest_uuid_find(int root, const Guest *g, char **ret) {
        char text[SD_ID128_UUID_STRING_MAX];
        sd_id128_t id;
        int r;

        *ret = NULL;
        if (g->uuid)
                return free_and_strdup(ret, g->uuid) < 0 ? log_oom() : 0;
        if (!root_is_this_machine(root))
                return 0;
        r = sd_id128_get_machine_app_specific(guest_name_id(g->name), &id);
        if (r < 0)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "This machine has no ID to make the guest's UUID of (/etc/machine-id: %s); run systemd-machine-id-setup, or "
                        "set [Guest] UUID=.",
                        strerror(-r));
        return free_and_strdup(ret, sd_id128_to_uuid_string(id, text)) < 0 ? log_oom() : 0;
}
