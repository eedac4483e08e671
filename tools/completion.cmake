# SPDX-License-Identifier: Apache-2.0
# `skiff completion`: adds its files to `sources`. It carries the part of each script that is always the same.
set(completion_shells bash zsh fish)
foreach(shell ${completion_shells})
  set(script ${CMAKE_CURRENT_SOURCE_DIR}/completion/skiff.${shell})
  set(made ${CMAKE_CURRENT_BINARY_DIR}/completion_script_${shell}.c)
  add_custom_command(OUTPUT ${made}
    COMMAND ${CMAKE_COMMAND} -DIN=${script} -DOUT=${made} -DNAME=completion_script_${shell}
      -P ${CMAKE_CURRENT_SOURCE_DIR}/embed_text.cmake
    DEPENDS ${script} ${CMAKE_CURRENT_SOURCE_DIR}/embed_text.cmake VERBATIM)
  list(APPEND sources completion_${shell}.c ${made})
endforeach()
