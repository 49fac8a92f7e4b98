"""Odoo's command line as a script. With worker processes, Odoo starts itself once more
by its script's name, which ``python -m odoo`` doesn't have."""

from odoo.cli.command import main

main()
