"""Edit statements without changing what they do: the disguises of somebody who rewrites by hand."""

from __future__ import annotations

import ast
import builtins
import keyword
import random
from collections import Counter
from collections.abc import Callable

from bench.disguise.aliases import alias_imports
from bench.disguise.effects import FunctionNode, escaping, evaluated_first, is_movable, is_pure, names
from bench.disguise.loops import comprehension_to_loop, loop_to_comprehension
from bench.disguise.statements import (
    apart,
    assign,
    is_number,
    joined,
    leaves,
    negated,
    spread,
    stored_name,
    stored_names,
    together,
)

DEAD = 1 / 6  # share of statements that get a dead one before them
BLOCKS = ("body", "orelse", "finalbody")
READS_LOCALS = frozenset({"locals", "vars", "eval", "exec"})
ORDERED_KEYWORDS = frozenset({"dict", "OrderedDict", "update", "print"})
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Block = list[ast.stmt]


def edit(source: str, seed: int, rate: float) -> str:
    """Edit about `rate` of the places where an edit is possible; one statement in six gets a dead one."""
    tree = ast.parse(source)
    chance = random.Random(f"{seed}:{source}")
    taken = {text for node in ast.walk(tree) for _, text in ast.iter_fields(node) if isinstance(text, str)}
    fresh = _Fresh(chance, taken)
    alias_imports(tree, chance, rate, fresh)
    functions = [node for node in ast.walk(tree) if isinstance(node, FunctionNode)]
    for function in functions:
        if not names(function) & READS_LOCALS:
            FunctionEditor(function, chance, rate, fresh).edit()
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


class _Fresh:
    """Names that the module does not have."""

    def __init__(self, chance: random.Random, taken: set[str]) -> None:
        self.chance = chance
        self.taken = taken | set(keyword.kwlist) | set(dir(builtins))

    def __call__(self) -> str:
        while True:
            name = "".join(self.chance.choices(LETTERS, k=6))
            if name not in self.taken:
                self.taken.add(name)
                return name


class FunctionEditor:
    """Edits one function, not those inside it: they have their own turn."""

    def __init__(self, function: FunctionNode, chance: random.Random, rate: float, fresh: Callable[[], str]) -> None:
        self.function, self.chance, self.rate, self.fresh = function, chance, rate, fresh
        self.escaping = escaping(function)
        self.count = Counter[str]()
        self.is_guarded = False  # in a `try`: a binding must not move past what may raise

    def edit(self) -> None:
        """Apply every edit in turn; those that make places for others come first."""
        self.apply(
            self.inline, self.flip, self.ternary, self.early_return, self.comprehension, self.split_chain,
            self.comprehension, self.augment, self.tuples, self.reorder, self.dead,
        )  # fmt: skip
        for node in ast.walk(self.function):
            if isinstance(node, ast.Call):
                self.keyword_order(node)

    def apply(self, *changes: Callable[[Block], Block]) -> None:
        """Give every block of the function to each change in turn, inner blocks first."""
        for change in changes:
            self.count = self.counted()
            self.function.body = self._rewrite(self.function.body, change) or [ast.Pass()]

    def counted(self) -> Counter[str]:
        """How often each name stands in the function."""
        return Counter(node.id for node in ast.walk(self.function) if isinstance(node, ast.Name))

    def _rewrite(self, block: Block, change: Callable[[Block], Block]) -> Block:
        for statement in block:
            if isinstance(statement, FunctionNode | ast.ClassDef):
                continue
            outer = self.is_guarded
            self.is_guarded |= isinstance(statement, ast.Try | ast.TryStar) or _suppresses(statement)
            for holder in [statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
                for field in BLOCKS:
                    inner = getattr(holder, field, None)
                    if isinstance(inner, list) and inner:
                        setattr(holder, field, self._rewrite(inner, change))
            self.is_guarded = outer
        return change(block)

    def chosen(self) -> bool:
        """Whether to edit this place."""
        return self.chance.random() < self.rate

    def inline(self, block: Block) -> Block:
        """`t = e; f(t)` -> `f(e)`, for a `t` that is used nowhere else."""
        kept: Block = []
        for statement in block:
            before = kept[-1] if kept else None
            name = stored_name(before)
            if before and name and self._is_private(name) and self.count[name] == 2 and self.chosen():
                assert isinstance(before, ast.Assign)
                for slot in evaluated_first(statement):
                    if isinstance(slot.node, ast.Name) and slot.node.id == name and is_movable(before.value):
                        slot.put(before.value)
                        kept.pop()
                        break
            kept.append(statement)
        return kept

    def _is_private(self, name: str) -> bool:
        return name not in self.escaping and not self.is_guarded

    def flip(self, block: Block) -> Block:
        """`if c: a else: b` -> `if not c: b else: a`."""
        for statement in block:
            if isinstance(statement, ast.If) and statement.orelse and self.chosen():
                statement.test = negated(statement.test)
                statement.body, statement.orelse = statement.orelse, statement.body
        return block

    def ternary(self, block: Block) -> Block:
        """`x = a if c else b` <-> `if c: x = a else: x = b`; the same with `return`."""
        changed: Block = []
        for statement in block:
            new: ast.stmt | None = None
            if isinstance(statement, ast.Assign | ast.Return) and isinstance(statement.value, ast.IfExp):
                new = spread(statement, statement.value)
            elif isinstance(statement, ast.If):
                new = joined(statement)
            changed.append(new if new and self.chosen() else statement)
        return changed

    def early_return(self, block: Block) -> Block:
        """`if c: return a` and the rest after it <-> the rest in its `else`."""
        for index, statement in enumerate(block):
            if not isinstance(statement, ast.If) or not leaves(statement.body):
                continue
            if statement.orelse and self.chosen():
                rest, statement.orelse = statement.orelse, []
                return [*block[: index + 1], *rest, *block[index + 1 :]]
            if not statement.orelse and block[index + 1 :] and self.chosen():
                statement.orelse = block[index + 1 :]
                return block[: index + 1]
        return block

    def comprehension(self, block: Block) -> Block:
        """`x = [e for t in it]` <-> `x = []; for t in it: x.append(e)`."""
        if self.is_guarded:
            return block
        changed: Block = []
        for statement in block:
            before = changed[-1] if changed else None
            joined = loop_to_comprehension(before, statement, self.count, self.escaping)
            if joined and self.chosen():
                changed[-1] = joined
                continue
            loop = comprehension_to_loop(statement, self.fresh)
            changed.extend(loop if loop and self.chosen() else [statement])
        return changed

    def split_chain(self, block: Block) -> Block:
        """`a.f().g(b(c))` -> temporaries, each holding what is evaluated first anyway."""
        changed: Block = []
        for statement in block:
            is_bare = isinstance(statement, ast.Expr)
            temporaries: Block = []
            for slot in list(evaluated_first(statement))[0 if isinstance(statement, ast.Return) else 1 :][:4]:
                is_worth = isinstance(slot.node, ast.Call | ast.BinOp | ast.ListComp | ast.Subscript)
                if is_worth and is_movable(slot.node) and not (is_bare and self.is_guarded) and self.chosen():
                    name = self.fresh()
                    value = slot.node
                    slot.put(ast.Name(name, ast.Load()))
                    temporaries.insert(0, assign(name, value))
            changed.extend([*temporaries, statement])
        return changed

    def augment(self, block: Block) -> Block:
        """`x += y` <-> `x = x + y`, for numbers only: with anything else the one may change in place."""
        changed: Block = []
        for statement in block:
            new: ast.stmt | None = None
            if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
                name = statement.target.id
                value = ast.BinOp(ast.Name(name, ast.Load()), statement.op, statement.value)
                new = assign(name, value) if self._is_number(name) else None
            elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp):
                stored, left = stored_name(statement), statement.value.left
                if stored and isinstance(left, ast.Name) and left.id == stored and self._is_number(stored):
                    new = ast.AugAssign(ast.Name(stored, ast.Store()), statement.value.op, statement.value.right)
            changed.append(new if new and self.chosen() else statement)
        return changed

    def _is_number(self, name: str) -> bool:
        """Whether every value that the function gives the name is plainly a number."""
        stores = 0
        for node in ast.walk(self.function):
            if isinstance(node, ast.arg) and node.arg == name:
                return False
            if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
                stores += 1
            if isinstance(node, ast.Assign) and stored_name(node) == name and is_number(node.value, name):
                stores -= 1
            if isinstance(node, ast.AugAssign) and names(node.target) == {name} and is_number(node.value, name):
                stores -= 1
        return stores == 0 and name not in self.escaping

    def tuples(self, block: Block) -> Block:
        """`a = x; b = y` <-> `a, b = x, y`."""
        changed: Block = []
        for statement in block:
            parts = apart(statement)
            if parts and not self.is_guarded and not names([*parts]) & self.escaping and self.chosen():
                changed.extend(parts)
                continue
            joint = together(changed[-1], statement) if changed else None
            if joint and not self.is_guarded and not names(joint) & self.escaping and self.chosen():
                changed[-1] = joint
                continue
            changed.append(statement)
        return changed

    def reorder(self, block: Block) -> Block:
        """Exchange neighbours that have nothing to do with each other."""
        changed = list(block)
        for index in range(len(changed) - 1):
            first, second = changed[index : index + 2]
            if not self.is_guarded and self._is_independent(first, second) and self.chosen():
                changed[index : index + 2] = [second, first]
        return changed

    def _is_independent(self, first: ast.stmt, second: ast.stmt) -> bool:
        stored = [stored_names(first), stored_names(second)]
        if not stored[0] or not stored[1] or (stored[0] | stored[1]) & self.escaping:
            return False
        assert isinstance(first, ast.Assign)
        assert isinstance(second, ast.Assign)
        if stored[0] & names(second) or stored[1] & names(first):
            return False
        return is_pure(first.value) and is_pure(second.value)

    def dead(self, block: Block) -> Block:
        """Add statements that do nothing."""
        changed: Block = []
        for statement in block:
            if self.chance.random() < DEAD and not isinstance(statement, ast.Global | ast.Nonlocal):
                changed.append(self._dead_statement())
            changed.append(statement)
        return changed

    def _dead_statement(self) -> ast.stmt:
        number = self.chance.randint(0, 64)
        value = self.chance.choice([str(number), f"({number}, None)", "[]", f"not {number}", f"{number} + 1", "''"])
        statement = ast.parse(f"{self.fresh()} = {value}").body[0]
        if self.chance.random() < 0.33:
            return ast.If(test=ast.Constant(False), body=[statement], orelse=[])
        return statement

    def keyword_order(self, node: ast.Call) -> None:
        """Shuffle keyword arguments whose evaluation does nothing."""
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_safe = all(word.arg and is_pure(word.value) for word in node.keywords)
        if len(node.keywords) > 1 and is_safe and called not in ORDERED_KEYWORDS and self.chosen():
            self.chance.shuffle(node.keywords)


def _suppresses(statement: ast.stmt) -> bool:
    """Whether a `with` may swallow what is raised in it."""
    if not isinstance(statement, ast.With | ast.AsyncWith):
        return False
    return any(word in ast.unparse(item.context_expr) for item in statement.items for word in ("suppress", "raises"))
