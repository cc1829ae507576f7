# SPDX-License-Identifier: BSD-3-Clause
"""
Reads OpenMetrics 1.0 text strictly: read_metrics(text) -> {family: (type, {labels: value})}, or
ValueError with the line. Labels are a sorted tuple of pairs.
"""
import re

SUFFIX = {'counter': '_total', 'gauge': '', 'info': '_info'}
NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')


def labels_of(text):
    found, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match or match[1] in found:
            raise ValueError(f'labels {text!r}')
        found[match[1]] = re.sub(r'\\(.)', lambda m: '\n' if m[1] == 'n' else m[1], match[2])
        at = match.end()
        if at < len(text):
            if text[at] != ',' or at + 1 == len(text):
                raise ValueError(f'labels {text!r}')
            at += 1
    return tuple(sorted(found.items()))


class Reader:
    def __init__(self):
        self.families, self.current, self.helped = {}, None, False

    def comment(self, line):
        match = re.fullmatch(rf'# (TYPE|HELP) ({NAME}) (.+)', line)
        if not match:
            raise ValueError(f'neither TYPE nor HELP: {line!r}')
        what, name, text = match.groups()
        if what == 'TYPE':
            if name in self.families or text not in SUFFIX:
                raise ValueError(f'again, or of no type: {line!r}')
            self.families[name] = (text, {})
            self.current, self.helped = name, False
        elif name != self.current or self.helped or self.families[name][1]:
            raise ValueError(f'HELP at the wrong place: {line!r}')
        else:
            if re.search(r'(?<!\\)(?:\\\\)*(\\[^\\n"]|")', text):
                raise ValueError(f'HELP is not escaped: {line!r}')
            self.helped = True

    def sample(self, line):
        match = re.fullmatch(rf'({NAME})(?:{{(.*)}})? (\d+)', line)
        if not match or not self.helped:
            raise ValueError(f'no sample, or TYPE and HELP do not come before: {line!r}')
        kind, samples = self.families[self.current]
        if match[1] != self.current + SUFFIX[kind]:
            raise ValueError(f'not of {self.current}: {line!r}')
        labels = labels_of(match[2] or '')
        if labels in samples or (kind == 'info' and match[3] != '1'):
            raise ValueError(f'again, or no info: {line!r}')
        samples[labels] = int(match[3])


def read_metrics(text):
    if not text.endswith('\n# EOF\n'):
        raise ValueError('no EOF')
    reader = Reader()
    for line in text[:-len('# EOF\n')].split('\n')[:-1]:
        (reader.comment if line.startswith('#') else reader.sample)(line)
    return reader.families
