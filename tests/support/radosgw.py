"""Ceph's S3 server, from Debian: a monitor, one store on disk and a RADOS gateway, on loopback. Standard library only."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph-authtool", "monmaptool")
ACCESS_KEY = SECRET_KEY = "emulator"  # as everywhere in these tests
PATIENCE = 180  # seconds, for what takes 15 on two idle cores

# One of everything, without copies; keys for all, since the gateway does not speak without. A store on files with a small
# journal, since the one in memory grows with every deletion. Objects' names in files are cut by Ceph itself.
CONFIGURATION = """[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{monitor}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {place}/keyring
run dir = {place}
admin socket =
pid file =
log file =
log to stderr = true
err to stderr = true
mon data = {place}/mon
osd data = {place}/osd
osd journal = {place}/osd/journal
osd journal size = 100
osd max write size = 16
osd objectstore = filestore
filestore xattr use omap = true
osd max object name len = 256
osd max object namespace len = 64
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
public addr = 127.0.0.1
cluster addr = 127.0.0.1
rgw dns name = localhost
rgw crypt require ssl = false
"""


def missing():
    """Which program is not there, or ""."""
    absent = [name for name in PROGRAMS if not shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    return f"no {absent[0]} here (apt-get install radosgw ceph-mon ceph-osd)" if absent else ""


def free_port():
    """These servers cannot be told to take any."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Server:
    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="runctl-rgw-")
        self.configuration = os.path.join(self.place, "ceph.conf")
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.place, "LANG": "C.UTF-8"}
        self.processes = []
        self.endpoint = ""

    def call(self, program, *words):
        done = subprocess.run([program, "-c", self.configuration, *words], capture_output=True, text=True, timeout=PATIENCE,
                              env=self.environment, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} {words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def serve(self, program, *words):
        with open(os.path.join(self.place, f"{program}.log"), "wb") as log:
            # Ends with us, however we end.
            self.processes.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program, "-c", self.configuration, "-f", *words], stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self.environment))

    def start(self):
        monitor, gateway, fsid = free_port(), free_port(), str(uuid.uuid4())
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(place=self.place, monitor=monitor, fsid=fsid))
        os.mkdir(os.path.join(self.place, "mon"))
        os.mkdir(os.path.join(self.place, "osd"))
        keyring, monmap = os.path.join(self.place, "keyring"), os.path.join(self.place, "monmap")
        for name in ("mon.", "client.admin", "client.rgw", "osd.0"):
            everything = [word for what in ("mon", "osd", "mgr") for word in ("--cap", what, "allow *")]
            self.call("ceph-authtool", keyring, *([] if os.path.exists(keyring) else ["--create-keyring"]), "--gen-key", "-n",
                      name, *everything)
        self.call("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{monitor}]", monmap)
        self.call("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self.serve("ceph-mon", "-i", "a")
        store = str(uuid.uuid4())
        self.call("ceph", "osd", "new", store)
        self.call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", store)
        self.serve("ceph-osd", "-i", "0")
        made = self.call("radosgw-admin", "user", "create", "--uid", "tester", "--display-name", "tester", "--access-key",
                         ACCESS_KEY, "--secret-key", SECRET_KEY)
        assert json.loads(made)["user_id"] == "tester", made
        self.serve("radosgw", "-n", "client.rgw", "--rgw-frontends", f"beast endpoint=127.0.0.1:{gateway}")
        self.endpoint = f"http://127.0.0.1:{gateway}"
        self.wait()
        return self

    def wait(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(self.endpoint, timeout=10):
                    return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > end or self.processes[-1].poll() is not None:
                    with open(os.path.join(self.place, "radosgw.log"), encoding="utf-8", errors="replace") as log:
                        raise RuntimeError(f"radosgw does not answer\n{log.read()[-3000:]}") from None
                time.sleep(0.2)

    def stop(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.place, ignore_errors=True)
