# Sourced by the scripts beside it: where RabbitMQ is, how it is configured and asked.
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
server=rabbitmq server_users=rabbitmq ready_within_s=120
# shellcheck disable=SC1091
source "$here/../one_process.sh"

# Not Debian's /usr/sbin/rabbitmq-server, which changes the user and the folder.
find_program() {
  local folder
  for folder in "${RUSHPROOF_RABBITMQ_BIN:-}" /usr/lib/rabbitmq/bin; do
    if [ -x "$folder/rabbitmq-server" ] && command -v erl >/dev/null; then
      echo "$folder/rabbitmq-server"
      return
    fi
  done
  say "no RabbitMQ here. Remedy: infra/setup (Debian package rabbitmq-server), or name the folder of" \
      "rabbitmq-server in RUSHPROOF_RABBITMQ_BIN, or --docker"
  exit $unavailable
}

# In Erlang's own form: the newer one takes seconds to translate.
configure() {  # FOLDER PORT PASSWORD
  local setting more=''
  for setting in "${settings[@]}"; do more+=",{${setting%%=*},${setting#*=}}"; done
  sed -e "s|@port@|$2|; s|@password@|$3|; s|@more@|$more|" "$here/rabbitmq.config.in" >"$1/data/rabbitmq.config"
  echo '[].' >"$1/data/enabled_plugins"
  (umask 077 && new_password >"$1/data/.erlang.cookie")
  chmod 400 "$1/data/.erlang.cookie"
  [ "$(id -u)" -ne 0 ] || chown -R "$server_user" "$1/data"
}

# Erlang nodes find each other by a daemon (epmd) that outlives them.  This one has its own port stand in
# for it, and is told twice not to start one: it tries again every minute, by another program.
launch() {  # FOLDER
  local data=$1/data
  export ERL_EPMD_PORT ERL_ZFLAGS='-start_epmd false'
  ERL_EPMD_PORT=$(free_port)
  export HOME="$data" RABBITMQ_BASE="$data" RABBITMQ_MNESIA_BASE="$data/mnesia" RABBITMQ_LOG_BASE="$data/log" \
    RABBITMQ_CONFIG_FILE="$data/rabbitmq.config" RABBITMQ_ADVANCED_CONFIG_FILE="$data/none" \
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_ENABLED_PLUGINS_FILE="$data/enabled_plugins" \
    RABBITMQ_GENERATED_CONFIG_DIR="$data/config" RABBITMQ_PID_FILE="$data/pid" RABBITMQ_LOGS=- \
    RABBITMQ_NODENAME=rushproof@localhost RABBITMQ_DIST_PORT="$(free_port)" RUNNING_UNDER_SYSTEMD=yes \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-sname rushproof@localhost -erl_epmd_port $RABBITMQ_DIST_PORT"
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS+=' -kernel inet_dist_use_interface {127,0,0,1}'
  unset NOTIFY_SOCKET
  become_server "$data" env HOME="$data" "$(find_program)"
}

# It listens last of all that it does at start.
answers() {  # PORT PASSWORD
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'AMQP\0\0\011\001' >&3
    [ "$(timeout 5 head -c 1 <&3 | od -An -tx1)" = ' 01' ]
  ) 2>/dev/null
}

write_variables() {  # FOLDER PORT PASSWORD
  echo "RUSHPROOF_RABBITMQ_URL=amqp://rushproof:$3@127.0.0.1:$2/"
  echo "RUSHPROOF_RABBITMQ_FOLDER=$1"
}
