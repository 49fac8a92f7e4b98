"""The addon's system parameters, whatever somebody typed there."""


def whole_number(env, name, default, least=1, most=1_000_000):
    """Read one of the addon's system parameters.

    :param str name: what comes after ``frontpay_odoo.``
    :param int default: what counts where no sensible whole number stands
    :rtype: int
    """
    text = env["ir.config_parameter"].sudo().get_param(f"frontpay_odoo.{name}") or ""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    number = int(text) if is_number else default
    return number if least <= number <= most else default
