/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes seeds for cloud-init (https://docs.cloud-init.io, NoCloud). */

#include <ctype.h>

#include "archive-library.h"
#include "exit-status.h"
#include "json.h"
#include "log.h"
#include "seed.h"

enum {
        KEY_MAX = 16 * 1024,
        USER_MAX = 32,
};

bool seed_key_is_valid(const char *key) {
        static const char *const kinds[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-" };
        const char *data = strchr(key, ' ');

        if (!data || strlen(key) > KEY_MAX || !utf8_is_valid(key) || !startswith(data, " AAAA"))
                return false;
        for (const char *p = key; *p; p++)
                if (iscntrl((unsigned char) *p))
                        return false;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (startswith(key, kinds[i]))
                        return true;
        return false;
}

bool seed_user_is_valid(const char *user) {
        size_t n = strspn(user, "abcdefghijklmnopqrstuvwxyz0123456789_-");

        return n > 0 && n <= USER_MAX && user[n] == '\0' && (islower((unsigned char) *user) || *user == '_') && !streq(user, "root");
}

/* JSON is YAML, too, and needs no care for what is in a key's comment. */
int seed_user_data(const Seed *seed, char **ret) {
        _cleanup_(json_decrefp) json_t *top = NULL;
        _cleanup_(freep) char *text = NULL;

        top = json_pack("{s:s, s:[{s:s, s:s, s:s, s:b, s:[s]}], s:b, s:b, s:[s], s:[[s, s, s, s]]}", "hostname", seed->guest, "users",
                "name", seed->user, "shell", "/bin/bash", "sudo", "ALL=(ALL) NOPASSWD:ALL", "lock_passwd", true, "ssh_authorized_keys",
                seed->key, "ssh_pwauth", false, "package_update", true, "packages", "qemu-guest-agent", "runcmd", "systemctl", "enable", "--now",
                "qemu-guest-agent");
        text = top ? json_dumps(top, JSON_INDENT(1)) : NULL;
        return text ? format(ret, "#cloud-config\n%s\n", text) : -ENOMEM;
}

int seed_meta_data(const Seed *seed, char **ret) {
        return format(ret, "instance-id: vxm-%s\nlocal-hostname: %s\n", seed->guest, seed->guest);
}

static int add_file(const ArchiveLibrary *l, struct archive *archive, const char *name, const char *text) {
        struct archive_entry *entry = l->entry_new();
        bool good;

        if (!entry)
                return -ENOMEM;
        l->entry_set_pathname(entry, name);
        l->entry_set_filetype(entry, AE_IFREG);
        l->entry_set_perm(entry, 0444);
        l->entry_set_size(entry, (la_int64_t) strlen(text));
        good = l->write_header(archive, entry) == ARCHIVE_OK && l->write_data(archive, text, strlen(text)) == (la_ssize_t) strlen(text);
        l->entry_free(entry);
        return good ? 0 : -EIO;
}

static int write_image(const ArchiveLibrary *l, struct archive *archive, const Seed *seed, int fd) {
        _cleanup_(freep) char *user_data = NULL, *meta_data = NULL;
        int r;

        r = seed_user_data(seed, &user_data);
        r = r < 0 ? r : seed_meta_data(seed, &meta_data);
        if (r < 0)
                return r;
        if (l->format_iso9660(archive) != ARCHIVE_OK || l->set_options(archive, "iso9660:volume-id=cidata") != ARCHIVE_OK ||
                l->write_open_fd(archive, fd) != ARCHIVE_OK)
                return -EIO;
        r = add_file(l, archive, "meta-data", meta_data);
        r = r < 0 ? r : add_file(l, archive, "user-data", user_data);
        return r < 0 ? r : l->write_close(archive) == ARCHIVE_OK ? 0 : -EIO;
}

int seed_write(const Seed *seed, int fd) {
        const ArchiveLibrary *l = archive_library();
        struct archive *archive;
        int r;

        if (!l)
                return -E_LACKS;
        archive = l->write_new();
        if (!archive)
                return log_oom();
        r = write_image(l, archive, seed, fd);
        if (r == -ENOMEM)
                log_oom();
        else if (r < 0)
                log_error_errno(r, "Cannot make the seed for cloud-init: %s.", l->error_string(archive) ? l->error_string(archive) : strerror(-r));
        l->write_free(archive);
        return r;
}
