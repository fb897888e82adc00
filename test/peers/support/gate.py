"""A way to an account that closes after a number of requests."""

import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gate:
    """Lasts as long as the `with` block, and leaves whoever asks once more waiting until it ends."""

    def __init__(self, account, after):
        self._account = account
        self._after = after
        self._asked = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.closed = threading.Event()

    def __enter__(self):
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                gate._answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._server.shutdown()
        self._server.socket.close()

    def _answer(self, handler):
        with self._lock:
            self._asked += 1
            is_over = self._asked > self._after
        if is_over:
            self.closed.set()
            self._ended.wait()
            handler.close_connection = True
            return
        headers = {"Authorization": handler.headers["Authorization"]}
        request = urllib.request.Request(self._account.url + handler.path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status, answered, body = response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            status, answered, body = error.code, error.headers, error.read()
        handler.send_response(status)
        for name, value in answered.items():
            if name.lower() not in ("connection", "content-length", "date", "transfer-encoding"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
