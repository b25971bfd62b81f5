"""The packages that a run needs: found, installed before it starts, shared, and an installation that fails or hangs."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

SCRIPT = "import hello_runs\nprint('the answer is', hello_runs.ANSWER)\n"
# Programs that are not in Debian: they say how they were called, and do the part that the rest needs.
UV = """#!/bin/sh
printf '%s\\n' "uv $*" >>"$HOME/uv.calls"
case $1 in
  venv) for last; do :; done; exec python3 -m venv --system-site-packages "$last" ;;
  export) while [ "$1" != --output-file ]; do shift; done; echo hello-runs >"$2" ;;
  pip) exec "$4" -m pip install --quiet --no-index --find-links "$HOME/wheels" hello-runs ;;
esac
"""
CONDA = """#!/bin/sh
printf '%s\\n' "conda $* $CONDA_ALWAYS_YES" >>"$HOME/conda.calls"
mkdir -p "$4/bin" && printf '#!/bin/sh\\necho the python of conda in $CONDA_PREFIX\\n' >"$4/bin/python3" && chmod +x "$4/bin/python3"
"""


def make_wheel(folder, answer=42, name="hello_runs"):
    """A package of one module, as any index would have it."""
    os.makedirs(folder, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(os.path.join(folder, f"{name}-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr(f"{name}.py", f"ANSWER = {answer}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class OnThisMachine(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="runctl-cli-")
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        make_wheel(os.path.join(self.home, "wheels"))
        # No network, and none needed.
        self.environment = {**cloud.base_environment(self.home), "PIP_NO_INDEX": "1",
                            "PIP_FIND_LINKS": os.path.join(self.home, "wheels")}
        self.write(".runctl.toml", "")
        self.write("train.py", SCRIPT)

    def path(self, *names):
        return os.path.join(self.home, "project", *names)

    def write(self, name, text, mode=0o644):
        write(self.path(name), text, mode)

    def run_local(self, *words, **environment):
        return cloud.Outcome(subprocess.run([cloud.RUNCTL, "local", self.path("train.py"), *words], capture_output=True,
                                            text=True, timeout=300, env={**self.environment, **environment}, check=False))

    def succeeded(self, *words, **environment):
        outcome = self.run_local(*words, **environment)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome

    def environments(self):
        place = os.path.join(self.home, ".local/state/runctl/environments")
        return [name for name in os.listdir(place) if not name.endswith(".lock")] if os.path.isdir(place) else []

    def runctl(self, *words):
        return cloud.Outcome(subprocess.run([cloud.RUNCTL, *words], capture_output=True, text=True, timeout=120,
                                            env=self.environment, check=False))

    def test_requirements_are_installed_once_for_all_runs_that_need_the_same(self):
        self.write("requirements.txt", "hello-runs==1.0\n")
        planned = self.run_local("--dry-run")
        self.assertIn("install the packages of requirements.txt", planned.out)
        self.assertEqual(self.environments(), [])
        first = self.succeeded()
        self.assertIn("runctl: installing the packages of requirements.txt", first.out)
        self.assertIn("Successfully installed hello-runs-1.0", first.out)
        self.assertIn("the answer is 42", first.out)
        second = self.succeeded()
        self.assertIn("runctl: the packages of requirements.txt are installed already", second.out)
        self.assertNotIn("Successfully installed", second.out)
        self.assertIn("the answer is 42", second.out)
        self.assertEqual(len(self.environments()), 1)
        self.write("requirements.txt", "hello-runs\n")
        self.succeeded()
        self.assertEqual(len(self.environments()), 2)
        run = self.runctl("runs", "list", "--local", "--output", "json").record["runs"][0]["run_id"]
        self.assertIn("requirements.txt", self.runctl("runs", "show", run, "--output", "json").out)

    def test_inline_metadata_of_the_script(self):
        self.write("train.py", "# /// script\n# dependencies = ['hello-runs']\n# requires-python = '>=3.8'\n# ///\n" + SCRIPT)
        self.assertIn("the answer is 42", self.succeeded().out)

    def test_dependencies_of_a_pyproject(self):
        self.write("pyproject.toml", "[project]\nname = 'p'\nversion = '1'\ndependencies = ['hello-runs']\n")
        self.assertIn("the answer is 42", self.succeeded().out)

    def test_without_uv_its_lock_is_not_followed_and_that_is_said(self):
        self.write("pyproject.toml", "[project]\nname = 'p'\nversion = '1'\ndependencies = ['hello-runs']\n")
        self.write("uv.lock", "version = 1\n")
        outcome = self.succeeded()
        self.assertIn("this machine has no uv: the versions are those that pyproject.toml allows, not those of uv.lock", outcome.out)
        self.assertIn("the answer is 42", outcome.out)

    def test_what_the_machine_has_counts(self):
        """NumPy is Debian's: it is not fetched again, and there is no index to fetch it from."""
        self.write("requirements.txt", "numpy\n")
        self.write("train.py", "import numpy\nprint(numpy.__file__)\n")
        self.assertIn("/usr/lib/python3/dist-packages/numpy", self.succeeded().out)

    def test_an_installation_that_fails_ends_the_run_with_its_output(self):
        self.write("requirements.txt", "no-such-package-anywhere\n")
        outcome = self.run_local("--output", "json")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertEqual((outcome.record["state"], outcome.record["exit_status"]), ("failed", 125))
        log = self.runctl("runs", "logs", outcome.record["run_id"])
        self.assertIn("No matching distribution found for no-such-package-anywhere", log.out)
        self.assertIn("runctl: the packages of requirements.txt cannot be installed: pip ended with status 1", log.out)
        self.assertNotIn("the answer", log.out)
        self.assertEqual(self.environments(), [])

    def test_a_python_that_does_not_fit(self):
        self.write("train.py", "# /// script\n# dependencies = ['hello-runs']\n# requires-python = '>=99'\n# ///\n" + SCRIPT)
        outcome = self.run_local()
        self.assertEqual(outcome.code, 1, outcome)
        self.assertRegex(outcome.out, r"Python >=99 is needed, and this is 3\.\d+")
        self.assertNotIn("the answer", outcome.out)

    def test_one_that_hangs_is_stopped_and_the_next_run_begins_anew(self):
        """An index that takes the connection and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            heard = []
            threading.Thread(target=lambda: heard.append(server.accept()[0]), daemon=True).start()
            self.addCleanup(lambda: [connection.close() for connection in heard])
            self.write("requirements.txt", f"--index-url http://127.0.0.1:{server.getsockname()[1]}/simple\nhello-runs\n")
            started = cloud.Outcome(subprocess.run(
                [cloud.RUNCTL, "local", self.path("train.py"), "--detach", "--output", "id"], capture_output=True, text=True,
                timeout=60, env={**self.environment, "PIP_NO_INDEX": "0", "PIP_FIND_LINKS": ""}, check=False))
            run = started.out.strip()
            self.assertTrue(cloud.wait_until(lambda: heard, 120), self.runctl("runs", "logs", run))
            self.write("requirements.txt", "hello-runs\n")
            stopped = self.runctl("runs", "stop", run, "--grace", "5s", "--yes")
            self.assertEqual(stopped.code, 0, stopped)
            self.assertEqual(self.runctl("runs", "show", run, "--output", "json").record["state"], "stopped")
        self.assertIn("the answer is 42", self.succeeded().out)

    def test_one_that_was_killed_half_way_is_made_again(self):
        self.write("requirements.txt", "hello-runs\n")
        self.succeeded()
        place = os.path.join(self.home, ".local/state/runctl/environments", self.environments()[0])
        os.remove(os.path.join(place, ".complete"))
        for folder, _, names in os.walk(place):
            for name in names:
                if name == "hello_runs.py":
                    os.truncate(os.path.join(folder, name), 0)
        self.assertIn("the answer is 42", self.succeeded().out)

    def test_two_runs_at_once_install_once(self):
        self.write("requirements.txt", "hello-runs\n")
        runs = [self.runctl("local", self.path("train.py"), "--detach", "--output", "id").out.strip() for _ in range(2)]

        def states():
            return [self.runctl("runs", "show", run, "--output", "json").record["state"] for run in runs]

        self.assertTrue(cloud.wait_until(lambda: "running" not in states(), 120), states())
        self.assertEqual(states(), ["succeeded", "succeeded"])
        logs = [self.runctl("runs", "logs", run).out for run in runs]
        self.assertEqual(sum("Successfully installed" in log for log in logs), 1, logs)
        self.assertEqual(sum("another run installs the packages of requirements.txt" in log for log in logs), 1, logs)

    def test_an_environment_that_is_active_is_used_as_it_is(self):
        self.write("requirements.txt", "no-such-package-anywhere\n")
        self.write("train.py", "print('on my own')\n")
        outcome = self.succeeded(VIRTUAL_ENV="/opt/mine")
        self.assertIn("It uses the packages of /opt/mine, which is active.", outcome.err)
        self.assertIn("on my own", self.succeeded("--packages", "none").out)

    def test_uv_is_used_where_it_is(self):
        write(os.path.join(self.home, ".local/bin/uv"), UV, 0o755)
        self.write("train.py", "# /// script\n# dependencies = ['hello-runs']\n# requires-python = '>=3.9'\n# ///\n" + SCRIPT)
        outcome = self.succeeded()
        self.assertIn("with uv", outcome.out)
        self.assertIn("the answer is 42", outcome.out)
        with open(os.path.join(self.home, "uv.calls"), encoding="utf-8") as file:
            calls = file.read().splitlines()
        self.assertRegex(calls[0], r"^uv venv --quiet --system-site-packages --python >=3\.9 /.*/environments/\w+-\w+$")
        self.assertRegex(calls[1], r"^uv pip install --python /.*/bin/python --requirements train\.py$")
        self.write("train.py", SCRIPT)
        self.write("pyproject.toml", "[project]\nname = 'p'\nversion = '1'\ndependencies = ['hello-runs']\n")
        self.write("uv.lock", "version = 1\n")
        self.assertIn("the answer is 42", self.succeeded().out)
        with open(os.path.join(self.home, "uv.calls"), encoding="utf-8") as file:
            self.assertRegex(file.read().splitlines()[3], r"^uv export .*--frozen .*--output-file /.*/requirements\.txt$")

    def test_conda_only_when_its_file_is_named(self):
        write(os.path.join(self.home, "bin/conda"), CONDA, 0o755)
        self.write("environment.yml", "dependencies: [numpy]\n")
        self.write("train.py", "print('plain')\n")
        path = os.path.join(self.home, "bin") + ":" + self.environment["PATH"]
        self.assertIn("plain", self.succeeded(PATH=path).out)
        outcome = self.succeeded("--packages", "environment.yml", PATH=path)
        self.assertRegex(outcome.out, r"the python of conda in /.*/environments/")
        missing = self.run_local("--packages", "environment.yml")
        self.assertEqual(missing.code, 1, missing)
        self.assertIn("needs conda, mamba or micromamba, and this machine has none", missing.out)

    def test_mistakes(self):
        for words, text in ((("--packages", "nothing.txt"), "no file nothing.txt in the project"),
                            (("--packages", "train.sh"), "no file train.sh in the project")):
            outcome = self.run_local(*words)
            self.assertEqual(outcome.code, 3, outcome)
            self.assertIn(text, outcome.err)
        self.write("train.py", "# /// script\n# dependencies = 1\n# ///\n")
        outcome = self.run_local()
        self.assertEqual(outcome.code, 2, outcome)
        self.assertIn("dependencies takes a list of texts", outcome.err)


class OnMachines:
    pace = "fast"

    def test_a_run_on_a_machine_finds_what_its_project_asks_for(self):
        project = os.path.join(self.cloud.directory, "project")
        write(os.path.join(project, ".runctl.toml"), "")
        write(os.path.join(project, "train.py"), SCRIPT)
        make_wheel(os.path.join(project, "wheels"), answer=43)
        write(os.path.join(project, "requirements.txt"), "--no-index\n--find-links wheels\nhello-runs\n")
        machine = self.cloud.machine()
        words = ("aws", "train", machine, os.path.join(project, "train.py"))
        planned = self.cloud.run(*words, "--dry-run")
        self.assertIn("install the packages of requirements.txt", planned.out)
        for expected in ("Successfully installed hello-runs-1.0", "are installed already"):
            outcome = self.cloud.run(*words, "--wait", timeout=300)
            self.assertEqual(outcome.code, 0, outcome)
            self.assertIn(expected, outcome.out)
            self.assertIn("the answer is 43", outcome.out)
        ignored = self.cloud.run(*words, "--no-sync-code", "--packages", "requirements.txt")
        self.assertEqual(ignored.code, 2, ignored)
        self.assertIn("requirements.txt is not among what is sent to the machine", ignored.err)


class OnDirectories(OnMachines, cloud.CloudTest):
    hardware = "files"


@unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnBlockHardware(OnMachines, cloud.CloudTest):
    hardware = "block"


if __name__ == "__main__":
    unittest.main()
