#!/usr/bin/env python3
"""Refuses the expressions around co_await that g++ 12 miscompiles, and two random draws in one call.

g++ 12.2 destroys twice: braced aggregate temporaries and lambdas with by-value captures inside a
full-expression that contains co_await.  It crashes on `switch (co_await ...)`.  It awaits the right
side of && || ?: although the left side has decided, except in the condition of an `if`.  Compilers
evaluate the arguments of f(random.next(), random.next()) in different orders.
"""
import re
import sys

AWAIT = re.compile(r'\bco_await\b')
SAFE_CAPTURE = re.compile(r'\[\s*(&\w*|this)?(\s*,\s*(&\w+|this))*\s*\]')
# In one expression; `next` alone is too common a word, so the receiver must look random.
DRAW = re.compile(r'\b(?:\w*(?:random|stream|draw)\w*_?(?:\.|->)(?:next|below|between|chance|exponential)'
                  r'|draw\w*)\s*\(')


def without_comments_and_texts(source):
    source = re.sub(r'//[^\n]*|/\*.*?\*/', lambda m: re.sub(r'[^\n]', ' ', m.group()), source, flags=re.S)
    source = re.sub(r'R"(\w*)\(.*?\)\1"', lambda m: re.sub(r'[^\n]', ' ', m.group()), source, flags=re.S)
    return re.sub(r'"(\\.|[^"\\\n])*"', lambda m: '"' + ' ' * (len(m.group()) - 2) + '"', source)


def skip_lambda_body(text, position):
    position = text.find('{', position)
    depth = 0
    while 0 <= position < len(text):
        depth += {'{': 1, '}': -1}.get(text[position], 0)
        if depth == 0:
            return position + 1
        position += 1
    return len(text)


def awaits_conditionally(text, start):
    """Is the co_await right of && || ? in its expression, which is not the whole condition of an if?"""
    position, depth, decided, operands = start - 1, 0, False, True
    while position >= 0 and (depth > 0 or text[position] not in ';{}'):
        character, before = text[position], text[:position]
        if character in ')]':
            depth += 1
        elif character in '([':
            depth -= 1
            if depth < 0:
                keyword = re.search(r'\b(if|while|for|switch)\s*$', before[-20:])
                if keyword:
                    return decided and (keyword[1] != 'if' or 'co_await' in text[position:start])
                depth, operands = 0, True
        elif depth == 0 and (character == ',' or re.match(r'[^=!<>]=[^=]', text[position - 1:position + 2])):
            operands = False  # what stands before a comma or an assignment decides nothing about it
        elif depth == 0 and operands and (character == '?' or text[position - 1:position + 1] in ('&&', '||')):
            decided = decided or not re.search(r'\bauto\s*&$', before[-20:])
        position -= 1
    return decided


def fault_of_await(text, start, end):
    """What is wrong with the expression that begins at the co_await, or None."""
    if awaits_conditionally(text, start):
        return 'co_await right of && || ?: outside the condition of an if: use an if of its own'
    if re.search(r'\bswitch\s*\(\s*$', text[max(0, start - 40):start]):
        return 'switch (co_await ...): name the value first'
    position, depth = end, 0
    while position < len(text) and text[position] != ';':
        character = text[position]
        before = text[:position]
        if character == '(':
            depth += 1
        elif character == ')':
            depth -= 1
            if depth < 0:
                return None
        elif character == '[' and re.search(r'[(,=]\s*$', before[-80:]):
            if not SAFE_CAPTURE.match(text[position:position + 200]):
                return 'lambda with by-value capture inside co_await: name it first, then std::move it in'
            position = skip_lambda_body(text, position)
            continue
        elif character == '{' and (depth > 0 or re.search(r'[\w>]\s*$', before[-80:])):
            return 'braced temporary inside co_await: name the value first'
        position += 1
    return None


def double_draws(text):
    for match in re.finditer(r'[^;{}]*', text):
        statement = match.group()
        # Two draws are ordered by && || , ?: and ; -- only an argument list or an operator is not.
        parts = re.split(r'&&|\|\||\?|\bfor\s*\(', statement)
        for part in parts:
            draws = DRAW.findall(part)
            if len(draws) > 1:
                yield match.start() + len(statement) - len(statement.lstrip())


def check(path):
    with open(path, encoding='utf-8') as file:
        text = without_comments_and_texts(file.read())
    found = []
    for match in AWAIT.finditer(text):
        why = fault_of_await(text, match.start(), match.end())
        if why:
            found.append((match.start(), why))
    if '/bench/' not in path:
        found += [(at, 'two random draws in one expression: compilers order them differently; name the first')
                  for at in double_draws(text)]
    for at, why in sorted(found):
        print(f"{path}:{text.count(chr(10), 0, at) + 1}: error: {why}")
    return len(found)


if __name__ == '__main__':
    sys.exit(sum(check(path) for path in sys.argv[1:]) != 0)
