# SPDX-License-Identifier: Apache-2.0
"""The table of seeded faults: read, judged against the code and the tests, and made into a header.

  names.py header CHOICE TABLE OUTPUT   the header of a build with -Dfault=CHOICE
  names.py check ROOT                   every name is used, every use has a name, every test is there
"""
import pathlib
import re
import sys
from typing import NamedTuple

FOLDERS = "base config x509 store net ipc http challenge signer ca scep va mdm cli daemon".split()


class Fault(NamedTuple):
    name: str
    ids: str  # of spec security.md: the threat, or the line of the scorecard
    file: str  # FOLDER/PROGRAM[:ARGUMENT] of tests/unit, or system/NAME
    test: str
    removes: str

    @property
    def word(self):
        return self.name.replace("-", "_")

    @property
    def is_system(self):
        return self.file.startswith("system/")

    @property
    def source(self):
        path = self.file.partition(":")[0]
        return f"tests/{path}.bats" if self.is_system else f"tests/unit/{path}.c"


def read_table(path):
    faults = []
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("|")]
        if len(columns) != 5 or not all(columns):
            sys.exit(f"{path}:{number}: {len(columns)} columns, wanted: name | ids | file | test | what it takes out")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", columns[0]) or columns[0] == "any":
            sys.exit(f"{path}:{number}: {columns[0]} is no name of a fault")
        if not re.fullmatch(r"([A-FS]\d+ ?)+", columns[1]):
            sys.exit(f"{path}:{number}: {columns[1]} are no ids of spec security.md")
        if columns[0] in [fault.name for fault in faults]:
            sys.exit(f"{path}:{number}: {columns[0]} is there twice")
        faults.append(Fault(*columns))
    return faults


def header(choice, table, output):
    faults = read_table(table)
    if choice != "any" and choice not in [fault.name for fault in faults]:
        sys.exit(f"-Dfault={choice}: there is no such fault; {table} has them all, and \"any\" chooses at run time")
    lines = ["/* made by tests/faults/names.py */"]
    if choice == "any":
        lines.append("extern int fault_chosen;")
        lines.append("#define FAULT_TABLE " + ", ".join(f'"{fault.name}"' for fault in faults))
    for number, fault in enumerate(faults, 1):
        value = f"(fault_chosen == {number})" if choice == "any" else str(fault.name == choice).lower()
        lines.append(f"#define FAULT_{fault.word} {value}")
    pathlib.Path(output).write_text("\n".join(lines) + "\n")


def uses_in_code(root):
    uses = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.c")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for word in re.findall(r"\bFAULT\((\w+)\)", line):
                    uses.setdefault(word, f"{path.relative_to(root)}:{number}")
    return uses


def has_test(root, fault):
    path = root / fault.source
    if not path.exists():
        return False
    text = path.read_text()
    return f'@test "{fault.test}"' in text if fault.is_system else f"TEST({fault.test})" in text


def problems(root):
    faults = read_table(root / "tests/faults/table")
    words = {fault.word for fault in faults}
    uses = uses_in_code(root)
    yield from (f"{uses[word]}: FAULT({word}) is not in the table" for word in sorted(uses.keys() - words))
    yield from (f"{fault.name} is in the table and no code uses it" for fault in faults if fault.word not in uses)
    yield from (f"{fault.name}: {fault.source} has no test {fault.test}" for fault in faults if not has_test(root, fault))


def main(arguments):
    if len(arguments) == 4 and arguments[0] == "header":
        header(*arguments[1:])
    elif len(arguments) == 2 and arguments[0] == "check":
        found = list(problems(pathlib.Path(arguments[1])))
        sys.exit("\n".join(found) if found else 0)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
