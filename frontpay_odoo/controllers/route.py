import functools

from odoo import http


def route(*addresses, **routing):
    """Odoo's ``http.route``, for addresses that anybody may call with anything.

    Odoo hands the parameters of a query to the method by name, and fails at one that
    is called ``self``.
    """

    def decorate(method):
        endpoint = http.route(*addresses, **routing)(method)

        @functools.wraps(endpoint)
        def answer(controller, /, **parameters):
            parameters.pop("self", None)
            return endpoint(controller, **parameters)

        return answer

    return decorate
