# A throw-away PostgreSQL of the project's own in .dev/pg. Its data may be lost
# in a power cut (fsync is off), which tests and demos can afford.

PG_DATA=
STARTED_POSTGRES=

# PostgreSQL refuses to run as root: there it runs as Debian's user postgres.
as_postgres() {
    if ((EUID == 0)); then (cd / && runuser --user postgres -- "$@"); else "$@"; fi
}

# In a clone that the user postgres can't reach, .dev/pg is a link to his home.
locate_cluster() {
    PG_DATA=$DEV/pg
    ((EUID != 0)) || as_postgres test -x "$DEV" || PG_DATA=$(cluster_in_postgres_home)
}

cluster_in_postgres_home() {
    echo "/var/lib/postgresql/frontpay-$(echo "$ROOT" | hash_of -)"
}

pg_program() {
    local programs
    programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail -n 1)
    echo "$programs/$1"
}

# psql for the project's server: psql_on DATABASE ARGS...
psql_on() {
    PGOPTIONS='--client-min-messages=warning' psql --no-psqlrc --quiet --tuples-only --no-align \
        --set ON_ERROR_STOP=1 --host 127.0.0.1 --port "$FRONTPAY_PG_PORT" --username odoo \
        --dbname "$@"
}

# Starts the server, or takes the one that runs already together with its port.
start_postgres() {
    hold_setup_lock
    locate_cluster
    [[ -e $PG_DATA/PG_VERSION ]] || step "Creating a PostgreSQL cluster" create_cluster
    # Held by everybody who uses the server, also by an Odoo that replaces this script.
    exec 8>>"$DEV/postgres.users"
    flock --shared 8
    if ! pg_is_running; then
        port_is_taken "$FRONTPAY_PG_PORT" &&
            fail "Port $FRONTPAY_PG_PORT is taken by another program. Set FRONTPAY_PG_PORT to a free port."
        step "Starting PostgreSQL on port $FRONTPAY_PG_PORT" start_server
        STARTED_POSTGRES=yes
    fi
    FRONTPAY_PG_PORT=$(sed -n 4p "$PG_DATA/postmaster.pid")
    export PGHOST=127.0.0.1 PGPORT=$FRONTPAY_PG_PORT PGUSER=odoo
    write_odoo_config
    release_setup_lock
}

pg_is_running() { as_postgres "$(pg_program pg_ctl)" status --pgdata "$PG_DATA" >/dev/null 2>&1; }

# Tests run several Odoo servers at once, each with connections for all its workers.
start_server() {
    as_postgres "$(pg_program pg_ctl)" start --wait --pgdata "$PG_DATA" \
        --log "$PG_DATA/server.log" --options "-p $FRONTPAY_PG_PORT -N 400" 8>&- 9>&-
}

stop_server() {
    as_postgres "$(pg_program pg_ctl)" stop --wait --mode fast --pgdata "$PG_DATA" >/dev/null
}

# At the end of a command that started the server: stops it unless others use it.
stop_postgres_if_unused() {
    [[ -n $STARTED_POSTGRES ]] && flock --exclusive --nonblock 8 && stop_server || true
}

create_cluster() {
    local new=$PG_DATA.new
    rm -rf "$new"
    mkdir -m 700 "$new"
    ((EUID != 0)) || chown postgres: "$new"
    as_postgres "$(pg_program initdb)" --pgdata "$new" --username odoo --auth trust \
        --encoding UTF8 --locale C.UTF-8 --no-sync || return
    as_postgres tee -a "$new/postgresql.conf" >/dev/null <<'CONF'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 256MB
CONF
    mv -T "$new" "$PG_DATA"
    [[ $PG_DATA == "$DEV/pg" ]] || ln -sfn "$PG_DATA" "$DEV/pg"
}

remove_cluster() {
    locate_cluster
    if pg_is_running; then stop_server; fi
    rm -rf "$PG_DATA" "$PG_DATA.new"
}

database_exists() {
    [[ $(psql_on postgres --command "SELECT 1 FROM pg_database WHERE datname = '$1'") == 1 ]]
}

# Frees everything Odoo keeps for a database.
drop_database() {
    psql_on postgres --command "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)"
    rm -rf "$DEV/data/filestore/$1"
}
