# SPDX-License-Identifier: Apache-2.0
# `skiff lab` and `skiff cert lab`: adds their files to `sources`. They make certificates by a script that they carry
# inside, and know what each is for by a table.
file(GLOB lab CONFIGURE_DEPENDS cmd_lab.c lab_*.c)
list(APPEND sources ${lab})
foreach(text make-certs.sh cases.txt)
  string(MAKE_C_IDENTIFIER lab_${text} name)
  string(REGEX REPLACE "_(sh|txt)$" "" name ${name})
  add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.c
    COMMAND ${CMAKE_COMMAND} -DIN=${PROJECT_SOURCE_DIR}/certs/${text} -DOUT=${CMAKE_CURRENT_BINARY_DIR}/${name}.c
      -DNAME=${name} -P ${CMAKE_CURRENT_SOURCE_DIR}/embed_text.cmake
    DEPENDS ${PROJECT_SOURCE_DIR}/certs/${text} ${CMAKE_CURRENT_SOURCE_DIR}/embed_text.cmake VERBATIM)
  list(APPEND sources ${CMAKE_CURRENT_BINARY_DIR}/${name}.c)
endforeach()
