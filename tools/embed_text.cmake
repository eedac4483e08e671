# SPDX-License-Identifier: Apache-2.0
# Writes the text file IN as the C string NAME into OUT: cmake -DIN=... -DOUT=... -DNAME=... -P embed_text.cmake
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}")
get_filename_component(source ${IN} NAME)
file(WRITE ${OUT} "/* Made from ${source}. */\nextern const char ${NAME}[];\nconst char ${NAME}[] = {\n${bytes}0};\n")
