# How everything here is compiled, and the only functions that a module's CMakeLists.txt needs.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# Build type Dev.  Not a cache entry: project() has made an empty one already.
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1 -foptimize-sibling-calls")
option(RUSHPROOF_WERROR "Treat warnings as errors" ON)
set(RUSHPROOF_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
option(RUSHPROOF_FUZZ "Build the fuzzers (needs clang)" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
find_package(tl-expected REQUIRED)

# mold is the quickest; for link-time optimisation (preset release) it would need a plugin.
include(CheckLinkerFlag)
check_linker_flag(CXX "-fuse-ld=mold" RUSHPROOF_HAS_MOLD)
check_linker_flag(CXX "-fuse-ld=lld" RUSHPROOF_HAS_LLD)
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND NOT (RUSHPROOF_HAS_LLD AND CMAKE_CXX_COMPILER_AR))
  message(FATAL_ERROR "Link-time optimisation needs clang's lld and llvm-ar. Remedy: infra/setup, or "
    "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF")
endif()

# Boost is used from its headers; Asio and JSON are compiled once, in core/base.
add_library(rushproof_build_flags INTERFACE)
target_include_directories(rushproof_build_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(rushproof_build_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_compile_options(rushproof_build_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -ffp-contract=off
  $<$<BOOL:${RUSHPROOF_WERROR}>:-Werror>
  # clang warns about what std::stable_sort of libstdc++ 12 calls inside.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  # g++ 12 finds these in its own library's variants and strings and in Asio's coroutines, wrongly;
  # clang and the sanitizers look for the same mistakes.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-mismatched-new-delete -Wno-free-nonheap-object
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -Wno-use-after-free
    -Wno-dangling-pointer>)
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  target_link_options(rushproof_build_flags INTERFACE
    -fuse-ld=lld -Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto)
elseif(RUSHPROOF_HAS_MOLD)
  target_link_options(rushproof_build_flags INTERFACE -fuse-ld=mold)
endif()
if(RUSHPROOF_SANITIZE)
  target_compile_options(rushproof_build_flags INTERFACE
    -fsanitize=${RUSHPROOF_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(rushproof_build_flags INTERFACE -fsanitize=${RUSHPROOF_SANITIZE})
endif()

# rushproof_quick_allocation(program): with mimalloc where it is installed (docs/decisions/0008).
# Sanitizers bring an allocator of their own.
find_package(mimalloc 2.0 QUIET)
function(rushproof_quick_allocation program)
  if(mimalloc_FOUND AND NOT RUSHPROOF_SANITIZE)
    target_link_libraries(${program} PRIVATE mimalloc)
  endif()
endfunction()

# rushproof_module(name SOURCES a.cpp ... DEPENDS module ... LIBRARIES external ... TESTS tests/a_test.cpp ...)
# One static library, a program that links it alone, and, with TESTS, one GoogleTest program that ctest runs under the folder's name.
function(rushproof_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LIBRARIES;TESTS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC rushproof_build_flags ${arg_DEPENDS} ${arg_LIBRARIES})
  # Every object of the module must link against only what the module declared.
  add_executable(${name}_links_alone ${CMAKE_SOURCE_DIR}/infra/cmake/link_main.cpp)
  target_link_libraries(${name}_links_alone PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${name}>)
  if(arg_TESTS)
    rushproof_test(${name}_test SOURCES ${arg_TESTS} DEPENDS ${name})
  endif()
endfunction()

# rushproof_test(name SOURCES ... DEPENDS ... [LABEL unit|conformance|sim|live|fuzz] [TIMEOUT s] [NEEDS postgres|nats|rabbitmq|kafka ...])
# NEEDS: servers that infra/stack starts for this run of the program, which finds them in its environment.
function(rushproof_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;DEPENDS;NEEDS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE rushproof_build_flags ${arg_DEPENDS} GTest::gtest_main)
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  if(arg_NEEDS)
    set(with_servers infra/stack/stack run ${arg_NEEDS} --fast --)
  endif()
  add_test(NAME ${folder}/${name} COMMAND ${with_servers} $<TARGET_FILE:${name}> WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${folder}/${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()

# rushproof_mutants_apart(role): a test that planted bugs are in role_mutants and not in role.
function(rushproof_mutants_apart role)
  add_test(NAME services/${role}/symbols
    COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DORDINARY=$<TARGET_FILE:${role}> -DMUTANTS=$<TARGET_FILE:${role}_mutants>
            -P ${CMAKE_SOURCE_DIR}/infra/cmake/mutants_apart.cmake)
endfunction()
