# The demo: a database with demo data, Odoo and the sandbox, until Ctrl-C.

DEMO_DATABASE=frontpay_demo
DEMO_PID=

run_demo() {
    prepare_demo
    start_demo_servers
    wait "$DEMO_PID"
}

# The pictures of README, taken of a demo in which nobody has done anything yet.
take_screenshots() {
    prepare_demo anew
    start_demo_servers
    until port_is_taken "$FRONTPAY_ODOO_PORT"; do
        kill -0 "$DEMO_PID" 2>/dev/null || fail "The demo doesn't start."
        sleep 1
    done
    step "Taking screenshots" "$PYTHON" -m devtools.screenshots \
        "$FRONTPAY_ODOO_PORT" "$FRONTPAY_SANDBOX_PORT"
    forget_demo  # the next one begins anew
}

# prepare_demo [anew]
prepare_demo() {
    setup
    cd "$ROOT"
    hold_demo_lock
    start_postgres
    trap stop_demo_servers EXIT
    refuse_taken_port "$FRONTPAY_ODOO_PORT" FRONTPAY_ODOO_PORT
    refuse_taken_port "$FRONTPAY_SANDBOX_PORT" FRONTPAY_SANDBOX_PORT
    [[ ${1:-} != anew ]] || forget_demo
    prepare_demo_database
}

# Its database is made once more then.
forget_demo() { rm -f "$DEV/sandbox.sqlite"; }

start_demo_servers() {
    # In the background, so that a signal reaches this script at once; it ends with
    # the script even if that is killed.
    setpriv --pdeathsig TERM "$PYTHON" -m devtools.servers \
        "$DEMO_DATABASE" "$FRONTPAY_ODOO_PORT" "$FRONTPAY_SANDBOX_PORT" </dev/null 7>&- &
    DEMO_PID=$!
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

# Makes the database once, with two months behind it; updates the addon in it when its
# files have changed.
prepare_demo_database() {
    local version
    version=$(find "$ADDON" -type f ! -name '*.pyc' ! -path '*/tests/*' -print0 |
        sort --zero-terminated | xargs --null sha256sum | hash_of -)
    if ! database_exists "$DEMO_DATABASE" || [[ -z $(demo_version) ]] || ! sandbox_opens; then
        drop_database "$DEMO_DATABASE"
        rm -rf "$DEV/sandbox.sqlite" "$DEV/mails"
        step "Creating the demo database" install_modules "$DEMO_DATABASE" --with-demo l10n_no "$ADDON"
        set_demo_addresses
        step "Living through two months" "$PYTHON" -m devtools.demo_history \
            "$DEMO_DATABASE" "$FRONTPAY_ODOO_PORT" "$FRONTPAY_SANDBOX_PORT" \
            "$DEV/sandbox.sqlite"
    elif [[ $(demo_version) != "$version" ]]; then
        step "Updating the addon in the demo database" "$PYTHON" -m odoo --no-http \
            --database "$DEMO_DATABASE" --update "$ADDON" --stop-after-init
    fi
    set_demo_addresses
    psql_on "$DEMO_DATABASE" <<SQL
        INSERT INTO ir_config_parameter (key, value)
        VALUES ('frontpay_demo.version', '$version')
            ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
SQL
}

# Not if its file is missing, or another version of it has made that: Odoo's orders
# would be nowhere.
sandbox_opens() {
    [[ -e $DEV/sandbox.sqlite ]] && "$PYTHON" -c 'import sys; from sandbox.orders import Orders; Orders(sys.argv[1])' \
        "$DEV/sandbox.sqlite" 2>/dev/null
}

set_demo_addresses() {
    psql_on "$DEMO_DATABASE" <<SQL
        UPDATE res_company
           SET frontpay_custom_url = 'http://127.0.0.1:$FRONTPAY_SANDBOX_PORT/api/v1/'
         WHERE frontpay_environment = 'custom';
        INSERT INTO ir_config_parameter (key, value)
        VALUES ('web.base.url', 'http://127.0.0.1:$FRONTPAY_ODOO_PORT'),
               ('web.base.url.freeze', 'True')
            ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value;
SQL
}

# Empty while the database isn't complete.
demo_version() {
    psql_on "$DEMO_DATABASE" --command \
        "SELECT value FROM ir_config_parameter WHERE key = 'frontpay_demo.version'" 2>/dev/null || true
}

stop_demo_servers() {
    trap '' INT TERM
    if [[ -n $DEMO_PID ]]; then
        kill -TERM "$DEMO_PID" 2>/dev/null || true
        wait "$DEMO_PID" || true
    fi
    stop_postgres_if_unused
}
