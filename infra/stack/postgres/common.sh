# Sourced by the scripts beside it: where PostgreSQL is, as whom it runs, and what a server's folder holds.
# shellcheck shell=bash
#
# A server's folder: primary/ and replica/ (data), *.log, settings (chosen at start, read by the other
# scripts), variables (what programs need to know), docker (a mark: the servers are containers).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# PostgreSQL refuses to be root.
server=postgres server_users=postgres
# shellcheck disable=SC1091
source "$here/../server.sh"

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
