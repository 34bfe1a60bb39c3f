/* SPDX-License-Identifier: BSD-3-Clause */
/* A bus with one peer, see fake-bus.h. */

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-bus.h"

int fake_bus_make(FakeBus *b, size_t size) {
        b->size = size;
        b->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        return b->memory == MAP_FAILED ? -1 : 0;
}

/* Lives as long as its connection. */
static void serve(int fd, sd_bus_message_handler_t on_call, void *memory) {
        sd_bus *bus = NULL;
        int r;

        r = sd_bus_new(&bus);
        r = r < 0 ? r : sd_bus_set_fd(bus, fd, fd);
        r = r < 0 ? r
                  : sd_bus_set_server(
                            bus, 1, SD_ID128_MAKE(01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10));
        r = r < 0 ? r : sd_bus_add_filter(bus, NULL, on_call, memory);
        r = r < 0 ? r : sd_bus_start(bus);
        while (r >= 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        _exit(0);
}

int fake_bus_start(FakeBus *b, sd_bus_message_handler_t on_call, sd_bus **ret) {
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -1;
        b->child = fork();
        if (b->child < 0)
                return -1;
        if (b->child == 0) {
                close(fds[0]);
                serve(fds[1], on_call, b->memory);
        }
        close(fds[1]);
        return sd_bus_new(ret) < 0 || sd_bus_set_fd(*ret, fds[0], fds[0]) < 0 || sd_bus_start(*ret) < 0 ? -1 : 0;
}

void fake_bus_done(FakeBus *b) {
        (void) waitpid(b->child, NULL, 0);
        (void) munmap(b->memory, b->size);
}
