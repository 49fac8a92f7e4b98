"""Odoo's command line as a script. With worker processes, Odoo starts itself once more
by the path of its script, and that of ``python -m odoo`` can't be started by path."""

from odoo.cli.command import main

main()
