# SPDX-License-Identifier: Apache-2.0
# The target evonode_csv: libcsv, which brings neither a .pc file nor one for find_package. Also
# read by evonodeConfig.cmake, for the static library.
if(NOT TARGET evonode_csv)
  find_path(EVN_CSV_INCLUDE csv.h)
  find_library(EVN_CSV_LIBRARY csv)
  mark_as_advanced(EVN_CSV_INCLUDE EVN_CSV_LIBRARY)
  if(NOT EVN_CSV_INCLUDE OR NOT EVN_CSV_LIBRARY)
    message(FATAL_ERROR "libcsv is missing: install it (Debian: libcsv-dev)")
  endif()
  add_library(evonode_csv UNKNOWN IMPORTED GLOBAL)
  set_target_properties(evonode_csv PROPERTIES IMPORTED_LOCATION "${EVN_CSV_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${EVN_CSV_INCLUDE}")
endif()
