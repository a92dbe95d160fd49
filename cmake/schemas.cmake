# SPDX-License-Identifier: Apache-2.0
# What src/exchange writes by protobuf-c: ONNX models, by the schema that onnx itself installs, and
# event files of TensorBoard. Without it the program builds, and says what it cannot do.
if(EVN_PROTOBUF)
  pkg_check_modules(EVN_PROTOBUF_MODULE IMPORTED_TARGET GLOBAL libprotobuf-c)
  find_program(EVN_PROTOC_C protoc-c)
  find_path(EVN_ONNX_SCHEMA onnx/onnx.proto)
  mark_as_advanced(EVN_PROTOC_C EVN_ONNX_SCHEMA)
endif()
if(NOT EVN_PROTOBUF OR NOT EVN_PROTOC_C)
  set(EVN_PROTOBUF_MODULE_FOUND FALSE)
endif()

# The C of a .proto file, compiled into the room exchange.
function(evn_add_schema folder name)
  set(generated ${PROJECT_BINARY_DIR}/schemas)
  file(MAKE_DIRECTORY ${generated})
  add_custom_command(OUTPUT ${generated}/${name}.pb-c.c ${generated}/${name}.pb-c.h
    COMMAND ${EVN_PROTOC_C} --c_out=${generated} --proto_path=${folder} ${folder}/${name}.proto
    DEPENDS ${folder}/${name}.proto VERBATIM)
  target_sources(evn_room_exchange PRIVATE ${generated}/${name}.pb-c.c
    ${generated}/${name}.pb-c.h)
  set_source_files_properties(${generated}/${name}.pb-c.c PROPERTIES COMPILE_OPTIONS -w)
  target_include_directories(evn_room_exchange SYSTEM PRIVATE ${generated})
endfunction()

if(EVN_PROTOBUF_MODULE_FOUND)
  target_link_libraries(evn_room_exchange PRIVATE PkgConfig::EVN_PROTOBUF_MODULE)
  evn_add_schema(${PROJECT_SOURCE_DIR}/src/exchange tensorboard)
  target_compile_definitions(evn_room_exchange PRIVATE EVN_TENSORBOARD)
else()
  message(STATUS "Without files for TensorBoard: they need protobuf-c and protoc-c")
endif()
if(EVN_PROTOBUF_MODULE_FOUND AND EVN_ONNX_SCHEMA)
  evn_add_schema(${EVN_ONNX_SCHEMA}/onnx onnx)
  target_compile_definitions(evn_room_exchange PRIVATE EVN_ONNX)
else()
  message(STATUS "Without ONNX: it needs protobuf-c, protoc-c and onnx/onnx.proto")
  file(GLOB sources src/exchange/onnx_*.c)
  set_source_files_properties(${sources} PROPERTIES HEADER_FILE_ONLY TRUE)
endif()
