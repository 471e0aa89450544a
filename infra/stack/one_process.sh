# Sourced by servers that are one process: their start, stop, ready, reset, logs and restart.  Beside what
# server.sh needs, their common.sh has
#   find_program                        prints the program, or says a remedy and exits 77
#   configure FOLDER PORT PASSWORD      its files, with ${settings[@]}
#   launch FOLDER                       becomes the server (exec), in FOLDER/data
#   answers PORT PASSWORD               succeeds when it does
#   write_variables FOLDER PORT PASSWORD
#
# A server's folder: data/ (also where the process stands), server.log, port, password, pid, settings,
# variables (what programs need to know), docker (a mark: the server is a container).
# shellcheck shell=bash
# shellcheck disable=SC1091
source "$(dirname "${BASH_SOURCE[0]}")/server.sh"

ready_within_s=${ready_within_s:-60}

# Whether the process of FOLDER is there: a zombie stands nowhere.
runs() {  # FOLDER
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) && [ -n "$pid" ] &&
    [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$(readlink -f "$1/data")" ]
}

# Everybody who stands in it: the process, and its helpers.
standing_in() {  # FOLDER
  local place process
  place=$(readlink -f "$1/data") || return 0
  for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/cwd" 2>/dev/null)" = "$place" ]; then echo "${process#/proc/}"; fi
  done
}

# Starts the process and waits until it answers; fails when it ends, or is too slow.
run_server() {  # FOLDER
  local port password give_up=$((SECONDS + ready_within_s))
  port=$(cat "$1/port") password=$(cat "$1/password")
  (launch "$1") </dev/null >>"$1/server.log" 2>&1 &
  echo $! >"$1/pid"
  while ! answers "$port" "$password"; do
    kill -0 "$(cat "$1/pid")" 2>/dev/null && [ $SECONDS -lt $give_up ] || return 1
    sleep 0.02
  done
  runs "$1"  # and not somebody else who has its port
}

start_here() {  # FOLDER
  local attempt
  find_program >/dev/null
  give_to_server "$1"
  printf '%s\n' "${settings[@]}" >"$1/settings"
  (umask 077 && new_password >"$1/password")
  # Between choosing a free port and taking it, another program may: then with other ports.
  for attempt in 1 2 3 4 5; do
    rm -rf "$1/data"
    mkdir -m 700 "$1/data"
    [ "$(id -u)" -ne 0 ] || chown "$server_user" "$1/data"
    free_port >"$1/port"
    : >"$1/server.log"
    configure "$1" "$(cat "$1/port")" "$(cat "$1/password")"
    if run_server "$1"; then
      write_variables "$1" "$(cat "$1/port")" "$(cat "$1/password")" >"$1/variables.new"
      mv "$1/variables.new" "$1/variables"
      return
    fi
    stop_server "$1" crash
    grep -qs 'address already in use\|eaddrinuse' "$1/server.log" || break
    say "a port was taken (attempt $attempt)"
  done
  say "it does not start:"
  tail -n 15 "$1/server.log" >&2
  exit 1
}

start_in_docker() {  # FOLDER
  need_docker
  (umask 077 && new_password >"$1/password" && printf 'PASSWORD=%s\n' "$(cat "$1/password")" >"$1/compose.env")
  free_port >"$1/port"
  echo "PORT=$(cat "$1/port")" >>"$1/compose.env"
  echo "rushproof-$server-$$-$(basename "$(dirname "$1")")" | tr 'A-Z.' 'a-z-' >"$1/docker"
  compose "$1" up --detach --wait >"$1/docker.log" 2>&1 || { tail -n 20 "$1/docker.log" >&2; exit 1; }
  write_variables "$1" "$(cat "$1/port")" "$(cat "$1/password")" >"$1/variables"
}

stop_server() {  # FOLDER clean | crash
  local pid give_up=$((SECONDS + 30))
  if [ "$2" = clean ] && runs "$1"; then
    pid=$(cat "$1/pid")
    kill -CONT "$pid" && kill -TERM "$pid"
    while runs "$1" && [ $SECONDS -lt $give_up ]; do sleep 0.02; done
  fi
  while pid=$(standing_in "$1") && [ -n "$pid" ]; do
    # shellcheck disable=SC2086
    kill -KILL $pid 2>/dev/null || true
    sleep 0.01
  done
  rm -f "$1/pid"
}

command_start() {
  local folder=${1:-} docker=no
  usage() { sed -n '2,/^source/s/^# //p' "$0" >&2; exit 2; }
  case $folder in '' | -*) usage ;; esac
  shift
  settings=()
  while [ $# -gt 0 ]; do
    case $1 in
      --fast | --no-replica) ;;
      --docker) docker=yes ;;
      --archive) shift ;;
      --set) [[ ${2:-} == ?*=* ]] || usage; settings+=("$2"); shift ;;
      *) usage ;;
    esac
    shift
  done
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  if [ $docker = yes ]; then start_in_docker "$folder"; else start_here "$folder"; fi
}

command_stop() {
  local folder mode=crash
  need_folder "${1:-}"
  folder=$(cd "$1" && pwd)
  case ${2:-} in --clean) mode=clean ;; esac
  if [ ! -f "$folder/docker" ]; then
    stop_server "$folder" $mode
  elif [ $# -eq 1 ]; then
    compose "$folder" down --volumes --timeout 5 >>"$folder/docker.log" 2>&1
  else
    compose "$folder" "$([ $mode = clean ] && echo stop || echo kill)" >>"$folder/docker.log" 2>&1
  fi
}

command_restart() {
  local folder
  need_folder "${1:-}"
  folder=$(cd "$1" && pwd)
  if [ -f "$folder/docker" ]; then
    compose "$folder" up --detach --wait >>"$folder/docker.log" 2>&1
    return
  fi
  stop_server "$folder" clean
  run_server "$folder" || { say "it does not start again:"; tail -n 15 "$folder/server.log" >&2; exit 1; }
}

command_reset() {
  local folder
  need_folder "${1:-}"
  folder=$(cd "$1" && pwd)
  if [ -f "$folder/docker" ]; then
    compose "$folder" down --volumes --timeout 5 >>"$folder/docker.log" 2>&1
    compose "$folder" up --detach --wait >>"$folder/docker.log" 2>&1
    return
  fi
  stop_server "$folder" crash
  mapfile -t settings <"$folder/settings"
  [ -n "${settings[*]}" ] || settings=()
  rm -rf "$folder/data"
  mkdir -m 700 "$folder/data"
  [ "$(id -u)" -ne 0 ] || chown "$server_user" "$folder/data"
  configure "$folder" "$(cat "$folder/port")" "$(cat "$folder/password")"
  run_server "$folder" || { say "it does not start again:"; tail -n 15 "$folder/server.log" >&2; exit 1; }
}

command_ready() {
  need_folder "${1:-}"
  test -f "$1/variables"
  answers "$(cat "$1/port")" "$(cat "$1/password")"
}

command_logs() {
  need_folder "${1:-}"
  if [ -f "$1/docker" ]; then compose "$1" logs --no-color; else cat "$1/server.log"; fi
}
