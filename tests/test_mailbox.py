"""The demo's mail server: whoever tries it finds the mail that a customer got."""

import smtplib
from email.message import EmailMessage

from devtools.mailbox import mailbox


def send(port: int, to: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "post@example.com", f"Somebody <{to}>"
    mail.set_content("A dot\n.begins this line.")
    mail.add_alternative("<p>Hello</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(mail)


def test_each_mail_is_a_page_named_after_its_reader_and_replaces_none(tmp_path):
    for to in ("kari@example.com", "ola/../ola@example.com"):  # the demo, twice
        with mailbox(tmp_path / "mails") as post:
            send(post.port, to)
    pages = sorted((tmp_path / "mails").iterdir())
    assert [page.name for page in pages] == [
        "001-kari@example.com.html",
        "002-ola_.._ola@example.com.html",
    ]
    assert pages[0].read_text().strip() == "<p>Hello</p>"
    [mail] = post.mails_to("ola")
    assert "\n.begins" in mail.get_body(["plain"]).get_content()
