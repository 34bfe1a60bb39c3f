/* SPDX-License-Identifier: BSD-3-Clause */
/* Fetches files, and keeps those that are right. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "download.h"
#include "exit-status.h"
#include "fetch.h"
#include "guest-downloads.h"
#include "log.h"
#include "messages.h"
#include "root.h"

#define FILE_LIMIT (UINT64_C(64) << 30) /* bytes */

enum {
        LIST_LIMIT = 4 << 20, /* bytes of a list of checksums */
        NAME_DIGITS = 12,     /* of the digest; two files would not have the same by chance */
};

void download_done(Download *d) {
        free(d->url);
        free(d->name);
        *d = (Download){};
}

/* ---- which file it is ---- */

static int refuse_list(const GuestDownload *wish, int error) {
        return log_event_errno(E_CONFIG, MESSAGE_DOWNLOAD_FAILED, FIELDS("VXM_URL", wish->url),
                "[Download %s] %s names %s %s; correct URL= or Checksums=.", wish->name, wish->checksums,
                error == -ENOENT ? "no" : "several files", url_file_name(wish->url));
}

static int ask_list(const GuestDownload *wish, uint64_t patience, char **ret_name, char ret_digest[static DIGEST_MAX]) {
        const Fetch fetch = { .url = wish->checksums, .patience = patience, .safe_only = true, .limit = LIST_LIMIT };
        _cleanup_(freep) char *text = NULL;
        int r;

        r = fetch_text(&fetch, &text);
        if (r < 0)
                return r;
        r = digest_find(text, url_file_name(wish->url), ret_name, ret_digest);
        return r == -ENOMEM ? log_oom() : r < 0 ? refuse_list(wish, r) : 0;
}

int download_find(const GuestDownload *wish, uint64_t patience, Download *ret) {
        _cleanup_(download_done) Download d = { .wish = wish };
        _cleanup_(freep) char *file = NULL;
        int r;

        if (wish->checksums) {
                r = ask_list(wish, patience, &file, d.digest);
                if (r < 0)
                        return r;
        } else {
                memcpy(d.digest, wish->sha256, sizeof wish->sha256);
                if (free_and_strdup(&file, url_file_name(wish->url)) < 0)
                        return log_oom();
        }
        if (format(&d.url, "%.*s%s", (int) (url_file_name(wish->url) - wish->url), wish->url, file) < 0 ||
                format(&d.name, "%.*s-%s", NAME_DIGITS, d.digest, file) < 0)
                return log_oom();
        *ret = d;
        d = (Download){};
        return 0;
}

/* ---- the file ---- */

static int check(int fd, const Download *d) {
        int r = digest_check(fd, d->digest);

        if (r == -ENOPKG)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "libcrypto is missing, without which nobody can tell what has come; install it (Debian: libssl3, from Debian 13 on libssl3t64).");
        return r < 0 && r != -EINTR ? log_error_errno(r, "Cannot check %s: %s.", d->name, strerror(-r)) : r;
}

/* One that is there already. Returns a descriptor, or -ENOENT, not logged. */
static int reuse(int directory, const Download *d) {
        _cleanup_(closep) int fd = openat(directory, d->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;
        int r;

        if (fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return log_error_errno(fd < 0 ? errno : EINVAL, "Cannot use /" DOWNLOADS "/%s; remove it, then try again.", d->name);
        r = check(fd, d);
        if (r == 0)
                return log_event_errno(E_CONFIG, MESSAGE_DOWNLOAD_FAILED, FIELDS("VXM_URL", d->url),
                        "/" DOWNLOADS "/%s is not what it was when it was fetched; remove it, then try again.", d->name);
        return r < 0 ? r : TAKE_FD(fd);
}

static int open_part(int directory, const char *name) {
        _cleanup_(closep) int fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        struct stat st;

        if (fd < 0)
                return log_error_errno(errno, "Cannot write in /" DOWNLOADS ": %m.");
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return log_error_errno(E_BUSY, "Somebody else is fetching /" DOWNLOADS "/%s; try again when that has ended.", name);
        /* Who had it before may have finished, and with that renamed it. */
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
                return log_error_errno(E_BUSY, "Somebody else has just fetched /" DOWNLOADS "/%s; try again.", name);
        return TAKE_FD(fd);
}

static int refuse_digest(const Download *d) {
        return log_event_errno(E_CONFIG, MESSAGE_DOWNLOAD_FAILED, FIELDS("VXM_URL", d->url),
                "%s is not what [Download %s] says (%s %.*s…); nothing of it is kept. Either it has been changed, or that has to be corrected.", d->url,
                d->wish->name, strlen(d->digest) == DIGEST_SHA512 ? "SHA-512" : "SHA-256", NAME_DIGITS, d->digest);
}

/* Returns 1: it is right; 0: it is not; -errno. */
static int fetch_once(int part, const Download *d, uint64_t patience) {
        Progress progress;
        Fetch f = { .url = d->url, .patience = patience, .limit = FILE_LIMIT, .progress = &progress };
        int r;

        progress_begin(&progress, url_file_name(d->url), stderr);
        r = fetch_file(&f, part);
        progress_end(&progress);
        return r < 0 ? r : check(part, d);
}

/* Of one that broke off everything may have come, or something else: the server's file has been changed, or power was cut before ours was on
 * the disk. What it has been gone on with from there is wrong then, and tells nothing of what the server has now. */
static int fetch(int part, const Download *d, uint64_t patience) {
        struct stat st;
        bool begun;
        int r = 0;

        begun = fstat(part, &st) == 0 && st.st_size > 0;
        if (begun)
                r = check(part, d);
        r = r != 0 ? r : fetch_once(part, d, patience);
        if (r == 0 && begun) {
                log_info("What there was of %s was of something else; it is fetched anew.", url_file_name(d->url));
                if (ftruncate(part, 0) < 0)
                        return log_error_errno(errno, "Cannot begin anew with a file: %m.");
                r = fetch_once(part, d, patience);
        }
        return r < 0 ? r : r > 0 ? 0 : refuse_digest(d);
}

static int give_name(int directory, int part, const char *hidden, const char *name) {
        if (fchmod(part, 0644) < 0 || fsync(part) < 0)
                return -errno;
        if (linkat(directory, hidden, directory, name, 0) < 0 && errno != EEXIST) /* somebody else has just fetched the same */
                return -errno;
        return unlinkat(directory, hidden, 0) < 0 || fsync(directory) < 0 ? -errno : 0;
}

/* What could go on, stays, also when that takes a library, a clock or certificates: everything else goes. */
static bool is_worth_keeping(int error) {
        return error == -E_BUSY || error == -EINTR || error == -E_LACKS;
}

static int open_downloads(int root) {
        int fd = root_openat(root, DOWNLOADS, O_RDONLY | O_DIRECTORY);

        if (fd == -ENOENT) {
                _cleanup_(closep) int images = root_openat(root, "var/lib/vxm/images", O_RDONLY | O_DIRECTORY);

                if (images >= 0 && mkdirat(images, "downloads", 0755) < 0 && errno != EEXIST)
                        return log_error_errno(errno, "Cannot make /" DOWNLOADS ": %m.");
                fd = images < 0 ? images : root_openat(root, DOWNLOADS, O_RDONLY | O_DIRECTORY);
        }
        return fd < 0 ? log_error_errno(fd, "Cannot open /" DOWNLOADS ": %s; run systemd-tmpfiles --create vxm.conf.", strerror(-fd)) : fd;
}

int download_get(int root, const Download *d, uint64_t patience) {
        _cleanup_(closep) int directory = open_downloads(root), part = -EBADF;
        _cleanup_(freep) char *hidden = NULL;
        int r;

        if (directory < 0)
                return directory;
        r = reuse(directory, d);
        if (r != -ENOENT)
                return r;
        if (format(&hidden, ".%s.part", d->name) < 0)
                return log_oom();
        part = open_part(directory, hidden);
        if (part < 0)
                return part;
        r = fetch(part, d, patience);
        if (r < 0) {
                if (!is_worth_keeping(r))
                        (void) unlinkat(directory, hidden, 0);
                return r;
        }
        r = give_name(directory, part, hidden, d->name);
        if (r >= 0)
                return TAKE_FD(part);
        (void) unlinkat(directory, hidden, 0);
        return log_error_errno(r, "Cannot keep /" DOWNLOADS "/%s: %s.", d->name, strerror(-r));
}
