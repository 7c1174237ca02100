#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""[long] tests/long/mutants.py [-n COUNT]: small random changes to the code that decides what is issued; the unit tests must fail
with each (spec security.md S42: at least 90 %). Works on a copy. Writes tests/long/mutants.result and what survived."""
import argparse
import datetime
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CA = ["ca/template", "ca/enroll", "ca/manual", "ca/verbs", "ca/bootstrap"]
TESTS = {  # of each file: the programs that must notice, the likeliest first
    "ca/template.c": CA, "ca/template_apply.c": CA, "ca/template_builtin.c": CA, "ca/template_rule.c": CA,
    "ca/authorise.c": ["ca/enroll", "ca/verbs", "ca/manual"],
    "signer/limits.c": ["signer/limits", "signer/signer"],
    "x509/san_rule.c": ["x509/san", "x509/csr", "x509/lint", "ca/template"],
}
CHANGES = [  # a pattern, and what may stand there instead
    (r"==", ["!="]), (r"!=", ["=="]), (r"(?<![-<>=])<(?![<=])", ["<="]), (r"(?<![-<>=])>(?![>=])", [">="]),
    (r"<=", ["<"]), (r">=", [">"]), (r"&&", ["||"]), (r"\|\|", ["&&"]), (r"!(?=[\w(])", [""]),
    (r"\btrue\b", ["false"]), (r"\bfalse\b", ["true"]), (r"(?<=\w) \+ (?=\w)", [" - "]), (r"(?<=\w) - (?=\w)", [" + "]),
    (r"\bcontinue;", ["break;"]), (r"\|=", ["="]), (r"\+\+", [""]), (r"(?<![\w.])\d+(?![\w.])", ["1{}"]),
    (r"\bTRY\([^;]*\);", [";"]), (r"\breturn fail\([^;]*\);", ["return OK;"]),
]
PATIENCE_S = 120


def code_only(text):
    """The text with comments, strings, preprocessor lines and words of seeded faults blanked, so that offsets stay."""
    blank = r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#[^\n]*(?:\\\n[^\n]*)*|!?FAULT\(\w+\)(?: &&| \|\|)?'
    return re.sub(blank, lambda found: re.sub(r"[^\n]", " ", found.group()), text, flags=re.S | re.M)


def mutants_of(file):
    text = (ROOT / file).read_text()
    code = code_only(text)
    for pattern, replacements in CHANGES:
        for found in re.finditer(pattern, code):
            if "fail(" in pattern and "why" not in found.group():
                continue
            for replacement in replacements:
                new = replacement.replace("1{}", str(int(found.group()) + 1)) if "{}" in replacement else replacement
                changed = text[:found.start()] + new + text[found.end():]
                line = text.count("\n", 0, found.start()) + 1
                yield file, line, " ".join(found.group().split())[:60], new, changed


class Copy:
    """A source tree of its own, built without optimisation to speak of."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-mutants."))
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "x", "-C", self.folder], input=archive, check=True)
        self.build = self.folder / "build/mutants"
        subprocess.run(["meson", "setup", self.build, "-Dbuildtype=plain", "-Doptimization=1"], cwd=self.folder,
                       env={**os.environ, "CC": "gcc"}, capture_output=True, check=True)
        self.program = {name: f"tests/unit/{name.replace('/', '/unit-' + name.split('/')[0] + '-')}"
                        for names in TESTS.values() for name in names}
        if not self.make(set(self.program)):
            sys.exit("the build fails without any change")
        self.unchanged = {file: self.machine_code(file) for file in TESTS}

    def make(self, names):
        done = subprocess.run(["ninja", "-C", self.build, *[self.program[name] for name in names]], capture_output=True)
        return done.returncode == 0

    def survives(self, names):
        for name in names:
            try:
                done = subprocess.run([self.build / self.program[name]], cwd=self.build, capture_output=True,
                                      timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                return False
            if done.returncode != 0:
                return False
        return True

    def machine_code(self, file):
        found = next(self.build.glob(f"**/{pathlib.Path(file).name}.o"))
        return subprocess.run(["objdump", "-d", "--no-show-raw-insn", found], capture_output=True, check=True).stdout

    def judge(self, mutant):
        file, _, _, _, changed = mutant
        path = self.folder / file
        original = path.read_text()
        path.write_text(changed)
        try:
            if not self.make(TESTS[file]):
                return "no program"
            if self.machine_code(file) == self.unchanged[file]:
                return "same program"
            return "survived" if self.survives(TESTS[file]) else "killed"
        finally:
            path.write_text(original)  # built again with the next mutant


def main():
    options = argparse.ArgumentParser()
    options.add_argument("-n", type=int, default=0, help="how many, chosen at random; all of them without it")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    every = [mutant for file in TESTS for mutant in mutants_of(file)]
    chosen = random.Random(given.seed).sample(every, min(given.n or len(every), len(every)))
    copy = Copy()
    counts = {"killed": 0, "survived": 0, "same program": 0, "no program": 0}
    survivors = []
    try:
        for name in {name for names in TESTS.values() for name in names}:
            if not copy.survives([name]):
                sys.exit(f"{name} fails without any change")
        for mutant in chosen:
            verdict = copy.judge(mutant)
            counts[verdict] += 1
            if verdict == "survived":
                survivors.append("{}:{}: {} -> {}".format(*mutant[:4]))
                print(survivors[-1], flush=True)
    finally:
        shutil.rmtree(copy.folder)
    real = counts["killed"] + counts["survived"]
    commit = subprocess.run(["git", "describe", "--always"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [f"mutants, {now}, commit {commit}, {len(chosen)} of {len(every)} changes, seed {given.seed}", *sorted(survivors),
             ", ".join(f"{count} {verdict}" for verdict, count in counts.items()),
             f"mutants: {counts['killed']} of {real} killed ({100 * counts['killed'] / max(real, 1):.1f} %)"]
    (ROOT / "tests/long/mutants.result").write_text("\n".join(lines) + "\n")
    print(*lines[-2:], sep="\n")
    return 0 if counts["killed"] >= 0.9 * real else 1


if __name__ == "__main__":
    sys.exit(main())
