# Sourced by the servers' common.sh, which set `server` (its folder here) and `server_users` (as whom it may
# run when started by root) before.
# shellcheck shell=bash
set -euo pipefail

unavailable=77  # exit code: cannot be had on this machine, the text says how to get it

say() { echo "$server: $*" >&2; }

# as_server PROGRAM...: as the server's user.  become_server FOLDER PROGRAM...: instead of this shell, in
# FOLDER and out of reach of this terminal.
if [ "$(id -u)" -eq 0 ]; then
  server_user=nobody
  for candidate in $server_users; do
    if id -u "$candidate" >/dev/null 2>&1; then server_user=$candidate; break; fi
  done
  identity=(env HOME=/ LC_ALL=C setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --init-groups --)
else
  server_user=$(id -un)
  identity=(env LC_ALL=C)
fi
as_server() { env -C / "${identity[@]}" "$@"; }
become_server() { exec setsid env -C "$1" "${identity[@]}" "${@:2}"; }

# The engine behind --docker, or a remedy.
need_docker() {
  if ! docker compose version >/dev/null 2>&1; then
    say "--docker needs Docker with its compose plugin. Remedy: https://docs.docker.com/engine/install/debian/"
    exit $unavailable
  fi
  if ! docker info >/dev/null 2>&1; then
    say "--docker: no Docker engine answers. Remedy: start it (systemctl start docker), or leave --docker away"
    exit $unavailable
  fi
}

# compose FOLDER ARGUMENTS...
compose() {
  local folder=$1
  shift
  docker compose --project-name "$(cat "$folder/docker")" --file "$here/compose.yaml" --env-file "$folder/compose.env" "$@"
}

need_folder() {
  if [ ! -d "${1:-}" ]; then
    echo "usage: $(basename "$0") FOLDER (of a server that was started)" >&2
    exit 2
  fi
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

new_password() { od -An -N12 -tx1 /dev/urandom | tr -d ' \n'; }

give_to_server() {  # FOLDER
  [ "$(id -u)" -eq 0 ] || return 0
  chown "$server_user" "$1"
  if ! as_server test -w "$1"; then
    say "user $server_user cannot enter $1. Remedy: a folder that every user may pass through (TMPDIR)"
    exit 1
  fi
}
