#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Makes a manual page of standard input by scdoc, whose path is the argument. Before it stands what tells man(1) that tables are drawn by tbl(1).
printf "'%s t\n" '\"'
exec "$1"
