"""What customers get by e-mail."""

from email.message import EmailMessage
from html.parser import HTMLParser

from .processes import Sandbox


class _Links(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.addresses.append(dict(attributes)["href"])


def html_of(mail: EmailMessage) -> str:
    return mail.get_body(["html"]).get_content()


def link_of(mail: EmailMessage, sandbox: Sandbox) -> str:
    """The one link to Front Payment."""
    [link] = [
        address
        for address in _Links(html_of(mail)).addresses
        if address.startswith(sandbox.url)
    ]
    return link
