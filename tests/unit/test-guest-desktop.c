/* SPDX-License-Identifier: BSD-3-Clause */
/* User=, Looking Glass and sound: what goes together in a guest file, and what does not; how large frames are. */

#include "exit-status.h"
#include "fixture.h"
#include "guest.h"

#define MIB (UINT64_C(1) << 20)
#define PERSON "[Guest]\nUser=person\n"

static const char *const good[] = {
        PERSON,
        PERSON "[Display]\nLookingGlass=32M\n",
        PERSON "[Display]\nLookingGlass=32M\nLookingGlassUser=person\nSPICE=yes\nModel=none\n",
        "[Display]\nLookingGlass=32M\nLookingGlassUser=person\n",
        PERSON "[Audio]\nBackend=auto\nMicrophone=yes\nLatency=20ms\n",
        PERSON "[Audio]\nBackend=pipewire\nDevice=alsa_output.pci-0000_00_1b.0.analog-stereo\n",
        PERSON "[Audio]\nBackend=jack\nDevice=system:playback_[12]\nModel=virtio-sound\n",
        "[Display]\nSPICE=yes\n[Audio]\nBackend=auto\n",
        "[Display]\nSPICE=yes\n[Audio]\nBackend=spice\nModel=usb-audio\n",
        "[Audio]\nBackend=alsa\nDevice=plughw:CARD=PCH,DEV=0\nLatency=1s\n",
        "[Audio]\nBackend=none\nModel=usb-audio\n",
};

static const struct {
        const char *text, *log;
} bad[] = {
        { "[Guest]\nUser=1000\n", "[Guest] User=1000: expected the name of a user of this machine" },
        { "[Guest]\nUser=a:b\n", "[Guest] User=a:b: expected the name" },
        { "[Guest]\nUser=-a\n", "[Guest] User=-a: expected the name" },
        { "[Guest]\nUser=averyveryveryveryverylongusername\n", "expected the name of a user" },
        { "[Display]\nLookingGlass=32M\n", "[Display] LookingGlass= is set, and nobody who may look;" },
        { "[Display]\nLookingGlassUser=person\n", "[Display] LookingGlassUser= is set, but not LookingGlass=;" },
        { PERSON "[Display]\nLookingGlass=32M\nLookingGlassUser=other\n", "LookingGlassUser=other is set, and [Guest] User=person," },
        { PERSON "[Display]\nLookingGlass=48M\n", "[Display] LookingGlass=48M: expected no, a power of two from 16M to 1G" },
        { PERSON "[Display]\nLookingGlass=2G\n", "[Display] LookingGlass=2G: expected" },
        { PERSON "[Display]\nLookingGlass=1920x\n", "[Display] LookingGlass=1920x: expected" },
        { PERSON "[Display]\nLookingGlass=x1080\n", "[Display] LookingGlass=x1080: expected" },
        { PERSON "[Display]\nLookingGlass=1920x1080x2\n", "expected" },
        { PERSON "[Display]\nLookingGlass=32768x32768\n", "expected" },
        { "[Display]\nModel=none\n", "[Display] Model=none leaves keyboard and mouse by SPICE, but SPICE= is not set;" },
        { "[Display]\nModel=none\nSPICE=yes\nVNC=yes\n", "but VNC= is set;" },
        { "[Audio]\nBackend=pipewire\n", "[Audio] Backend=pipewire plays in the session of the user that the guest runs as;" },
        { "[Audio]\nBackend=jack\n", "[Audio] Backend=jack plays in the session" },
        { "[Audio]\nBackend=auto\n", "[Audio] Backend=auto is set, and neither [Guest] User=," },
        { "[Audio]\nBackend=spice\n", "[Audio] Backend=spice is set, but not [Display] SPICE=;" },
        { "[Audio]\nBackend=oss\n", "[Audio] Backend=oss: expected none, auto, pipewire, pulseaudio, jack, alsa or spice" },
        { "[Audio]\nDevice=x\n", "[Audio] Device= is set, which Backend=none has no use for;" },
        { "[Audio]\nMicrophone=yes\n", "[Audio] Microphone= is set, which Backend=none has no use for;" },
        { PERSON "[Audio]\nBackend=auto\nDevice=x\n", "[Audio] Device= is set, which Backend=auto has no use for;" },
        { PERSON "[Audio]\nBackend=jack\nLatency=20ms\n", "[Audio] Latency= is set, which Backend=jack has no use for;" },
        { PERSON "[Audio]\nBackend=pipewire\nLatency=2s\n", "[Audio] Latency=2s: expected a time from 1ms to 1s" },
        { PERSON "[Audio]\nBackend=auto\nModel=usb-audio\nMicrophone=yes\n", "[Audio] Microphone=yes is set, and Model=usb-audio," },
};

static int load(Fixture *f, const char *text, Guest **ret) {
        fixture_write(f, "etc/vxm/guests/g.guest", text);
        return guest_load(f->root, "g", ret);
}

static void test_good(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                if (load(*state, good[i], &g) != 0)
                        fail_msg("is refused: %s", good[i]);
        }
}

static void test_bad(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                fixture_capture(*state);
                if (load(*state, bad[i].text, &g) != -E_CONFIG)
                        fail_msg("is taken: %s", bad[i].text);
                fixture_assert_logged(*state, bad[i].log);
        }
}

static void test_user(void **state) {
        static const struct {
                const char *text, *user;
                bool named;
        } cases[] = {
                { "[Guest]\n", "vxm-g", false },
                { "[Guest]\nUser=vxm-g\n", "vxm-g", false },
                { "[Guest]\nUser=vxm-gg\n", "vxm-gg", true },
                { PERSON, "person", true },
                { PERSON "User=\n", "vxm-g", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                assert_int_equal(load(*state, cases[i].text, &g), 0);
                assert_string_equal(g->user, cases[i].user);
                assert_int_equal(guest_has_named_user(g), cases[i].named);
        }
}

/* The figures of Looking Glass's own documentation, and what is next to them. */
static void test_frames(void **state) {
        static const struct {
                const char *value;
                uint64_t size;
        } cases[] = {
                { "no", 0 },
                { "16M", 16 * MIB },
                { "1G", 1024 * MIB },
                { "640x480", 16 * MIB },
                { "1920x1080", 32 * MIB },
                { "1920x1200", 32 * MIB },
                { "2560x1440", 64 * MIB },
                { "3840x2160", 128 * MIB },
                { "7680x4320", 512 * MIB },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;
                _cleanup_(guest_freep) Guest *g = NULL;

                assert_int_equal(format(&text, PERSON "[Display]\nLookingGlass=%s\n", cases[i].value), 0);
                assert_int_equal(load(*state, text, &g), 0);
                if (g->looking_glass != cases[i].size)
                        fail_msg("%s", cases[i].value);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_good),
                fixture_test(test_bad),
                fixture_test(test_user),
                fixture_test(test_frames),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
