"""The short message that an action leaves on the screen."""


def notification(kind, message, *, stays=None, reload=False, close=False):
    """Return the action that shows a message.

    :param str kind: ``success``, ``warning``, ``danger`` or ``info``
    :param str message: for people, in their language
    :param bool stays: whether it is there until it is closed; without it, all but
        successes are
    :param bool reload: whether the view behind it is built anew
    :param bool close: whether the dialog that it came from is closed; without one, the
        form stays as it is and its record is read anew
    """
    sticky = kind != "success" if stays is None else stays
    params = {
        "type": kind,
        "message": str(message),  # XML-RPC knows no other kind of text
        "sticky": sticky,
        "className": "o_frontpay_lines",  # each on a line, see static/src
    }
    if reload:
        params["next"] = {"type": "ir.actions.client", "tag": "soft_reload"}
    if close:
        params["next"] = {"type": "ir.actions.act_window_close"}
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": params,
    }


def outcome(message, *, records, is_done, heals):
    """Tell how sending went, and read the view anew.

    :param records: what was to be sent; one alone says on its form what is wrong, as
        long as it is
    :param bool is_done: whether all of it went well
    :param bool heals: whether what didn't is tried again by itself, so that nobody has
        to do anything
    """
    kind = "success" if is_done else "warning" if heals else "danger"
    stays = kind == "danger" and len(records) > 1
    return notification(kind, message, stays=stays, reload=True)
