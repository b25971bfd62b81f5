"""The emulator and `ebs list` beside the tools that people use for the same, on the same machine in one run.

    python3 bench/peers.py build/release/src/main/runctl

1. Requests per second on DescribeVolumes: the emulator, and moto's server where it is installed (wrk makes the load).
2. `runctl aws ebs list` of 2,000 volumes, and `aws ec2 describe-volumes`: time and peak memory, on the same emulator.

Prints medians and ratios; asserts nothing. What is missing on this machine is named.
"""
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
from signed import Ec2, headers_for

ROUNDS = 5
BODY = "Action=DescribeVolumes&Version=2016-11-15"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def make_volumes(endpoint, count):
    client = Ec2(endpoint)
    for number in range(count):
        status, text = client.call("CreateVolume", AvailabilityZone="us-east-1a", Size=1 + number % 100,
                                   VolumeType="gp3", **{"TagSpecification.1.ResourceType": "volume",
                                                        "TagSpecification.1.Tag.1.Key": "Name",
                                                        "TagSpecification.1.Tag.1.Value": f"volume-{number}"})
        if status != 200:
            sys.exit(f"CreateVolume: {status} {text}")
    client.close()


def wait_for(endpoint):
    host, port = endpoint.removeprefix("http://").split(":")
    for _ in range(600):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing answers at {endpoint}")


def requests_per_second(endpoint, directory):
    """One run of wrk: two threads, eight connections, three seconds."""
    host = endpoint.removeprefix("http://")
    script = os.path.join(directory, "request.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write('wrk.method = "POST"\n' f"wrk.body = '{BODY}'\n")
        for name, value in headers_for(host, BODY).items():
            file.write(f'wrk.headers["{name}"] = "{value}"\n')
    said = subprocess.run(["wrk", "-t2", "-c8", "-d3s", "-s", script, endpoint + "/"], capture_output=True, text=True,
                          check=True).stdout
    if "Non-2xx" in said:
        sys.exit(f"{endpoint} refused requests:\n{said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))


def compare_servers(runctl, directory):
    if not shutil.which("wrk"):
        return print("requests per second: left out, wrk is not installed (Debian package wrk)")
    state = os.path.join(directory, "load")
    port = free_port()
    servers = {"runctl emulator": [runctl, "emulator", "run", "--port", str(port), "--state", state, "--hardware", "none",
                                   "--pace", "instant"]}
    endpoints = {"runctl emulator": f"http://127.0.0.1:{port}"}
    if shutil.which("moto_server"):
        port = free_port()
        servers["moto_server"] = ["moto_server", "-H", "127.0.0.1", "-p", str(port)]
        endpoints["moto_server"] = f"http://127.0.0.1:{port}"
    else:
        print("moto_server: left out, it is not installed")
    running = {name: subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
               for name, words in servers.items()}
    try:
        samples = {name: [] for name in servers}
        for endpoint in endpoints.values():
            wait_for(endpoint)
            make_volumes(endpoint, 100)
        for _ in range(ROUNDS):  # interleaved, so that a slow moment hits all alike
            for name, endpoint in endpoints.items():
                samples[name].append(requests_per_second(endpoint, directory))
    finally:
        for process in running.values():
            process.terminate()
            process.wait(timeout=30)
    print(f"DescribeVolumes of 100 volumes, requests per second, median of {ROUNDS}:")
    medians = {name: statistics.median(values) for name, values in samples.items()}
    for name, median in medians.items():
        print(f"  {name:16} {median:9.0f}  {median / medians.get('moto_server', median):6.1f} x")
    return None


def measured(words, environment):
    """Wall seconds and peak MiB of a program that must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        sys.exit(f"{words}: {said.decode()}")
    return seconds, usage.ru_maxrss / 1024


def compare_lists(runctl, directory):
    state = os.path.join(directory, "list")
    emulator = subprocess.Popen([runctl, "emulator", "run", "--port", "0", "--state", state, "--hardware", "none",
                                 "--pace", "instant"], stdout=subprocess.PIPE, text=True)
    try:
        endpoint = emulator.stdout.readline().split()[-1]
        make_volumes(endpoint, 2000)
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "AWS_ENDPOINT_URL": endpoint,
                       "AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator",
                       "AWS_DEFAULT_REGION": "us-east-1"}
        commands = {"runctl aws ebs list": [runctl, "aws", "ebs", "list"],
                    "runctl … --output json": [runctl, "aws", "ebs", "list", "--output", "json"]}
        for aws in dict.fromkeys(filter(None, ("/usr/bin/aws" if os.path.exists("/usr/bin/aws") else None,
                                               shutil.which("aws")))):
            commands[f"{aws} ec2 describe-volumes"] = [aws, "--endpoint-url", endpoint, "ec2", "describe-volumes",
                                                       "--output", "json"]
        if len(commands) == 2:
            print("aws: left out, it is not installed (Debian package awscli)")
        samples = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, words in commands.items():
                samples[name].append(measured(words, environment))
    finally:
        emulator.terminate()
        emulator.wait(timeout=30)
        emulator.stdout.close()
    base = [statistics.median(values) for values in zip(*samples["runctl aws ebs list"])]
    print(f"a list of 2,000 volumes, median of {ROUNDS}:")
    for name, values in samples.items():
        seconds, mib = (statistics.median(column) for column in zip(*values))
        print(f"  {name:44} {seconds * 1e3:8.1f} ms {seconds / base[0]:6.1f} x   {mib:6.1f} MiB {mib / base[1]:5.1f} x")


def main():
    runctl = os.path.abspath(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="runctl-bench-") as directory:
        compare_servers(runctl, directory)
        compare_lists(runctl, directory)


if __name__ == "__main__":
    main()
