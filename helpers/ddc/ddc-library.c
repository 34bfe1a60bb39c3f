/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libddcutil and calls it. Of its structs no member is used that has another place in the other kind, so that it does not matter
 * which one's headers this was compiled with. */

#include <ddcutil_c_api.h>
#include <ddcutil_status_codes.h>
#include <fcntl.h>

#include "ddc-library.h"
#include "library.h"
#include "log.h"

enum {
        /* Of 2's ddcutil_types.h: */
        SYSLOG_NEVER = 0,         /* DDCA_SYSLOG_NEVER */
        NO_CONFIGURATION_FILE = 1, /* DDCA_INIT_OPTIONS_DISABLE_CONFIG_FILE */
};

static struct {
        __typeof__(ddca_set_fout) *set_fout;
        __typeof__(ddca_set_ferr) *set_ferr;
        __typeof__(ddca_enable_verify) *enable_verify;
        __typeof__(ddca_redetect_displays) *redetect_displays;
        __typeof__(ddca_get_display_refs) *get_display_refs;
        __typeof__(ddca_get_display_info) *get_display_info;
        __typeof__(ddca_free_display_info) *free_display_info;
        __typeof__(ddca_open_display2) *open_display;
        __typeof__(ddca_close_display) *close_display;
        __typeof__(ddca_get_non_table_vcp_value) *get_value;
        __typeof__(ddca_set_non_table_vcp_value) *set_value;
        __typeof__(ddca_get_capabilities_string) *get_capabilities;
        __typeof__(ddca_rc_name) *rc_name;
} ddca;

/* What only one of the kinds has. 1.4 is ready when it is loaded, and 2 when it has been told how. */
static int (*ddca_init_2)(const char *options, int syslog_level, int flags);
static bool (*enable_usb_1)(bool on);

static bool is_open, has_looked;

static const LibraryFunction functions[] = {
        LIBRARY_FUNCTION(ddca.set_fout, ddca_set_fout),
        LIBRARY_FUNCTION(ddca.set_ferr, ddca_set_ferr),
        LIBRARY_FUNCTION(ddca.enable_verify, ddca_enable_verify),
        LIBRARY_FUNCTION(ddca.redetect_displays, ddca_redetect_displays),
        LIBRARY_FUNCTION(ddca.get_display_refs, ddca_get_display_refs),
        LIBRARY_FUNCTION(ddca.get_display_info, ddca_get_display_info),
        LIBRARY_FUNCTION(ddca.free_display_info, ddca_free_display_info),
        LIBRARY_FUNCTION(ddca.open_display, ddca_open_display2),
        LIBRARY_FUNCTION(ddca.close_display, ddca_close_display),
        LIBRARY_FUNCTION(ddca.get_value, ddca_get_non_table_vcp_value),
        LIBRARY_FUNCTION(ddca.set_value, ddca_set_non_table_vcp_value),
        LIBRARY_FUNCTION(ddca.get_capabilities, ddca_get_capabilities_string),
        LIBRARY_FUNCTION(ddca.rc_name, ddca_rc_name),
        {},
};

/* Both kinds fill one table: what only the one has is looked for first. */
static int load_2(void) {
        static const LibraryFunction init[] = { LIBRARY_FUNCTION(ddca_init_2, ddca_init), {} };

        return library_load("libddcutil.so.5", init) < 0 ? -ENOPKG : library_load("libddcutil.so.5", functions);
}

static int load_1(void) {
        static const LibraryFunction usb[] = { LIBRARY_FUNCTION(enable_usb_1, ddca_enable_usb_display_detection), {} };

        return library_load("libddcutil.so.4", usb) < 0 ? -ENOPKG : library_load("libddcutil.so.4", functions);
}

/* What it has learned of monitors it would keep in a home, and believe it the next time; a machine's monitors are no user's business. It
 * has to have a home, though: 1.4 falls over where there is none, as in a unit. In this one no file can be made. */
static void move_home(void) {
        static const char *const names[] = { "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME" };

        (void) setenv("HOME", "/dev/null", 1);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                (void) unsetenv(names[i]);
}

static int load(void) {
        if (load_2() >= 0) {
                int r = ddca_init_2(NULL, SYSLOG_NEVER, NO_CONFIGURATION_FILE);

                if (r != 0)
                        log_debug("libddcutil does not start as it should: %s.", ddca.rc_name(r));
                return 0;
        }
        if (load_1() < 0)
                return -ENOPKG;
        (void) enable_usb_1(false);
        return 0;
}

/* It has a lot to say, some of it before it can be told not to, on standard output, which is --probe's. */
static int load_silently(void) {
        _cleanup_(closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC), before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        int r;

        fflush(stdout);
        if (null >= 0 && before >= 0)
                (void) dup2(null, STDOUT_FILENO);
        r = load();
        fflush(stdout);
        if (null >= 0 && before >= 0)
                (void) dup2(before, STDOUT_FILENO);
        return r;
}

int ddc_library_open(void) {
        int r;

        if (is_open)
                return 0;
        move_home();
        r = load_silently();
        if (r < 0)
                return r;
        ddca.set_fout(NULL);
        ddca.set_ferr(NULL);
        (void) ddca.enable_verify(false); /* ddc-run.c knows when to look */
        is_open = true;
        return 0;
}

static int error_of(int bus, const char *what, DDCA_Status status) {
        log_debug("/dev/i2c-%d: cannot %s: %s.", bus, what, ddca.rc_name(status));
        switch (status) {
        case DDCRC_REPORTED_UNSUPPORTED:
        case DDCRC_DETERMINED_UNSUPPORTED:
        case DDCRC_ALL_RESPONSES_NULL: /* how some say it */
                return -EOPNOTSUPP;
        case DDCRC_DDC_DATA:
        case DDCRC_RETRIES:
        case DDCRC_READ_ALL_ZERO:
        case DDCRC_BAD_DATA:
        case DDCRC_INVALID_DISPLAY: /* somebody listens, or we had not been asked */
                return -EPROTO;
        case DDCRC_LOCKED:
                return -EAGAIN;
        default:
                return -EIO;
        }
}

static bool is_at(DDCA_Display_Ref display, int bus) {
        DDCA_Display_Info *info = NULL;
        bool is = ddca.get_display_info(display, &info) == 0 && info->path.io_mode == DDCA_IO_I2C && info->path.path.i2c_busno == bus;

        if (info)
                ddca.free_display_info(info);
        return is;
}

/* From the list, though there is a function that finds one by its bus: what that finds, 2.2.0 does not take for a monitor when it is
 * to open it, and ends the process. */
static DDCA_Status find_display(int bus, DDCA_Display_Ref *ret) {
        _cleanup_(freep) DDCA_Display_Ref *all = NULL;
        DDCA_Status status = ddca.get_display_refs(false, &all);

        for (size_t i = 0; status == 0 && all[i]; i++)
                if (is_at(all[i], bus)) {
                        *ret = all[i];
                        return 0;
                }
        return status == 0 ? DDCRC_INVALID_DISPLAY : status;
}

/* It looks for monitors once, and does not see one any more that was asleep then. */
static int open_monitor(int bus, DDCA_Display_Handle *ret) {
        DDCA_Display_Ref display = NULL;
        DDCA_Status status;
        int r = ddc_library_open();

        if (r < 0)
                return r;
        status = find_display(bus, &display);
        if (status != 0 && has_looked) {
                (void) ddca.redetect_displays();
                status = find_display(bus, &display);
        }
        has_looked = true;
        if (status == 0)
                status = ddca.open_display(display, true, ret);
        return status == 0 ? 0 : error_of(bus, "find the monitor", status);
}

int ddc_library_get(int bus, uint8_t feature, uint8_t *ret) {
        DDCA_Non_Table_Vcp_Value value = {};
        DDCA_Display_Handle monitor = NULL;
        DDCA_Status status;
        int r = open_monitor(bus, &monitor);

        if (r < 0)
                return r;
        status = ddca.get_value(monitor, feature, &value);
        (void) ddca.close_display(monitor);
        if (status != 0)
                return error_of(bus, "read", status);
        *ret = value.sl; /* the higher byte is whatever it is with some */
        return 0;
}

int ddc_library_set(int bus, uint8_t feature, uint8_t value) {
        DDCA_Display_Handle monitor = NULL;
        DDCA_Status status;
        int r = open_monitor(bus, &monitor);

        if (r < 0)
                return r;
        status = ddca.set_value(monitor, feature, 0, value);
        (void) ddca.close_display(monitor);
        return status == 0 ? 0 : error_of(bus, "write", status);
}

int ddc_library_capabilities(int bus, char **ret) {
        DDCA_Display_Handle monitor = NULL;
        DDCA_Status status;
        int r = open_monitor(bus, &monitor);

        if (r < 0)
                return r;
        status = ddca.get_capabilities(monitor, ret);
        (void) ddca.close_display(monitor);
        return status == 0 ? 0 : error_of(bus, "read the capabilities", status);
}
