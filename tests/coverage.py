#!/usr/bin/env python3
"""coverage.py FOLDER EXCUSES: what gcov says of the objects in FOLDER, by the lines of
the chapters. Fails unless all lines and 95 % of the branches are reached, those in
EXCUSES apart.

A line that is compiled several times, as a template or as a chunk that is used twice,
is one line, and its branches are those of where it has most: reached when they are in
one of these places.

An excuse is a line `FILE: BRANCHES: TEXT` with its reason, indented, behind it: so many
branches of the lines that read TEXT are not reached; with `line` for BRANCHES, the lines
themselves. An excuse that excuses less is an error.
"""
import glob
import json
import subprocess
import sys

folder, excuses = sys.argv[1:]
counts = {}  # (file, line): [[count, branches], ...]
place = {}  # (file, line): in which file of code/nn
objects = sorted(glob.glob(folder + "/*.gcno"))
for one in objects:
    said = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout", one],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout
    for file in json.loads(said)["files"]:
        if not file["file"].startswith("chapters/"):
            continue
        for line in file["lines"]:
            at = file["file"], line["line_number"]
            counts.setdefault(at, []).append([line["count"], [b["count"] for b in line["branches"]]])
            place[at] = one.split("/")[-1].replace(".gcno", ".c")

texts = {name: open(name, encoding="utf-8").read().split("\n") for name in {at[0] for at in counts}}
excused = {}  # (file, text): [branches or "line", left of them, where]
bad = []
for number, line in enumerate(open(excuses, encoding="utf-8"), 1):
    if line[0] in "#\n ":
        continue
    name, amount, text = line.rstrip("\n").split(": ", 2)
    amount = amount if amount == "line" else int(amount)
    excused.setdefault((name, text), []).append([amount, amount, "%s:%d" % (excuses, number)])


def excuse(name, text, what):
    """Whether a branch, or the line, is excused."""
    for one in excused.get((name, text), []):
        if what == "line" and one[0] == "line":
            one[1] = 0
            return True
        if what == "branch" and one[0] != "line" and one[1] > 0:
            one[1] -= 1
            return True
    return False


rows = {}  # file of code/nn: [lines, reached, branches, reached, excused lines, excused branches]
for at in sorted(counts):
    name, number = at
    text = texts[name][number - 1].strip()
    most = max(len(branches) for _, branches in counts[at])
    branches = [0] * most
    for count, some in counts[at]:
        if some and len(some) != most:
            bad.append("%s:%d: %d branches in one place, %d in another" % (name, number, len(some), most))
        branches = [a + b for a, b in zip(branches, some or [0] * most)]
    row = rows.setdefault(place[at], [0] * 6)
    if max(count for count, _ in counts[at]) > 0:
        row[0] += 1
        row[1] += 1
    elif excuse(name, text, "line"):
        row[4] += 1
        row[5] += most
        continue
    else:
        row[0] += 1
        print("%s:%d: not reached: %s" % (name, number, text))
    for i, count in enumerate(branches):
        if count == 0 and excuse(name, text, "branch"):
            row[5] += 1
            continue
        row[2] += 1
        row[3] += count > 0
        if count == 0:
            print("%s:%d: branch %d of %d: %s" % (name, number, i + 1, most, text))

for (name, text), some in excused.items():
    for amount, left, where in some:
        if left:
            bad.append("%s: excuses %s more than there is: %s: %s" % (where, left, name, text))

form = "%-12s %5d of %5d lines, %5.1f %%, %4d of %4d branches, %5.1f %%; excused: %d, %d"
total = [sum(column) for column in zip(*rows.values())] or [0] * 6
for name, row in sorted(rows.items()) + [("all", total)]:
    print(form % (name, row[1], row[0], 100 * row[1] / (row[0] or 1), row[3], row[2],
                  100 * row[3] / (row[2] or 1), row[4], row[5]))
if total[0] == 0 or total[1] < total[0]:
    bad.append("not all lines are reached")
if total[3] < 0.95 * total[2]:
    bad.append("fewer than 95 % of the branches are reached")
for line in bad:
    print(line)
sys.exit(bool(bad))
