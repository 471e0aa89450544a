# Goal: planted bugs are in the build with mutants and in no other.
# Method: cmake -DNM=... -DORDINARY=lib.a -DMUTANTS=lib.a -P symbols.cmake
set(planted "plants::disturb|mutants::|getenv|system_clock::now")

function(count_planted library result)
  execute_process(COMMAND ${NM} -C ${library} COMMAND grep -cE ${planted}
                  OUTPUT_VARIABLE count ERROR_QUIET)
  set(${result} ${count} PARENT_SCOPE)
endfunction()

count_planted(${ORDINARY} in_ordinary)
count_planted(${MUTANTS} in_mutants)
if(in_mutants EQUAL 0)
  message(FATAL_ERROR "${MUTANTS} has no planted bugs: this check sees nothing")
endif()
if(NOT in_ordinary EQUAL 0)
  message(FATAL_ERROR "${ORDINARY} has ${in_ordinary} symbols of planted bugs")
endif()
