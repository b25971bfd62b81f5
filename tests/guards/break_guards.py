"""Takes out each guard that data depends on, one at a time, and shows which tests then fail.

    python3 tests/guards/break_guards.py [--keep] [NAME...]

Works on a copy of the sources below build/guards, built with the dev preset; the tree itself is not touched. Takes some
minutes, and needs root for the guards whose tests need real devices. Exit status 1 when a guard could go unnoticed.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "guards"
BUILD = COPY / "build" / "dev"

# Guards with another one behind them (mkfs: known signatures, behind which stands the reading of zeros) are not here: taking
# out one of two shows nothing.
# name: (file, text, what stands in its place, the tests that are asked)
GUARDS = {
    "unmount before detach": (
        "src/volume/plan_detach.cpp", "plan.unmount_first = !off;", "plan.unmount_first = false;",
        r"volume\..*Detach|cli\.machines"),
    "in-use refusal of unmount": (
        "src/node/scripts/unmount.sh", '[ "$user_count" = 0 ] || die busy "$VOLUME_ID is in use"',
        ': || die busy "$VOLUME_ID is in use"', r"node\.on_block_machine"),
    "refusal of a volume that another machine holds": (
        "src/volume/plan_attach.cpp", "    plan.refusal = held_volume(volume, volume.attachments.front(),",
        "    (void)held_volume(volume, volume.attachments.front(),", r"volume\.|cli\.volumes"),
    "mkfs guard: only what was created empty": (
        "src/node/scripts/format.sh", '[ "$CREATED_EMPTY" = yes ] ||', ": ||", r"node\.on_block_machine"),
    "mkfs guard: nothing that does not read as zeros": (
        "src/node/scripts/format.sh", '  reads_zero "$1" "$2" && return 0', "  return 0", r"node\.on_block_machine"),
    "serial check": (
        "src/node/scripts/device.sh", 'if [ "$serial" = "vol${VOLUME_ID#vol-}" ]; then', 'if [ -n "$serial" ]; then',
        r"node\.on_block_machine"),
    "journal before the request": (
        "src/journal/recorder.cpp", "  auto written = write();\n  if (written) return {};",
        "  if (operation_.steps.size() == 1) return {};\n  auto written = write();\n  if (written) return {};",
        r"journal\.|cli\.operations"),
    "reading after an attach whose outcome is not known": (
        "src/volume/attach.cpp", "if (!must_be_read(sent.error()))", "if (must_be_read(sent.error()))", r"fault\."),
    "an attach is sent once": (
        "src/aws/ec2/volume.hpp", '"AttachVolume", Idempotent::no}', '"AttachVolume", Idempotent::yes}', r"aws\.|fault\."),
    "the dead man thaws": (
        "src/node/scripts/freeze.sh", "  until fsfreeze --unfreeze /proc/self/fd/4; do", "  until true; do",
        r"node\.on_frozen"),
    "consistent only when it stood still to the end": (
        "src/volume/standstill.cpp", "    if (!thawed->held) {", "    if (false) {", r"node\.on_frozen|volume\.|disks\.snapshots"),
    "the freeze around a snapshot": (
        "src/node/scripts/freeze.sh", "fsfreeze --freeze /proc/self/fd/4 2>", "true 2>", r"node\.on_frozen|disks\.snapshots"),
    "a sealed device is tried to be written": (
        "src/node/scripts/mount.sh", "conv=nocreat,notrunc oflag=direct iflag=fullblock 2>/dev/null; then",
        "conv=nocreat,notrunc oflag=direct iflag=fullblock 2>/dev/null && false; then", r"node\..*sealed_mounting"),
    "a sealed mount is tried to be written": (
        "src/node/scripts/mount.sh", "  if (: >\"$path/.runctl-write-test.$$\") 2>/dev/null; then", "  if false; then",
        r"node\..*sealed_mounting"),
    "nothing dirty is sealed": (
        "src/node/scripts/make_manifest.sh", '[ "$journal" != dirty ] ||', ": ||", r"node\..*manifests"),
    "nothing mounted is sealed": (
        "src/node/scripts/make_manifest.sh", '[ "$mounts_json" = \'[]\' ] ||', ": ||", r"node\..*manifests"),
    "a check before a volume taken by force is written": (
        "src/node/scripts/mount.sh", '[ "$CHECK_FIRST:$READ_ONLY" != yes:no ] || check_filesystem', ":", r"node\..*after_a_cut"),
    "the digest of a manifest": (
        "src/node/scripts/contents.sh", '[ -z "$1" ] || [ "$digest" = "$1" ] ||', ": ||", r"node\..*manifest"),
    "signature checking": (
        "src/aws/sigv4_verify.cpp", "if (!equal_in_constant_time(expected, presented.signature)) {",
        "if (expected.empty()) {", r"aws\.|emulator\.|conformance"),
}


def run(*words, **options):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, **options)


def copy_tree():
    files = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, files.split("\0")):
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copy(source, target)


def build():
    if not (BUILD / "build.ninja").exists():
        run("cmake", "--preset", "dev", cwd=COPY)
    built = run("cmake", "--build", "--preset", "dev", cwd=COPY)
    if built.returncode != 0:
        sys.exit(built.stdout[-3000:])


def failing(tests):
    outcome = run("ctest", "--preset", "dev", "-R", tests, cwd=COPY)
    failed = re.findall(r"^\s*\d+ - (\S+).*\(\w+\)$", outcome.stdout, re.M)
    details = set(re.findall(r"^FAIL: (\w+) ", outcome.stdout, re.M))
    if outcome.returncode != 0 and not failed:
        sys.exit(outcome.stdout[-2000:] + outcome.stderr)
    return failed + sorted(details)


def main(words):
    keep = "--keep" in words
    chosen = [word for word in words if word != "--keep"] or list(GUARDS)
    copy_tree()
    build()
    unnoticed = []
    for name in chosen:
        file, text, instead, tests = GUARDS[name]
        whole = (ROOT / file).read_text()
        if whole.count(text) != 1:
            sys.exit(f"{name}: {file} has {whole.count(text)} times: {text}")
        try:
            (COPY / file).write_text(whole.replace(text, instead))
            build()
            failed = failing(tests)
        finally:
            (COPY / file).write_text(whole)
        print(f"{name}: {'NOBODY NOTICES' if not failed else f'{len(failed)} fail'}", flush=True)
        for test in failed[:6]:
            print(f"    {test}")
        if not failed:
            unnoticed.append(name)
    build()
    left = failing("|".join(GUARDS[name][3] for name in chosen))
    print("with all guards in place: " + (", ".join(left) if left else "all pass"))
    if not keep:
        shutil.rmtree(COPY)
    return 1 if unnoticed or left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
