# SPDX-License-Identifier: Apache-2.0
# The objects of each room of src/layers.txt: evn_room_ROOM. The rooms' names are evn_rooms, lowest
# first. A folder of src/ that has no line there is an error.
set(layers ${PROJECT_SOURCE_DIR}/src/layers.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${layers})

set(evn_rooms "")
file(STRINGS ${layers} lines REGEX "^[0-9]")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^[0-9]+ +([a-z_]+) .*" "\\1" room "${line}")
  list(APPEND evn_rooms ${room})
endforeach()

file(GLOB folders RELATIVE ${PROJECT_SOURCE_DIR}/src CONFIGURE_DEPENDS src/*)
foreach(folder IN LISTS folders)
  if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/src/${folder} AND NOT folder IN_LIST evn_rooms)
    message(FATAL_ERROR "src/${folder} has no line in src/layers.txt")
  endif()
endforeach()

foreach(room IN LISTS evn_rooms)
  file(GLOB sources CONFIGURE_DEPENDS src/${room}/*.c)
  if(room STREQUAL host)
    file(GLOB sources CONFIGURE_DEPENDS host/*.c)
  endif()
  if(NOT sources)
    message(FATAL_ERROR "src/layers.txt: the room ${room} has no sources")
  endif()
  add_library(evn_room_${room} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_include_directories(evn_room_${room} PRIVATE include ${PROJECT_BINARY_DIR}/include src
    ${PROJECT_SOURCE_DIR})
  target_link_libraries(evn_room_${room} PRIVATE evn_flags OpenCL::OpenCL
    PkgConfig::EVN_DEPENDENCIES)
endforeach()
