// The Python side of the sandbox: what is prepared once, and the harness that runs one program and its tests.
import { pytestSource } from './pytest-source.js';

/** Reads the request, runs the program, writes the verdict. */
export const harnessSource = String.raw`
import ast, builtins, functools, inspect, io, itertools, json, sys, types
import pytest

MAXIMUM_TEXT = 500


class Output(io.TextIOBase):
    "Keeps the first part of what is printed."

    def __init__(self, limit):
        self.parts, self.left = [], limit

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.left > 0:
            self.parts.append(text[: self.left])
            self.left -= len(text)
        return len(text)


def describe(error):
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith("<"):
            line = trace.tb_lineno
        trace = trace.tb_next
    try:
        text = str(error)[:MAXIMUM_TEXT]
    except BaseException:
        text = ""
    described = {"type": type(error).__name__, "message": text, "line": line}
    if isinstance(error, ModuleNotFoundError) and isinstance(error.name, str):
        described["missingModule"] = error.name
    return described


def build(request):
    "The program's code: its blocks one after the other, of each the parts to keep."
    body, functions, names = [], [], set()
    for number, block in enumerate(request["blocks"]):
        for node in ast.parse(block, f"<solution {number + 1}>").body:
            is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            if request.get("keep") == "functions" and not is_function and not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            if is_function:
                functions.append(node.name)
            if is_function or isinstance(node, ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names.update(target.id for target in node.targets if isinstance(target, ast.Name))
            body.append(node)
    # __future__ imports stand first.
    body.sort(key=lambda node: not (isinstance(node, ast.ImportFrom) and node.module == "__future__"))
    wanted = request.get("functionName")
    if wanted and functions and wanted not in names:
        body.extend(ast.parse(f"{wanted} = {functions[0]}").body)
    return compile(ast.Module(body, []), "<solution>", "exec")


def evaluate_marks(marks):
    for mark in marks:
        if mark.name == "skip" or (mark.name == "skipif" and mark.args and mark.args[0]):
            raise pytest.Skipped("")


def expand(function):
    "Every set of arguments that the function's parametrize marks give."
    choices = []
    for mark in getattr(function, "pytestmark", []):
        if mark.name != "parametrize":
            continue
        names, values = (list(mark.args) + [mark.kwargs.get("argnames"), mark.kwargs.get("argvalues")])[:2] if len(mark.args) != 1 else (mark.args[0], mark.kwargs["argvalues"])
        names = [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else list(names)
        choices.append([choice(names, value) for value in values])
    # The mark next to the function varies fastest; marks were added from the function outwards.
    for combination in itertools.product(*reversed(choices)):
        arguments, marks = {}, []
        for some, extra in combination:
            arguments.update(some)
            marks.extend(extra)
        yield arguments, marks


def choice(names, value):
    marks = ()
    if isinstance(value, pytest.ParameterSet):
        value, marks = value.values if len(names) > 1 else value.values[0], value.marks
    if len(names) == 1:
        return {names[0]: value}, marks
    value = tuple(value)
    if len(value) != len(names):
        raise pytest.Failed(f"{len(names)} names but {len(value)} values")
    return dict(zip(names, value)), marks


class Fixtures:
    "Values of fixtures for one call, and what is to be done after it."

    def __init__(self, space, arguments):
        self.space, self.values, self.ends = space, dict(arguments), []

    def value(self, name):
        if name in self.values:
            return self.values[name]
        fixture = next((f for f in self.space.values() if isinstance(f, pytest.Fixture) and f.__name__ == name), None)
        if fixture is None:
            raise pytest.Failed(f"fixture {name!r} not found")
        made = fixture.function(**self.arguments_of(fixture.function))
        if inspect.isgenerator(made):
            self.ends.append(made)
            made = next(made)
        self.values[name] = made
        return made

    def arguments_of(self, function):
        parameters = inspect.signature(function).parameters.values()
        return {p.name: self.value(p.name) for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}

    def close(self):
        for generator in reversed(self.ends):
            next(generator, None)


def collect(space):
    "(name, function, bound) of every test, in order of definition."
    for name, value in list(space.items()):
        if name.startswith("test_") and isinstance(value, types.FunctionType):
            yield name, value, getattr(value, "pytestmark", [])
        elif name.startswith("Test") and isinstance(value, type) and value.__init__ is object.__init__:
            for attribute in dir(value):
                method = inspect.getattr_static(value, attribute)
                if attribute.startswith("test_") and isinstance(method, types.FunctionType):
                    bound = functools.partial(call_method, value, attribute)
                    bound.__wrapped__ = getattr(value(), attribute)
                    bound.pytestmark = getattr(method, "pytestmark", [])
                    yield f"{name}.{attribute}", bound, [*getattr(value, "pytestmark", []), *bound.pytestmark]


def call_method(kind, name, **arguments):
    instance = kind()
    getattr(instance, "setup_method", lambda *_: None)(*setup_arguments(instance, name))
    try:
        return getattr(instance, name)(**arguments)
    finally:
        getattr(instance, "teardown_method", lambda *_: None)(*setup_arguments(instance, name, "teardown_method"))


def setup_arguments(instance, name, hook="setup_method"):
    method = getattr(instance, hook, None)
    return (getattr(instance, name),) if method is not None and inspect.signature(method).parameters else ()


def run_one(function, marks, arguments, space):
    expects_failure = any(mark.name == "xfail" for mark in marks)
    try:
        evaluate_marks(marks)
        fixtures = Fixtures(space, arguments)
        parameters = inspect.signature(function).parameters
        for fixture in [f for f in space.values() if isinstance(f, pytest.Fixture) and f.autouse]:
            fixtures.value(fixture.__name__)
        chosen = {name: value for name, value in arguments.items() if name in parameters}
        chosen.update(fixtures.arguments_of(function))
        try:
            result = function(**chosen)
            if inspect.iscoroutine(result):
                result.close()
                raise pytest.Failed("async def functions are not natively supported")
        finally:
            fixtures.close()
    except pytest.Skipped:
        return "skipped", None
    except BaseException as error:
        return ("skipped", None) if expects_failure else ("failed", describe(error))
    return "passed", None


def run_tests(space):
    tests = []
    for name, function, marks in collect(space):
        if inspect.isgeneratorfunction(inspect.unwrap(function)):
            error = {"type": "Failed", "message": f"'yield' keyword is allowed in fixtures, but not in tests ({name})", "line": None}
            tests.append({"name": name, "outcome": "failed", "error": error})
            continue
        try:
            cases = list(expand(function))
        except BaseException as error:
            tests.append({"name": name, "outcome": "failed", "error": describe(error)})
            continue
        for number, (arguments, extra) in enumerate(cases):
            outcome, error = run_one(function, [*marks, *extra], arguments, space)
            tests.append({"name": name if len(cases) == 1 else f"{name}[{number}]", "outcome": outcome, "error": error})
    return tests


def run(request, reserve):
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    stage = "program"
    try:
        exec(build(request), module.__dict__)
        if request.get("tests") is None:
            return {"stage": None, "error": None, "tests": []}
        stage = "tests"
        exec(compile(request["tests"], "<tests>", "exec"), module.__dict__)
    except BaseException as error:
        reserve.clear()
        return {"stage": stage, "error": describe(error), "tests": []}
    return {"stage": None, "error": None, "tests": run_tests(module.__dict__)}


def main(request_path, reply_path, open=builtins.open, dumps=json.dumps, loads=json.loads):
    with open(request_path, encoding="utf-8") as file:
        request = loads(file.read())
    output = Output(request["outputLimit"])
    # Freed when the program is done, so that one that took all memory still gets its verdict.
    reserve = bytearray(8 * 2**20)
    sys.stdout = sys.stderr = output
    sys.stdin = io.StringIO()
    verdict = run(request, reserve)
    verdict["output"] = "".join(output.parts)
    with open(reply_path, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(dumps(verdict))
`;

/** Loads what programs commonly import, and removes the ways to JavaScript that have a name. */
export const prepareSource = String.raw`
def prepare():
    import gc, os, sys, types
    # pylint: disable=unused-import
    import ast, asyncio, bisect, collections, contextlib, copy, csv, dataclasses, datetime, decimal, enum, fractions, functools
    import heapq, inspect, io, itertools, json, math, operator, queue, random, re, statistics, string, textwrap, time
    import timeit, typing, unittest, unittest.mock, uuid, warnings, xml.etree.ElementTree

    module = types.ModuleType("pytest")
    exec(compile(PYTEST, "pytest.py", "exec"), module.__dict__)
    sys.modules["pytest"] = module
    sys.path.insert(0, "/run")
    import harness

    class Waiting:
        "Of an event loop without files: there is nothing to wait for but the time."

        def select(self, timeout=None):
            if timeout is None:
                raise RuntimeError("the event loop would wait for ever")
            time.sleep(max(0, timeout))
            return []

        def register(self, *arguments):
            raise OSError("an event loop in the sandbox has no files to wait for")

        def close(self):
            pass

        def get_map(self):
            return {}

    class EventLoop(asyncio.BaseEventLoop):
        def __init__(self):
            super().__init__()
            self._selector = Waiting()

        def _process_events(self, events):
            pass

        def _write_to_self(self):
            pass

    class Policy(asyncio.events._BaseDefaultEventLoopPolicy):
        _loop_factory = EventLoop

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asyncio.set_event_loop_policy(Policy())
    asyncio.run = asyncio.runners.run
    asyncio._set_running_loop(None)
    time.sleep = getattr(sys.modules["pyodide.webloop"], "_orig_sleep", time.sleep)

    for finder in [f for f in sys.meta_path if "pyodide" in type(f).__module__ or "pyodide" in getattr(f, "__module__", "")]:
        sys.meta_path.remove(finder)
    bridges = ("js", "pyodide", "_pyodide", "pyodide_js", "_pyodide_core", "micropip", "ctypes", "_ctypes")
    for name in list(sys.modules):
        if name.split(".")[0] in bridges:
            del sys.modules[name]
    for name in bridges:
        sys.modules[name] = None
    os.environ.clear()
    sys.argv[:] = [""]
    os.chdir("/tmp")
    gc.collect()

prepare()
del prepare, PYTEST
`
  .replace('PYTEST,', () => `${JSON.stringify(pytestSource)},`)
  .replace('del prepare, PYTEST', 'del prepare');

/** Run for every program. */
export const runSource = 'import harness; harness.main("/run/request.json", "/run/reply.json")';
