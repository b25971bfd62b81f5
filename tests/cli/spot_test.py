"""Spot machines: renting one, what comes in its place, and what cannot be done with it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

# One attempt each, so that a fault with times=1 strikes the spot launch and not the one in its place.
ONCE = {"AWS_MAX_ATTEMPTS": "1"}


class SpotTest(cloud.CloudTest):
    def setUp(self):
        self.addCleanup(self.fault, "clear")

    def tearDown(self):
        for machine in self.machines():
            self.succeeded(self.cloud.run("aws", "terminate", machine["instance_id"], "--yes"))

    def fault(self, *words):
        return self.cloud.run("emulator", "fault", *words, "--state", self.cloud.state)

    def machines(self):
        listed = self.succeeded(self.cloud.run("aws", "list", "--output", "json")).record["instances"]
        return [m for m in listed if m["state"] in ("pending", "running")]

    def create(self, *words, environment=None):
        return self.cloud.run("aws", "create", "t3.medium", "--spot", *words, "--output", "json",
                              environment=environment or ONCE)

    def no_spot(self, code="InsufficientInstanceCapacity", effect="fail-before", status="500"):
        self.succeeded(self.fault("add", "RunInstances", effect, f"code={code}", f"status={status}", "times=1"))

    def launches(self):
        """The requests of the newest launch, with their outcomes, from the journal."""
        operations = self.succeeded(self.cloud.run("operations", "list", "--all", "--output", "json")).record["operations"]
        newest = max((o for o in operations if o["kind"] == "launch"), key=lambda o: o["begun"])
        shown = self.succeeded(self.cloud.run("operations", "show", newest["operation_id"], "--output", "json")).record
        return [(step["action"], step["outcome"]) for step in shown["steps"]]

    def test_a_spot_machine_says_that_it_is_one(self):
        made = self.succeeded(self.create("--spot-max-price", "0.02"))
        self.assertEqual((made.record["market"], made.record["lifecycle"]), ("spot", "spot"))
        self.assertNotIn("ON-DEMAND", made.err)
        machine = made.record["instance_id"]
        self.assertRegex(self.cloud.run("aws", "list").out, rf"{machine}.* spot ")
        status = self.succeeded(self.cloud.run("aws", "status", machine, "--output", "json")).record["spot"]
        self.assertEqual((status["type"], status["state"], status["status"], status["on_interruption"], status["max_price"]),
                         ("one-time", "active", "fulfilled", "terminate", "0.02"))
        text = self.succeeded(self.cloud.run("aws", "status", machine)).out
        self.assertRegex(text, r"spot: +one-time request sir-\w+ \(active, fulfilled\); an interruption terminates it")

    def test_it_cannot_be_stopped_and_that_is_said_before_anything_is_done(self):
        machine = self.succeeded(self.create("--wait")).record["instance_id"]
        before = len(self.cloud.requests())
        self.refused(self.cloud.run("aws", "stop", machine), "one-time", f"runctl aws terminate {machine}")
        self.assertNotIn("StopInstances", self.cloud.requests()[before:])

    def test_where_there_is_none_an_on_demand_machine_comes_loudly(self):
        self.no_spot()
        made = self.succeeded(self.create("-q"))
        self.assertEqual(made.record["market"], "on-demand")
        self.assertIn("InsufficientInstanceCapacity", made.record["fallback_reason"])
        self.assertRegex(made.err, r"THERE IS NO SPOT MACHINE: .*InsufficientInstanceCapacity.*\n"
                                   r"AN ON-DEMAND t3\.medium IS RENTED INSTEAD.*--no-fallback")
        self.assertEqual([m["instance_id"] for m in self.machines()], [made.record["instance_id"]])
        self.assertEqual(self.launches(), [("RunInstances", "not_applied"), ("RunInstances", "applied")])

    def test_a_market_above_the_highest_price_counts_as_none(self):
        made = self.succeeded(self.create("--spot-max-price", "0.005"))
        self.assertEqual(made.record["market"], "on-demand")
        self.assertIn("SpotMaxPriceTooLow", made.record["fallback_reason"])

    def test_without_fallback_nothing_is_rented(self):
        self.no_spot("MaxSpotInstanceCountExceeded", status="400")
        refused = self.create("--no-fallback")
        self.assertEqual(refused.code, 4, refused)
        self.assertIn("MaxSpotInstanceCountExceeded", refused.out + refused.err)
        self.assertEqual(self.machines(), [])

    def test_what_is_no_want_of_spot_falls_back_to_nothing(self):
        self.no_spot("UnauthorizedOperation", status="403")
        self.assertEqual(self.create().code, 5)
        self.no_spot("VcpuLimitExceeded", status="400")
        self.assertNotEqual(self.create().code, 0)
        self.assertEqual(self.machines(), [])

    def test_a_machine_that_came_after_all_is_taken_and_none_beside_it(self):
        self.no_spot(effect="fail-after")
        made = self.succeeded(self.create())
        self.assertEqual(made.record["market"], "spot")
        self.assertNotIn("ON-DEMAND", made.err)
        self.assertEqual([m["instance_id"] for m in self.machines()], [made.record["instance_id"]])

    def test_a_lost_reply_rents_nothing_twice(self):
        self.succeeded(self.fault("add", "RunInstances", "drop-reply", "times=1"))
        made = self.succeeded(self.create(environment={"AWS_MAX_ATTEMPTS": "3"}))
        self.assertEqual(made.record["market"], "spot")
        self.assertEqual(len(self.machines()), 1)

    def test_an_interrupted_machine_says_why_it_ended(self):
        machine = self.succeeded(self.create()).record["instance_id"]
        self.succeeded(self.fault("add", machine, "spot-interruption", "ms=3600000"))
        status = self.cloud.run("aws", "status", machine, "--output", "json").record
        self.assertEqual((status["state"], status["spot"]["status"]), ("running", "marked-for-termination"))
        self.succeeded(self.fault("clear", machine))
        self.succeeded(self.fault("add", machine, "spot-interruption", "ms=0"))
        self.assertTrue(cloud.wait_until(lambda: not self.machines(), 30))
        status = self.cloud.run("aws", "status", machine, "--output", "json").record
        self.assertEqual(status["spot"]["status"], "instance-terminated-no-capacity")
        self.assertIn("Server.SpotInstanceTermination", status["reason"])
        waited = self.cloud.run("aws", "wait", machine)
        self.assertEqual(waited.code, 4, waited)
        self.assertIn("Server.SpotInstanceTermination", waited.err)

    def test_a_plan_says_what_may_come(self):
        plan = self.succeeded(self.cloud.run("aws", "create", "t3.medium", "--spot", "--spot-max-price", "0.5", "--dry-run")).out
        self.assertIn("t3.medium spot instance", plan)
        self.assertIn("at most 0.5 dollars", plan)
        self.assertIn("on-demand", plan)
        plan = self.succeeded(self.cloud.run("aws", "create", "t3.medium", "--spot", "--no-fallback", "--dry-run")).out
        self.assertNotIn("on-demand", plan)

    def test_options_that_make_no_sense_are_refused(self):
        for words in (["--no-fallback"], ["--spot-max-price", "1"], ["--spot", "--spot-max-price", "0.001"],
                      ["--spot", "--spot-max-price", "cheap"], ["--spot", "--spot-max-price", "-1"],
                      ["--spot", "--spot-max-price", "inf"]):
            self.assertEqual(self.cloud.run("aws", "create", "t3.medium", *words).code, 2, words)


if __name__ == "__main__":
    cloud.main()
