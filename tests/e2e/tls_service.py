"""A service behind TLS that wants a client's certificate; prints its port, then each request.

Arguments: certificate with key, authority of the clients.
"""

from __future__ import annotations

import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

ANSWER = json.dumps({"livenessDecision": "realface", "modelVersionUsed": "v"}).encode()


class Handler(BaseHTTPRequestHandler):
    """Takes any POST."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        subject = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else 0
        told = {"path": self.path, "bytes": len(body), "certified": bool(subject)}
        sys.stdout.write(json.dumps(told | {"id": self.headers["client-request-id"]}) + "\n")
        sys.stdout.flush()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


def main(certificate: str, authority: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
