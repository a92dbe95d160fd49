# SPDX-License-Identifier: Apache-2.0
# Folders for installation that were given as absolute paths below the prefix are relative to it from
# here on: what is installed finds its place from where it lies, and an absolute path would be
# written into it.
cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX NORMALIZE OUTPUT_VARIABLE prefix)
foreach(name BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR DOCDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${name}}")
    cmake_path(IS_PREFIX prefix "${CMAKE_INSTALL_${name}}" NORMALIZE below)
    if(below)
      cmake_path(RELATIVE_PATH CMAKE_INSTALL_${name} BASE_DIRECTORY "${prefix}")
    endif()
  endif()
endforeach()
