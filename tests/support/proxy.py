"""A proxy before the emulator that loses one request, or the answer to it."""
import contextlib
import http.client
import threading
import urllib.parse

import loopback


class LossyProxy(loopback.Server):
    """Passes requests on, but for one of the action that `lose` names.

    `before`: it never arrives. `after`: it arrives, and its answer is lost. `drop` closes the connection, as a network
    does; `hold` keeps it open and says nothing, so that the client can be killed while it waits: `lost` is set then.
    """

    def __init__(self, upstream):
        self.upstream = urllib.parse.urlsplit(upstream)
        self.lock = threading.Lock()
        self.rule, self.skip = None, 0
        self.lost = threading.Event()
        self.released = threading.Event()
        self.seen = []
        proxy = self

        class Handler(loopback.Handler):
            def do_POST(self):
                proxy.serve(self)

        super().__init__(Handler)

    def stop(self):
        self.released.set()
        super().stop()

    def lose(self, action, when, how="drop", skip=0):
        """After `skip` of that action went through."""
        with self.lock:
            self.rule, self.skip = (action, when, how), skip
            self.lost.clear()
            self.seen.clear()

    def count(self, action):
        with self.lock:
            return self.seen.count(action)

    def taken(self, action):
        """The rule, when this request is the one; it holds once."""
        with self.lock:
            self.seen.append(action)
            if self.rule is None or self.rule[0] != action:
                return None
            if self.skip:
                self.skip -= 1
                return None
            rule, self.rule = self.rule, None
            return rule

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        target = handler.headers.get("X-Amz-Target")
        action = target.split(".")[-1] if target else dict(urllib.parse.parse_qsl(body.decode())).get("Action", "")
        rule = self.taken(action)
        if rule and rule[1] == "before":
            return self.end(handler, rule[2])
        status, headers, answer = self.forward(handler, body)
        if rule:
            return self.end(handler, rule[2])
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(answer)

    def forward(self, handler, body):
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=60)
        connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
        for name, value in handler.headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), content

    def end(self, handler, how):
        self.lost.set()
        if how == "hold":
            self.released.wait(60)
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.connection.shutdown(2)
