"""A value from a form that Front Payment wouldn't take."""


class Invalid(ValueError):
    """A value that is wrong, with a reason that a program can tell apart.

    The value itself never becomes part of the exception: it may be a personal number.

    :param reason: a key of the reasons named by the function that raises it, e.g.
        ``check_digits``; the sentence for people is made where it is caught
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason
