# later
run_tests() { fail "later"; }
