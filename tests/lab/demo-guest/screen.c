/* SPDX-License-Identifier: BSD-3-Clause */
/* screen: draws the demo guest's picture on /dev/fb0, with the lines of stdin below it.
 *
 * Started once by init. The top quarter of the screen is eight vertical bars of equal width, always in the order of
 * "bars" below, which is what a test looks for in a photograph of the screen. It writes to the framebuffer, and keeps
 * the kernel's console off it. */

#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FONT_FILE "/etc/font.psf"
#define HEADLINE "This picture is drawn by the guest on the passed-through GPU"

#define BACKGROUND 0x101828
#define LOGO 0x38bdf8
#define TITLE 0xffffff
#define TEXT 0xcbd5e1

static const uint32_t bars[] = {
        0xffffff, 0xffff00, 0x00ffff, 0x00ff00, 0xff00ff, 0xff0000, 0x0000ff, 0xff8000,
};

/* One row of a letter per string, one block per character. */
static const char *const logo[] = {
        "#...#.#...#.#...#",
        "#...#..#.#..##.##",
        "#...#...#...#.#.#",
        ".#.#...#.#..#...#",
        "..#...#...#.#...#",
};

typedef struct Canvas {
        uint32_t *pixels;
        unsigned width, height, stride; /* in pixels */
} Canvas;

/* The header of a PSF version 2 font; the glyphs follow, each row padded to bytes. */
typedef struct Font {
        uint32_t magic, version, header_size, flags, count, glyph_size, height, width;
} Font;

static void canvas_fill(Canvas *canvas, unsigned x, unsigned y, unsigned width, unsigned height, uint32_t color) {
        for (unsigned row = y; row < y + height && row < canvas->height; row++)
                for (unsigned column = x; column < x + width && column < canvas->width; column++)
                        canvas->pixels[(size_t) row * canvas->stride + column] = color;
}

static void draw_bars(Canvas *canvas) {
        unsigned count = sizeof(bars) / sizeof(bars[0]), width = canvas->width / count;

        for (unsigned i = 0; i < count; i++)
                canvas_fill(canvas, i * width, 0, width, canvas->height / 4, bars[i]);
}

static void draw_logo(Canvas *canvas, unsigned y) {
        unsigned rows = sizeof(logo) / sizeof(logo[0]), columns = strlen(logo[0]);
        unsigned block = canvas->height / 40, left = (canvas->width - columns * block) / 2;

        for (unsigned row = 0; row < rows; row++)
                for (unsigned column = 0; column < columns; column++)
                        if (logo[row][column] == '#')
                                canvas_fill(canvas, left + column * block, y + row * block, block, block, LOGO);
}

static void draw_glyph(Canvas *canvas, const Font *font, unsigned char c, unsigned x, unsigned y, unsigned scale, uint32_t color) {
        const uint8_t *glyph = (const uint8_t *) font + font->header_size + (size_t) c * font->glyph_size;
        unsigned stride = (font->width + 7) / 8;

        for (unsigned row = 0; row < font->height; row++)
                for (unsigned column = 0; column < font->width; column++)
                        if (glyph[row * stride + column / 8] & (0x80 >> column % 8))
                                canvas_fill(canvas, x + column * scale, y + row * scale, scale, scale, color);
}

static void draw_text(Canvas *canvas, const Font *font, const char *text, unsigned x, unsigned y, unsigned scale, uint32_t color) {
        for (; *text && *text != '\n'; text++, x += font->width * scale)
                draw_glyph(canvas, font, *text >= ' ' && *text <= '~' ? *text : '?', x, y, scale, color);
}

static void draw_lines(Canvas *canvas, const Font *font, FILE *lines, unsigned y) {
        char line[256];

        for (; y + font->height < canvas->height && fgets(line, sizeof(line), lines); y += font->height)
                draw_text(canvas, font, line, canvas->width / 16, y, 1, TEXT);
}

static void draw(Canvas *canvas, const Font *font) {
        unsigned length = strlen(HEADLINE) * font->width, scale = canvas->width / length ?: 1;
        unsigned y = canvas->height / 4;

        canvas_fill(canvas, 0, 0, canvas->width, canvas->height, BACKGROUND);
        draw_bars(canvas);
        draw_logo(canvas, y + canvas->height / 40);
        y += canvas->height * 7 / 40;
        draw_text(canvas, font, HEADLINE, (canvas->width - length * scale) / 2, y, scale, TITLE);
        draw_lines(canvas, font, stdin, y + font->height * (scale + 1));
}

static int font_load(const char *path, Font **ret) {
        static _Alignas(Font) char data[128 * 1024];
        Font *font = (Font *) data;
        FILE *file = fopen(path, "re");
        size_t size;

        if (!file)
                return -errno;
        size = fread(data, 1, sizeof(data), file);
        fclose(file);
        if (size < sizeof(Font) || font->magic != 0x864ab572 || font->count < 128 ||
            font->header_size + (uint64_t) font->glyph_size * font->count > size)
                return -EINVAL;
        *ret = font;
        return 0;
}

/* The text console stops drawing into the framebuffer while its terminal is in graphics mode. */
static void console_silence(void) {
        int fd = open("/dev/tty0", O_RDWR|O_CLOEXEC|O_NOCTTY);

        if (fd >= 0) {
                (void) ioctl(fd, KDSETMODE, KD_GRAPHICS);
                close(fd);
        }
}

/* One write for the whole picture: of a write of exactly one row the kernel (6.12) shows nothing, it takes the row's end for
 * its start (drm_fb_helper_memory_range_to_clip()). */
static int canvas_show(const Canvas *canvas, int fd) {
        ssize_t size = (size_t) canvas->height * canvas->stride * sizeof(uint32_t), n;

        n = pwrite(fd, canvas->pixels, size, 0);
        return n == size ? 0 : n < 0 ? -errno : -EIO;
}

static int run(void) {
        struct fb_var_screeninfo screen;
        struct fb_fix_screeninfo memory;
        Canvas canvas;
        Font *font;
        int fd, r;

        r = font_load(FONT_FILE, &font);
        if (r < 0)
                return r;

        fd = open("/dev/fb0", O_RDWR|O_CLOEXEC);
        if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &screen) < 0 || ioctl(fd, FBIOGET_FSCREENINFO, &memory) < 0)
                return -errno;
        if (screen.bits_per_pixel != 32)
                return -EOPNOTSUPP;

        canvas = (Canvas) { .width = screen.xres, .height = screen.yres, .stride = memory.line_length / sizeof(uint32_t) };
        canvas.pixels = calloc((size_t) canvas.height * canvas.stride, sizeof(uint32_t));
        if (!canvas.pixels)
                return -ENOMEM;
        draw(&canvas, font);
        console_silence();
        return canvas_show(&canvas, fd);
}

int main(void) {
        int r = run();

        if (r < 0)
                fprintf(stderr, "no picture on /dev/fb0: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
