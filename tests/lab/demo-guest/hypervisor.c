/* SPDX-License-Identifier: BSD-3-Clause */
/* hypervisor: prints what the processor tells of the hypervisor: at 0x40000000, where Hyper-V stands if it is offered, and 0x100
 * further, where KVM is then. Of Hyper-V also what it offers and recommends. */

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

static void show(unsigned leaf) {
        unsigned a, b, c, d;
        char name[13] = "";

        __cpuid(leaf, a, b, c, d);
        memcpy(name, &b, 4);
        memcpy(name + 4, &c, 4);
        memcpy(name + 8, &d, 4);
        if (a < leaf || a > leaf + 0xff)
                return;
        printf("hypervisor: %x %s\n", leaf, name);
        __cpuid(leaf + 1, a, b, c, d);
        if (memcmp(&a, "Hv#1", 4) != 0)
                return;
        __cpuid(leaf + 3, a, b, c, d);
        printf("hyper-v features: %08x %08x\n", a, d);
        __cpuid(leaf + 4, a, b, c, d);
        printf("hyper-v recommendations: %08x\n", a);
}

int main(void) {
        unsigned a, b, c, d;

        __cpuid(1, a, b, c, d);
        printf("hypervisor bit: %s\n", c >> 31 ? "yes" : "no");
        show(0x40000000);
        show(0x40000100);
        return 0;
}
