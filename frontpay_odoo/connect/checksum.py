"""The checksum by which a callback proves that it comes from Front Payment.

Section 17.3 of the API reference, current formula: SHA-256 over all received values,
decoded, in the order received, without ``checksum``, followed by the secret.
"""

import hashlib
import hmac


def checksum(parameters, secret):
    """Compute the checksum of a callback.

    :param parameters: (name, value) pairs in the order received, values URL-decoded
    :param str secret: the callback secret
    :return: 64 lower-case hexadecimal digits
    """
    values = [value for name, value in parameters if name != "checksum"]
    return hashlib.sha256("".join([*values, secret]).encode()).hexdigest()


def is_signed(parameters, received, secret):
    """Whether ``received`` is the right checksum; compared in constant time.

    An empty secret never fits: it would make the checksum something anybody can
    compute.
    """
    if not secret:
        return False
    computed = checksum(parameters, secret)
    return hmac.compare_digest(computed.encode(), received.lower().encode())
