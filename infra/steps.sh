# Sourced by the command scripts: runs named steps, shows their times, and says what to do on failure.
# shellcheck shell=bash

export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1 CMAKE_COLOR_DIAGNOSTICS=OFF

# step NAME REMEDY COMMAND...: output goes to build/logs/NAME.log and is shown when the step fails.
step() {
  local name=$1 remedy=$2 log started status=0
  shift 2
  mkdir -p build/logs
  log=build/logs/$name.log
  started=$SECONDS
  printf '%-28s' "$name"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ $status -eq 0 ]; then
    printf 'ok      %4d s\n' $((SECONDS - started))
  else
    printf 'FAILED  %4d s\n' $((SECONDS - started))
    grep -E 'error|Error|FAILED|warning' "$log" | head -n 20 || true
    echo "--- end of $log ---"
    tail -n 25 "$log"
    echo "Step '$name' failed ($(printf '%q ' "$@")). $remedy"
  fi
  return $status
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "$@"}
}

# show_failures LOG...: of each test that failed in a log of ctest, what it found wrong and how it ended.
show_failures() {
  awk '
    function show(  i, shown_until) {
      if (!failed) { return }
      print heading
      for (i = 1; i <= count; ++i) {
        if (line[i] ~ /: Failure$|^(FAIL|ERROR): |^Traceback|error:|Sanitizer|terminate called/) {
          if (shown_until < i + 8 && found < 60) { shown_until = i + 8; ++found }
        }
        if (i <= shown_until || i > count - 15) { print "  " line[i] }
      }
      print ""
    }
    function start(text) { show(); heading = text; count = 0; found = 0; failed = text ~ /\*\*\*(Failed|Timeout|Exception|Not Run)/ }
    /^ *[0-9]+\/[0-9]+ Test +#/ { start($0); next }
    /^ *Start +[0-9]+:/ || /^[0-9]+% tests passed/ { start(""); next }
    failed { line[++count] = $0 }
    END { show() }
  ' "$@"
}
