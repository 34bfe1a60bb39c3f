/* SPDX-License-Identifier: BSD-3-Clause */
/* Switching, with monitors that sleep, garble, refuse, lie and obey, and a clock that costs nothing. */

#include "ddc-run.h"
#include "exit-status.h"
#include "fixture.h"

#define SECOND UINT64_C(1000000)

/* What a monitor is like, and what has become of it. */
typedef struct Fake {
        DdcLink link;
        uint64_t now;
        unsigned asleep;           /* looks that find nobody */
        int find_error, answer_error, get_error, set_error, capabilities_error, note_error;
        bool deaf;                 /* takes orders, and does not obey */
        bool silent_after;         /* does not answer any more once it is switched */
        unsigned late;             /* reads after a switch that tell the input before */
        const char *capabilities;
        uint8_t input, before;
        unsigned sets, notes;
        uint8_t source, feature;   /* of the last order */
        DdcSwitch noted;
        bool was_noted_first;
} Fake;

static Fake *fake_of(const DdcLink *link) {
        return link->userdata;
}

static int fake_find(const DdcLink *link, const Monitor *m) {
        (void) m;
        return fake_of(link)->find_error < 0 ? fake_of(link)->find_error : 9;
}

static int fake_check(const DdcLink *link, int bus, const char *identity) {
        (void) identity;
        return bus == 5 ? 0 : fake_of(link)->find_error;
}

static int fake_answers(const DdcLink *link, int bus, uint8_t source) {
        Fake *f = fake_of(link);

        (void) bus;
        (void) source;
        if (f->answer_error < 0)
                return f->answer_error;
        if (f->silent_after && f->sets > 0)
                return -EAGAIN;
        return f->asleep > 0 ? f->asleep--, -EAGAIN : 0;
}

static int fake_get(const DdcLink *link, int bus, uint8_t source, uint8_t feature, uint8_t *ret) {
        Fake *f = fake_of(link);

        (void) bus;
        (void) source;
        (void) feature;
        if (f->get_error < 0)
                return f->get_error;
        *ret = f->sets > 0 && f->late > 0 ? f->late--, f->before : f->input;
        return 0;
}

static int fake_set(const DdcLink *link, int bus, uint8_t source, uint8_t feature, uint8_t value) {
        Fake *f = fake_of(link);

        (void) bus;
        if (f->set_error < 0)
                return f->set_error;
        f->source = source;
        f->feature = feature;
        f->was_noted_first |= f->sets == 0 && f->notes > 0;
        f->sets++;
        f->before = f->input;
        f->input = f->deaf ? f->input : value;
        return 0;
}

static int fake_capabilities(const DdcLink *link, int bus, char **ret) {
        Fake *f = fake_of(link);

        (void) bus;
        if (f->capabilities_error < 0)
                return f->capabilities_error;
        *ret = strdup(f->capabilities ? f->capabilities : "(vcp(60(0F 11)))");
        return *ret ? 0 : -ENOMEM;
}

static uint64_t fake_now(const DdcLink *link) {
        return fake_of(link)->now;
}

static void fake_wait(const DdcLink *link, uint64_t usec) {
        fake_of(link)->now += usec;
}

static int fake_note(void *userdata, const DdcSwitch *s) {
        Fake *f = userdata;

        f->notes++;
        f->noted = *s;
        return f->note_error;
}

static char connector[] = "card0-DP-1";
static Monitor monitor = { .connector = connector, .bus = 5, .edid = { "DEL", 0xa0b1, 7, "DELL U2720Q", "CN-1" } };
static GuestMonitor wanted = { .guest_input = { .name = MONITOR_INPUT_HDMI_1 } };
static DdcStep step = { .wanted = &wanted, .monitor = &monitor };

static void set_up(Fake *f) {
        *f = (Fake){ .input = 0x0f, .link = { f, fake_find, fake_check, fake_answers, fake_get, fake_set, fake_capabilities, fake_now,
                             fake_wait } };
        monitor.bus = 5;
        monitor_quirk_default(&monitor.quirk);
        wanted.force = false;
        step.guest = 0x11;
        step.host = DDC_HOST_UNKNOWN;
        step.look_up = true;
}

static int take(Fake *f) {
        const DdcPlan plan = { &step, 1 };
        const DdcRecord none = {};

        return ddc_run_take(&f->link, &plan, &none, 10 * SECOND, fake_note, f);
}

/* The record of take(). */
static DdcSwitch switched(void) {
        return (DdcSwitch){ connector, 5, "DELA0B1:00000007:CN_1", 0x60, 0x51, 0x0f, 0x11, 2 * SECOND, false, false };
}

static int release(Fake *f, bool connected, DdcSwitch s) {
        const Monitors l = { &monitor, connected };
        const DdcRecord record = { &s, 1 };

        f->input = 0x11;
        return ddc_run_release(&f->link, &l, &record, 5 * SECOND);
}

static void test_switches(void **state) {
        Fake f;

        set_up(&f);
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "DELL U2720Q (card0-DP-1) shows the guest now, input 0x11.");
        assert_true(f.input == 0x11 && f.sets == 1 && f.notes == 1 && f.was_noted_first && f.now <= SECOND);
        assert_true(f.noted.host == 0x0f && f.noted.guest == 0x11 && f.noted.bus == 5 && f.noted.feature == 0x60);
        assert_string_equal(f.noted.identity, "DELA0B1:00000007:CN_1");
        fixture_capture(*state);
        assert_int_equal(release(&f, true, switched()), 0);
        fixture_assert_logged(*state, "DELL U2720Q (card0-DP-1) shows the host now, input 0x0f.");
        assert_int_equal(f.input, 0x0f);
}

/* An input of the host that the file or an earlier run's record names is not asked for. */
static void test_known_input(void **state) {
        DdcSwitch s = switched();
        const DdcRecord earlier = { &s, 1 };
        const DdcPlan plan = { &step, 1 };
        Fake f;

        (void) state;
        set_up(&f);
        step.host = 0x12;
        assert_int_equal(take(&f), 0);
        assert_int_equal(f.noted.host, 0x12);
        set_up(&f);
        f.input = 0x11; /* which the earlier run has done */
        s.host = 0x10;
        assert_int_equal(ddc_run_take(&f.link, &plan, &earlier, 10 * SECOND, fake_note, &f), 0);
        assert_int_equal(f.noted.host, 0x10);
}

static void test_already(void **state) {
        Fake f;

        set_up(&f);
        f.input = 0x11;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "shows the guest's input already");
        assert_true(f.sets == 0 && f.notes == 0);
}

static void test_lg(void **state) {
        DdcSwitch s = switched();
        Fake f;

        set_up(&f);
        monitor.quirk.feature = 0xf4;
        monitor.quirk.source = 0x50;
        monitor.quirk.unreadable = true;
        step.look_up = false;
        step.guest = 0x90;
        step.host = 0xd0;
        f.get_error = -EPROTO;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "shows the guest now, input 0x90, as far as can be told.");
        assert_true(f.source == 0x50 && f.feature == 0xf4 && f.input == 0x90 && f.noted.unreadable && f.noted.host == 0xd0);
        s.unreadable = true;
        s.feature = 0xf4;
        s.source = 0x50;
        s.host = 0xd0;
        assert_int_equal(release(&f, true, s), 0);
        assert_true(f.source == 0x50 && f.feature == 0xf4 && f.input == 0xd0);
}

static void test_sleeps(void **state) {
        Fake f;

        set_up(&f);
        f.asleep = 20;
        assert_int_equal(take(&f), 0);
        assert_true(f.input == 0x11 && f.now >= 4 * SECOND);
        set_up(&f);
        monitor.bus = BUS_UNKNOWN;
        assert_int_equal(take(&f), 0);
        assert_int_equal(f.noted.bus, 9);
        set_up(&f);
        f.asleep = 1000;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0); /* nothing to the guest */
        fixture_assert_logged(*state, "could not be switched to the guest's input 0x11: it does not answer; it is off or asleep,");
        assert_true(f.sets == 0 && f.notes == 0 && f.now <= 11 * SECOND);
        set_up(&f);
        f.asleep = 1000;
        fixture_capture(*state);
        assert_int_equal(release(&f, true, switched()), -EIO);
        fixture_assert_logged(*state, "could not be switched back to the host's input 0x0f: it does not answer;");
        assert_true(f.now <= 6 * SECOND);
}

static void test_broken(void **state) {
        Fake f;

        set_up(&f);
        f.get_error = -EPROTO;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "it listens, but its answers are garbled or missing;");
        assert_true(f.sets == 0 && f.notes == 0);
        set_up(&f);
        f.get_error = -EOPNOTSUPP;
        fixture_capture(*state);
        assert_int_equal(take(&f), -E_CONFIG);
        fixture_assert_logged(*state, "[Monitor] HostInput=: DELL U2720Q (card0-DP-1) does not tell which input it shows;");
        assert_true(f.sets == 0 && f.notes == 0 && f.now == 0);
        set_up(&f); /* with HostInput=, it is switched unseen */
        f.get_error = -EOPNOTSUPP;
        step.host = 0x12;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "as far as can be told");
        assert_int_equal(f.input, 0x11);
}

static void test_obeys_or_not(void **state) {
        DdcSwitch s = switched();
        Fake f;

        set_up(&f);
        f.deaf = true;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "it goes on to show another input;");
        assert_int_equal(f.sets, 2);
        set_up(&f);
        f.late = 5; /* it takes its time */
        assert_int_equal(take(&f), 0);
        assert_int_equal(f.sets, 1);
        set_up(&f);
        f.silent_after = true;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "as far as can be told");
        /* One that listens to its active input only cannot be had back from here: that is said, and nothing is left to be tried. */
        set_up(&f);
        f.deaf = true;
        s.one_way = true;
        fixture_capture(*state);
        assert_int_equal(release(&f, true, s), 0);
        fixture_assert_logged(*state, "could not be switched back to the host's input 0x0f: it goes on to show another input;");
        s.one_way = false;
        set_up(&f);
        f.deaf = true;
        assert_int_equal(release(&f, true, s), -EIO);
}

static void test_lists(void **state) {
        Fake f;

        set_up(&f);
        f.capabilities = "(vcp(60(0F 12)))";
        fixture_capture(*state);
        assert_int_equal(take(&f), -E_CONFIG);
        fixture_assert_logged(*state, "[Monitor] GuestInput=: DELL U2720Q (card0-DP-1) lists no input 0x11, but 0x0f 0x12; correct it, or set Force=yes");
        assert_true(f.sets == 0 && f.notes == 0);
        set_up(&f);
        f.capabilities = "(vcp(60(0F 12)))";
        wanted.force = true;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "lists no input 0x11, but 0x0f 0x12; Force=yes has it tried all the same.");
        assert_int_equal(f.input, 0x11);
        set_up(&f); /* a list that is damaged, or cannot be read, says nothing */
        f.capabilities = "(vcp(60(0F";
        assert_int_equal(take(&f), 0);
        assert_int_equal(f.input, 0x11);
        set_up(&f);
        f.capabilities_error = -EPROTO;
        assert_int_equal(take(&f), 0);
        assert_int_equal(f.input, 0x11);
}

static void test_lacks(void **state) {
        static const struct {
                int error, r;
                const char *log;
        } rows[] = {
                { -ENOENT, -E_LACKS, "there is no node /dev/i2c-* for its bus; run modprobe i2c-dev, then try again." },
                { -ENOPKG, -E_LACKS, "Monitors are switched by libddcutil, which is not there; install it" },
                { -EACCES, -EACCES, "cannot open /dev/i2c-*: Permission denied." },
        };
        Fake f;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                set_up(&f);
                f.answer_error = rows[i].error;
                fixture_capture(*state);
                assert_int_equal(take(&f), rows[i].r);
                fixture_assert_logged(*state, rows[i].log);
                assert_true(f.notes == 0 && f.now == 0);
        }
        set_up(&f);
        monitor.bus = BUS_UNKNOWN;
        f.find_error = -ENXIO;
        fixture_capture(*state);
        assert_int_equal(take(&f), 0);
        fixture_assert_logged(*state, "the driver of its GPU offers no I²C bus to speak over.");
}

/* Without a record nothing is switched. */
static void test_not_noted(void **state) {
        Fake f;

        (void) state;
        set_up(&f);
        f.note_error = -ENOSPC;
        assert_int_equal(take(&f), -ENOSPC);
        assert_int_equal(f.sets, 0);
        set_up(&f);
        f.note_error = -EBUSY;
        assert_int_equal(take(&f), -EBUSY);
}

/* Some vanish when they show another input. Their bus is tried, unless another one is there by now. */
static void test_gone(void **state) {
        DdcSwitch s = switched();
        Fake f;

        set_up(&f);
        assert_int_equal(release(&f, false, s), 0);
        assert_int_equal(f.input, 0x0f);
        set_up(&f);
        f.find_error = -ENODEV;
        s.bus = 6;
        fixture_capture(*state);
        assert_int_equal(release(&f, false, s), 0);
        fixture_assert_logged(*state, "The monitor at card0-DP-1 could not be switched back to the host's input 0x0f: another monitor is");
        assert_int_equal(f.sets, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_switches),     fixture_test(test_known_input), fixture_test(test_already), fixture_test(test_lg),
                fixture_test(test_sleeps),       fixture_test(test_broken),      fixture_test(test_obeys_or_not),
                fixture_test(test_lists),        fixture_test(test_lacks),       fixture_test(test_not_noted),
                fixture_test(test_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
