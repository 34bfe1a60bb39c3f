/* SPDX-License-Identifier: BSD-3-Clause */
/* raw-pages: the least that has to be done to get huge pages, for a bench to compare with.
 *
 *     raw-pages PAGES        writes this to nr_hugepages of node 0, pages of 2 MiB
 *
 * One write, nothing judged, noted or read back. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POOL "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"

int main(int argc, char *argv[]) {
        int fd = open(POOL, O_WRONLY | O_CLOEXEC);

        if (argc != 2 || fd < 0 || write(fd, argv[1], strlen(argv[1])) < 0) {
                perror(POOL);
                return 1;
        }
        return 0;
}
