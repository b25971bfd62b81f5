"""An HTTP server on loopback, on a port that the kernel chose, in threads of this process."""
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    """Keeps connections open and standard error clean."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class Server:
    def __init__(self, handler):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
