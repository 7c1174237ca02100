#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up gcov's counts for tests/coverage. usage: coverage.py BUILD LEAST --missing|'' FILE..."""
import json
import pathlib
import subprocess
import sys


def counts_of(build, source):
    """line number -> how often it ran, over every object that the source was compiled to"""
    folder, name = source.split('/')
    lines = {}
    for notes in build.glob(f'{folder}/*.p/{name}.gcno'):
        out = subprocess.run(['gcov', '--json-format', '--stdout', str(notes)], check=True, cwd=build, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        for file in json.loads(out)['files']:
            if not file['file'].endswith(source):
                continue
            for line in file['lines']:
                number = line['line_number']
                lines[number] = lines.get(number, 0) + line['count']
    return lines


def ranges(numbers):
    out = []
    for number in sorted(numbers):
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ', '.join(f'{a}' if a == b else f'{a}-{b}' for a, b in out)


def main():
    build, least, missing, sources = pathlib.Path(sys.argv[1]).resolve(), float(sys.argv[2]), sys.argv[3], sys.argv[4:]
    all_lines = all_run = 0
    for source in sources:
        lines = counts_of(build, source)
        if not lines:
            sys.exit(f'{source}: gcov knows nothing of it')
        run = sum(1 for count in lines.values() if count)
        all_lines, all_run = all_lines + len(lines), all_run + run
        print(f'{100 * run / len(lines):6.1f} %  {run:4} of {len(lines):4}  {source}')
        if missing == '--missing' and run < len(lines):
            print(f'          never run: {ranges(n for n, count in lines.items() if not count)}')
    share = 100 * all_run / all_lines
    print(f'{share:6.1f} %  {all_run} of {all_lines} lines of {len(sources)} parsers; at least {least:g} %:',
          'passed' if share >= least else 'FAILED')
    sys.exit(0 if share >= least else 1)


if __name__ == '__main__':
    main()
