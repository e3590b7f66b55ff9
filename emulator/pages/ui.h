/* The page at /ui, as it stands in ui.html; generated at build time (tools/embed.py). */
#ifndef EMULATOR_PAGES_UI_H
#define EMULATOR_PAGES_UI_H

#include <stddef.h>

extern const unsigned char ui_page[];
extern const size_t ui_page_bytes;

#endif
