"""A QR code as a picture of lines: sharp in print, and drawn without a library that
not every Odoo has."""

from reportlab.graphics.barcode.qr import QrCodeWidget

QUIET = 4  # modules around it, as the standard wants


def svg(text):
    """Return a QR code of the text, as the source of an SVG image."""
    code = QrCodeWidget(text).qr
    code.make()
    side = code.getModuleCount()
    dark = "".join(
        f"M{column} {row}h1v1h-1z"
        for row in range(side)
        for column in range(side)
        if code.isDark(row, column)
    )
    size = side + 2 * QUIET
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" shape-rendering="crispEdges"'
        f' width="{size * 4}" height="{size * 4}"'
        f' viewBox="{-QUIET} {-QUIET} {size} {size}">'
        f'<path fill="#fff" d="M{-QUIET} {-QUIET}h{size}v{size}h-{size}z"/>'
        f'<path d="{dark}"/></svg>'
    )
