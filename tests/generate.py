"""Hypothesis strategies for programs."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.programs import (
    Attribute,
    Binary,
    Choice,
    Compare,
    Effect,
    Expr,
    Find,
    Fold,
    Function,
    Gather,
    Item,
    Layered,
    Let,
    Library,
    Literal,
    OwnCall,
    Program,
    Ranked,
    Refuse,
    Row,
    Size,
    Statement,
    Store,
    Test,
    Update,
    Var,
)

UNARY = [
    *[f"torch.{name}" for name in ("sin", "exp", "tanh", "sigmoid", "rsqrt", "abs", "isnan")],
    *[f"torch.nn.functional.{name}" for name in ("gelu", "silu", "relu")],
    "math.sqrt",
]
PAIRED = ["torch.maximum", "torch.matmul", "torch.outer", "torch.nn.functional.mse_loss"]
OPTIONED: dict[str, dict[str, st.SearchStrategy[float | str]]] = {
    "torch.nn.functional.softmax": {"dim": st.sampled_from([-1, 1, 2])},
    "torch.sum": {"dim": st.sampled_from([-1, 0])},
    "torch.mean": {"dim": st.sampled_from([-1, 1])},
    "torch.clamp": {"min": st.sampled_from([0, -1]), "max": st.sampled_from([1, 10])},
    "torch.nn.functional.dropout": {"p": st.sampled_from([0.1, 0.5])},
    "torch.unsqueeze": {"dim": st.integers(0, 2)},
}
LAYERS = {
    "torch.nn.Linear": 2, "torch.nn.LayerNorm": 1, "torch.nn.Conv2d": 3, "torch.nn.GELU": 0, "torch.nn.Embedding": 2,
    "torch.nn.Identity": 0,
}  # fmt: skip
ERRORS = ("ValueError", "TypeError", "NotImplementedError")
NUMBERS = st.sampled_from([0, 1, 2, 3, 16, 0.5, 1e-6, -1, 1.0])
EQUATIONS = st.sampled_from(["bnd,de->bne", "bhqd,bhkd->bhqk", "i,j->ij"])


@dataclass(frozen=True)
class Scope:
    """What an expression may mention."""

    variables: tuple[int, ...]
    attributes: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()
    methods: tuple[int, ...] = ()
    functions: tuple[int, ...] = ()

    def within(self, *variables: int) -> Scope:
        return Scope(self.variables + variables, self.attributes, self.layers, self.methods, self.functions)


class Fresh:
    """Numbers for new variables of one function."""

    def __init__(self, start: int) -> None:
        self.next = start

    def variable(self) -> int:
        self.next += 1
        return self.next - 1


@st.composite
def leaves(draw: st.DrawFn, scope: Scope) -> Expr:
    kinds = ["variable"] * 4 + ["number"] + ["attribute"] * (2 if scope.attributes else 0)
    match draw(st.sampled_from(kinds)):
        case "variable":
            return Var(draw(st.sampled_from(scope.variables)))
        case "attribute":
            return Attribute(draw(st.sampled_from(scope.attributes)))
        case _:
            return Literal(draw(NUMBERS))


@st.composite
def tests(draw: st.DrawFn, scope: Scope, fresh: Fresh, depth: int) -> Test:
    kind = draw(st.sampled_from(["compare", "compare", "truth", "none", "filled", "all"]))
    match kind:
        case "compare":
            operator = draw(st.sampled_from(["<", "<=", "==", ">", "!="]))
            sides = draw(expressions(scope, fresh, depth - 1)), draw(expressions(scope, fresh, depth - 1))
            return Test(kind, (Compare(operator, *sides),))
        case "all" if depth > 0:
            return Test(kind, (draw(tests(scope, fresh, 0)), draw(tests(scope, fresh, 0))))
        case "truth":
            named: list[Expr] = [*map(Var, scope.variables), *map(Attribute, scope.attributes)]
            return Test(kind, (draw(st.sampled_from(named)),))
        case _:
            return Test("none" if kind == "all" else kind, (Var(draw(st.sampled_from(scope.variables))),))


@st.composite
def expressions(draw: st.DrawFn, scope: Scope, fresh: Fresh, depth: int) -> Expr:
    """Any value over what the scope offers, at most `depth` operations deep."""
    if depth <= 0:
        return draw(leaves(scope))
    kinds = ["leaf", "unary", "unary", "paired", "optioned", "binary", "binary", "choice", "gather"]
    kinds += ["item", "size", "row", "ranked", "dict", "value test", "einsum", "nested gather"]
    kinds += ["own function"] * (2 if scope.functions else 0) + ["method"] * bool(scope.methods)
    kinds += ["layer"] * (4 if scope.layers else 0)
    inner = expressions(scope, fresh, depth - 1)
    match draw(st.sampled_from(kinds)):
        case "leaf":
            return draw(leaves(scope))
        case "unary":
            return Library(draw(st.sampled_from(UNARY)), (draw(inner),))
        case "paired":
            return Library(draw(st.sampled_from(PAIRED)), (draw(inner), draw(inner)))
        case "optioned":
            origin = draw(st.sampled_from(sorted(OPTIONED)))
            options = tuple((name, Literal(draw(value))) for name, value in OPTIONED[origin].items())
            return Library(origin, (draw(inner),), options)
        case "einsum":
            return Library("torch.einsum", (Literal(draw(EQUATIONS)), draw(inner), draw(inner)))
        case "binary":
            return Binary(draw(st.sampled_from(["+", "-", "*", "/", "//", "**", "@"])), draw(inner), draw(inner))
        case "choice":
            return Choice(draw(tests(scope, fresh, depth - 1)), draw(inner), draw(inner))
        case "value test":
            condition = Compare(draw(st.sampled_from(["<", ">", "=="])), draw(inner), draw(inner))
            return Library("torch.where", (condition, draw(inner), draw(leaves(scope))))
        case "item":
            return Item(Var(draw(st.sampled_from(scope.variables))), draw(leaves(scope)))
        case "size":
            return Size(draw(inner), draw(st.sampled_from([0, 1, -1])))
        case "row":
            return Row((draw(inner), draw(inner)))
        case "ranked":
            variable = fresh.variable()
            return Ranked(draw(leaves(scope)), variable, draw(expressions(scope.within(variable), fresh, depth - 1)))
        case "own function":
            number = draw(st.sampled_from(scope.functions))
            return OwnCall("function", number, (draw(inner), draw(inner)))
        case "method":
            return OwnCall("method", draw(st.sampled_from(scope.methods)), (draw(inner), draw(inner)))
        case "layer":
            return OwnCall("layer", draw(st.sampled_from(scope.layers)), (draw(inner),))
        case kind:
            return draw(gathers(scope, fresh, depth, kind))


@st.composite
def gathers(draw: st.DrawFn, scope: Scope, fresh: Fresh, depth: int, kind: str) -> Gather:
    variable = fresh.variable()
    clauses = [(variable, draw(leaves(scope)))]
    inside = scope.within(variable)
    if kind == "nested gather":
        second = fresh.variable()
        clauses.append((second, draw(st.sampled_from([Var(variable), *map(Var, scope.variables)]))))
        inside = inside.within(second)
    test = draw(st.none() | tests(inside, fresh, depth - 2))
    return Gather(tuple(clauses), draw(expressions(inside, fresh, depth - 1)), test, kind == "dict")


@st.composite
def bodies(draw: st.DrawFn, scope: Scope, fresh: Fresh) -> tuple[tuple[Statement, ...], Expr]:
    """Statements, and the value that is returned behind them."""
    body: list[Statement] = []
    lets: list[int] = []
    for _ in range(draw(st.integers(0, 4))):
        kinds = ["let", "let", "let", "effect", "refuse"] + ["update", "fold", "find"] * bool(lets)
        kinds += ["store"] * bool(scope.attributes)
        match draw(st.sampled_from(kinds)):
            case "let":
                value = draw(expressions(scope, fresh, 2))
                lets.append(fresh.variable())
                body.append(Let(lets[-1], value))
                scope = scope.within(lets[-1])
            case "update":
                body.append(draw(updates(scope, fresh, lets)))
            case "fold":
                variable = fresh.variable()
                update = draw(updates(scope.within(variable), fresh, lets))
                body.append(Fold(variable, draw(leaves(scope)), update))
            case "find":
                variable = fresh.variable()
                inside = scope.within(variable)
                test, value = draw(tests(inside, fresh, 1)), draw(expressions(inside, fresh, 1))
                body.append(Find(draw(st.sampled_from(lets)), variable, draw(leaves(scope)), test, value))
            case "store":
                attribute = draw(st.sampled_from(scope.attributes))
                body.append(Store(attribute, draw(expressions(scope, fresh, 2))))
            case "effect":
                body.append(Effect(Library("torch.nn.init.normal_", (draw(expressions(scope, fresh, 1)),))))
            case _:
                body.append(Refuse(draw(tests(scope, fresh, 1)), draw(st.sampled_from(ERRORS))))
    # Somewhere behind the leaves there must be an operation, or there is no flow to compare.
    return tuple(body), Library(draw(st.sampled_from(UNARY)), (draw(expressions(scope, fresh, 3)),))


@st.composite
def updates(draw: st.DrawFn, scope: Scope, fresh: Fresh, variables: list[int]) -> Update:
    operator = draw(st.sampled_from(["+", "-", "*"]))
    return Update(draw(st.sampled_from(variables)), operator, draw(expressions(scope, fresh, 1)))


@st.composite
def functions(draw: st.DrawFn, number: int, outside: Scope) -> Function:
    parameters = draw(st.integers(2, 4))
    scope = Scope(tuple(range(parameters)), *list(vars(outside).values())[1:])
    body, result = draw(bodies(scope, Fresh(parameters)))
    is_branched = draw(st.booleans())
    if is_branched:
        result = Choice(draw(tests(scope, Fresh(90), 1)), result, draw(expressions(scope, Fresh(95), 1)))
    return Function(number, parameters, body, result)


@st.composite
def classes(draw: st.DrawFn, number: int, own_functions: tuple[int, ...]) -> Layered:
    parameters = draw(st.integers(1, 3))
    scope = Scope(tuple(range(parameters)))
    attributes: list[Expr] = []
    layers: list[int] = []
    for place in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            origin = draw(st.sampled_from(sorted(LAYERS)))
            attributes.append(Library(origin, tuple(draw(leaves(scope)) for _ in range(LAYERS[origin]))))
            layers.append(place)
        else:
            attributes.append(draw(expressions(scope, Fresh(parameters), 1)))
    values = tuple(place for place in range(len(attributes)) if place not in layers)
    count = draw(st.integers(1, 3))
    outside = Scope((), values, tuple(layers), tuple(range(1, count)), own_functions)
    methods = tuple(draw(functions(place, outside)) for place in range(count))
    return Layered(number, parameters, tuple(attributes), methods)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    count = draw(st.integers(1, 2))
    outside = Scope((), functions=tuple(range(count)))
    own = tuple(draw(functions(number, outside)) for number in range(count))
    return Program(own, tuple(draw(classes(number, outside.functions)) for number in range(draw(st.integers(0, 1)))))
