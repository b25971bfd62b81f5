"""Clouds that are down, talk nonsense or say no: a clear error, the right exit code, nothing half-made."""
import contextlib
import itertools
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


@contextlib.contextmanager
def served(serve):
    """`serve(connection)` for each one that comes; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(20)
                    with contextlib.suppress(OSError):
                        serve(connection)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


class NoCloud(cloud.unittest.TestCase):
    def setUp(self):
        self.cloud = cloud.Cloud()
        self.addCleanup(self.cloud.remove)
        self.cloud.environment.update(
            AWS_ACCESS_KEY_ID="emulator", AWS_SECRET_ACCESS_KEY="emulator", AWS_DEFAULT_REGION="us-east-1")

    def list_at(self, endpoint, *words):
        return self.cloud.run("aws", "ebs", "list", "--endpoint-url", endpoint, *words)

    def test_a_dead_endpoint_is_named(self):
        outcome = self.list_at("http://127.0.0.1:1")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("http://127.0.0.1:1", outcome.err)

    def test_garbage_is_called_garbage(self):
        page = b"<html><body>It works!</body></html>"
        head = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        for answer in (head % (b"200 OK", len(page)) + page, head % (b"502 Bad Gateway", len(page)) + page,
                       b"SSH-2.0-OpenSSH_9.2\r\n", head % (b"200 OK", 500) + page, b"",
                       head % (b"200 OK", 0)):
            with cloud.misbehaving_server(answer) as endpoint:
                outcome = self.list_at(endpoint, "--timeout", "10s")
                self.assertEqual(outcome.code, 1, (answer, outcome))
                self.assertTrue(outcome.err.startswith("Error: "), outcome)
                self.assertEqual(outcome.out, "")

    def test_an_answer_without_end_is_not_kept(self):
        """200 MB of it: the connection is closed at 64 MiB, and what sockets hold on the way."""
        block, sent = b"<x>" * 333_333, []
        def serve(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
            with contextlib.suppress(OSError):
                for _ in range(200):
                    connection.sendall(block)
                    sent.append(len(block))
        with served(serve) as port:
            outcome = self.list_at(f"http://127.0.0.1:{port}", "--timeout", "30s")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("sent more than", outcome.err)
        self.assertLess(sum(sent), 100_000_000)
        self.assertGreater(sum(sent), 60_000_000)

    def test_pages_that_never_end_are_noticed(self):
        tokens = itertools.cycle("ab")
        def serve(connection):
            body = f"<DescribeVolumesResponse><volumeSet/><nextToken>{next(tokens)}</nextToken></DescribeVolumesResponse>"
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        with served(serve) as port:
            outcome = self.list_at(f"http://127.0.0.1:{port}", "--timeout", "20s")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("round in circles", outcome.err)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed (Debian's package openssl)")
    def test_only_a_certificate_that_is_vouched_for_is_believed(self):
        key, certificate = (os.path.join(self.cloud.directory, name) for name in ("key.pem", "cert.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        got = []
        def serve(connection):
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
                got.append(secured.recv(65536))
                body = b"<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>"
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        with served(serve) as port:
            for host, environment in (("localhost", {}), ("127.0.0.1", {"AWS_CA_BUNDLE": certificate})):
                outcome = self.cloud.run("aws", "ebs", "list", "--endpoint-url", f"https://{host}:{port}",
                                         environment=environment)
                self.assertEqual(outcome.code, 1, outcome)
                self.assertIn("certificate", outcome.err.lower())
            self.assertEqual([said for said in got if said], [], "nothing was sent to a server that nobody vouches for")
            outcome = self.cloud.run("aws", "ebs", "list", "--endpoint-url", f"https://localhost:{port}",
                                     environment={"AWS_CA_BUNDLE": certificate})
            self.assertEqual(outcome.code, 0, outcome)
        missing = self.cloud.run("aws", "ebs", "list", "--endpoint-url", "https://localhost:1",
                                 environment={"AWS_CA_BUNDLE": "/nowhere.pem"})
        self.assertEqual(missing.code, 1, missing)

    def test_a_proxy_is_asked_for_what_is_elsewhere(self):
        asked = []
        def serve(connection):
            asked.append(connection.recv(65536).split(b"\r\n")[0])
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        with served(serve) as port:
            outcome = self.cloud.run("aws", "ebs", "list", environment={"HTTPS_PROXY": f"http://127.0.0.1:{port}"})
            self.assertEqual(outcome.code, 1, outcome)
            self.assertEqual(set(asked), {b"CONNECT ec2.us-east-1.amazonaws.com:443 HTTP/1.1"})
            asked.clear()
            outcome = self.cloud.run("aws", "ebs", "list", "--timeout", "10s", environment={
                "HTTPS_PROXY": f"http://127.0.0.1:{port}", "NO_PROXY": "amazonaws.com", "AWS_ENDPOINT_URL": "https://127.0.0.1:1"})
            self.assertEqual(asked, [])

    def test_silence_ends_at_the_timeout(self):
        with cloud.misbehaving_server(None) as endpoint:
            outcome = self.list_at(endpoint, "--timeout", "1s")
        self.assertEqual(outcome.code, 6, outcome)
        self.assertIn("did not answer in time", outcome.err)

    def test_no_credentials_is_denied_and_says_what_to_do(self):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del self.cloud.environment[name]
        outcome = self.list_at("http://127.0.0.1:1")
        self.assertEqual(outcome.code, 5, outcome)
        self.assertIn("--emulator", outcome.err)

    def test_no_region_is_a_usage_error(self):
        del self.cloud.environment["AWS_DEFAULT_REGION"]
        outcome = self.list_at("http://127.0.0.1:1")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("--region", outcome.err)

    def test_a_bad_endpoint_is_a_usage_error(self):
        outcome = self.list_at("ftp://127.0.0.1")
        self.assertEqual(outcome.code, 2, outcome)


class Refusals(cloud.CloudTest):
    def test_wrong_credentials_are_denied(self):
        outcome = self.cloud.run("aws", "ebs", "list", environment={"AWS_SECRET_ACCESS_KEY": "wrong"})
        self.assertEqual(outcome.code, 5, outcome)
        self.assertIn("AuthFailure", outcome.err)

    def test_another_account_sees_nothing_of_ours(self):
        volume = self.cloud.volume()
        other = {"AWS_ACCESS_KEY_ID": "somebody-else"}
        self.assertEqual(self.cloud.run("aws", "ebs", "show", volume, environment=other).code, 3)
        self.assertEqual(self.cloud.run("aws", "ebs", "show", volume, "--region", "eu-west-1").code, 3)
        self.assertEqual(self.cloud.run("aws", "ebs", "show", volume).code, 0)

    def test_unknown_and_malformed_names(self):
        for words, code in [
            (["aws", "ebs", "show", "vol-0123456789abcdef0"], 3),
            (["aws", "ebs", "show", "vol-nonsense"], 2),
            (["aws", "ebs", "show", "no-such-name"], 3),
            (["aws", "ebs", "restore", "snap-0123456789abcdef0"], 3),
            (["aws", "wait", "i-0123456789abcdef0"], 3),
            (["aws", "terminate", "i-0123456789abcdef0", "--yes"], 3),
            (["aws", "ebs", "detach", "vol-0123456789abcdef0"], 3),
            (["aws", "ebs", "delete", "vol-0123456789abcdef0", "--yes"], 3),
        ]:
            outcome = self.cloud.run(*words)
            self.assertEqual(outcome.code, code, (words, outcome))
            self.assertTrue(outcome.err.startswith("Error: "), outcome)

    def test_an_ambiguous_name_lists_the_candidates(self):
        first = self.cloud.volume("--name", "twin")
        second = self.cloud.volume("--name", "twin")
        outcome = self.cloud.run("aws", "ebs", "show", "twin")
        self.refused(outcome, first, second)

    def test_the_wrong_zone_is_refused_before_the_call_with_the_way_out(self):
        volume = self.cloud.volume(zone="us-east-1b")
        machine = self.cloud.machine()
        before = self.cloud.requests().count("AttachVolume")
        outcome = self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine)
        self.refused(outcome, "is in zone us-east-1b", "runctl aws ebs restore $SNAP --availability-zone us-east-1a")
        self.assertEqual(self.cloud.requests().count("AttachVolume"), before)

    def test_a_zone_that_does_not_exist_makes_nothing(self):
        count = len(self.cloud.run("aws", "ebs", "list", "--output", "id").out.split())
        outcome = self.cloud.run("aws", "ebs", "create", "--size", "1", "--availability-zone", "us-east-1z")
        self.assertEqual(outcome.code, 3, outcome)
        self.assertIn("us-east-1z", outcome.err)
        self.assertEqual(len(self.cloud.run("aws", "ebs", "list", "--output", "id").out.split()), count)


if __name__ == "__main__":
    cloud.main()
