"""Measurements, side by side with Odoo's own code where it does the same."""
