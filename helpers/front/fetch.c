/* SPDX-License-Identifier: BSD-3-Clause */
/* Transfers by libcurl. */

#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "curl-library.h"
#include "exit-status.h"
#include "fetch.h"
#include "guest-downloads.h"
#include "late-signal.h"
#include "log.h"
#include "messages.h"

enum {
        REDIRECTIONS = 10,
        SLOW_BYTES = 1, /* a second; slower than that is silent */
        TRIES = 5,      /* when it breaks off half-way */
        REASON_SIZE = 256,
};

typedef struct Transfer {
        const Fetch *fetch;
        const CurlLibrary *curl;
        CURL *handle;
        int fd;         /* -EBADF: into text */
        uint64_t begin; /* what was there before */
        uint64_t done;  /* what has come */
        char *text;
        size_t size;
        bool looked;    /* whether there is room, and whether it is the rest of what is there */
        int error;      /* of our own */
} Transfer;

static void transfer_done(Transfer *t) {
        if (t->handle)
                t->curl->easy_cleanup(t->handle);
        free(t->text);
}

/* ---- what comes ---- */

static uint64_t announced(const Transfer *t) {
        curl_off_t length = -1;

        (void) t->curl->easy_getinfo(t->handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        return length > 0 ? (uint64_t) length : 0;
}

static int refuse_size(Transfer *t, uint64_t size) {
        return log_error_errno(E_CONFIG, "%s is larger than what is taken (%" PRIu64 " MiB of at most %" PRIu64 "); nothing of it is kept.", t->fetch->url,
                size >> 20, t->fetch->limit >> 20);
}

static int refuse_room(Transfer *t, uint64_t needed, uint64_t room) {
        return log_error_errno(ENOSPC, "%s does not fit: it needs %" PRIu64 " MiB more, and %" PRIu64 " MiB are free; make room.", t->fetch->url,
                (needed >> 20) + 1, room >> 20);
}

/* When its first bytes come, the header has told how many there will be. */
static int look(Transfer *t) {
        uint64_t length = announced(t);
        struct statvfs fs;

        t->looked = true;
        if (t->begin + length > t->fetch->limit)
                return refuse_size(t, t->begin + length);
        if (t->fd < 0 || fstatvfs(t->fd, &fs) < 0)
                return 0;
        if (length > (uint64_t) fs.f_bavail * fs.f_frsize)
                return refuse_room(t, length, (uint64_t) fs.f_bavail * fs.f_frsize);
        return 0;
}

static int take_text(Transfer *t, const char *data, size_t size) {
        char *longer = realloc(t->text, t->size + size + 1);

        if (!longer)
                return log_oom();
        memcpy(longer + t->size, data, size);
        longer[t->size + size] = '\0';
        t->text = longer;
        t->size += size;
        return 0;
}

static int write_file(const Transfer *t, const char *data, size_t size) {
        int r = write_full(t->fd, data, size);

        if (r == -ENOSPC || r == -EDQUOT)
                return log_error_errno(ENOSPC, "There is no room for the rest of %s; make room, then try again.", t->fetch->url);
        return r < 0 ? log_error_errno(r, "Cannot write what comes from %s: %s.", t->fetch->url, strerror(-r)) : 0;
}

static size_t take(char *data, size_t one, size_t size, void *userdata) {
        Transfer *t = userdata;

        (void) one; /* is 1 */
        if (t->error >= 0 && !t->looked)
                t->error = look(t);
        if (t->error >= 0 && t->begin + t->done + size > t->fetch->limit)
                t->error = refuse_size(t, t->begin + t->done + size);
        if (t->error >= 0)
                t->error = t->fd < 0 ? take_text(t, data, size) : write_file(t, data, size);
        if (t->error < 0)
                return 0;
        t->done += size;
        return size;
}

static int report(void *userdata, curl_off_t total, curl_off_t now, curl_off_t upload_total, curl_off_t upload_now) {
        Transfer *t = userdata;

        (void) upload_total;
        (void) upload_now;
        if (t->fetch->progress && now > 0)
                progress_show(t->fetch->progress, t->begin + (uint64_t) now, total > 0 ? t->begin + (uint64_t) total : 0);
        return late_signal_pending();
}

/* ---- how it went ---- */

/* What libcurl says of a transfer that failed, and what that means to us. */
static int judge(const Transfer *t, CURLcode code, const char *reason) {
        const char *url = t->fetch->url, *why = *reason ? reason : t->curl->easy_strerror(code);
        long status = 0;

        switch (code) {
        case CURLE_OK:
                return 0;
        case CURLE_ABORTED_BY_CALLBACK:
                return -EINTR;
        case CURLE_WRITE_ERROR:
                return t->error < 0 ? t->error : log_error_errno(EIO, "Cannot write what comes from %s.", url);
        case CURLE_HTTP_RETURNED_ERROR:
                (void) t->curl->easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status);
                if (status >= 500 || status == 429 || status == 408)
                        return log_error_errno(E_BUSY, "%s cannot be had now: the server says %ld; try again later.", url, status);
                return log_event_errno(E_CONFIG, MESSAGE_DOWNLOAD_FAILED, FIELDS("VXM_URL", url),
                        "%s leads nowhere: the server says %ld; correct URL= and Checksums= in [Download].", url, status);
        case CURLE_TOO_MANY_REDIRECTS:
                return log_event_errno(E_CONFIG, MESSAGE_DOWNLOAD_FAILED, FIELDS("VXM_URL", url),
                        "%s leads from one place to the next without end; correct it in [Download].", url);
        case CURLE_UNSUPPORTED_PROTOCOL:
                return log_event_errno(E_CONFIG, MESSAGE_DOWNLOAD_FAILED, FIELDS("VXM_URL", url),
                        "%s leads to where it is not safe to go (%s); correct it in [Download].", url, why);
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "%s: nobody can tell that this is the right server (%s); set the machine's clock, and install the certificates (Debian: ca-certificates).",
                        url, why);
        case CURLE_OPERATION_TIMEDOUT:
                if (t->begin + t->done == 0)
                        return log_error_errno(E_BUSY, "%s cannot be had: %s; try again later.", url, why);
                return log_error_errno(E_BUSY, "%s: the server has been silent for %" PRIu64 " s; try again, it goes on from where it is.", url,
                        t->fetch->patience / 1000000);
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_GOT_NOTHING:
                return log_error_errno(E_BUSY, "%s broke off after %" PRIu64 " KiB; try again, it goes on from there.", url,
                        (t->begin + t->done) >> 10);
        case CURLE_OUT_OF_MEMORY:
                return log_oom();
        default:
                return log_error_errno(E_BUSY, "%s cannot be had: %s; try again when that has changed.", url, why);
        }
}

static int set_up(Transfer *t, char reason[static REASON_SIZE]) {
        const CurlLibrary *curl = t->curl;
        const Fetch *f = t->fetch;
        /* What has a digest may come from anywhere. */
        const char *schemes = f->safe_only && startswith(f->url, "https:") ? "https" : "http,https";
        CURL *h = curl->easy_init();
        long seconds = (long) ((f->patience + 999999) / 1000000);
        CURLcode bad = CURLE_OK;

        if (!h)
                return -ENOMEM;
        t->handle = h;
        bad |= curl->easy_setopt(h, CURLOPT_URL, f->url);
        bad |= curl->easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
        bad |= curl->easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
        bad |= curl->easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
        bad |= curl->easy_setopt(h, CURLOPT_MAXREDIRS, (long) REDIRECTIONS);
        bad |= curl->easy_setopt(h, CURLOPT_FAILONERROR, 1L);
        bad |= curl->easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        bad |= curl->easy_setopt(h, CURLOPT_CONNECTTIMEOUT, seconds);
        bad |= curl->easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, (long) SLOW_BYTES);
        bad |= curl->easy_setopt(h, CURLOPT_LOW_SPEED_TIME, seconds);
        bad |= curl->easy_setopt(h, CURLOPT_USERAGENT, "vxm/" VXM_VERSION);
        bad |= curl->easy_setopt(h, CURLOPT_ERRORBUFFER, reason);
        bad |= curl->easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
        bad |= curl->easy_setopt(h, CURLOPT_WRITEDATA, t);
        bad |= curl->easy_setopt(h, CURLOPT_XFERINFOFUNCTION, report);
        bad |= curl->easy_setopt(h, CURLOPT_XFERINFODATA, t);
        bad |= curl->easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
        if (t->begin > 0)
                bad |= curl->easy_setopt(h, CURLOPT_RESUME_FROM_LARGE, (curl_off_t) t->begin);
        return bad == CURLE_OK ? 0 : log_error_errno(ENOTSUP, "This libcurl is too old (7.85 or newer is needed).");
}

/* One try. *ret_code: libcurl's own, of which some are no end yet. */
static int perform(Transfer *t, CURLcode *ret_code, char reason[static REASON_SIZE]) {
        int r;

        *reason = '\0';
        r = set_up(t, reason);
        if (r < 0)
                return r;
        *ret_code = t->curl->easy_perform(t->handle);
        text_clean(reason);
        return 0;
}

static const CurlLibrary *load(void) {
        const CurlLibrary *curl = curl_library();

        if (!curl)
                log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "libcurl is missing, which fetches files; install it (Debian: libcurl4, from Debian 13 on libcurl4t64), or use --no-download.");
        return curl;
}

int fetch_text(const Fetch *f, char **ret) {
        _cleanup_(transfer_done) Transfer t = { .fetch = f, .curl = load(), .fd = -EBADF };
        char reason[REASON_SIZE];
        CURLcode code;
        int r;

        if (!t.curl)
                return -E_LACKS;
        r = perform(&t, &code, reason);
        r = r < 0 ? r : judge(&t, code, reason);
        if (r < 0)
                return r;
        if (strlen(t.text ? t.text : "") != t.size)
                return log_error_errno(E_CONFIG, "%s is no text; correct it in [Download].", f->url);
        *ret = t.text ? TAKE_PTR(t.text) : strdup("");
        return *ret ? 0 : log_oom();
}

/* Where the file ends, and the rest is to go. */
static int seek_end(int fd, uint64_t *ret) {
        off_t end = lseek(fd, 0, SEEK_END);

        *ret = end < 0 ? 0 : (uint64_t) end;
        return end < 0 ? log_error_errno(errno, "Cannot go on with a file that is there: %m.") : 0;
}

/* The server cannot send the rest alone (libcurl says so before anything is written), or says that there is none: it is another file
 * now; that all of it is there would have been told by its digest. */
static bool begins_anew(const Transfer *t, CURLcode code) {
        long status = 0;

        if (t->begin == 0)
                return false;
        (void) t->curl->easy_getinfo(t->handle, CURLINFO_RESPONSE_CODE, &status);
        return code == CURLE_RANGE_ERROR || status == 416 || (code == CURLE_OK && t->done == 0);
}

/* It broke off, but some of it came: the rest may come, too. */
static bool goes_on(const Transfer *t, CURLcode code) {
        return t->done > 0 && (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR);
}

int fetch_file(const Fetch *f, int fd) {
        const CurlLibrary *curl = load();

        if (!curl)
                return -E_LACKS;
        for (unsigned tries = 0;; tries++) {
                _cleanup_(transfer_done) Transfer t = { .fetch = f, .curl = curl, .fd = fd };
                char reason[REASON_SIZE];
                CURLcode code;
                int r;

                r = seek_end(fd, &t.begin);
                r = r < 0 ? r : perform(&t, &code, reason);
                if (r < 0)
                        return r;
                if (begins_anew(&t, code)) {
                        if (ftruncate(fd, 0) < 0)
                                return log_error_errno(errno, "Cannot begin anew with a file: %m.");
                        continue;
                }
                if (!goes_on(&t, code) || tries >= TRIES || late_signal_pending())
                        return judge(&t, code, reason);
        }
}
