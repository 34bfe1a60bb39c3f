/* SPDX-License-Identifier: BSD-3-Clause */
/* Unpacks gzip, xz and tar. */

#include <fcntl.h>
#include <sys/stat.h>

#include "archive-library.h"
#include "exit-status.h"
#include "late-signal.h"
#include "log.h"
#include "unpack.h"

#define LIMIT (UINT64_C(1) << 40) /* bytes; a few packed ones can become any number */

enum {
        BLOCK = 64 * 1024, /* bytes; of zeroes alone they become a hole */
};

typedef struct Unpack {
        const ArchiveLibrary *library;
        struct archive *archive;
        const char *name;
        int target;
} Unpack;

static void unpack_done(Unpack *u) {
        if (u->archive)
                u->library->read_free(u->archive);
}

static int refuse(const Unpack *u) {
        const char *why = u->archive ? u->library->error_string(u->archive) : NULL;
        _cleanup_(freep) char *clean = why ? strdup(why) : NULL;

        return log_error_errno(E_CONFIG, "%s cannot be unpacked (%s); correct Unpack= in [Download].", u->name,
                clean ? text_clean(clean) : "it is not packed so");
}

static int set_up(Unpack *u, DownloadUnpack how) {
        const ArchiveLibrary *l = u->library;
        int bad = ARCHIVE_OK;

        u->archive = l->read_new();
        if (!u->archive)
                return log_oom();
        if (how == DOWNLOAD_GZIP || how == DOWNLOAD_TAR)
                bad |= l->filter_gzip(u->archive);
        if (how == DOWNLOAD_XZ || how == DOWNLOAD_TAR)
                bad |= l->filter_xz(u->archive);
        if (how == DOWNLOAD_TAR)
                bad |= l->filter_zstd(u->archive) | l->filter_bzip2(u->archive);
        bad |= how == DOWNLOAD_TAR ? l->format_tar(u->archive) : l->format_raw(u->archive);
        return bad == ARCHIVE_OK ? 0 : log_error_errno(E_LACKS, "libarchive cannot unpack %s here.", u->name);
}

/* What is not packed at all would come as it is. */
static bool is_packed(const Unpack *u, DownloadUnpack how) {
        int filter = u->library->filter_code(u->archive, 0);

        return how == DOWNLOAD_TAR || filter == (how == DOWNLOAD_GZIP ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_XZ);
}

/* Directories come before what is in them. */
static int find_file(Unpack *u, DownloadUnpack how) {
        struct archive_entry *entry;
        int r;

        while ((r = u->library->next_header(u->archive, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN)
                if (late_signal_pending())
                        return -EINTR;
                else if (u->library->entry_filetype(entry) == AE_IFREG)
                        return is_packed(u, how) ? 0 : refuse(u);
        return late_signal_pending() ? -EINTR : refuse(u);
}

static bool is_zero(const char *data, size_t size) {
        return size > 0 && data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

static int write_at(const Unpack *u, const char *data, size_t size, uint64_t at) {
        while (size > 0) {
                ssize_t n = pwrite(u->target, data, size, (off_t) at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
                        return log_error_errno(ENOSPC, "There is no room to unpack %s; make room, then try again.", u->name);
                if (n < 0)
                        return log_error_errno(errno, "Cannot unpack %s: %m.", u->name);
                data += n;
                size -= (size_t) n;
                at += (uint64_t) n;
        }
        return 0;
}

/* Fills the block as far as there is anything left. Returns its size, 0 at the end. */
static ssize_t read_block(Unpack *u, char block[static BLOCK]) {
        size_t filled = 0;

        while (filled < BLOCK) {
                la_ssize_t n = u->library->read_data(u->archive, block + filled, BLOCK - filled);

                if (n < 0) /* ARCHIVE_RETRY as well: of a map of holes that is out of order, for ever */
                        return refuse(u);
                if (n == 0)
                        break;
                filled += (size_t) n;
        }
        return (ssize_t) filled;
}

static int copy(Unpack *u) {
        _cleanup_(freep) char *block = malloc(BLOCK);
        uint64_t at = 0;

        if (!block)
                return log_oom();
        for (;;) {
                ssize_t n = read_block(u, block);
                int r = 0;

                if (n < 0)
                        return (int) n;
                if (n == 0)
                        return ftruncate(u->target, (off_t) at) < 0 ? log_error_errno(errno, "Cannot unpack %s: %m.", u->name) : 0;
                if (late_signal_pending())
                        return -EINTR;
                if (at + (uint64_t) n > LIMIT)
                        return log_error_errno(E_CONFIG, "%s is larger than 1 TiB when it is unpacked; that is no disk of a guest.", u->name);
                if (!is_zero(block, (size_t) n))
                        r = write_at(u, block, (size_t) n, at);
                if (r < 0)
                        return r;
                at += (uint64_t) n;
        }
}

int unpack(int source, const char *name, DownloadUnpack how, int target) {
        _cleanup_(unpack_done) Unpack u = { .library = archive_library(), .name = name, .target = target };
        int r;

        if (!u.library)
                return -E_LACKS;
        if (lseek(source, 0, SEEK_SET) < 0)
                return log_error_errno(errno, "Cannot read %s: %m.", name);
        r = set_up(&u, how);
        if (r >= 0 && u.library->read_open_fd(u.archive, source, BLOCK) != ARCHIVE_OK)
                r = refuse(&u);
        r = r < 0 ? r : find_file(&u, how);
        return r < 0 ? r : copy(&u);
}
