/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm fingerprint: the number that the machine's maker has given it, the UUID of SMBIOS, by which a licence or an inventory tells
 * machines apart. The kernel shows it to root only. Only looks. */

#include <ctype.h>

#include "cli.h"
#include "exit-status.h"
#include "json.h"
#include "log.h"
#include "messages.h"
#include "root.h"
#include "verb-root.h"
#include "verb.h"

#define UUID_FILE "sys/class/dmi/id/product_uuid"

enum {
        UUID_LENGTH = 36,
};

static const char *arg_root = "/";
static bool arg_json;

static bool is_uuid(const char *s) {
        if (strlen(s) != UUID_LENGTH)
                return false;
        for (size_t i = 0; i < UUID_LENGTH; i++)
                if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !isxdigit((unsigned char) s[i]))
                        return false;
        return true;
}

/* What makers leave in who forget to set it: the same digit throughout (SMBIOS 3.7, 7.2.1, for zeroes and ones), and the one that
 * a widespread firmware comes with. */
static bool is_unique(const char *uuid) {
        size_t same = 0;

        for (const char *p = uuid; *p; p++)
                same += *p == *uuid || *p == '-';
        return same < UUID_LENGTH && !streq(uuid, "03000200-0400-0500-0006-000700080009");
}

static int read_uuid(int root, char **ret) {
        _cleanup_(freep) char *text = NULL;
        int r = root_read(root, UUID_FILE, &text);

        if (r == -EACCES || r == -EPERM)
                return log_error_errno(r, "Only root can read the machine's UUID, /" UUID_FILE "; try again as root.");
        if (r < 0)
                return r == -ENOENT ? log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                                              "This machine has no UUID, as its firmware tells nothing by SMBIOS (/" UUID_FILE ").")
                                    : log_error_errno(r, "Cannot read /" UUID_FILE ": %s.", strerror(-r));
        for (char *p = text; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        if (!is_uuid(text))
                return log_error_errno(EINVAL, "/" UUID_FILE " holds no UUID, but “%s”.", text_clean(text));
        *ret = TAKE_PTR(text);
        return 0;
}

static int print_json(const char *uuid) {
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:s, s:b}", "fingerprint", uuid, "unique", is_unique(uuid));

        if (!top)
                return log_oom();
        return json_dumpf(top, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static int print_fingerprint(void) {
        _cleanup_(freep) char *uuid = NULL;
        _cleanup_(closep) int root = verb_root_open(arg_root);
        int r;

        r = root < 0 ? root : read_uuid(root, &uuid);
        if (r < 0)
                return r;
        if (arg_json)
                return print_json(uuid);
        if (!is_unique(uuid))
                log_warning("Other machines have this UUID, too: its maker has not set it.");
        return puts(uuid) < 0 ? -EIO : 0;
}

int verb_fingerprint(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "json", NULL, "for machines", &arg_json, NULL },
                { "root", "DIR", "of the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm fingerprint", "Prints the machine's UUID, which its firmware knows.", "", 0, options,
                .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        return exit_status(print_fingerprint());
}
