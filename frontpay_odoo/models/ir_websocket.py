import re

from odoo import models

from .frontpay_handover import INVOICE_CHANNEL

# As the web client names it, see static/src/live_invoice.js.
NAME = re.compile(rf"{re.escape(INVOICE_CHANNEL)}:([0-9]{{1,9}})")


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Whoever may read an invoice may listen to what happens to its order."""
        names = [channel for channel in channels if isinstance(channel, str)]
        ids = [int(match[1]) for match in map(NAME.fullmatch, names) if match]
        moves = self.env["account.move"].browse(ids)
        if ids and self.env.user._is_internal():
            readable = moves.exists()._filtered_access("read")
            channels = [*channels, *((move, INVOICE_CHANNEL) for move in readable)]
        return super()._build_bus_channel_list(channels)
