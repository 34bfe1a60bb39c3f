/* SPDX-License-Identifier: BSD-3-Clause */
/* From files to one guest: which files count, in which order they apply, and which mistakes cost the guest its start. */

#include <sys/stat.h>

#include "exit-status.h"
#include "fixture.h"
#include "guest-files.h"
#include "guest.h"
#include "root.h"

#define GIB (UINT64_C(1) << 30)

/* Loads the guest g, and fails the test if that fails. */
static Guest *load(Fixture *f) {
        Guest *g = NULL;

        assert_int_equal(guest_load(f->root, "g", &g), 0);
        assert_non_null(g);
        return g;
}

static void assert_refused(Fixture *f, const char *name, const char *log) {
        Guest *g = NULL;
        int r;

        fixture_capture(f);
        r = guest_load(f->root, name, &g);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -E_CONFIG);
        assert_null(g);
}

static void test_defaults(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;

        fixture_write(*state, "etc/vxm/guests/g.guest", "[Guest]\n");
        g = load(*state);
        assert_string_equal(g->name, "g");
        assert_string_equal(g->file, "/etc/vxm/guests/g.guest");
        assert_true(g->memory_size == 2 * GIB);
        assert_int_equal(g->cpu_count, 2);
        assert_int_equal(g->stop_timeout, 120000000);
        assert_int_equal(g->restart, GUEST_RESTART_NO);
        assert_int_equal(g->on_panic, GUEST_POLICY_POWEROFF);
        assert_int_equal(g->watchdog, GUEST_POLICY_NONE);
        assert_int_equal(g->hang_timeout, 120000000);
        assert_false(guest_inhibits_sleep(g));
        assert_int_equal(g->firmware, FIRMWARE_UEFI);
        assert_null(g->description);
        assert_null(g->kernel);
        assert_int_equal(g->n_devices, 0);
        assert_false(guest_has_devices(g));
        assert_false(g->single_gpu);
        assert_int_equal(g->n_disks, 0);
        assert_false(g->secure_boot || g->tpm);
        assert_true(g->enrolled_keys);
        assert_null(g->firmware_code);
        assert_null(g->firmware_vars);
        assert_null(g->uuid);
        assert_true(g->mmio64 == MMIO64_AUTO);
        assert_int_equal(g->n_networks, 0);
        assert_false(guest_has_networks(g));
        assert_false(guest_has_display(g));
}

static void test_firmware(void **state) {
        static const struct {
                const char *text, *log;
        } wrong[] = {
                { "[Firmware]\nType=bios\nSecureBoot=yes\n", "[Firmware] SecureBoot=yes is for UEFI, but Type=bios" },
                { "[Firmware]\nType=bios\nCode=/c\nVars=/v\n", "[Firmware] Code= is for UEFI, but Type=bios" },
                { "[Firmware]\nCode=/c\n", "[Firmware] Code= is set, but not Vars=" },
                { "[Firmware]\nVars=/v\n", "[Firmware] Vars= is set, but not Code=" },
                { "[Firmware]\nCode=/c.fd\nVars=/v.qcow2\n", "One of Code= and Vars= is qcow2, the other raw" },
                { "[Firmware]\nPciMmio64=512M\n", "PciMmio64=512M: expected auto, no, or a size" },
                { "[Firmware]\nPciMmio64=1025M\n", "PciMmio64=1025M: expected" },
                { "[Firmware]\nPciMmio64=17T\n", "PciMmio64=17T: expected" },
                { "[Guest]\nUUID=00000000-0000-0000-0000-000000000000\n", "UUID=00000000-0000-0000-0000-000000000000: expected a UUID" },
                { "[Guest]\nUUID=6f1c3a2e\n", "UUID=6f1c3a2e: expected a UUID" },
        };
        _cleanup_(guest_freep) Guest *g = NULL;

        fixture_write(*state, "etc/vxm/guests/g.guest",
                "[Guest]\nUUID=6F1C3A2E4B5D4C6E8F7091A2B3C4D5E6\n[Firmware]\nSecureBoot=yes\nEnrolledKeys=no\nCode=/c.qcow2\n"
                "Vars=/v.qcow2\nPciMmio64=64G\n[TPM]\nEnable=yes\n");
        g = load(*state);
        assert_true(g->secure_boot && g->tpm);
        assert_false(g->enrolled_keys);
        assert_string_equal(g->firmware_code, "/c.qcow2");
        assert_string_equal(g->firmware_vars, "/v.qcow2");
        assert_true(g->mmio64 == 64 * GIB);
        assert_string_equal(g->uuid, "6f1c3a2e-4b5d-4c6e-8f70-91a2b3c4d5e6");
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                fixture_write(*state, "etc/vxm/guests/g.guest", wrong[i].text);
                assert_refused(*state, "g", wrong[i].log);
        }
}

static void test_all_keys(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;

        fixture_write(*state, "etc/vxm/guests/g.guest",
                "[Guest]\nDescription=A guest\nStopTimeout=90s\nRestart=always\nOnPanic=reset\nWatchdog=pause\nHangTimeout=no\nInhibitSleep=no\n"
                "[Memory]\nSize=512M\n[CPU]\nCount=7\n[Firmware]\nType=bios\n"
                "[Boot]\nKernel=/k\nInitrd=/i\nCommandLine=a b\n[GPU]\nDevice=01:00.0\nDevice=2:0.0\n"
                "[Disk root]\nPath=/r\nFormat=qcow2\nReadOnly=yes\n[Disk data]\nPath=/d\n[Disk root]\nFormat=raw\n"
                "[Network lan]\nType=bridge\nBridge=br-lan.1\nMAC=02:AB:cd:00:00:01\nModel=e1000e\n"
                "[Network out]\nForward=8080:80\nForward=5353:53/udp\nSSH=2222\n"
                "[Display]\nSPICE=yes\nVNC=yes\nModel=qxl\n");
        g = load(*state);
        assert_string_equal(g->description, "A guest");
        assert_int_equal(g->stop_timeout, 90000000);
        assert_int_equal(g->restart, GUEST_RESTART_ALWAYS);
        assert_int_equal(g->on_panic, GUEST_POLICY_RESET);
        assert_int_equal(g->watchdog, GUEST_POLICY_PAUSE);
        assert_int_equal(g->hang_timeout, 0);
        assert_false(guest_inhibits_sleep(g)); /* though it has devices */
        assert_true(g->memory_size == GIB / 2);
        assert_int_equal(g->cpu_count, 7);
        assert_int_equal(g->firmware, FIRMWARE_BIOS);
        assert_string_equal(g->kernel, "/k");
        assert_string_equal(g->initrd, "/i");
        assert_string_equal(g->command_line, "a b");
        assert_int_equal(g->devices[0].n_specs, 2);
        assert_int_equal(g->devices[0].specs[0].address.bus, 1);
        assert_int_equal(g->devices[0].specs[1].address.bus, 2);
        assert_int_equal(g->n_disks, 2);
        assert_string_equal(g->disks[0].name, "root");
        assert_string_equal(g->disks[0].path, "/r");
        assert_int_equal(g->disks[0].format, DISK_RAW); /* a section may come twice */
        assert_true(g->disks[0].read_only);
        assert_string_equal(g->disks[1].name, "data");
        assert_int_equal(g->disks[1].format, DISK_RAW);
        assert_false(g->disks[1].read_only);
        assert_int_equal(g->n_networks, 2);
        assert_int_equal(g->networks[0].type, NETWORK_BRIDGE);
        assert_int_equal(g->networks[0].model, NETWORK_E1000E);
        assert_string_equal(g->networks[0].bridge, "br-lan.1");
        assert_string_equal(g->networks[0].mac, "02:ab:cd:00:00:01");
        assert_int_equal(network_n_forwards(&g->networks[0]), 0);
        assert_int_equal(g->networks[1].type, NETWORK_NAT);
        assert_int_equal(network_n_forwards(&g->networks[1]), 3);
        assert_true(network_forward(&g->networks[1], 1).udp);
        assert_int_equal(network_forward(&g->networks[1], 2).host, 2222);
        assert_int_equal(network_forward(&g->networks[1], 2).guest, 22);
        assert_true(guest_has_networks(g) && guest_has_network(g, NETWORK_NAT) && !guest_has_network(g, NETWORK_HOST));
        assert_true(guest_has_display(g));
        assert_int_equal(g->display_model, DISPLAY_QXL);
}

static void test_memory(void **state) {
        static const struct {
                const char *text;
                uint64_t huge_page_size;
                bool balloon, lock;
        } rows[] = {
                { "[Memory]\n", 0, false, false },
                { "[Memory]\nHugePages=2M\nLock=yes\n", GIB / 512, false, true },
                { "[Memory]\nHugePages=1G\n", GIB, false, false },
                { "[Memory]\nHugePages=1024M\nHugePages=2048K\n", GIB / 512, false, false },
                { "[Memory]\nHugePages=1G\nHugePages=no\nBalloon=yes\n", 0, true, false },
                { "[Memory]\nHugePages=1G\nHugePages=\nLock=yes\nLock=\n", 0, false, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                fixture_write(*state, "etc/vxm/guests/g.guest", rows[i].text);
                g = load(*state);
                assert_int_equal(g->huge_page_size, rows[i].huge_page_size);
                assert_int_equal(g->balloon, rows[i].balloon);
                assert_int_equal(g->memory_lock, rows[i].lock);
        }
}

static void test_precedence(void **state) {
        static const char *const directories[] = { "usr/lib", "run", "etc" };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(freep) char *path = NULL, *text = NULL;
                _cleanup_(guest_freep) Guest *g = NULL;

                assert_int_equal(format(&path, "%s/vxm/guests/g.guest", directories[i]), 0);
                assert_int_equal(format(&text, "[CPU]\nCount=%zu\n", i + 10), 0);
                fixture_write(f, path, text);
                g = load(f);
                assert_int_equal(g->cpu_count, i + 10);
                assert_string_equal(g->file + 1, path);
        }
}

/* Names sort across directories; of two with one name the stronger directory's counts, at the name's place. */
static void test_drop_ins(void **state) {
        _cleanup_(guest_files_done) GuestFiles files = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_write(f, "usr/lib/vxm/guests/g.guest", "[CPU]\nCount=1\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/10-a.conf", "[Guest]\nDescription=10\n[CPU]\nCount=10\n");
        fixture_write(f, "run/vxm/guests/g.guest.d/20-b.conf", "[Guest]\nDescription=run\n[CPU]\nCount=99\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/20-b.conf", "[CPU]\nCount=20\n");
        fixture_write(f, "usr/lib/vxm/guests/g.guest.d/30-c.conf", "[CPU]\nCount=30\n");
        fixture_write(f, "usr/lib/vxm/guests/g.guest.d/15-d.conf", "[Guest]\nDescription=15\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/40-ignored.txt", "nonsense\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/.50-hidden.conf", "nonsense\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/.conf", "nonsense\n");

        assert_int_equal(guest_files_find(f->root, GUEST_FILES, "g", &files), 0);
        assert_int_equal(files.n, 5);
        assert_string_equal(files.paths[0], "usr/lib/vxm/guests/g.guest");
        assert_string_equal(files.paths[1], "etc/vxm/guests/g.guest.d/10-a.conf");
        assert_string_equal(files.paths[2], "usr/lib/vxm/guests/g.guest.d/15-d.conf");
        assert_string_equal(files.paths[3], "etc/vxm/guests/g.guest.d/20-b.conf");
        assert_string_equal(files.paths[4], "usr/lib/vxm/guests/g.guest.d/30-c.conf");

        g = load(f);
        assert_string_equal(g->description, "15");
        assert_int_equal(g->cpu_count, 30);
}

static void test_masked_drop_in(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/g.guest", "[CPU]\nCount=1\n");
        fixture_write(f, "usr/lib/vxm/guests/g.guest.d/10.conf", "[CPU]\nCount=10\n");
        fixture_write(f, "usr/lib/vxm/guests/g.guest.d/20.conf", "[CPU]\nCount=20\n");
        fixture_link(f, "etc/vxm/guests/g.guest.d/10.conf", "/dev/null");
        fixture_write(f, "run/vxm/guests/g.guest.d/20.conf", "");
        g = load(f);
        assert_int_equal(g->cpu_count, 1);
}

static void test_masked_main(void **state) {
        _cleanup_(guest_files_done) GuestFiles files = {};
        Fixture *f = *state;

        fixture_write(f, "usr/lib/vxm/guests/g.guest", "[CPU]\nCount=1\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf", "[CPU]\nCount=10\n");
        fixture_link(f, "etc/vxm/guests/g.guest", "/dev/null");
        assert_refused(f, "g", "Guest “g” is masked: /etc/vxm/guests/g.guest is empty, or a link to /dev/null.");

        assert_int_equal(guest_files_find(f->root, GUEST_FILES, "g", &files), 0);
        assert_true(files.masked);
        assert_int_equal(files.n, 1);

        fixture_write(f, "etc/vxm/guests/g.guest", "");
        assert_refused(f, "g", "is masked: /etc/vxm/guests/g.guest is empty");
}

static void test_no_main(void **state) {
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf", "[CPU]\nCount=10\n");
        assert_refused(f, "g", "There is no guest “g”; write /etc/vxm/guests/g.guest");
        assert_refused(f, "G", "“G” is no name for a guest");
        assert_refused(f, "../guests/g", "is no name for a guest");
}

static void test_lists(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/g.guest", "[GPU]\nDevice=01:00.0\nDevice=02:00.0\nDevice=0000:01:00.1\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf", "[GPU]\nDevice=03:00.0\n");
        g = load(f);
        assert_int_equal(g->devices[0].n_specs, 4);
        assert_int_equal(g->devices[0].specs[0].address.bus, 1);
        assert_int_equal(g->devices[0].specs[1].address.bus, 2);
        assert_int_equal(g->devices[0].specs[3].address.bus, 3);
        g = guest_free(g);

        fixture_write(f, "etc/vxm/guests/g.guest.d/20.conf", "[GPU]\nDevice=\nDevice=04:00.0\n");
        g = load(f);
        assert_int_equal(g->devices[0].n_specs, 1);
        assert_int_equal(g->devices[0].specs[0].address.bus, 4);
}

/* Ids as often as they stand there, a port once; several a line. */
static void test_usb(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/g.guest", "[USB]\nDevice=046d:c52b  046D:C52B 1-4\nDevice=1-4.2 1-4\n");
        g = load(f);
        assert_int_equal(g->n_usb, 4);
        assert_true(guest_has_usb(g) && usb_spec_equal(&g->usb[0], &g->usb[1]) && g->usb[2].by_port);
        assert_string_equal(g->usb[3].port, "1-4.2");
        g = guest_free(g);

        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf", "[USB]\nDevice=\nDevice=2-1\n");
        g = load(f);
        assert_int_equal(g->n_usb, 1);
        g = guest_free(g);
        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf", "[USB]\nDevice=\n");
        g = load(f);
        assert_false(guest_has_usb(g));
}

static void test_empty_resets(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/g.guest",
                "[Guest]\nDescription=x\nStopTimeout=5s\n[Memory]\nSize=4G\n[Firmware]\nType=bios\n[Boot]\nKernel=/k\n"
                "[Disk a]\nPath=/a\nFormat=qcow2\nReadOnly=yes\n[GPU]\nDevice=01:00.0\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf",
                "[Guest]\nDescription=\nStopTimeout=\n[Memory]\nSize=\n[Firmware]\nType=\n[Boot]\nKernel=\n"
                "[Disk a]\nFormat=\nReadOnly=\n[GPU]\nDevice=\n");
        g = load(f);
        assert_null(g->description);
        assert_int_equal(g->stop_timeout, 120000000);
        assert_int_equal(g->restart, GUEST_RESTART_NO);
        assert_int_equal(g->on_panic, GUEST_POLICY_POWEROFF);
        assert_int_equal(g->watchdog, GUEST_POLICY_NONE);
        assert_int_equal(g->hang_timeout, 120000000);
        assert_false(guest_inhibits_sleep(g));
        assert_true(g->memory_size == 2 * GIB);
        assert_int_equal(g->firmware, FIRMWARE_UEFI);
        assert_null(g->kernel);
        assert_int_equal(g->disks[0].format, DISK_RAW);
        assert_false(g->disks[0].read_only);
        assert_int_equal(g->devices[0].n_specs, 0);
}

static void test_preset(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_write(f, "usr/lib/vxm/presets/p.guest",
                "[Guest]\nDescription=preset\n[Memory]\nSize=4G\n[CPU]\nCount=4\n[GPU]\nDevice=01:00.0\n");
        fixture_write(f, "etc/vxm/presets/p.guest.d/10.conf", "[Memory]\nSize=8G\n");
        /* The preset goes below, wherever in the file it is named. */
        fixture_write(f, "etc/vxm/guests/g.guest", "[CPU]\nCount=3\n[GPU]\nDevice=02:00.0\n[Guest]\nPreset=p\n");
        g = load(f);
        assert_string_equal(g->preset, "p");
        assert_string_equal(g->description, "preset");
        assert_true(g->memory_size == 8 * GIB);
        assert_int_equal(g->cpu_count, 3);
        assert_int_equal(g->devices[0].n_specs, 2);
        assert_int_equal(g->devices[0].specs[0].address.bus, 1);
        g = guest_free(g);

        /* A drop-in chooses another one, or none. */
        fixture_write(f, "etc/vxm/presets/q.guest", "[Memory]\nSize=1G\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf", "[Guest]\nPreset=q\n");
        g = load(f);
        assert_string_equal(g->preset, "q");
        assert_true(g->memory_size == GIB);
        g = guest_free(g);

        fixture_write(f, "etc/vxm/guests/g.guest.d/20.conf", "[Guest]\nPreset=\n");
        g = load(f);
        assert_null(g->preset);
        assert_true(g->memory_size == 2 * GIB);
}

static void test_bad_preset(void **state) {
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/g.guest", "[Guest]\nPreset=p\n");
        assert_refused(f, "g", "/etc/vxm/guests/g.guest: [Guest] Preset=p: there is no such preset");
        fixture_link(f, "etc/vxm/presets/p.guest", "/dev/null");
        assert_refused(f, "g", "Preset=p: there is no such preset");
        fixture_write(f, "etc/vxm/presets/p.guest", "[Guest]\nPreset=q\n");
        assert_refused(f, "g", "/etc/vxm/presets/p.guest:2: A preset cannot have a Preset= of its own.");
        fixture_write(f, "etc/vxm/presets/p.guest", "[CPU]\n\nCount=x\n");
        assert_refused(f, "g", "/etc/vxm/presets/p.guest:3: [CPU] Count=x: expected a number from 1 to 255, or auto.");
        fixture_write(f, "etc/vxm/guests/g.guest", "[Guest]\nPreset=../p\n");
        assert_refused(f, "g", "/etc/vxm/guests/g.guest:2: [Guest] Preset=../p: expected the name of a preset");
}

static void test_unknown_warns(void **state) {
        static const char *const logged[] = {
                "2: [CPU] Counts= is unknown, and ignored; did you mean [CPU] Count=?",
                "4: Section [Nonsense] is unknown, and ignored; vxm.guest(5) lists all sections.",
                "6: Section [memroy] is unknown, and ignored; did you mean [Memory]?",
                "8: [CPU] HugePages= is unknown, and ignored; did you mean [Memory] HugePages=?",
                "9: [CPU] Anything= is unknown, and ignored; vxm.guest(5) lists all keys.",
                /* Several sections have it: none is named. */
                "11: [GPU] Path= is unknown, and ignored; vxm.guest(5) lists all keys.",
        };
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/g.guest", "[CPU]\nCounts=9\nCount=3\n[Nonsense]\nCount=4\n[memroy]\n[CPU]\nHugePages=1\nAnything=\n[GPU]\nPath=/x\n");
        for (size_t i = 0; i < ELEMENTSOF(logged); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;
                _cleanup_(freep) char *line = NULL;

                assert_int_equal(format(&line, "/etc/vxm/guests/g.guest:%s", logged[i]), 0);
                fixture_capture(f);
                g = load(f);
                fixture_assert_logged(f, line);
                assert_int_equal(g->cpu_count, 3);
        }
}

/* How many a guest has that does not say, and what it says of them. */
static void test_cpus(void **state) {
        static const struct {
                const char *text;
                uint64_t count;
        } rows[] = {
                { "[CPU]\nCount=auto\n", 2 },
                { "[CPU]\nCount=\nTopology=1:3:2\n", 6 },
                { "[CPU]\nPin=2-5,8\n", 5 },
                { "[CPU]\nPin=2-5,8\nCount=4\n", 4 },
                { "[CPU]\nPin=2-5,8\nTopology=1:2:2\n", 4 },
                { "[CPU]\nPin=auto\n", 2 },
                { "[CPU]\nPin=auto\nIsolate=yes\nRealtime=yes\nTopology=2:2:1\n", 4 },
                { "[CPU]\nPin=7\nPin=\n", 2 },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                fixture_write(f, "etc/vxm/guests/g.guest", rows[i].text);
                assert_int_equal(guest_load(f->root, "g", &g), 0);
                assert_int_equal(g->cpu_count, rows[i].count);
        }

        _cleanup_(guest_freep) Guest *g = NULL;
        fixture_write(f, "etc/vxm/guests/g.guest",
                "[Guest]\nOS=windows\n[CPU]\nModel=EPYC-Milan\nPriority=low\nHideHypervisor=yes\nPin=auto\n");
        assert_int_equal(guest_load(f->root, "g", &g), 0);
        assert_int_equal(g->os, GUEST_OS_WINDOWS);
        assert_string_equal(g->cpu_model, "EPYC-Milan");
        assert_int_equal(g->cpu_priority, CPU_PRIORITY_LOW);
        assert_int_equal(g->cpu_pin.kind, CPU_PIN_AUTO);
        assert_true(g->hide_hypervisor && !g->cpu_isolate && !g->cpu_realtime);
}

static void test_bad_files(void **state) {
        static const struct {
                const char *text, *log;
        } rows[] = {
                { "[Memory]\nSize=lots\n", "/etc/vxm/guests/g.guest:2: [Memory] Size=lots: expected a size of at "
                                           "least" },
                { "[Memory]\nSize=17M\n", ":2: [Memory] Size=17M: expected a size of at least 16M in steps of 2M" },
                { "[Memory]\nHugePages=4M\n", ":2: [Memory] HugePages=4M: expected no, 2M or 1G." },
                { "[Memory]\nHugePages=1G\nSize=512M\n", "g.guest: [Memory] Size= is no multiple of HugePages=1G" },
                { "[Memory]\nBalloon=yes\n[PCI]\nDevice=01:00.0\n", "g.guest: [Memory] Balloon=yes is set, and a PCI device" },
                { "[Memory]\nBalloon=yes\nHugePages=2M\n", "g.guest: [Memory] Balloon=yes is set, and HugePages=" },
                { "[Memory]\nBalloon=yes\nLock=yes\n", "g.guest: [Memory] Balloon=yes is set, and Lock=yes" },
                { "[GPU]\nDevice=01:00.9\n", ":2: [GPU] Device=01:00.9: expected a PCI address" },
                { "[Disk]\nPath=/a\n", "/etc/vxm/guests/g.guest:1: [Disk] " },
                { "[Disk A]\nPath=/a\n", "/etc/vxm/guests/g.guest:1: [Disk A] " },
                { "[Disk a b]\nPath=/a\n", "/etc/vxm/guests/g.guest:1: [Disk a b] " },
                { "[GPU One]\nDevice=01:00.0\n", "/etc/vxm/guests/g.guest:1: [GPU One] " },
                { "[CPU one]\nCount=1\n", "/etc/vxm/guests/g.guest:1: [CPU one] takes no name" },
                { "[GPU]\nSingleGpu=yes\n", "g.guest: [GPU] SingleGpu= is set, but no Device=" },
                { "[GPU]\nStopUnits=a.service\n", "g.guest: [GPU] StopUnits= is set, but no Device=" },
                { "[PCI]\nDevice=auto\n", ":2: [PCI] Device=auto: expected " },
                { "[GPU]\nStopUnits=a\n", ":2: [GPU] StopUnits=a: expected " },
                { "[Disk a]\nFormat=raw\n", "/etc/vxm/guests/g.guest: [Disk a] has no Path=; add one, or Size= to have an image made." },
                { "[Disk a]\n", "/etc/vxm/guests/g.guest: [Disk a] has no Path=; add one, or Size= to have an image made." },
                { "[Disk a]\nPath=a.img\n", ":2: [Disk a] Path=a.img: expected an absolute path." },
                { "[Boot]\nInitrd=/i\n", ": [Boot] Initrd= is set, but not Kernel=; set both or none." },
                { "[Boot]\nCommandLine=x\n", ": [Boot] CommandLine= is set, but not Kernel=; it needs a kernel." },
                { "[Guest]\nDescription=a\rb\n", ":2: [Guest] Description=a\rb: expected at most 2048 characters" },
                { "[Guest]\nDescription=a\\\\", ":2: [Guest] Description=a\\\\: expected at most 2048 characters" },
                { "[Disk a]\nPath=/a\\\\", ":2: [Disk a] Path=/a\\\\: expected an absolute path" },
                { "[CPU]\nCount=3\nPin=2-3\n", ": [CPU] Pin= names 2 CPUs of the host for the guest's 3; name one for "
                                               "each." },
                { "[CPU]\nPin=0-255\n", ": [CPU] Pin= names 256 CPUs, a guest can have 255; set Count=." },
                { "[CPU]\nCount=4\nTopology=1:4:2\n", ": [CPU] Topology=1:4:2 makes 8 CPUs, the guest has 4; correct "
                                                      "one of them." },
                { "[CPU]\nIsolate=yes\n", ": [CPU] Isolate=yes is set, but not Pin=; set it to auto, or name the "
                                          "CPUs." },
                { "[CPU]\nPin=1\nRealtime=yes\n", ": [CPU] Realtime=yes is set, but not Isolate=yes; without it the "
                                                  "host would" },
                { "[CPU]\nPin=5-2\n", ":2: [CPU] Pin=5-2: expected CPUs of the host such as" },
                { "[CPU]\nTopology=1:256:1\n", ":2: [CPU] Topology=1:256:1: expected SOCKETS:CORES:THREADS" },
                { "[CPU]\nTopology=1:2:1:1\n", ":2: [CPU] Topology=1:2:1:1: expected SOCKETS:CORES:THREADS" },
                { "[CPU]\nModel=a,b\n", ":2: [CPU] Model=a,b: expected host, or a name" },
                { "Count=1\n", ":1: “Count=1” stands outside of any [Section]." },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                fixture_write(f, "etc/vxm/guests/g.guest", rows[i].text);
                assert_refused(f, "g", rows[i].log);
        }
}

/* All that is wrong is told at once, drop-ins and all. */
static void test_many_errors(void **state) {
        _cleanup_(freep) char *log = NULL;
        Fixture *f = *state;
        Guest *g = NULL;

        fixture_write(f, "etc/vxm/guests/g.guest", "[CPU]\nCount=0\n[Memory]\nSize=1\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/10.conf", "[CPU]\nCount=256\n");
        fixture_capture(f);
        assert_int_equal(guest_load(f->root, "g", &g), -E_CONFIG);
        log = fixture_log(f);
        assert_string_equal(log, "vxm: /etc/vxm/guests/g.guest:2: [CPU] Count=0: expected a number from 1 to 255, or "
                                 "auto.\n"
                                 "vxm: /etc/vxm/guests/g.guest:4: [Memory] Size=1: expected a size of at least 16M in "
                                 "steps "
                                 "of 2M, such as 512M or 16G.\n"
                                 "vxm: /etc/vxm/guests/g.guest.d/10.conf:2: [CPU] Count=256: expected a number from 1 "
                                 "to "
                                 "255, or auto.\n");
}

static void test_too_many(void **state) {
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;
        size_t size;
        FILE *file;

        file = open_memstream(&text, &size);
        for (int i = 0; i < 17; i++)
                fprintf(file, "[GPU]\nDevice=%02x:00.0\n", i);
        fclose(file);
        fixture_write(f, "etc/vxm/guests/g.guest", text);
        assert_refused(f, "g", ":34: [GPU] Device=10:00.0: expected a PCI address such as 01:00.0, ");
        free(TAKE_PTR(text));

        file = open_memstream(&text, &size);
        for (int i = 0; i < 65; i++)
                fprintf(file, "[Disk d%d]\nPath=/d\n", i);
        fclose(file);
        fixture_write(f, "etc/vxm/guests/g.guest", text);
        assert_refused(f, "g", ":129: [Disk d64]: there can be 64 disks at most.");
}

static void test_unreadable(void **state) {
        _cleanup_(freep) char *text = malloc(ROOT_FILE_MAX + 2);
        Fixture *f = *state;

        fixture_directory(f, "etc/vxm/guests/g.guest");
        assert_refused(f, "g", "/etc/vxm/guests/g.guest: Cannot be read: Is a directory.");

        assert_non_null(text);
        memset(text, '\n', ROOT_FILE_MAX + 1);
        text[ROOT_FILE_MAX + 1] = '\0';
        fixture_write(f, "etc/vxm/guests/h.guest", text);
        assert_refused(f, "h", "/etc/vxm/guests/h.guest: Cannot be read: File too large.");

        /* Nobody writes into this pipe, and nobody waits for it. */
        fixture_directory(f, "etc/vxm/guests");
        assert_int_equal(mkfifoat(f->root, "etc/vxm/guests/i.guest", 0600), 0);
        assert_refused(f, "i", "/etc/vxm/guests/i.guest: Cannot be read: Invalid argument.");
}

/* A link to nowhere is a mistake to be told, not a file that is not there. */
static void test_dangling_links(void **state) {
        Fixture *f = *state;

        fixture_write(f, "usr/lib/vxm/guests/g.guest", "[Guest]\n");
        fixture_link(f, "etc/vxm/guests/g.guest.d/10.conf", "nowhere");
        assert_refused(f, "g", "/etc/vxm/guests/g.guest.d/10.conf: Cannot be read: No such file or directory.");
        fixture_remove(f, "etc/vxm/guests/g.guest.d/10.conf");
        fixture_link(f, "etc/vxm/guests/g.guest", "nowhere");
        assert_refused(f, "g", "/etc/vxm/guests/g.guest: Cannot be read: No such file or directory.");
}

/* No link leads out of the root. */
static void test_links_stay_inside(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_link(f, "etc/vxm/guests/g.guest", "../../../../../../../../srv/g");
        fixture_write(f, "srv/g", "[CPU]\nCount=5\n");
        g = load(f);
        assert_int_equal(g->cpu_count, 5);
}

static void test_list(void **state) {
        Fixture *f = *state;
        char **names;
        size_t n;

        assert_int_equal(guest_files_list(f->root, &names, &n), 0);
        assert_int_equal(n, 0);
        strings_free(names, n);

        fixture_write(f, "usr/lib/vxm/guests/b.guest", "[Guest]\n");
        fixture_write(f, "etc/vxm/guests/b.guest", "[Guest]\n");
        fixture_write(f, "etc/vxm/guests/c.guest", "[Guest]\n");
        fixture_write(f, "usr/lib/vxm/guests/a.guest", "[Guest]\n");
        fixture_write(f, "etc/vxm/guests/Bad_Name.guest", "[Guest]\n");
        fixture_write(f, "etc/vxm/guests/.hidden.guest", "[Guest]\n");
        fixture_write(f, "etc/vxm/guests/.guest", "[Guest]\n");
        fixture_write(f, "etc/vxm/guests/README", "[Guest]\n");
        fixture_write(f, "etc/vxm/guests/c.guest.d/10.conf", "[Guest]\n");
        /* Masked ones are left out; what lies below a stronger file does not matter. */
        fixture_link(f, "run/vxm/guests/masked.guest", "/dev/null");
        fixture_write(f, "usr/lib/vxm/guests/masked.guest", "[Guest]\n");
        fixture_write(f, "usr/lib/vxm/guests/unmasked.guest", "");
        fixture_write(f, "etc/vxm/guests/unmasked.guest", "[Guest]\n");
        fixture_capture(f);
        assert_int_equal(guest_files_list(f->root, &names, &n), 0);
        fixture_assert_logged(f, "/etc/vxm/guests/Bad_Name.guest: “Bad_Name” is no name for a guest, and ignored");
        assert_int_equal(n, 4);
        assert_string_equal(names[0], "a");
        assert_string_equal(names[1], "b");
        assert_string_equal(names[2], "c");
        assert_string_equal(names[3], "unmasked");
        strings_free(names, n);
        assert_int_equal(guest_files_list_masked(f->root, &names, &n), 0);
        assert_int_equal(n, 5);
        assert_string_equal(names[3], "masked");
        strings_free(names, n);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_defaults),
                fixture_test(test_all_keys),
                fixture_test(test_firmware),
                fixture_test(test_memory),
                fixture_test(test_precedence),
                fixture_test(test_drop_ins),
                fixture_test(test_masked_drop_in),
                fixture_test(test_masked_main),
                fixture_test(test_no_main),
                fixture_test(test_lists),
                fixture_test(test_usb),
                fixture_test(test_empty_resets),
                fixture_test(test_preset),
                fixture_test(test_bad_preset),
                fixture_test(test_unknown_warns),
                fixture_test(test_cpus),
                fixture_test(test_bad_files),
                fixture_test(test_many_errors),
                fixture_test(test_too_many),
                fixture_test(test_unreadable),
                fixture_test(test_dangling_links),
                fixture_test(test_links_stay_inside),
                fixture_test(test_list),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
