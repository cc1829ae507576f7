#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check the shape of C files: length of files and functions, parameters, nesting.

usage: shape.py [--stats] FILE...

Prints `file:line: what`; exit status 1 if a limit is passed. --stats adds a line with medians.
A function is recognised by its brace in the first column. A comment above it that holds
"shape: parameters, WHY" (or lines, or nesting) excuses it.
"""
import re
import statistics
import sys

FILE_MAX, FUNCTION_MAX, PARAMETERS_MAX, NESTING_MAX = 600, 60, 6, 4
CONTROL = {'if', 'for', 'while', 'switch'}


def blank(match):
    """Comments and literals become blanks; lines stay where they are."""
    text = match.group(0)
    return re.sub(r'[^\n]', ' ', text) if text[0] == '/' else '0'


def strip(text):
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)
    return re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', blank_lines, text, flags=re.M)


def blank_lines(match):
    return re.sub(r'[^\n]', '', match.group(0))


class Body:
    """The statements of one function body, read for how deep control flow nests."""

    def __init__(self, tokens):
        self.tokens, self.at = tokens, 0

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def group(self):
        """Pass over a balanced ( [ { group."""
        depth = 0
        while self.peek() is not None:
            depth += {'(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1}.get(self.peek(), 0)
            self.at += 1
            if depth == 0:
                return

    def block(self, depth):
        deepest = depth
        self.at += 1
        while self.peek() not in (None, '}'):
            deepest = max(deepest, self.statement(depth))
        self.at += 1
        return deepest

    def under(self, depth):
        """What a control statement governs."""
        return self.block(depth + 1) if self.peek() == '{' else max(
            depth + 1, self.statement(depth + 1))

    def statement(self, depth):
        token = self.peek()
        if token == '{':
            return self.block(depth)
        if token in CONTROL:
            self.at += 1
            self.group()
            deepest = self.under(depth)
            while token == 'if' and self.peek() == 'else':
                self.at += 1
                if self.peek() == 'if':
                    return max(deepest, self.statement(depth))
                deepest = max(deepest, self.under(depth))
            return deepest
        if token == 'do':
            self.at += 1
            deepest = self.under(depth)
            return max(deepest, self.simple())
        return self.loop_macro(depth) or self.simple() or depth

    def loop_macro(self, depth):
        """name(...) { ... }: a macro that loops."""
        start = self.at
        if re.match(r'[A-Za-z_]\w*$', self.peek()) and self.peek(1) == '(':
            self.at += 1
            self.group()
            if self.peek() == '{':
                return self.block(depth + 1)
        self.at = start
        return 0

    def simple(self):
        """Up to the semicolon, or the colon of a label."""
        ternary = False
        while self.peek() not in (None, ';', '}'):
            if self.peek() == ':' and not ternary:
                break
            ternary = ternary or self.peek() == '?'
            if self.peek() in '([{':
                self.group()
            else:
                self.at += 1
        if self.peek() != '}':
            self.at += 1
        return 0


def parameters(header):
    """Parameters of the function whose header this is."""
    depth = commas = 0
    start = header.find('(')
    for i in range(start, len(header)):
        depth += {'(': 1, ')': -1}.get(header[i], 0)
        commas += header[i] == ',' and depth == 1
        if depth == 0:
            inside = header[start + 1:i].strip()
            return 0 if inside in ('', 'void') else commas + 1
    return 0


def functions(lines):
    """(first line, line of the brace, header, body lines) of every function."""
    for i, line in enumerate(lines):
        if line.rstrip() != '{' or i == 0:
            continue
        first = i
        while first > 0 and lines[first - 1].strip() and lines[first - 1][0] not in '};':
            first -= 1
        last = next((j for j in range(i, len(lines)) if lines[j].startswith('}')), None)
        if last is not None:
            yield first, i, ' '.join(lines[first:i]), lines[i:last + 1]


def comment_start(raw, first):
    """First line of the comment that ends above line `first`."""
    if first == 0 or not raw[first - 1].rstrip().endswith('*/'):
        return first
    return next(j for j in range(first - 1, -1, -1) if '/*' in raw[j])


def check(path, sizes):
    text = open(path, encoding='utf-8').read()
    raw = text.split('\n')
    lines = strip(text).split('\n')
    count = text.count('\n')
    found = []
    # A unit test is as long as what its file of lib/ or sensor/ can get wrong.
    if count > FILE_MAX and not path.startswith('tests/unit/'):
        found.append((1, f'{count} lines, more than {FILE_MAX}'))
    for first, at, header, body in functions(lines):
        name = re.search(r'(\w+)\s*\(', header)
        name = name.group(1) if name else '?'
        size = len(body) - 2
        excuses = ' '.join(raw[comment_start(raw, first):first])
        sizes.append(size)
        tokens = re.findall(r'\w+|\S', '\n'.join(body))
        nesting = Body(tokens).block(0)
        for what, value, limit in (('lines', size, FUNCTION_MAX),
                                   ('parameters', parameters(header), PARAMETERS_MAX),
                                   ('nesting', nesting, NESTING_MAX)):
            if value > limit and f'shape: {what},' not in excuses:
                found.append((at + 1, f'{name}: {what} {value}, more than {limit}'))
    for line, what in found:
        print(f'{path}:{line}: {what}')
    return len(found)


def main():
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ('-h', '--help'):
        print(__doc__.strip())
        return 0 if arguments else 2
    stats = arguments[0] == '--stats'
    sizes = []
    bad = sum(check(path, sizes) for path in arguments[stats:])
    if stats and sizes:
        print(f'{len(sizes)} functions, median {statistics.median(sizes):.0f} lines,'
              f' longest {max(sizes)}')
    return 1 if bad else 0


sys.exit(main())
