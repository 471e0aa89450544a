# Sourced by the scripts beside it: where nats-server is, how it is configured and asked.
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
server=nats server_users=nats
# shellcheck disable=SC1091
source "$here/../one_process.sh"

find_program() {
  local program
  for program in "${RUSHPROOF_NATS_SERVER:-}" "$(command -v nats-server)" /usr/sbin/nats-server; do
    if [ -x "$program" ]; then
      echo "$program"
      return
    fi
  done
  say "no nats-server here. Remedy: infra/setup (Debian package nats-server), or name the program in" \
      "RUSHPROOF_NATS_SERVER, or --docker"
  exit $unavailable
}

configure() {  # FOLDER PORT PASSWORD
  local setting
  {
    sed -e "s|@port@|$2|; s|@password@|$3|; s|@data@|$1/data|" "$here/nats.conf.in"
    for setting in "${settings[@]}"; do echo "${setting%%=*}: ${setting#*=}"; done
  } >"$1/data/nats.conf"
  [ "$(id -u)" -ne 0 ] || chown "$server_user" "$1/data/nats.conf"
}

launch() {  # FOLDER
  become_server "$1/data" "$(find_program)" --config nats.conf
}

# JetStream's own interface, so that it is ready too.
answers() {  # PORT PASSWORD
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'CONNECT {"user":"rushproof","pass":"%s","verbose":false}\r\nSUB ready 1\r\nPUB $JS.API.INFO ready 0\r\n\r\n' "$2" >&3
    while read -r -t 5 line <&3; do
      case $line in MSG*) read -r -t 5 line <&3; [[ $line != *'"error"'* ]]; exit ;; esac
    done
    exit 1
  ) 2>/dev/null
}

write_variables() {  # FOLDER PORT PASSWORD
  echo "RUSHPROOF_NATS_URL=nats://rushproof:$3@127.0.0.1:$2"
  echo "RUSHPROOF_NATS_FOLDER=$1"
}
