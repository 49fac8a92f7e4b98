# The demo: a database with demo data, Odoo and the sandbox, until Ctrl-C.

DEMO_DATABASE=frontpay_demo
DEMO_PIDS=()

run_demo() {
    setup
    cd "$ROOT"
    hold_demo_lock
    start_postgres
    trap stop_demo_servers EXIT
    refuse_taken_port "$FRONTPAY_ODOO_PORT" FRONTPAY_ODOO_PORT
    refuse_taken_port "$FRONTPAY_SANDBOX_PORT" FRONTPAY_SANDBOX_PORT
    prepare_demo_database
    start_demo_server sandbox -m sandbox \
        --port "$FRONTPAY_SANDBOX_PORT" --db "$DEV/sandbox.sqlite"
    start_demo_server odoo -m odoo --database "$DEMO_DATABASE" \
        --db-filter "^$DEMO_DATABASE\$" --http-port "$FRONTPAY_ODOO_PORT"
    step "Starting the sandbox" wait_for_answer "$FRONTPAY_SANDBOX_PORT" /
    step "Starting Odoo" wait_for_answer "$FRONTPAY_ODOO_PORT" /web/health
    cat <<TEXT

  Odoo     http://127.0.0.1:$FRONTPAY_ODOO_PORT    login admin, password admin
  Sandbox  http://127.0.0.1:$FRONTPAY_SANDBOX_PORT

Ctrl-C stops both. What they say is in .dev/log/demo-odoo.log and
.dev/log/demo-sandbox.log.
TEXT
    wait -n || true
    fail "Odoo or the sandbox ended by itself; its log tells why."
}

hold_demo_lock() {
    exec 7>>"$DEV/demo.pid"
    flock --nonblock 7 || fail "The demo of this folder runs already."
    echo $$ >"$DEV/demo.pid"
}

# For ./dev clean, from another terminal.
stop_demo() {
    [[ -e $DEV/demo.pid ]] || return 0
    exec 7>>"$DEV/demo.pid"
    flock --nonblock 7 && return
    kill -TERM "$(<"$DEV/demo.pid")" 2>/dev/null || true
    flock --timeout 30 7 || fail "The demo doesn't stop. Stop it by Ctrl-C and run ./dev clean again."
}

refuse_taken_port() {
    ! port_is_taken "$1" || fail "Port $1 is taken by another program. Set $2 to a free port."
}

# Makes the database once; updates the addon in it when its files have changed.
prepare_demo_database() {
    local version
    version=$(find "$ADDON" -type f ! -name '*.pyc' ! -path '*/tests/*' -print0 |
        sort --zero-terminated | xargs --null sha256sum | hash_of -)
    if ! database_exists "$DEMO_DATABASE" || [[ -z $(demo_version) ]]; then
        drop_database "$DEMO_DATABASE"
        step "Creating the demo database" install_modules "$DEMO_DATABASE" --with-demo l10n_no "$ADDON"
    elif [[ $(demo_version) != "$version" ]]; then
        step "Updating the addon in the demo database" "$PYTHON" -m odoo --no-http \
            --database "$DEMO_DATABASE" --update "$ADDON" --stop-after-init
    fi
    psql_on "$DEMO_DATABASE" <<SQL
        UPDATE res_company
           SET frontpay_custom_url = 'http://127.0.0.1:$FRONTPAY_SANDBOX_PORT/api/v1/'
         WHERE frontpay_environment = 'custom';
        INSERT INTO ir_config_parameter (key, value)
        VALUES ('web.base.url', 'http://127.0.0.1:$FRONTPAY_ODOO_PORT'),
               ('web.base.url.freeze', 'True'),
               ('frontpay_demo.version', '$version')
            ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
SQL
}

# Empty while the database isn't complete.
demo_version() {
    psql_on "$DEMO_DATABASE" --command \
        "SELECT value FROM ir_config_parameter WHERE key = 'frontpay_demo.version'" 2>/dev/null || true
}

# start_demo_server NAME PYTHON-ARGS...: in a session of its own, so that Ctrl-C
# reaches only this script, which then stops it; it ends with the script even if
# that is killed.
start_demo_server() {
    local log=$DEV/log/demo-$1.log
    shift
    setsid setpriv --pdeathsig TERM "$PYTHON" "$@" >"$log" 2>&1 </dev/null 7>&- &
    DEMO_PIDS+=($!)
}

stop_demo_servers() {
    trap '' INT TERM
    if ((${#DEMO_PIDS[@]})); then
        kill -TERM "${DEMO_PIDS[@]}" 2>/dev/null || true
        wait "${DEMO_PIDS[@]}" || true
    fi
    stop_postgres_if_unused
}

# wait_for_answer PORT PATH: until an HTTP server answers there, or one of ours ended.
wait_for_answer() {
    local pid
    until answers "$@"; do
        for pid in "${DEMO_PIDS[@]}"; do
            [[ -d /proc/$pid ]] || { echo "It ended by itself:"; tail -n 20 "$DEV"/log/demo-*.log; return 1; }
        done
        sleep 0.3
    done
}

answers() {
    local line
    {
        exec 3<>"/dev/tcp/127.0.0.1/$1" || return
        printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
        read -r -t 30 line <&3
        exec 3>&-
    } 2>/dev/null
    [[ $line == HTTP/*" 200 "* ]]
}
