"""The envelope around every answer of the API (section 2)."""

from flask import Response, jsonify

STATUS_MESSAGES = {
    200: "OK",
    201: "OK",
    202: "OK",
    400: "Conflict of Business Logic",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    417: "Client Error",
    429: "Too Many Requests",
    500: "Internal Dependency Error",
    510: "Execution Exception Occurred",
}

# What a refusal says if its endpoint says nothing else. Recorded or documented, but for
# 401 and 429, whose bodies nobody has seen.
MESSAGES = {
    401: "unauthenticated",
    404: "orderNotFound",
    417: "payloadValidationErrors",
    429: "Too Many Attempts.",
    500: "Internal Error Occurred Please Try Again Later",
    510: "Something Went Wrong",
}


def accepted(
    code: int, message: str, data: object = None, **beside: object
) -> Response:
    """A success; ``data`` None is answered as ``is_data: false``.

    :param beside: what else stands beside ``data``
    """
    return _envelope(
        code, message, **{"is_data": data is not None, "data": data, **beside}
    )


def refused(code: int, message: str = "") -> Response:
    """A refusal without a list of errors, in the recorded form of a 404."""
    return _envelope(code, message or MESSAGES[code], is_data=False, data=None)


def failed(code: int, errors: object) -> Response:
    """A refusal with ``errors``: a list of sentences, or what an example shows."""
    message = MESSAGES.get(code, "somethingWentWrong")
    return _envelope(code, message, is_error=True, errors=errors)


def _envelope(code: int, message: str, **rest: object) -> Response:
    body = {
        "status_code": code,
        "status_message": STATUS_MESSAGES.get(code, "Error"),
        "message": message,
        **rest,
    }
    response = jsonify(body)
    response.status_code = code
    return response
