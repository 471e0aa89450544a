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
