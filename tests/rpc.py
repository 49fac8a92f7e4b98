"""Odoo's RPC as its web client uses it: somebody logged in, over HTTP."""

from urllib.parse import urlsplit

import requests

TIMEOUT = 60  # seconds


class Refusal(Exception):
    """Odoo refused what somebody wanted; the text is what the person reads."""

    def __init__(self, error: dict):
        data = error["data"]
        super().__init__(data["message"])
        self.kind = data["name"].rpartition(".")[2]


class Person:
    """Somebody with a session of their own."""

    def __init__(self, url: str, database: str, login: str, password: str):
        self.url = url
        self.login = login
        self.password = password
        self._session = requests.Session()
        self._session.trust_env = False
        answer = self._post(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": password},
        )
        assert answer["uid"], f"{login} can't log in"

    def watch(self, seen) -> None:
        """Call ``seen`` with every answer from now on."""
        self._session.hooks["response"].append(lambda answer, **_options: seen(answer))

    def get(self, path: str) -> requests.Response:
        """Open a page."""
        return self._session.get(self.url + path, timeout=TIMEOUT)

    @property
    def session_identifier(self) -> str:
        """As much of this session's id as Odoo stores in the database."""
        return self._session.cookies["session_id"][:42]

    def cookies(self) -> list[dict]:
        """This session's cookies, for a browser."""
        domain = urlsplit(self.url).hostname
        return [
            {"name": cookie.name, "value": cookie.value, "domain": domain, "path": "/"}
            for cookie in self._session.cookies
        ]

    def call(self, model: str, method: str, *arguments, **options):
        """Call a model's method.

        :raises Refusal: Odoo answers with an error
        """
        return self._post(
            f"/web/dataset/call_kw/{model}/{method}",
            {
                "model": model,
                "method": method,
                "args": arguments,
                "kwargs": options,
            },
        )

    def read(self, model: str, record_id: int, *fields: str) -> dict:
        return self.call(model, "read", [record_id], list(fields), load=None)[0]

    def click(self, model: str, method: str, *record_ids: int) -> dict:
        """Press a button of a form.

        :return: the action that the web client would go on with
        :raises Refusal: Odoo answers with an error
        """
        return self._post(
            f"/web/dataset/call_button/{model}/{method}",
            {
                "model": model,
                "method": method,
                "args": [list(record_ids)],
                "kwargs": {},
            },
        )

    def _post(self, path: str, parameters: dict):
        answer = self._session.post(
            self.url + path,
            json={"jsonrpc": "2.0", "method": "call", "params": parameters},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()
        document = answer.json()
        if "error" in document:
            raise Refusal(document["error"])
        return document["result"]
