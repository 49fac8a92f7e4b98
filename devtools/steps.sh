# How a step is shown, remembered and kept from running twice at once.

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

COUNTER=

stop_counter() {
    [[ -n $COUNTER ]] || return 0
    kill "$COUNTER" 2>/dev/null || true
    wait "$COUNTER" 2>/dev/null || true
    COUNTER=
}

# interrupted STATUS: Ctrl-C, or asked to end. What is half done, the next run redoes.
interrupted() {
    stop_counter
    say
    exit "$1"
}

trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# step TEXT COMMAND...: one line on the screen, the command's output in a log.
# On a terminal the line counts the seconds; after a failure the log's end follows.
step() {
    local text=$1 log=$DEV/log/step-$$.log started=$SECONDS status=0
    shift
    mkdir -p "$DEV/log"
    if [[ -t 2 ]]; then
        count_seconds "$text" 9>&- &
        COUNTER=$!
    else
        printf '%s ... ' "$text" >&2
    fi
    # The command stays in the foreground, so Ctrl-C reaches it as well.
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [[ -t 2 ]]; then
        stop_counter
        printf '\r%s ... ' "$text" >&2
    fi
    cat "$log" >>"$DEV/log/setup.log"
    if ((status)); then
        say "failed"
        tail -n 25 "$log" >&2
        say "The whole output is in .dev/log/setup.log."
    fi
    rm -f "$log"
    ((status == 0)) || exit "$status"
    say "$((SECONDS - started)) s"
}

# Ends by itself when the script that counts is gone.
count_seconds() {
    local from=$SECONDS
    while kill -0 $$ 2>/dev/null; do
        printf '\r%s ... %d s' "$1" $((SECONDS - from)) >&2
        sleep 1
    done
}

# One set-up at a time in a clone. A child that outlives a killed ./dev keeps
# the lock, so the next run never works on a half-written folder.
hold_setup_lock() {
    mkdir -p "$DEV" 2>/dev/null && [[ -w $DEV ]] ||
        fail "Can't write to $DEV: it belongs to another user. Remove it, or run ./dev as that user."
    exec 9>"$DEV/setup.lock"
    flock --nonblock 9 && return
    say "Another ./dev is setting up in this folder; waiting for it."
    flock 9
}

release_setup_lock() { exec 9>&-; }

hash_of() { cat "$@" | sha256sum | cut -c 1-12; }

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
