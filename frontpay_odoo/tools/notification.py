"""The short message that an action leaves on the screen."""


def notification(kind, message, *, reload=False):
    """Return the action that shows a message.

    :param str kind: ``success``, ``warning``, ``danger`` or ``info``; all but the
        first stay until they are closed
    :param str message: for people, in their language
    :param bool reload: whether the view behind it is read anew
    """
    params = {"type": kind, "message": message, "sticky": kind != "success"}
    if reload:
        params["next"] = {"type": "ir.actions.client", "tag": "soft_reload"}
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": params,
    }
