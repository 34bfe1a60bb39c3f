# SPDX-License-Identifier: BSD-3-Clause
"""Text in pictures, set in a console font of the lab's image.

The font is a PSF version 2 file: a header of eight 32-bit words, then the glyphs, each row padded to bytes; see psf in
the kbd project. Characters beyond ASCII are left out.
"""

import base64
import struct

_FONT = "/usr/share/consolefonts/Lat15-TerminusBold20x10.psf.gz"
_HEADER = "<8I"


class Font:
    """A font as the machine inside has it."""

    def __init__(self, machine):
        packed = machine.run(f"zcat {_FONT} | base64").stdout
        self._data = base64.b64decode(packed)
        _, _, self._offset, _, _, self._size, self.height, self.width = struct.unpack_from(_HEADER, self._data)

    def draw(self, picture, text, x, y, color):
        """Writes a line into a picture where it fits, from (x, y) to the right and down."""
        for at, letter in enumerate(text.encode("ascii", "ignore")):
            self._draw_glyph(picture, letter, x + at * self.width, y, color)

    def _draw_glyph(self, picture, letter, x, y, color):
        start = self._offset + letter * self._size
        stride = (self.width + 7) // 8
        for row in range(self.height):
            bits = int.from_bytes(self._data[start + row * stride:start + (row + 1) * stride], "big")
            for column in range(self.width):
                if bits >> (8 * stride - 1 - column) & 1:
                    picture.fill(x + column, y + row, 1, 1, color)
