# SPDX-License-Identifier: Apache-2.0
# How a release build is made small, fast and hard to abuse. SKIFF_USE_LTO tells lib/ whether the compiler can optimise
# across files at link time.
add_compile_options(-ffunction-sections -fdata-sections -fno-semantic-interposition)
add_link_options(LINKER:--gc-sections LINKER:-z,relro LINKER:-z,now)

set(SKIFF_USE_LTO OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SKIFF_SANITIZE)
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  if(SKIFF_LTO)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT SKIFF_USE_LTO LANGUAGES C)
  endif()
endif()
