/* SPDX-License-Identifier: Apache-2.0 */
/* skiff.h: the whole of libskiff. */
#ifndef SKIFF_SKIFF_H
#define SKIFF_SKIFF_H

#include <skiff/bytes.h>
#include <skiff/client.h>
#include <skiff/engine.h>
#include <skiff/error.h>
#include <skiff/log.h>
#include <skiff/message.h>
#include <skiff/options.h>
#include <skiff/tls.h>
#include <skiff/version.h>

#endif
