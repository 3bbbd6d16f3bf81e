"""Listeners to events, to see what many of them cost the server."""

import socket
import threading


class Listener(threading.Thread):
    """Listens to events and counts what comes."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.socket = connect(port)
        self.received = 0
        self.start()

    def run(self):
        try:
            while data := self.socket.recv(1 << 16):
                self.received += len(data)
        except OSError:
            pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def connect(port, receive_buffer=None):
    """A connection that has asked for events."""
    result = socket.socket()
    if receive_buffer:
        result.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    result.connect(("127.0.0.1", port))
    result.sendall(f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    return result


def resident_megabytes(pid, key="VmRSS"):
    """What a process occupies, or (VmHWM) the most that it has occupied."""
    with open(f"/proc/{pid}/status") as file:
        line = next(line for line in file if line.startswith(key))
    return int(line.split()[1]) / 1024
