# Sourced by the scripts beside it: where PostgreSQL is, as whom it runs, and what a server's folder holds.
# shellcheck shell=bash
#
# A server's folder: primary/ and replica/ (data), *.log, settings (chosen at start, read by the other
# scripts), variables (what programs need to know), docker (a mark: the servers are containers).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unavailable=77  # exit code: cannot be had on this machine, the text says how to get it

say() { echo "postgres: $*" >&2; }

# The oldest supported release first: Rushproof is proved against 15.
find_binaries() {
  local folder
  for folder in "${RUSHPROOF_POSTGRES_BIN:-}" /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && [ -x "$folder/psql" ]; then
      echo "$folder"
      return
    fi
  done
  say "no PostgreSQL here. Remedy: infra/setup (Debian package postgresql-15), or name the folder of" \
      "initdb and postgres in RUSHPROOF_POSTGRES_BIN, or --docker"
  exit $unavailable
}

# PostgreSQL refuses to be root.
if [ "$(id -u)" -eq 0 ]; then
  server_user=$(id -un postgres 2>/dev/null || echo nobody)
  as_server() {
    env -C / HOME=/ LC_ALL=C setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --init-groups -- "$@"
  }
else
  server_user=$(id -un)
  as_server() { env -C / LC_ALL=C "$@"; }
fi

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

# query FOLDER URL_VARIABLE SQL: as psql prints it.
query() {
  local url
  # shellcheck disable=SC1091
  url=$(source "$1/variables" && echo "${!2}")
  "$(find_binaries)/psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$url" --command "$3"
}

# The major roles of a server, in the order in which they must stop.
servers() {
  local role
  for role in primary replica; do
    if [ -f "$1/$role/PG_VERSION" ]; then echo "$role"; fi
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

give_to_server() {  # FOLDER
  [ "$(id -u)" -eq 0 ] || return 0
  chown "$server_user" "$1"
  if ! as_server test -w "$1"; then
    say "user $server_user cannot enter $1. Remedy: a folder that every user may pass through (TMPDIR)"
    exit 1
  fi
}

# configure DATA PORT PRIMARY_PORT PASSWORD: its files, from the templates and from $durable, $log_kept,
# $archive and ${settings[@]}.
configure() {
  local setting file
  cp "$here/pg_hba.conf.in" "$1/pg_hba.conf"
  {
    sed -e "s|@port@|$2|; s|@primary_port@|$3|; s|@durable@|$durable|; s|@log_kept@|$log_kept|; s|@password@|$4|" \
      -e "s|@archive@|$archive|g" "$here/postgresql.conf.in"
    for setting in "${settings[@]}"; do echo "${setting%%=*} = '${setting#*=}'"; done
  } >"$1/postgresql.conf"
  if [ "$(id -u)" -eq 0 ]; then
    for file in "$1"/*.conf "$1"/*.signal; do [ ! -e "$file" ] || chown "$server_user" "$file"; done
  fi
}

write_variables() {  # FOLDER PASSWORD PRIMARY_PORT [REPLICA_PORT]
  local at="rushproof:$2@127.0.0.1" admin="postgres:$2@127.0.0.1"
  {
    echo "RUSHPROOF_POSTGRES_URL=postgresql://$at:$3/rushproof"
    echo "RUSHPROOF_POSTGRES_ADMIN_URL=postgresql://$admin:$3/rushproof"
    if [ -n "${4:-}" ]; then
      echo "RUSHPROOF_POSTGRES_REPLICA_URL=postgresql://$at:$4/rushproof"
      echo "RUSHPROOF_POSTGRES_REPLICA_ADMIN_URL=postgresql://$admin:$4/rushproof"
    fi
    echo "RUSHPROOF_POSTGRES_FOLDER=$1"
  } >"$1/variables.new"
  mv "$1/variables.new" "$1/variables"
}
