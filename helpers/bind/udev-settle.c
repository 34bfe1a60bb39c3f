/* SPDX-License-Identifier: BSD-3-Clause */
/* libudev's view of the queue of udev, see udev_queue_get_fd(3): there is a file while it is not empty, and inotify tells of
 * its end. */

#include <libudev.h>
#include <poll.h>

#include "library.h"
#include "udev-settle.h"
#include "util.h"

static struct {
        __typeof__(udev_new) *new;
        __typeof__(udev_unref) *unref;
        __typeof__(udev_queue_new) *queue_new;
        __typeof__(udev_queue_unref) *queue_unref;
        __typeof__(udev_queue_get_fd) *queue_get_fd;
        __typeof__(udev_queue_flush) *queue_flush;
        __typeof__(udev_queue_get_queue_is_empty) *queue_get_queue_is_empty;
} library;

static int load(void) {
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(library.new, udev_new),
                LIBRARY_FUNCTION(library.unref, udev_unref),
                LIBRARY_FUNCTION(library.queue_new, udev_queue_new),
                LIBRARY_FUNCTION(library.queue_unref, udev_queue_unref),
                LIBRARY_FUNCTION(library.queue_get_fd, udev_queue_get_fd),
                LIBRARY_FUNCTION(library.queue_flush, udev_queue_flush),
                LIBRARY_FUNCTION(library.queue_get_queue_is_empty, udev_queue_get_queue_is_empty),
                {},
        };

        return library_load("libudev.so.1", functions);
}

static int wait_until_empty(struct udev_queue *queue, uint64_t end) {
        /* Asked for first, so that the end is seen if it comes between the question and the wait. */
        struct pollfd fd = { .fd = library.queue_get_fd(queue), .events = POLLIN };

        if (fd.fd < 0)
                return fd.fd;
        while (!library.queue_get_queue_is_empty(queue)) {
                uint64_t now = now_usec();

                if (now >= end)
                        return -ETIME;
                if (poll(&fd, 1, (int) ((end - now + 999) / 1000)) < 0 && errno != EINTR)
                        return -errno;
                (void) library.queue_flush(queue);
        }
        return 0;
}

int udev_settle(uint64_t usec) {
        uint64_t end = now_usec() + usec;
        struct udev *context = NULL;
        struct udev_queue *queue = NULL;
        int r;

        r = load();
        if (r < 0)
                return r;
        context = library.new();
        queue = context ? library.queue_new(context) : NULL;
        r = queue ? wait_until_empty(queue, end) : -ENOMEM;
        library.queue_unref(queue);
        library.unref(context);
        return r;
}
