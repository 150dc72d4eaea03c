# Debian's archives (.a) in place of its shared libraries, for every program. Why: docs/decisions/0014.
# Included when all libraries that have one are found, and before anything links them.
option(OOMBOX_STATIC "Link Debian's archives where there are shared libraries, too" ON)
set(OOMBOX_PROGRAM_LINK_OPTIONS)
# What may be in the programs, for deploy/image/build to take the licences along; empty: nothing.
set(linked ${PROJECT_BINARY_DIR}/bin/linked.txt)
file(WRITE ${linked} "")
if(NOT OOMBOX_STATIC OR OOMBOX_SANITIZE OR OOMBOX_FUZZ)
  return()
endif()

# archives_of(<target> <property> <out>): its value, /a/libb.so.1 in it as /a/libb.a.
function(archives_of target property out)
  get_target_property(libraries ${target} ${property})
  string(REGEX REPLACE "(/lib[^/;]+)\\.so[.0-9]*(;|$)" "\\1.a\\2" libraries "${libraries}")
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()

# An imported target names its library in one of these.
set(properties IMPORTED_LOCATION IMPORTED_LOCATION_NONE IMPORTED_LOCATION_RELEASE IMPORTED_LOCATION_DEBUG
    INTERFACE_LINK_LIBRARIES)
get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
set(archives)
foreach(target IN LISTS targets)
  foreach(property IN LISTS properties)
    archives_of(${target} ${property} libraries)
    list(FILTER libraries INCLUDE REGEX "^/.*\\.a$")
    list(APPEND archives ${libraries})
  endforeach()
endforeach()
list(REMOVE_DUPLICATES archives)

# All or none: with protobuf in a program and once more in a shared library that it loads, both would register
# the same messages.
set(missing)
foreach(archive IN LISTS archives)
  if(NOT EXISTS ${archive})
    list(APPEND missing ${archive})
  endif()
endforeach()
if(missing)
  message(STATUS "Shared libraries are linked: there is no ${missing}")
  return()
endif()

foreach(target IN LISTS targets)
  foreach(property IN LISTS properties)
    archives_of(${target} ${property} libraries)
    if(libraries)
      set_property(TARGET ${target} PROPERTY ${property} ${libraries})
    endif()
  endforeach()
endforeach()
set(OOMBOX_PROGRAM_LINK_OPTIONS -Wl,--gc-sections)

list(JOIN archives "\n" lines)
file(WRITE ${linked} "${lines}\n")
