/* SPDX-License-Identifier: Apache-2.0 */
/* compare_style.h: how the page of a comparison looks: CSS, light and dark. */
#ifndef SKIFF_COMPARE_STYLE_H
#define SKIFF_COMPARE_STYLE_H

extern const char compare_style[];

#endif
