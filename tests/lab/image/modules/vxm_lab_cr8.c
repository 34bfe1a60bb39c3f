// SPDX-License-Identifier: BSD-3-Clause
/* vxm_lab_cr8: keeps the lab's QEMU alive.
 *
 * QEMU's SVM emulation aborts (7.2 to 11.1: "assertion failed: (bql_locked())") when a guest inside the lab writes CR8
 * while KVM waits for an interrupt window. UEFI firmware writes CR8 at the end of each of its interrupts, so that on a busy
 * host a start in four ended the whole lab. KVM makes a new vCPU exit on such writes, and svm_update_cr8_intercept() is
 * what lifts that: without it every write of CR8 goes to KVM, and none to the code that aborts. KVM handles the exit
 * correctly; it only costs a little time. Loaded along with kvm_amd, see modprobe.d. */

#include <linux/kprobes.h>
#include <linux/module.h>

static void do_nothing(void) {
}

static int skip_function(struct kprobe *probe, struct pt_regs *regs) {
        instruction_pointer_set(regs, (unsigned long) do_nothing);
        return 1; /* go on at the new instruction pointer, not after the probed one */
}

static struct kprobe probe = {
        .symbol_name = "svm_update_cr8_intercept",
        .pre_handler = skip_function,
};

static int __init vxm_lab_cr8_init(void) {
        return register_kprobe(&probe);
}

static void __exit vxm_lab_cr8_exit(void) {
        unregister_kprobe(&probe);
}

module_init(vxm_lab_cr8_init);
module_exit(vxm_lab_cr8_exit);

MODULE_DESCRIPTION("Works around an abort in QEMU's SVM emulation");
MODULE_LICENSE("Dual BSD/GPL");
