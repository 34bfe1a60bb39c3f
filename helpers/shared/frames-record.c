/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record of vxm-frames: one line, “file 33554432 /run/vxm/looking-glass/win11” or
 * “node 33554432 /dev/kvmfr0 236:0 0 0 600”. */

#include <sys/sysmacros.h>

#include "frames-record.h"
#include "parse.h"
#include "record-file.h"

#define RECORD_KIND "frames"

void frames_done(Frames *frames) {
        free(frames->path);
        *frames = (Frames){};
}

/* “236:0 0 0 600”. */
static int parse_node(char *line, Frames *f) {
        char *major_text = strsep(&line, ":"), *minor_text = strsep(&line, " "), *uid_text = strsep(&line, " "),
             *gid_text = strsep(&line, " ");
        uint64_t major_number, minor_number, uid, gid;

        if (!minor_text || !uid_text || !gid_text || !line)
                return -EBADMSG;
        /* As wide as the kernel has them (MINORBITS). -1 is no owner. */
        if (parse_number(major_text, 0, 0xfff, &major_number) < 0 ||
                parse_number(minor_text, 0, 0xfffff, &minor_number) < 0 ||
                parse_number(uid_text, 0, UINT32_MAX - 1, &uid) < 0 ||
                parse_number(gid_text, 0, UINT32_MAX - 1, &gid) < 0 || parse_mode(line, &f->mode) < 0)
                return -EBADMSG;
        f->number = makedev((unsigned) major_number, (unsigned) minor_number);
        f->uid = (uid_t) uid;
        f->gid = (gid_t) gid;
        return 0;
}

/* A path is a word, in the one place or the other: it is unlinked, or changes its owner. */
static bool path_is_good(const char *path, bool is_node) {
        const char *name = startswith(path, is_node ? "/dev/kvmfr" : FRAMES_DIRECTORY "/");

        if (!name)
                return false;
        return is_node ? *name && name[strspn(name, "0123456789")] == '\0' && strlen(name) <= 8 : guest_name_is_valid(name);
}

int frames_record_parse(char *text, Frames *ret) {
        _cleanup_(frames_done) Frames f = {};
        char *line = text, *kind, *size, *path;
        size_t n = strlen(text);

        if (n > 0 && text[n - 1] == '\n')
                text[n - 1] = '\0';
        kind = strsep(&line, " ");
        size = strsep(&line, " ");
        path = strsep(&line, " ");
        if (!size || !path)
                return -EBADMSG;
        f.is_node = streq(kind, "node");
        if ((!f.is_node && (!streq(kind, "file") || line)) || (f.is_node && !line) || !path_is_good(path, f.is_node) ||
                parse_number(size, 1, UINT64_C(1) << 40, &f.size) < 0)
                return -EBADMSG;
        if (f.is_node && parse_node(line, &f) < 0)
                return -EBADMSG;
        f.path = strdup(path);
        if (!f.path)
                return -ENOMEM;
        *ret = f;
        f = (Frames){};
        return 0;
}

static int record_print(FILE *file, const void *userdata) {
        const Frames *f = userdata;

        fprintf(file, "%s %llu %s", f->is_node ? "node" : "file", (unsigned long long) f->size, f->path);
        if (f->is_node)
                fprintf(file, " %u:%u %u %u %o", major(f->number), minor(f->number), f->uid, f->gid, f->mode);
        fputc('\n', file);
        return 0;
}

int frames_record_save(int root, const char *guest, const Frames *frames) {
        return record_file_save(root, RECORD_KIND, guest, record_print, frames);
}

int frames_record_load(int root, const char *guest, Frames *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : frames_record_parse(text, ret);
}

int frames_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}

static int record_has(int root, const char *guest, const void *path) {
        _cleanup_(frames_done) Frames frames = {};
        int r = frames_record_load(root, guest, &frames);

        return r < 0 ? r : streq(frames.path, path);
}

int frames_record_holder(int root, const char *guest, const char *path, char **ret_holder) {
        return record_file_holder(root, RECORD_KIND, guest, record_has, path, ret_holder);
}
