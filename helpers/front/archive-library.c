/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libarchive. */

#include "archive-library.h"
#include "library.h"
#include "log.h"
#include "messages.h"
#include "util.h"

const ArchiveLibrary *archive_library(void) {
        static ArchiveLibrary archive;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(archive.read_new, archive_read_new),
                LIBRARY_FUNCTION(archive.read_free, archive_read_free),
                LIBRARY_FUNCTION(archive.filter_gzip, archive_read_support_filter_gzip),
                LIBRARY_FUNCTION(archive.filter_xz, archive_read_support_filter_xz),
                LIBRARY_FUNCTION(archive.filter_zstd, archive_read_support_filter_zstd),
                LIBRARY_FUNCTION(archive.filter_bzip2, archive_read_support_filter_bzip2),
                LIBRARY_FUNCTION(archive.format_raw, archive_read_support_format_raw),
                LIBRARY_FUNCTION(archive.format_tar, archive_read_support_format_tar),
                LIBRARY_FUNCTION(archive.read_open_fd, archive_read_open_fd),
                LIBRARY_FUNCTION(archive.next_header, archive_read_next_header),
                LIBRARY_FUNCTION(archive.read_data, archive_read_data),
                LIBRARY_FUNCTION(archive.filter_code, archive_filter_code),
                LIBRARY_FUNCTION(archive.error_string, archive_error_string),
                LIBRARY_FUNCTION(archive.write_new, archive_write_new),
                LIBRARY_FUNCTION(archive.write_free, archive_write_free),
                LIBRARY_FUNCTION(archive.format_iso9660, archive_write_set_format_iso9660),
                LIBRARY_FUNCTION(archive.set_options, archive_write_set_options),
                LIBRARY_FUNCTION(archive.write_open_fd, archive_write_open_fd),
                LIBRARY_FUNCTION(archive.write_header, archive_write_header),
                LIBRARY_FUNCTION(archive.write_data, archive_write_data),
                LIBRARY_FUNCTION(archive.write_close, archive_write_close),
                LIBRARY_FUNCTION(archive.entry_new, archive_entry_new),
                LIBRARY_FUNCTION(archive.entry_free, archive_entry_free),
                LIBRARY_FUNCTION(archive.entry_filetype, archive_entry_filetype),
                LIBRARY_FUNCTION(archive.entry_set_pathname, archive_entry_set_pathname),
                LIBRARY_FUNCTION(archive.entry_set_filetype, archive_entry_set_filetype),
                LIBRARY_FUNCTION(archive.entry_set_perm, archive_entry_set_perm),
                LIBRARY_FUNCTION(archive.entry_set_size, archive_entry_set_size),
                {},
        };

        if (library_load("libarchive.so.13", functions) >= 0)
                return &archive;
        log_event(LOG_ERR, MESSAGE_HOST_LACKS, NULL,
                "libarchive is missing, which unpacks images and makes the seed for cloud-init; install it (Debian: libarchive13, from Debian 13 "
                "on libarchive13t64).");
        return NULL;
}
