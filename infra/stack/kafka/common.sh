# Sourced by the scripts beside it: where Java and Kafka are, as whom it runs, and what a server's folder holds.
# shellcheck shell=bash
#
# A server's folder: data/, server.log, server.properties, command (what runs it), pid, variables (what
# programs need to know), docker (a mark: it is a container).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
server=kafka server_users=nobody
# shellcheck disable=SC1091
source "$here/../server.sh"
ready_within_s=60

as_server=()  # what stands before a program so that it runs as the server's user
if [ "$(id -u)" -eq 0 ]; then
  as_server=(setpriv "--reuid=$server_user" "--regid=$(id -g "$server_user")" --clear-groups --)
fi

variable() {  # FOLDER NAME
  sed -n "s/^$2=//p" "$1/variables"
}

# The process of FOLDER, if it is what its file says.
server_pid() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null || true)
  if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$(readlink -f "$1/data")" ]; then echo "$pid"; fi
}

# Two different ones.
free_ports() {
  python3 - <<'PYTHON'
import socket
sockets = [socket.socket() for _ in range(2)]
for each in sockets:
    each.bind(('127.0.0.1', 0))
print(*(each.getsockname()[1] for each in sockets))
PYTHON
}

give_to_server() {  # FOLDER
  [ "$(id -u)" -eq 0 ] || return 0
  chown -R "$server_user" "$1"
  if ! "${as_server[@]}" test -w "$1"; then
    say "user $server_user cannot enter $1. Remedy: a folder that every user may pass through (TMPDIR)"
    exit 1
  fi
}

# launch FOLDER: runs its command, in a session of its own so that no terminal reaches it, with signals as usual: a
# stack's keeper ignores those that end programs, and what it starts inherits that.
launch() {
  local words
  mapfile -t words <"$1/command"
  env --default-signal -C "$1/data" HOME=/ LC_ALL=C "${as_server[@]}" setsid "${words[@]}" >>"$1/server.log" 2>&1 </dev/null 9>&- &
  echo $! >"$1/pid"
}

wait_until_ready() {  # FOLDER PORT
  "$here/answers" "$2" $ready_within_s "$(cat "$1/pid")"
}

write_variables() {  # FOLDER BROKERS KIND
  {
    echo "RUSHPROOF_KAFKA_BROKERS=$2"
    echo "RUSHPROOF_KAFKA_KIND=$3"
    echo "RUSHPROOF_KAFKA_FOLDER=$1"
  } >"$1/variables.new"
  mv "$1/variables.new" "$1/variables"
}
