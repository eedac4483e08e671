# SPDX-License-Identifier: Apache-2.0
# One option instruments everything that is built; a finding ends the program, so that no test can pass over it.
if(SKIFF_SANITIZE)
  add_compile_options(-fsanitize=${SKIFF_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1)
  add_link_options(-fsanitize=${SKIFF_SANITIZE})
endif()
if(SKIFF_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "'SKIFF_FUZZ' needs clang's libFuzzer; configure with the preset 'fuzz'")
  endif()
  # Coverage in the library too, or the fuzzer would be blind there.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
