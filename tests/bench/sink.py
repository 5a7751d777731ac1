"""A server that throws away what it receives: raw bytes on one port, HTTP bodies on another."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable

from tests.bench.processes import report

PIECE_BYTES = 1024 * 1024
HEAD_MAX_BYTES = 65_536
LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
ACCEPTED = b'{"id":"bench-lora","status":"PENDING","imageCount":30}'
ANSWER = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(ACCEPTED), ACCEPTED)
)


def discard_raw(connection: socket.socket) -> None:
    """To the end of the stream, then one byte back."""
    buffer = bytearray(PIECE_BYTES)
    while connection.recv_into(buffer):
        pass
    connection.sendall(b".")


def discard_http(connection: socket.socket) -> None:
    """One request with a Content-Length, answered as the provider answers an order."""
    head = b""
    while b"\r\n\r\n" not in head and len(head) < HEAD_MAX_BYTES:
        piece = connection.recv(4096)
        if not piece:
            return
        head += piece
    head, _, body = head.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    left = (int(length[1]) if length else 0) - len(body)
    buffer = bytearray(PIECE_BYTES)
    while left > 0:
        received = connection.recv_into(buffer)
        if not received:
            return
        left -= received
    connection.sendall(ANSWER)


def serve(listener: socket.socket, discard: Callable[[socket.socket], None]) -> None:
    def handle(connection: socket.socket) -> None:
        # A sender that goes away ends its own exchange only.
        with connection, contextlib.suppress(ConnectionError):
            discard(connection)

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=handle, args=(connection,), daemon=True).start()


def main() -> None:
    raw, http = (socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(2))
    threading.Thread(target=serve, args=(raw, discard_raw), daemon=True).start()
    report(raw_port=raw.getsockname()[1], http_port=http.getsockname()[1])
    serve(http, discard_http)


if __name__ == "__main__":
    main()
