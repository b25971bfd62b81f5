"""32 machines, one volume, all at once: exactly one gets it, and every other is told who.

Under reads that are out of date, answers that are lost and requests that are throttled. RUNCTL_RACE_ROUNDS says how many
rounds (3); RUNCTL_RACE_SEED which faults strike (1).
"""
import collections
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

MACHINES = 32
ROUNDS = int(os.environ.get("RUNCTL_RACE_ROUNDS", "3"))
SEED = os.environ.get("RUNCTL_RACE_SEED", "1")
FAULTS = """
AttachVolume drop-reply rate=0.25
AttachVolume drop-before rate=0.15
AttachVolume fail-after rate=0.05 code=InternalError status=500
AttachVolume throttle rate=0.1
Describe* stale rate=0.3 ms=1000
Describe* throttle rate=0.03
Describe* truncate rate=0.01
"""


class Race(cloud.CloudTest):
    pace = "fast"

    @classmethod
    def setUpClass(cls):
        cls.cloud = cloud.Cloud("none", cls.pace)
        cls.addClassCleanup(cls.cloud.remove)
        cls.cloud.extra = ["--seed", SEED]
        cls.cloud.start()
        cls.machines = [cls.cloud.machine(f"racer-{i}") for i in range(MACHINES)]

    def faults(self, *words):
        self.succeeded(self.cloud.run("emulator", "fault", *words, "--state", self.cloud.state))

    def truth(self, volume):
        """Who has it, by the emulator's own event log: neither stale nor lost."""
        holders = collections.Counter()
        with open(os.path.join(self.cloud.state, "events.jsonl"), encoding="utf-8") as log:
            for line in log:
                if volume in line and '"attaching ' in line:
                    holders.update(set(re.findall(r"attaching (i-[0-9a-f]+)", line)))
        return holders

    def round(self, number):
        volume = self.cloud.volume("--name", f"prize-{number}")
        for line in FAULTS.strip().splitlines():
            self.faults("add", *line.split())
        # Each machine has its own user, and so its own journal.
        racers = [subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "attach", volume, "--instance", machine],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.cloud.directory,
                                   env={**self.cloud.environment,
                                        "XDG_STATE_HOME": os.path.join(self.cloud.directory, f"user-{i}")})
                  for i, machine in enumerate(self.machines)]
        said = [racer.communicate(timeout=400) for racer in racers]
        self.faults("clear")
        codes = collections.Counter(racer.returncode for racer in racers)
        story = "\n".join(f"{m} {r.returncode}: {e}" for m, r, (_, e) in zip(self.machines, racers, said))
        self.assertEqual(codes, {0: 1, 4: MACHINES - 1}, story)
        winner = next(m for m, r in zip(self.machines, racers) if r.returncode == 0)
        self.assertEqual(set(self.truth(volume)), {winner}, "another machine had it, if only for a moment")
        for machine, racer, (_, err) in zip(self.machines, racers, said):
            if racer.returncode == 4:
                self.assertIn(winner, err, f"{machine} was told of another winner")
        shown = self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record
        self.assertEqual([(a["instance_id"], a["state"]) for a in shown["attachments"]], [(winner, "attached")])
        for i in range(MACHINES):
            left = self.cloud.run("operations", "list", "--output", "json", environment={
                "XDG_STATE_HOME": os.path.join(self.cloud.directory, f"user-{i}")}).record["operations"]
            self.assertEqual(left, [], "left unfinished")

    def test_one_wins_and_the_others_know_it(self):
        for number in range(ROUNDS):
            with self.subTest(round=number, seed=SEED):
                began = time.monotonic()
                self.round(number)
                print(f"round {number}: {time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    cloud.main()
