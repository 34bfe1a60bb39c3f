/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of libarchive is used, see library.h: it unpacks what has been fetched, and makes the image of a seed. */

#include <archive.h>
#include <archive_entry.h>

typedef struct ArchiveLibrary {
        __typeof__(archive_read_new) *read_new;
        __typeof__(archive_read_free) *read_free;
        __typeof__(archive_read_support_filter_gzip) *filter_gzip;
        __typeof__(archive_read_support_filter_xz) *filter_xz;
        __typeof__(archive_read_support_filter_zstd) *filter_zstd;
        __typeof__(archive_read_support_filter_bzip2) *filter_bzip2;
        __typeof__(archive_read_support_format_raw) *format_raw;
        __typeof__(archive_read_support_format_tar) *format_tar;
        __typeof__(archive_read_open_fd) *read_open_fd;
        __typeof__(archive_read_next_header) *next_header;
        __typeof__(archive_read_data) *read_data;
        __typeof__(archive_filter_code) *filter_code;
        __typeof__(archive_error_string) *error_string;
        __typeof__(archive_write_new) *write_new;
        __typeof__(archive_write_free) *write_free;
        __typeof__(archive_write_set_format_iso9660) *format_iso9660;
        __typeof__(archive_write_set_options) *set_options;
        __typeof__(archive_write_open_fd) *write_open_fd;
        __typeof__(archive_write_header) *write_header;
        __typeof__(archive_write_data) *write_data;
        __typeof__(archive_write_close) *write_close;
        __typeof__(archive_entry_new) *entry_new;
        __typeof__(archive_entry_free) *entry_free;
        __typeof__(archive_entry_filetype) *entry_filetype;
        __typeof__(archive_entry_set_pathname) *entry_set_pathname;
        __typeof__(archive_entry_set_filetype) *entry_set_filetype;
        __typeof__(archive_entry_set_perm) *entry_set_perm;
        __typeof__(archive_entry_set_size) *entry_set_size;
} ArchiveLibrary;

/* Returns NULL, logged, where there is none: that is -E_LACKS. */
const ArchiveLibrary *archive_library(void);
