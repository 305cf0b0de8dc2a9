"""Write statements with another control flow: guards, loops, tests."""

from __future__ import annotations

import ast
import copy
from collections import Counter

from bench.disguise.edits import Block
from bench.disguise.effects import FunctionNode, is_dotted, is_movable, is_pure, names
from bench.disguise.idioms import from_map
from bench.disguise.rewriter import Rewriter
from bench.disguise.statements import assign, negated, stored_name
from bench.disguise.walking import walk

TRIVIAL = ast.Constant | ast.Name
SCOPES = FunctionNode | ast.ClassDef | ast.Lambda
NESTED = FunctionNode | ast.ClassDef


def load(name: str) -> ast.Name:
    """The name, read."""
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.Name:
    """The name, written."""
    return ast.Name(name, ast.Store())


def bindings(block: Block) -> set[str]:
    """Every name that a block binds in the function around it: not the variables of comprehensions."""
    own = {
        id(part) for statement in block for node in walk(statement) if isinstance(node, ast.comprehension)
        for part in walk(node.target)
    }  # fmt: skip
    return _stored(block, own)


def stores(block: Block) -> set[str]:
    """Every name that is bound or deleted anywhere in a block, in whatever scope."""
    return _stored(block, set())


def _stored(block: Block, left_out: set[int]) -> set[str]:
    found: set[str] = set()
    for statement in block:
        for node in walk(statement):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found |= set() if id(node) in left_out else {node.id}
            elif isinstance(node, FunctionNode | ast.ClassDef | ast.ExceptHandler):
                found |= {node.name} if node.name else set()
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    return found


def has_jump(block: Block, kinds: type[ast.stmt] | tuple[type[ast.stmt], ...]) -> bool:
    """Whether a `continue` or `break` of the block belongs to the loop around it."""
    for statement in block:
        if isinstance(statement, kinds):
            return True
        if isinstance(statement, NESTED):
            continue
        if isinstance(statement, ast.For | ast.While | ast.AsyncFor):
            if has_jump(statement.orelse, kinds):
                return True
            continue
        for holder in [statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
            for field in ("body", "orelse", "finalbody"):
                if has_jump(getattr(holder, field, []), kinds):
                    return True
    return False


class Blocks(Rewriter):
    """The statement edits of level L6."""

    def rewrite_blocks(self) -> None:
        """Make all edits in turn."""
        self.current = "guard"
        self.function.body = self._guard(self.function.body, ast.Return(None))
        for edit, change in (
            ("assert", self.asserts), ("best", self.best), ("any or all", self.any_or_all),
            ("nested if", self.nested_if), ("guard", self.guard_loops), ("flip", self.flip),
            ("default if", self.default_if),
            ("ternary", self.ternary), ("early return", self.early_return), ("map", self.unpacked_map),
            ("comprehension", self.comprehension), ("index loop", self.index_loop), ("counter", self.counter),
            ("while", self.for_while), ("endless", self.endless), ("extend", self.extend),
            ("lambda", self.named_lambda),
        ):  # fmt: skip
            self.make(edit, change)
        self.learn()

    def asserts(self, block: Block) -> Block:
        """`assert c` is dropped, or written as `if not c: raise`."""
        changed: Block = []
        for statement in block:
            if isinstance(statement, ast.Assert) and is_pure(statement.test) and self.chosen():
                if self.chance.random() < 0.3 and "AssertionError" not in self.module.bound:
                    parts = [statement.msg] if statement.msg else []
                    error = ast.Raise(ast.Call(load("AssertionError"), parts, []), None)
                    changed.append(ast.If(negated(statement.test), [error], []))
                continue
            changed.append(statement)
        return changed or ([ast.Pass()] if block else [])

    def _guard(self, block: Block, leave: ast.stmt) -> Block:
        """`if c: a` at the end <-> `if not c: leave` and a."""
        last = block[-1] if block else None
        if isinstance(last, ast.If) and not last.orelse and len(last.body) > 1 and self.chosen():
            return [*block[:-1], ast.If(negated(last.test), [leave], []), *last.body]
        for index, statement in enumerate(block[:-1]):
            if not isinstance(statement, ast.If) or statement.orelse or len(statement.body) > 1:
                continue
            if ast.dump(statement.body[0]) == ast.dump(leave) and self.chosen():
                return [*block[:index], ast.If(negated(statement.test), block[index + 1 :], [])]
        return block

    def guard_loops(self, block: Block) -> Block:
        """The same at the end of a loop's body, with `continue`."""
        for statement in block:
            if isinstance(statement, ast.For | ast.While):
                statement.body = self._guard(statement.body, ast.Continue())
        return block

    def nested_if(self, block: Block) -> Block:
        """`if a and b: c` <-> `if a: if b: c`."""
        for statement in block:
            if not isinstance(statement, ast.If) or statement.orelse:
                continue
            inner = statement.body[0]
            if isinstance(statement.test, ast.BoolOp) and isinstance(statement.test.op, ast.And) and self.chosen():
                first, *rest = statement.test.values
                test = rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), rest)
                statement.test, statement.body = first, [ast.If(test, statement.body, [])]
            elif isinstance(inner, ast.If) and len(statement.body) == 1 and not inner.orelse and self.chosen():
                statement.test = ast.BoolOp(ast.And(), [statement.test, inner.test])
                statement.body = inner.body
        return block

    def default_if(self, block: Block) -> Block:
        """`x = d; if c: x = a` <-> `x = a if c else d`, for a `d` that may as well not be evaluated."""
        changed: Block = []
        for statement in block:
            joined = self._joined_default(changed[-1] if changed else None, statement)
            if joined and self.chosen():
                changed[-1] = joined
                continue
            parts = self._parted_default(statement)
            changed += parts if parts and self.chosen() else [statement]
        return changed

    def _joined_default(self, before: ast.stmt | None, statement: ast.stmt) -> ast.stmt | None:
        name = stored_name(before)
        if not name or not isinstance(statement, ast.If) or statement.orelse or len(statement.body) != 1:
            return None
        inner = statement.body[0]
        if stored_name(inner) != name or self.is_guarded or name in self.escaping:
            return None
        assert isinstance(before, ast.Assign)
        assert isinstance(inner, ast.Assign)
        # The default is read later than before, so that nothing may change it until then.
        is_late = isinstance(before.value, ast.Constant) or (
            isinstance(before.value, ast.Name) and is_pure(statement.test)
        )
        if not is_late or name in names(statement.test) | names(inner.value) | names(before.value):
            return None
        return assign(name, ast.IfExp(statement.test, inner.value, before.value))

    def _parted_default(self, statement: ast.stmt) -> Block | None:
        name = stored_name(statement)
        if not name or not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.IfExp):
            return None
        value = statement.value
        is_late = isinstance(value.orelse, ast.Constant) or (isinstance(value.orelse, ast.Name) and is_pure(value.test))
        if not is_late or self.is_guarded or name in self.escaping or name in names(value):
            return None
        return [assign(name, value.orelse), ast.If(value.test, [assign(name, value.body)], [])]

    def any_or_all(self, block: Block) -> Block:
        """`for t in it: if c: return True` and `return False` <-> `return any(c for t in it)`; `all` the same way."""
        if {"any", "all"} & self.module.bound or self._is_generator():
            return block
        changed: Block = []
        for statement in block:
            before = changed[-1] if changed else None
            joined = self._joined_any(before, statement)
            if joined and self.chosen():
                changed[-1] = joined
                continue
            loop = self._any_loop(statement)
            changed += loop if loop and self.chosen() else [statement]
        return changed

    def _is_generator(self) -> bool:
        return any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Await) for node in walk(self.function))

    def _joined_any(self, before: ast.stmt | None, statement: ast.stmt) -> ast.stmt | None:
        end = _returned_truth(statement)
        if end is None or not isinstance(before, ast.For) or before.orelse or len(before.body) != 1:
            return None
        test = before.body[0]
        if (
            not isinstance(test, ast.If)
            or test.orelse
            or len(test.body) != 1
            or _returned_truth(test.body[0]) is not (not end)
        ):
            return None
        if not self._is_only_inside(names(before.target), before) or not _is_plain_target(before.target):
            return None
        if not is_movable(test.test) or not is_movable(before.iter):
            return None
        condition = negated(test.test) if end else test.test
        inside = ast.GeneratorExp(condition, [ast.comprehension(before.target, before.iter, [], 0)])
        return ast.Return(ast.Call(load("all" if end else "any"), [inside], []))

    def _any_loop(self, statement: ast.stmt) -> Block | None:
        value = statement.value if isinstance(statement, ast.Return) else None
        if (
            not isinstance(value, ast.Call)
            or not self.module.called_builtin(value, "any", "all")
            or len(value.args) != 1
        ):
            return None
        inside = value.args[0]
        if not isinstance(inside, ast.GeneratorExp) or len(inside.generators) != 1 or not is_movable(inside):
            return None
        part = inside.generators[0]
        if part.is_async or part.ifs or not _is_plain_target(part.target) or _has_scope(inside.elt):
            return None
        is_all = isinstance(value.func, ast.Name) and value.func.id == "all"
        new = {name: self.fresh() for name in sorted(names(part.target))}
        target, element = _renamed(part.target, new), _renamed(inside.elt, new)
        test = negated(element) if is_all else element
        leave = ast.If(test, [ast.Return(ast.Constant(not is_all))], [])
        return [ast.For(target, part.iter, [leave], []), ast.Return(ast.Constant(is_all))]

    def _is_only_inside(self, inner: set[str], statement: ast.stmt) -> bool:
        """Whether names are used nowhere in the function but in one statement."""
        inside = Counter(node.id for node in walk(statement) if isinstance(node, ast.Name))
        everywhere = Counter(node.id for node in walk(self.function) if isinstance(node, ast.Name))
        return not inner & self.escaping and all(inside[name] == everywhere[name] for name in inner)

    def unpacked_map(self, block: Block) -> Block:
        """`a, b = map(f, it)` <-> `a, b = [f(t) for t in it]`."""
        for statement in block:
            if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Tuple):
                continue
            if any(isinstance(part, ast.Starred) for part in statement.targets[0].elts):
                continue
            made = from_map(statement.value, self.facts)
            if made and self.chosen():
                statement.value = ast.ListComp(made.elt, made.generators)
        return block

    def index_loop(self, block: Block) -> Block:
        """`for i in range(len(x))` with `x[i]` <-> `for i, t in enumerate(x)`; `for t in x` by index."""
        if {"range", "len", "enumerate"} & self.module.bound:
            return block
        for statement in block:
            if isinstance(statement, ast.For):
                self._to_enumerate(statement) or self._from_enumerate(statement)
        return block

    def _to_enumerate(self, loop: ast.For) -> bool:
        counted = _length_of(loop.iter)
        if counted is None or not isinstance(loop.target, ast.Name) or not self.facts.is_sequence(counted):
            return False
        index, whole = loop.target.id, ast.dump(counted)
        items = [
            node for part in loop.body for node in walk(part)
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and ast.dump(node.value) == whole
            and isinstance(node.slice, ast.Name) and node.slice.id == index
        ]  # fmt: skip
        uses = sum(ast.dump(node) == whole for part in loop.body for node in walk(part))
        changed = stores(loop.body)
        if not items or uses != len(items) or index in changed | self.escaping or names(counted) & changed:
            return False
        if not self.chosen():
            return False
        name = self.fresh()
        replacer = _Replace({id(item): load(name) for item in items})
        for part in loop.body:
            replacer.visit(part)
        loop.iter = ast.Call(load("enumerate"), [counted], [])
        loop.target = ast.Tuple([store(index), store(name)], ast.Store())
        return True

    def _from_enumerate(self, loop: ast.For) -> bool:
        index, target, items = _enumerated(loop)
        if items is None or target is None:
            index, target, items = None, loop.target, loop.iter
        is_plain = is_dotted(items) and self.facts.is_sequence(items)
        whole = ast.dump(items)
        if not is_plain or any(ast.dump(node) == whole for part in loop.body for node in walk(part)):
            return False
        if names(items) & (stores(loop.body) | names(loop.target)) or not self.chosen():
            return False
        index = index or self.fresh()
        item = ast.Subscript(items, load(index), ast.Load())
        loop.body = [ast.Assign([target], item, lineno=0), *loop.body]
        loop.target, loop.iter = store(index), ast.Call(load("range"), [ast.Call(load("len"), [items], [])], [])
        return True

    def counter(self, block: Block) -> Block:
        """`for i, t in enumerate(it)` -> a counter kept by hand."""
        changed: Block = []
        for statement in block:
            index, target, items = _enumerated(statement)
            if index and target and items and isinstance(statement, ast.For) and not self.module.bound & {"enumerate"}:
                is_private = self._is_only_inside({index}, statement) and index not in stores(statement.body)
                if is_private and index not in names(items) and self.chosen():
                    step = ast.AugAssign(store(index), ast.Add(), ast.Constant(1))
                    statement.target, statement.iter, statement.body = target, items, [step, *statement.body]
                    changed.append(assign(index, ast.UnaryOp(ast.USub(), ast.Constant(1))))
            changed.append(statement)
        return changed

    def for_while(self, block: Block) -> Block:
        """`for i in range(n)` <-> `while i < n` with a counter."""
        changed: Block = []
        for statement in block:
            loop = self._while_loop(statement)
            if loop and self.chosen():
                changed += loop
                continue
            joined = self._for_loop(changed[-1] if changed else None, statement)
            if joined and self.chosen():
                changed[-1] = joined
                continue
            changed.append(statement)
        return changed

    def _while_loop(self, statement: ast.stmt) -> Block | None:
        if not isinstance(statement, ast.For) or statement.orelse or not isinstance(statement.target, ast.Name):
            return None
        if not self.module.called_builtin(statement.iter, "range") or has_jump(statement.body, ast.Continue):
            return None
        assert isinstance(statement.iter, ast.Call)
        index, arguments = statement.target.id, statement.iter.args
        start: ast.expr = arguments[0] if len(arguments) == 2 else ast.Constant(0)
        if (
            len(arguments) not in {1, 2}
            or not isinstance(start, ast.Constant)
            or isinstance(arguments[-1], ast.Starred)
        ):
            return None
        changed = stores(statement.body)
        if index in changed or not self._is_only_inside({index}, statement) or statement.iter.keywords:
            return None
        stop, before = arguments[-1], list[ast.stmt]()
        if not isinstance(stop, ast.Constant) and not (
            isinstance(stop, ast.Name) and stop.id not in changed | self.escaping
        ):
            name = self.fresh()
            before, stop = [assign(name, stop)], load(name)
        step = ast.AugAssign(store(index), ast.Add(), ast.Constant(1))
        test = ast.Compare(load(index), [ast.Lt()], [stop])
        return [*before, assign(index, start), ast.While(test, [*statement.body, step], [])]

    def _for_loop(self, before: ast.stmt | None, statement: ast.stmt) -> ast.stmt | None:
        index = stored_name(before)
        if not index or not isinstance(statement, ast.While) or statement.orelse or "range" in self.module.bound:
            return None
        assert isinstance(before, ast.Assign)
        test, last = statement.test, statement.body[-1]
        if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Lt) or len(test.ops) != 1:
            return None
        is_step = (
            isinstance(last, ast.AugAssign) and isinstance(last.op, ast.Add) and names(last.target) == {index}
            and isinstance(last.value, ast.Constant) and last.value.value == 1
        )  # fmt: skip
        body, stop = statement.body[:-1], test.comparators[0]
        if not is_step or not body or has_jump(body, ast.Continue) or names(test.left) != {index}:
            return None
        if not isinstance(test.left, ast.Name) or not isinstance(before.value, ast.Constant) or index in stores(body):
            return None
        is_fixed = self.facts.is_int(stop) and isinstance(stop, TRIVIAL) and not names(stop) & stores(body)
        uses = Counter(node.id for node in walk(self.function) if isinstance(node, ast.Name))[index]
        inside = Counter(node.id for node in walk(statement) if isinstance(node, ast.Name))[index]
        if not is_fixed or uses != inside + 1 or index in self.escaping or type(before.value.value) is not int:
            return None
        arguments = [stop] if before.value.value == 0 else [before.value, stop]
        return ast.For(store(index), ast.Call(load("range"), arguments, []), body, [], lineno=0)

    def endless(self, block: Block) -> Block:
        """`while c: a` <-> `while True: if not c: break` and a."""
        for statement in block:
            if not isinstance(statement, ast.While) or statement.orelse:
                continue
            first = statement.body[0]
            if not isinstance(statement.test, ast.Constant):
                if self.chosen():
                    leave = ast.If(negated(statement.test), [ast.Break()], [])
                    statement.test, statement.body = ast.Constant(True), [leave, *statement.body]
            elif (
                (
                    statement.test.value is True
                    and isinstance(first, ast.If)
                    and not first.orelse
                    and len(statement.body) > 1
                )
                and len(first.body) == 1
                and isinstance(first.body[0], ast.Break)
                and self.chosen()
            ):
                statement.test, statement.body = negated(first.test), statement.body[1:]
        return block

    def extend(self, block: Block) -> Block:
        """`x.extend(y)` <-> `x += y`, `x.append(y)` <-> `x += [y]`, for a list of the function's own."""
        for index, statement in enumerate(block):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                call = statement.value
                if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
                    continue
                name, method = call.func.value.id, call.func.attr
                is_list = self.facts.is_list(call.func.value) and len(call.args) == 1 and not call.keywords
                if (
                    is_list
                    and method in {"extend", "append"}
                    and not isinstance(call.args[0], ast.Starred)
                    and self.chosen()
                ):
                    value = call.args[0] if method == "extend" else ast.List([call.args[0]], ast.Load())
                    block[index] = ast.AugAssign(store(name), ast.Add(), value)
            elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
                target = statement.target
                if isinstance(target, ast.Name) and self._grows(target.id) and self.chosen():
                    call = ast.Call(ast.Attribute(load(target.id), "extend", ast.Load()), [statement.value], [])
                    block[index] = ast.Expr(call)
        return block

    def _grows(self, name: str) -> bool:
        """Whether a name only ever holds lists, apart from being added to."""
        values = [value for value in self.facts.values.get(name, []) if value is not None]
        added = sum(isinstance(node, ast.AugAssign) and names(node.target) == {name} for node in walk(self.function))
        is_all = len(values) + added == len(self.facts.values.get(name, []))
        return bool(values) and is_all and name not in self.escaping and all(map(self.facts.is_list, values))

    def named_lambda(self, block: Block) -> Block:
        """`f = lambda x: e` -> a function of that name."""
        for index, statement in enumerate(block):
            name = stored_name(statement)
            if name and isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda) and self.chosen():
                value = statement.value
                new = ast.FunctionDef(name, value.args, [ast.Return(value.body)], [], None, None, lineno=0)
                self.work.add(new, self.function, "part")
                block[index] = new
        return block

    def best(self, block: Block) -> Block:
        """A loop that keeps the best so far <-> `min` or `max` with a key. Empty input aside, they do the same."""
        changed: Block = []
        for statement in block:
            joined = self._joined_best(changed, statement)
            if joined and self.chosen():
                changed[-2:] = [joined]
                continue
            loop = self._best_loop(statement)
            changed += loop if loop and self.chosen() else [statement]
        return changed

    def _joined_best(self, before: Block, loop: ast.stmt) -> ast.stmt | None:
        """`b = None; s = inf; for t in it: v = e; if v < s: s = v; b = t` as one call of `min`."""
        if len(before) < 2 or not isinstance(loop, ast.For) or loop.orelse or {"min", "max"} & self.module.bound:
            return None
        starts = {stored_name(part): part.value for part in before[-2:] if isinstance(part, ast.Assign)}
        *front, test = loop.body
        key = front[0].value if len(front) == 1 and isinstance(front[0], ast.Assign) else None
        if not isinstance(test, ast.If) or test.orelse or len(test.body) != 2 or not isinstance(loop.target, ast.Name):
            return None
        if not isinstance(test.test, ast.Compare) or len(test.test.ops) != 1 or not key or not is_movable(key):
            return None
        value, limit = test.test.left, test.test.comparators[0]
        kept = {stored_name(part): part.value for part in test.body if isinstance(part, ast.Assign)}
        if not isinstance(value, ast.Name) or not isinstance(limit, ast.Name) or stored_name(front[0]) != value.id:
            return None
        chosen = [name for name, held in kept.items() if isinstance(held, ast.Name) and held.id == loop.target.id]
        held = kept.get(limit.id)
        if len(chosen) != 1 or not isinstance(held, ast.Name) or held.id != value.id or not chosen[0]:
            return None
        none, first = starts.get(chosen[0]), starts.get(limit.id)
        is_start = isinstance(none, ast.Constant) and none.value is None and first is not None
        operator = {ast.Lt: "min", ast.Gt: "max"}.get(type(test.test.ops[0]))
        if not is_start or not operator or not _is_infinite(first, operator == "min"):
            return None
        others = {limit.id, value.id, loop.target.id}
        inside = Counter(n.id for part in [*before[-2:], loop] for n in walk(part) if isinstance(n, ast.Name))
        everywhere = Counter(n.id for n in walk(self.function) if isinstance(n, ast.Name))
        if (
            others & self.escaping
            or any(inside[name] != everywhere[name] for name in others)
            or others & names(loop.iter)
        ):
            return None
        if _has_scope(key) or {limit.id, chosen[0], value.id} & names(key):
            return None
        function = ast.Lambda(_parameter(loop.target.id), key)
        words = [ast.keyword("key", function), ast.keyword("default", ast.Constant(None))]
        return assign(chosen[0], ast.Call(load(operator), [loop.iter], words))

    def _best_loop(self, statement: ast.stmt) -> Block | None:
        """`b = min(it, key=f)` as a loop, where `it` certainly holds something."""
        name = stored_name(statement)
        value = statement.value if isinstance(statement, ast.Assign) else None
        if not name or not isinstance(value, ast.Call) or not self.module.called_builtin(value, "min", "max"):
            return None
        words = {word.arg: word.value for word in value.keywords}
        is_some = isinstance(words.get("default"), ast.Constant) or (
            bool(value.args) and isinstance(value.args[0], ast.List | ast.Tuple) and bool(value.args[0].elts)
        )
        if len(value.args) != 1 or "key" not in words or words.keys() - {"key", "default"} or not is_some:
            return None
        if self.is_guarded or name in self.escaping or name in names(value) or not is_movable(value):
            return None
        item, score, best = self.fresh(), self.fresh(), self.fresh()
        key = words["key"]
        if isinstance(key, ast.Lambda):
            plain = key.args
            if len(plain.args) != 1 or plain.defaults or plain.vararg or plain.kwarg or _has_scope(key.body):
                return None
            called: ast.expr = _renamed(key.body, {plain.args[0].arg: item})
        elif is_dotted(key):
            called = ast.Call(key, [load(item)], [])
        else:
            return None
        is_min = isinstance(value.func, ast.Name) and value.func.id == "min"
        better = ast.Compare(load(score), [ast.Lt() if is_min else ast.Gt()], [load(best)])
        first = ast.Compare(load(best), [ast.Is()], [ast.Constant(None)])
        take: Block = [assign(best, load(score)), assign(name, load(item))]
        body: Block = [assign(score, called), ast.If(ast.BoolOp(ast.Or(), [first, better]), take, [])]
        default = words.get("default", ast.Constant(None))
        return [assign(name, default), assign(best, ast.Constant(None)),
                ast.For(store(item), value.args[0], body, [], lineno=0)]  # fmt: skip


def _returned_truth(statement: ast.stmt) -> bool | None:
    value = statement.value if isinstance(statement, ast.Return) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, bool) else None


def _is_plain_target(target: ast.expr) -> bool:
    return all(isinstance(part, ast.Name | ast.Tuple | ast.expr_context) for part in walk(target))


def _has_scope(node: ast.AST) -> bool:
    kinds = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    return any(isinstance(part, kinds) for part in walk(node))


def _renamed(node: ast.expr, new: dict[str, str]) -> ast.expr:
    node = copy.deepcopy(node)
    for part in walk(node):
        if isinstance(part, ast.Name):
            part.id = new.get(part.id, part.id)
    return node


def _parameter(name: str) -> ast.arguments:
    return ast.arguments([], [ast.arg(name, None)], None, [], [], None, [])


def _is_infinite(node: ast.expr | None, is_positive: bool) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _is_infinite(node.operand, not is_positive)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
        and len(node.args) == 1
    ):
        text = node.args[0]
        if isinstance(text, ast.UnaryOp):
            return False
        return isinstance(text, ast.Constant) and text.value == ("inf" if is_positive else "-inf")
    return is_positive and isinstance(node, ast.Attribute) and node.attr == "inf"


def _length_of(node: ast.expr) -> ast.expr | None:
    """`x` of `range(len(x))`."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "range"
        and len(node.args) == 1
    ):
        inner = node.args[0]
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "len" and inner.args:
            return inner.args[0] if is_dotted(inner.args[0]) else None
    return None


def _enumerated(statement: ast.stmt) -> tuple[str | None, ast.expr | None, ast.expr | None]:
    """`i`, `t` and `it` of `for i, t in enumerate(it)`."""
    nothing = None, None, None
    if not isinstance(statement, ast.For) or not isinstance(statement.iter, ast.Call):
        return nothing
    call, target = statement.iter, statement.target
    if not isinstance(call.func, ast.Name) or call.func.id != "enumerate" or len(call.args) != 1 or call.keywords:
        return nothing
    if not isinstance(target, ast.Tuple) or len(target.elts) != 2 or not isinstance(target.elts[0], ast.Name):
        return nothing
    return target.elts[0].id, target.elts[1], call.args[0]


class _Replace(ast.NodeTransformer):
    def __init__(self, new: dict[int, ast.expr]) -> None:
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST:
        if id(node) in self.new:
            return self.new[id(node)]
        visited: ast.AST = self.generic_visit(node)
        return visited
