# SPDX-License-Identifier: Apache-2.0
# What the compiler is asked to find, and the feature macro that every file is compiled with.
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla)
if(SKIFF_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_definitions(_GNU_SOURCE)
