"""A client of the REST API: URL TOKEN_FILE [TEMPLATE PAYLOAD_FILE [PATIENT]] hands in and waits, then lists."""

import json
import sys
import uuid

import requests


class Problem(Exception):
    """What the API answered instead: a document (RFC 9457) whose ``code`` is for machines."""

    def __str__(self):
        return "{title}: {detail} {mend}".format_map(self.args[0])


class Client:
    """Speaks to one Handshaker as the owner of a bearer token."""

    def __init__(self, url, token):
        self.base, self.session = f"{url}/api/v1/", requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method, path, **more):
        """Return the answer; raises ``Problem``."""
        answer = self.session.request(method, requests.compat.urljoin(self.base, path), timeout=30, **more)
        if answer.status_code >= 400:
            raise Problem(answer.json())
        return answer

    def submit(self, template, payload, patient=None, key=None):
        """Hand in. After any failure of the network repeat it with the same key: it is the same transaction."""
        body = {"template": template, "payload": payload, "patient": patient}
        return self.ask("POST", "transactions", json=body | {"idempotencyKey": key or uuid.uuid4().hex}).json()

    def wait(self, transaction):
        """Print each event as it happens and return the acknowledgement; streams end after minutes, so ask again."""
        path, headers = f"transactions/{transaction}/events", {"Accept": "text/event-stream"}
        while (answer := self.ask("GET", path, headers=headers, stream=True)).status_code != 204:
            for name, _, value in (line.partition(": ") for line in answer.iter_lines(1, decode_unicode=True)):
                if name == "id":
                    headers["Last-Event-ID"] = value
                elif name == "data":
                    print(json.loads(value)["kind"])
        return self.ask("GET", f"acknowledgements/{transaction}").json()

    def acknowledgements(self, path="acknowledgements"):
        """Yield every acknowledgement, page after page, in the order of the log."""
        while path:
            yield from (page := self.ask("GET", path)).json()["acknowledgements"]
            path = page.links.get("next", {}).get("url")


if __name__ == "__main__":
    client = Client(sys.argv[1], open(sys.argv[2]).read().strip())
    if sys.argv[3:]:
        template, payload_file, *patient = sys.argv[3:]
        print(client.wait(client.submit(template, json.load(open(payload_file)), *patient)["id"])["reason"])
    for acknowledgement in client.acknowledgements():
        print("{position} {verdict} {template} {reason}".format_map(acknowledgement))
