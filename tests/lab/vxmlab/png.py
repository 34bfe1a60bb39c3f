# SPDX-License-Identifier: BSD-3-Clause
"""Pictures: PNG files read and written with nothing but the standard library.

Only what QEMU's screendump and the lab itself write: eight bits a sample, RGB or RGBA, no interlacing.
See the PNG specification, https://www.w3.org/TR/png-3/, for chunks (5) and filters (9).
"""

import struct
import zlib
from itertools import accumulate
from pathlib import Path

from vxmlab.say import LabError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {2: 3, 6: 4}  # of a pixel, by colour type: RGB, RGBA


class Picture:
    """Pixels in memory: a bytearray a row, three bytes a pixel."""

    def __init__(self, width, height, color=0x000000):
        self.width, self.height = width, height
        self.rows = [bytearray(color.to_bytes(3, "big") * width) for _ in range(height)]

    def color(self, x, y):
        """The colour of a pixel as 0xRRGGBB."""
        return int.from_bytes(self.rows[y][3 * x:3 * x + 3], "big")

    def fill(self, x, y, width, height, color):
        """Paints a rectangle that lies within the picture."""
        for row in self.rows[y:y + height]:
            row[3 * x:3 * (x + width)] = color.to_bytes(3, "big") * width

    def paste(self, other, x, y):
        """Copies a picture that fits to a place in this one."""
        for mine, theirs in zip(self.rows[y:y + other.height], other.rows):
            mine[3 * x:3 * (x + other.width)] = theirs

    def save(self, path):
        """Writes a PNG file."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        data = b"".join(b"\0" + row for row in self.rows)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
        Path(path).write_bytes(_SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks))


def load(path):
    """Reads a PNG file."""
    data = Path(path).read_bytes()
    if not data.startswith(_SIGNATURE):
        raise LabError(f"{path} is no PNG file")
    chunks = list(_chunks(data))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth != 8 or kind not in _SAMPLES or interlaced:
        raise LabError(f"{path}: {depth} bits a sample, colour type {kind}, interlacing {interlaced}: "
                       "only 8 bits, type 2 or 6 and no interlacing can be read")
    packed = b"".join(content for name, content in chunks if name == b"IDAT")
    picture = Picture(width, height)
    picture.rows = [_rgb(row, _SAMPLES[kind]) for row in _rows(zlib.decompress(packed), width * _SAMPLES[kind], _SAMPLES[kind])]
    return picture


def _chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _chunks(data):
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8:at + 8 + length]
        at += length + 12


def _rgb(row, samples):
    if samples == 3:
        return bytearray(row)
    row = bytearray(row)
    del row[3::4]
    return row


def _rows(data, length, samples):
    """Undoes the filter of each row, which every row names in a byte of its own before its samples."""
    above = bytes(length)
    for at in range(0, len(data), length + 1):
        above = _UNFILTER[data[at]](data[at + 1:at + 1 + length], above, samples)
        yield above


def _none(row, _above, _samples):
    return row


def _sub(row, _above, samples):
    result = bytearray(len(row))
    for channel in range(samples):
        sums = accumulate(row[channel::samples])
        result[channel::samples] = bytes(value & 0xff for value in sums)
    return bytes(result)


def _up(row, above, _samples):
    return bytes((value + up) & 0xff for value, up in zip(row, above)) if any(row) else above


def _average(row, above, samples):
    result = bytearray(samples) + row
    for at, up in enumerate(above, samples):
        result[at] = (result[at] + (result[at - samples] + up) // 2) & 0xff
    return bytes(result[samples:])


def _paeth(row, above, samples):
    result = bytearray(samples) + row
    corner = bytes(samples) + above
    for at, up in enumerate(above, samples):
        left, diagonal = result[at - samples], corner[at - samples]
        to_left, to_up, to_diagonal = abs(up - diagonal), abs(left - diagonal), abs(left + up - 2 * diagonal)
        nearest = left if to_left <= to_up and to_left <= to_diagonal else up if to_up <= to_diagonal else diagonal
        result[at] = (result[at] + nearest) & 0xff
    return bytes(result[samples:])


_UNFILTER = (_none, _sub, _up, _average, _paeth)
