"""Small programs in pure Python, for running them before and after a disguise."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.disguise import WHOLE, Disguised

PROGRAM = '''
"""What a project of one file may hold."""
import math
from collections import Counter, OrderedDict as Ordered
from itertools import chain

LIMIT = 3
NAMES = ("one", "two", "three")


def exists(value):
    return value is not None


def default(value, other):
    return value if exists(value) else other


def clamp(value, low=0, high=10):
    if value < low:
        return low
    if value > high:
        return high
    return value


def scaled(value, factor):
    shifted = value + 1
    result = shifted * factor
    return result


def logged(log, value):
    log.append(value)
    return value


def arithmetic(a, b, c=2):
    """Do sums."""
    total = a + b * c
    total += c
    total = total - 1
    ratio = total // (abs(b) + 1)
    first, second = a ** 2, pow(b, 2)
    left = right = first + second
    first, second = second, first
    return total, ratio, first - second, left * right, scaled(a, factor=b), scaled(value=b + c, factor=2)


def branches(n, flag=None):
    if n < 0:
        kind = "negative"
    elif n == 0:
        kind = "zero"
    else:
        kind = "large" if n > LIMIT else "small"
    label = "none"
    if flag is not None and flag != 3:
        label = str(flag)
    extra = flag if flag else 7
    other = flag or 9
    if not (n > 2 and flag):
        kind = kind + "!"
    if 0 < n < 5 or n in (7, 8):
        label = label + "?"
    if isinstance(flag, (int, str)):
        label = label.upper()
    return kind, label, extra, other, default(flag, n), clamp(n, high=4), clamp(high=5, value=n * 2)


def early(n):
    if n % 2 == 0:
        half = n // 2
        if half > 2:
            return "big half"
        return "half"
    else:
        result = n * 3 + 1
    if result > 20:
        result = result - 20
        result = result * 2
        return result
    return result + 1


def nothing(items):
    count = 0
    if items:
        for item in items:
            if item > 0:
                count += 1
                items = items + [count]


def loops(items):
    out = []
    for item in items:
        if item % 2:
            out.append(item * item)
    squares = {x: x * x for x in items if x}
    nested = [a * b for a in items for b in range(a % 3)]
    letters = {str(x) for x in items}
    texts = [str(x) for x in items]
    lengths = list(map(len, texts))
    doubled = list(map(lambda x: x * 2, items))
    signs = tuple(map(lambda x: x > 0, items))
    item = "kept"
    return out, squares, nested, sorted(letters), lengths, doubled, signs, item


def indexed(items):
    values = list(items)
    total = 0
    for i in range(len(values)):
        total += values[i] * i
        if values[i] > 5:
            total -= 1
    pairs = []
    for index, value in enumerate(values):
        if value < 0:
            continue
        pairs.append((index, value))
    for value in values:
        total = total + value
    for i in range(len(values)):
        values[i] = values[i] + i
    for count, letter in enumerate("abc"):
        pairs.append((letter, count))
    return total, pairs, values


def whiles(n):
    count = 0
    steps = []
    while count < n:
        steps.append(count)
        count += 2
    i = 0
    total = 0
    while i < 5:
        total += i * n
        i += 1
    for j in range(n):
        if j > 3:
            break
        total += j
    for k in range(1, 4):
        total = total * 2 + k
    while True:
        if total < 100:
            break
        total = total // 3
    return steps, count, total


def search(items, wanted):
    for item in items:
        if item == wanted:
            return True
    return False


def every(items):
    for item in items:
        if item < 0:
            return False
    return True


def some(items):
    return any(x > 3 for x in items), all([x > 0 for x in items])


def some_more(items):
    return any(x > 3 for x in items)


def closest(items, goal):
    best = None
    score = float("inf")
    for item in items:
        distance = abs(item - goal)
        if distance < score:
            score = distance
            best = item
    far = max(items, key=lambda x: abs(x - goal), default=None)
    near = min((4, 1, 3), key=lambda x: abs(x - goal))
    return best, far, near


def texts(name, number):
    count = len(name)
    word = str(number)
    a = f"{name}:{number}"
    b = f"{count:>5}|{name!r}"
    c = "{} of {}".format(count, word)
    d = "<" + word + ">" + str(count)
    e = f"{count} items {{{word}}} 100%"
    return a, b, c, d, e, f"{word}"


def emptiness(items):
    kept = [x for x in items if x]
    other = ()
    made = dict(kept=len(kept), other=0)
    if len(kept) == 0:
        made["empty"] = True
    if not other and len(kept) > 0:
        made["some"] = kept[:2]
    if kept:
        made["last"] = kept[-1]
    return {"made": made, "again": dict(made)}


def grows(items, more):
    alias = items
    items += more
    own = []
    own.extend(more)
    own.append(len(items))
    own += items
    return alias, items, own


def closures(n):
    functions = [lambda: i + n for i in range(n)]
    total = 0

    def add(k):
        nonlocal total
        total += k
        return total

    square = lambda x: x * x
    first = add(1)
    second = add(first)
    lazy = (x + total for x in range(3))
    total = 10
    return [f() for f in functions], first, second, list(lazy), square(n)


def guarded(values, key):
    found = "nothing"
    try:
        found = values[key]
        found = found + 1
        found = [v // (v - 1) for v in values.values()]
    except (KeyError, ZeroDivisionError) as error:
        return type(error).__name__, found
    finally:
        values["seen"] = 2
    return found


def effects(log):
    a = logged(log, 1)
    b = len(log)
    c = logged(log, 2) + logged(log, 3)
    d = log[0]
    e = dict(z=logged(log, 4), a=logged(log, 5))
    f = clamp(high=logged(log, 6), value=logged(log, 7))
    logged(log, 8) if d else logged(log, 9)
    if logged(log, 10) > len(log):
        log.append("never")
    g = scaled(logged(log, 11), logged(log, 12))
    return a, b, c, d, list(e), f, g, log


def long(items, limit):
    """A long function, with pieces that can be taken out."""
    rows = []
    seen = Counter()
    for number, item in enumerate(items):
        low = min(item, limit)
        high = max(item, limit)
        middle = (low + high) / 2
        width = high - low
        rows.append((number, low, middle))
        seen[width] += 1
    total = 0
    longest = 0
    for row in rows:
        total += row[1] * 2
        if row[2] > longest:
            longest = row[2]
    names = Ordered()
    for row in rows:
        names[row[0]] = NAMES[row[0] % 3]
    flat = list(chain.from_iterable([row[:2] for row in rows]))
    mean = total / max(len(rows), 1)
    spread = math.sqrt(sum((x - mean) ** 2 for x in flat))
    text = ", ".join(names.values())
    return total, longest, round(spread, 6), text, sorted(seen.items()), flat


def carried(items):
    """What one round of the loop leaves for the next."""
    before = 0
    runs = []
    for item in items:
        kind = "down"
        if item > before:
            kind = "up"
        elif item == before:
            kind = "same"
        before = item
        if runs and runs[-1][0] == kind:
            runs[-1][1] += 1
        else:
            runs.append([kind, 1])
    return runs


def shadowed(items):
    """A loop's variable has the name of a comprehension's, which is another thing."""
    pairs = [(item, number) for number, item in enumerate(items)]
    top = len(pairs)
    order = 0
    kept = []
    for item in items:
        if item < top:
            kept.append((item, order))
            top = top + item
            order += 1
    kept.sort()
    return [item for item, order in kept], top


def generate(n):
    x = yield n
    y = 0
    while y < n:
        y += 1
        yield y


def generated(n):
    return list(generate(n))


class Base:
    depth = 2

    def __init__(self, width, **options):
        super().__init__()
        self.width = width
        self.extra = options.pop("extra", 5)
        self._cache = {}
        self.items = [1, 2, 3]

    @property
    def area(self):
        return self.width * self.depth

    @area.setter
    def area(self, value):
        self.width = value // self.depth

    @staticmethod
    def double(x):
        return x * 2

    def grouped(self, values, size):
        groups = []
        start = 0
        while start < len(values):
            groups.append(values[start:start + size])
            start += size
        return groups

    def halved(self, values):
        return [value / 2 for value in values]

    def describe(self, prefix="", *, suffix="!"):
        name = getattr(self, "width")
        self._cache["k"] = name
        return f"{prefix}{name}:{self.extra}{suffix}"

    def run(self, values):
        halves = self.halved(values)
        groups = self.grouped(halves, size=2)
        total = 0
        for group in groups:
            total += sum(group)
        for item in self.items:
            total = total + item
        self.items.append(total)
        return groups, total, self.items


class Derived(Base):
    def __init__(self, width, height):
        super(Derived, self).__init__(width=width, extra=height)
        self.inner = Base(width)

    def describe(self, prefix="", *, suffix="?"):
        base = super().describe(prefix=prefix, suffix=suffix)
        return base + self.inner.describe(suffix=".") + str(self.inner.width)

    def __eq__(self, other):
        return isinstance(other, Derived) and self.width == other.width


def objects(n):
    thing = Derived(n, height=n + 1)
    thing.area = 10
    made = [thing.describe("<"), thing.area, Base.double(n), hasattr(thing, "inner"), hasattr(thing, "missing")]
    return made, thing.run([n, 2, 3]), Base(n).run([1]), thing == Derived(5, 1), type(thing).__mro__[1:2] != ()
'''


def _numbers(chance: random.Random) -> list[int]:
    return [chance.randint(-5, 9) for _ in range(chance.randint(0, 6))]


CALLS: Mapping[str, Callable[[random.Random], tuple[Any, ...]]] = {
    "arithmetic": lambda c: (c.randint(-9, 9), c.randint(-9, 9)),
    "branches": lambda c: (c.randint(-3, 9), c.choice([None, 0, 1, 3, "yes", ""])),
    "early": lambda c: (c.randint(0, 12),),
    "nothing": lambda c: (_numbers(c),),
    "loops": lambda c: (_numbers(c),),
    "indexed": lambda c: (_numbers(c),),
    "whiles": lambda c: (c.randint(0, 9),),
    "search": lambda c: (_numbers(c), c.randint(-5, 9)),
    "every": lambda c: (_numbers(c),),
    "some": lambda c: (_numbers(c),),
    "some_more": lambda c: (_numbers(c),),
    "closest": lambda c: (_numbers(c), c.randint(-5, 9)),
    "texts": lambda c: (c.choice(["", "a b", "{x}"]), c.choice([1, 2.5, None, "n"])),
    "emptiness": lambda c: (_numbers(c),),
    "grows": lambda c: (_numbers(c), _numbers(c)),
    "closures": lambda c: (c.randint(0, 4),),
    "guarded": lambda c: ({"a": c.randint(0, 3)}, c.choice("ab")),
    "effects": lambda c: ([],),
    "long": lambda c: (_numbers(c), c.randint(0, 5)),
    "carried": lambda c: (_numbers(c),),
    "shadowed": lambda c: (_numbers(c),),
    "generated": lambda c: (c.randint(0, 4),),
    "objects": lambda c: (c.randint(1, 4),),
}


def load(folder: Path, files: Mapping[str, str]) -> dict[str, ModuleType]:
    """Write files, and import each of them by its path."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    sys.path.insert(0, str(folder))
    before = set(sys.modules)
    try:
        importlib.invalidate_caches()
        return {path: importlib.import_module(path.removesuffix(".py").replace("/", ".")) for path in files}
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if getattr(sys.modules[name], "__file__", "") and str(folder) in str(sys.modules[name].__file__):
                del sys.modules[name]


def outcomes(modules: Mapping[str, ModuleType], made: Disguised | None, inputs: int = 4) -> dict[str, list[str]]:
    """What every function of the program returns, wherever it is in the mutant."""
    results = {}
    for name, arguments in CALLS.items():
        path, qualname = "m.py", name
        if made:
            target = made.truth["m.py", name][0]
            assert target.role == WHOLE, name
            path, qualname = target.key
        function: Any = modules[path]
        for part in qualname.split("."):
            function = getattr(function, part)
        results[name] = [repr(function(*arguments(random.Random(f"{name}{number}")))) for number in range(inputs)]
    return results
