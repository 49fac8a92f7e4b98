"""A Front Payment of one's own on 127.0.0.1.

    python -m sandbox [--port 8700] [--db FILE] [--token T] [--secret S]
                      [--host 127.0.0.1] [--rate-limit 240]

It prints one line, ``Front Payment sandbox on http://127.0.0.1:PORT/``, once it
accepts connections. ``--port 0`` takes a free port, without ``--db`` everything is
kept in memory, SIGTERM ends it.

========================  =====================================================
``/api/v1/connect/...``   Front Payment's API, as documented and as recorded
``/``                     the orders, and one page an order to play the customer
``/bankid/...``           stands in for BankID: the customer's own step
``/sandbox/...``          control for tests: faults (the next ones, or at random),
                          orders, requests, settings
========================  =====================================================

All six channels are served (channels.py), by the rules of rules.py.

It was written from the API's documentation alone and shares no code with the addon,
so that a fault in one of them shows in the other.
"""
