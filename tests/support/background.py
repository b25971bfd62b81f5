"""A runctl at work in the background, whose output is read as it comes."""
import subprocess
import threading

import cloud


class Background:
    def __init__(self, where, *words, environment=None, directory=None):
        self.process = subprocess.Popen([cloud.RUNCTL, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**where.environment, **(environment or {})}, cwd=directory or where.directory)
        self.said, self.errors = [], []
        self.readers = [threading.Thread(target=self.read, args=(stream, lines), daemon=True)
                        for stream, lines in ((self.process.stdout, self.said), (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line)
        stream.close()

    def until(self, test, condition, seconds=120):
        """Waits for `condition`, which must come before the process ends."""
        test.addCleanup(self.process.kill)
        test.assertTrue(cloud.wait_until(lambda: condition() or self.process.poll() is not None, seconds), self.text())
        test.assertTrue(condition(), self.text())
        return self

    def until_it_says(self, test, text, seconds=120):
        return self.until(test, lambda: text in "".join(self.said), seconds)

    def text(self):
        return "".join(self.said) + "--- err\n" + "".join(self.errors)

    def ended(self, seconds=400):
        code = self.process.wait(timeout=seconds)
        for reader in self.readers:
            reader.join()
        return code, "".join(self.said), "".join(self.errors)
