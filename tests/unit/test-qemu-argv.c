/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU's command line, option by option; whole command lines are golden (tests/golden). */

#include "fixture.h"
#include "qemu-firmware.h"

static GuestFunction functions[] = {
        { .pci = { .address = { 0, 1, 0, 0 }, .name = "0000:01:00.0" } },
        { .pci = { .address = { 0, 1, 0, 1 }, .name = "0000:01:00.1" } },
        { .pci = { .address = { 0, 2, 0, 0 }, .name = "0000:02:00.0" } },
        { .pci = { .address = { 0, 2, 0, 2 }, .name = "0000:02:00.2" } },
};

/* Pointers to constants are fine: nothing here is freed. */
static Guest guest(void) {
        return (Guest){
                .name = (char *) "g",
                .memory_size = UINT64_C(512) << 20,
                .cpu_count = 3,
                .firmware = FIRMWARE_BIOS,
                .os = GUEST_OS_OTHER,
                .on_panic = GUEST_POLICY_POWEROFF,
        };
}

static QemuFacts facts(size_t first, size_t n) {
        return (QemuFacts){
                .functions = { functions + first, n },
                .nvram = (char *) "/var/lib/vxm/guests/g/nvram.fd",
                .sockets = (char *) "/run/vxm/sockets/g",
        };
}

/* All values of option, each followed by a newline. */
static char *values(const Guest *g, const QemuFacts *f, const char *option) {
        Argv argv;
        char *text;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        assert_int_equal(qemu_argv_build(g, f, "/usr/bin/qemu", &argv), 0);
        assert_string_equal(argv.items[0], "/usr/bin/qemu");
        assert_null(argv.items[argv.n]);
        for (size_t i = 1; i + 1 < argv.n; i++)
                if (streq(argv.items[i], option))
                        fprintf(file, "%s\n", argv.items[i + 1]);
        fclose(file);
        argv_done(&argv);
        return text;
}

static void assert_values(const Guest *g, const QemuFacts *f, const char *option, const char *wanted) {
        _cleanup_(freep) char *seen = values(g, f, option);

        assert_string_equal(seen, wanted);
}

static void assert_contains(const Guest *g, const QemuFacts *f, const char *option, const char *wanted) {
        _cleanup_(freep) char *seen = values(g, f, option);

        if (!strstr(seen, wanted))
                fail_msg("%s lacks %s: %s", option, wanted, seen);
}

static void assert_lacks(const Guest *g, const QemuFacts *f, const char *option, const char *unwanted) {
        _cleanup_(freep) char *seen = values(g, f, option);

        if (strstr(seen, unwanted))
                fail_msg("%s has %s: %s", option, unwanted, seen);
}

static void test_base(void **state) {
        QemuFacts f = facts(0, 0);
        Guest g = guest();

        (void) state;
        assert_values(&g, &f, "-smp", "3\n");
        assert_values(&g, &f, "-m", "size=512M\n");
        assert_contains(&g, &f, "-object", "size=512M,share=on");
        assert_values(&g, &f, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny\n");
        assert_values(&g, &f, "-mon", "chardev=qmp,mode=control\nchardev=monitor,mode=control\n");
        assert_contains(&g, &f, "-chardev", "socket,id=qmp,fd=3\n");
        assert_contains(&g, &f, "-chardev", "socket,id=monitor,path=/run/vxm/sockets/g/qmp,server=on,wait=off\n");
        assert_values(&g, &f, "-action", "");
        assert_lacks(&g, &f, "-device", "vfio-pci");
        assert_lacks(&g, &f, "-machine", "pflash");
        assert_values(&g, &f, "-kernel", "");
        assert_values(&g, &f, "-append", "");
}

static void test_memory(void **state) {
        QemuFacts f = facts(0, 0);
        Guest g = guest();

        (void) state;
        assert_values(&g, &f, "-object", "memory-backend-memfd,id=mem0,size=512M,share=on\n");
        assert_values(&g, &f, "-overcommit", "");
        assert_lacks(&g, &f, "-device", "balloon");
        g.memory_lock = g.balloon = true;
        assert_values(&g, &f, "-overcommit", "mem-lock=on\n");
        assert_contains(&g, &f, "-device", "virtio-balloon-pci,free-page-reporting=on\n");

        g.huge_page_size = UINT64_C(2) << 20;
        assert_values(&g, &f, "-object", "memory-backend-memfd,id=mem0,size=512M,share=on,hugetlb=on,hugetlbsize=2M,prealloc=on,"
                                         "prealloc-threads=3\n");
        f.memory = (MemoryPlacement){ .on_node = true, .node = 7, .near = true };
        assert_values(&g, &f, "-object",
                "thread-context,id=prealloc,node-affinity=7\n"
                "memory-backend-memfd,id=mem0,size=512M,share=on,hugetlb=on,hugetlbsize=2M,prealloc=on,prealloc-threads=3,"
                "prealloc-context=prealloc,host-nodes=7,policy=preferred\n");
}

static void test_boot(void **state) {
        QemuFacts f = facts(0, 0);
        Guest g = guest();

        (void) state;
        g.kernel = (char *) "/boot/a,b";
        g.initrd = (char *) "/boot/c,d";
        g.command_line = (char *) "console=ttyS0,115200 -- x";
        /* These three are no lists: a comma is a comma. */
        assert_values(&g, &f, "-kernel", "/boot/a,b\n");
        assert_values(&g, &f, "-initrd", "/boot/c,d\n");
        assert_values(&g, &f, "-append", "console=ttyS0,115200 -- x\n");
}

static void test_firmware(void **state) {
        QemuFacts f = facts(0, 0);
        Guest g = guest();

        (void) state;
        g.firmware = FIRMWARE_UEFI;
        f.firmware = (Firmware){ .code = (char *) "/c,ode", .vars = (char *) "/vars", .format = (char *) "qcow2" };
        f.nvram = (char *) "/nv,ram";
        assert_contains(&g, &f, "-machine", ",pflash0=code,pflash1=nvram");
        assert_values(&g, &f, "-blockdev",
                "driver=file,node-name=code-file,filename=/c,,ode,read-only=on,auto-read-only=off\n"
                "driver=qcow2,node-name=code,file=code-file,read-only=on\n"
                "driver=file,node-name=nvram-file,filename=/nv,,ram\n"
                "driver=qcow2,node-name=nvram,file=nvram-file\n");
}

/* SMM comes with Secure Boot and with nothing else; suspend to RAM goes where the firmware is not known to resume. */
static void test_secure_boot(void **state) {
        QemuFacts f = facts(0, 0);
        Guest g = guest();

        (void) state;
        g.firmware = FIRMWARE_UEFI;
        f.firmware = (Firmware){ .code = (char *) "/code", .vars = (char *) "/vars", .format = (char *) "raw" };
        assert_lacks(&g, &f, "-machine", "smm");
        assert_values(&g, &f, "-global", "");
        assert_values(&g, &f, "-fw_cfg", "");
        f.firmware.secure_boot = true;
        assert_contains(&g, &f, "-machine", ",smm=on\n");
        assert_values(&g, &f, "-global",
                "driver=cfi.pflash01,property=secure,value=on\ndriver=ICH9-LPC,property=disable_s3,value=1\n");
        f.firmware.s3 = true;
        assert_values(&g, &f, "-global", "driver=cfi.pflash01,property=secure,value=on\n");
        f.mmio64_mib = 65536;
        assert_values(&g, &f, "-fw_cfg", "name=opt/ovmf/X-PciMmio64Mb,string=65536\n");
}

static void test_mmio64(void **state) {
        const uint64_t gib = UINT64_C(1) << 30;
        const struct {
                uint64_t key, needed, mib;
        } rows[] = {
                { MMIO64_AUTO, 0, 0 },
                { MMIO64_AUTO, 16 * gib + gib / 4, 0 },
                { MMIO64_AUTO, 31 * gib, 0 }, /* just what every OVMF has */
                { MMIO64_AUTO, 31 * gib + 1, 65536 },
                { MMIO64_AUTO, 48 * gib, 65536 },
                { MMIO64_AUTO, 64 * gib, 131072 },
                { MMIO64_AUTO, UINT64_MAX, 0 }, /* no window is enough */
                { MMIO64_NO, 64 * gib, 0 },
                { 2 * gib, 64 * gib, 2048 }, /* the user knows better */
        };
        Guest g = guest();

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                g.mmio64 = rows[i].key;
                g.firmware = FIRMWARE_UEFI;
                assert_int_equal(qemu_mmio64_mib(&g, rows[i].needed), rows[i].mib);
                g.firmware = FIRMWARE_BIOS;
                assert_int_equal(qemu_mmio64_mib(&g, rows[i].needed), 0);
        }
}

static void test_tpm_and_uuid(void **state) {
        QemuFacts f = facts(0, 0);
        Guest g = guest();

        (void) state;
        assert_values(&g, &f, "-tpmdev", "");
        assert_values(&g, &f, "-uuid", "");
        g.tpm = true;
        f.tpm = (char *) "/run/vxm/t,pm/socket";
        f.uuid = (char *) "6f1c3a2e-4b5d-4c6e-8f70-91a2b3c4d5e6";
        assert_contains(&g, &f, "-chardev", "socket,id=tpm,path=/run/vxm/t,,pm/socket\n");
        assert_values(&g, &f, "-tpmdev", "emulator,id=tpm0,chardev=tpm\n");
        assert_contains(&g, &f, "-device", "tpm-crb,tpmdev=tpm0\n");
        assert_values(&g, &f, "-uuid", "6f1c3a2e-4b5d-4c6e-8f70-91a2b3c4d5e6\n");
}

static void assert_functions(size_t first, size_t n, const char *wanted) {
        QemuFacts f = facts(first, n);
        Guest g = guest();
        _cleanup_(freep) char *seen = values(&g, &f, "-device");
        const char *port = strstr(seen, "pcie-root-port");

        assert_non_null(port);
        assert_string_equal(port, wanted);
}

static void test_functions(void **state) {
        (void) state;
        assert_functions(0, 1, /* alone: nothing says multifunction */
                "pcie-root-port,id=slot1,chassis=1\n"
                "vfio-pci,host=0000:01:00.0,bus=slot1,addr=0x0.0x0\n");
        assert_functions(0, 2, /* one card with its sound */
                "pcie-root-port,id=slot1,chassis=1\n"
                "vfio-pci,host=0000:01:00.0,bus=slot1,addr=0x0.0x0,multifunction=on\n"
                "vfio-pci,host=0000:01:00.1,bus=slot1,addr=0x0.0x1\n");
        assert_functions(0, 4, /* two cards, the second with a gap */
                "pcie-root-port,id=slot1,chassis=1\n"
                "vfio-pci,host=0000:01:00.0,bus=slot1,addr=0x0.0x0,multifunction=on\n"
                "vfio-pci,host=0000:01:00.1,bus=slot1,addr=0x0.0x1\n"
                "pcie-root-port,id=slot2,chassis=2\n"
                "vfio-pci,host=0000:02:00.0,bus=slot2,addr=0x0.0x0,multifunction=on\n"
                "vfio-pci,host=0000:02:00.2,bus=slot2,addr=0x0.0x2\n");
        assert_functions(1, 2, /* two single ones */
                "pcie-root-port,id=slot1,chassis=1\n"
                "vfio-pci,host=0000:01:00.1,bus=slot1,addr=0x0.0x0\n"
                "pcie-root-port,id=slot2,chassis=2\n"
                "vfio-pci,host=0000:02:00.0,bus=slot2,addr=0x0.0x0\n");
}

static void test_policies(void **state) {
        QemuFacts f = facts(0, 0);
        Guest g = guest();

        (void) state;
        assert_lacks(&g, &f, "-device", "pvpanic");
        g.os = GUEST_OS_LINUX;
        assert_contains(&g, &f, "-device", "pvpanic-pci\n");
        assert_values(&g, &f, "-action", "");
        g.on_panic = GUEST_POLICY_PAUSE;
        assert_values(&g, &f, "-action", "panic=pause\n");
        g.on_panic = GUEST_POLICY_RESET; /* by the supervisor */
        assert_values(&g, &f, "-action", "panic=pause\n");
        g.on_panic = GUEST_POLICY_NONE;
        assert_values(&g, &f, "-action", "panic=none\n");
        assert_lacks(&g, &f, "-device", "i6300esb");
        g.watchdog = GUEST_POLICY_RESET;
        assert_contains(&g, &f, "-device", "i6300esb,id=watchdog\n");
        assert_values(&g, &f, "-action", "watchdog=reset\npanic=none\n");
        g.watchdog = GUEST_POLICY_POWEROFF; /* by the supervisor, too */
        assert_values(&g, &f, "-action", "watchdog=pause\npanic=none\n");
}

static void test_print(void **state) {
        char *items[] = { (char *) "qemu", (char *) "-S", (char *) "-m", (char *) "1,2", (char *) "-append",
                (char *) "a 'b' $c", (char *) "-x", (char *) "" };
        Argv argv = { items, ELEMENTSOF(items) };
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        (void) state;
        argv_print(&argv, f);
        fclose(f);
        assert_string_equal(text, "qemu \\\n  -S \\\n  -m 1,2 \\\n  -append 'a '\\''b'\\'' $c' \\\n  -x ''\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_base),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_boot),
                cmocka_unit_test(test_firmware),
                cmocka_unit_test(test_secure_boot),
                cmocka_unit_test(test_mmio64),
                cmocka_unit_test(test_tpm_and_uuid),
                cmocka_unit_test(test_functions),
                cmocka_unit_test(test_policies),
                cmocka_unit_test(test_print),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
