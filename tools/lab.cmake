# SPDX-License-Identifier: Apache-2.0
# `skiff lab`: adds its files to `sources`. It makes its certificates by a script that it carries inside.
file(GLOB lab CONFIGURE_DEPENDS cmd_lab.c lab_*.c)
set(make_certs ${PROJECT_SOURCE_DIR}/certs/make-certs.sh)
set(lab_make_certs ${CMAKE_CURRENT_BINARY_DIR}/lab_make_certs.c)
add_custom_command(OUTPUT ${lab_make_certs}
  COMMAND ${CMAKE_COMMAND} -DIN=${make_certs} -DOUT=${lab_make_certs} -DNAME=lab_make_certs
    -P ${CMAKE_CURRENT_SOURCE_DIR}/embed_text.cmake
  DEPENDS ${make_certs} ${CMAKE_CURRENT_SOURCE_DIR}/embed_text.cmake VERBATIM)
list(APPEND sources ${lab} ${lab_make_certs})
