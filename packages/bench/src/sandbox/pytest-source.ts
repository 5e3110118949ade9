// A stand-in for pytest inside the sandbox: what test files of data sets use of it.

/** Python source of the module `pytest`: raises, approx, mark, param, fixture, skip, fail, xfail, importorskip, warns. */
export const pytestSource = String.raw`
import math, re, sys, warnings
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Complex


class Skipped(BaseException):
    pass


class Failed(BaseException):
    pass


def skip(reason="", *, allow_module_level=False, msg=None):
    raise Skipped(reason or msg or "")


def xfail(reason=""):
    raise Skipped(reason)


def fail(reason="", pytrace=True, msg=None):
    raise Failed(reason or msg or "")


skip.Exception, fail.Exception = Skipped, Failed


def importorskip(modname, minversion=None, reason=None, exc_type=None):
    try:
        __import__(modname)
    except ImportError:
        raise Skipped(f"could not import {modname!r}")
    return sys.modules[modname]


class ExceptionInfo:
    value = None

    @property
    def type(self):
        return type(self.value)

    @property
    def typename(self):
        return type(self.value).__name__

    @property
    def tb(self):
        return self.value.__traceback__

    def match(self, regexp):
        assert re.search(regexp, str(self.value)), f"{regexp!r} does not match {str(self.value)!r}"
        return True

    def exconly(self, tryshort=False):
        return f"{self.typename}: {self.value}"


class RaisesContext:
    def __init__(self, expected, match=None, check=None):
        self.expected, self.pattern, self.check = expected, match, check
        self.info = ExceptionInfo()

    def __enter__(self):
        return self.info

    def __exit__(self, kind, value, trace):
        if kind is None:
            raise Failed(f"DID NOT RAISE {self.expected!r}")
        if not issubclass(kind, self.expected):
            return False
        self.info.value = value
        if self.pattern is not None:
            self.info.match(self.pattern)
        if self.check is not None and not self.check(value):
            raise AssertionError(f"check did not return True on {value!r}")
        return True


def raises(expected_exception=BaseException, *args, **kwargs):
    kinds = expected_exception if isinstance(expected_exception, tuple) else (expected_exception,)
    if not kinds or not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        raise TypeError(f"expected exception must be a BaseException type, not {expected_exception!r}")
    if not args:
        unknown = set(kwargs) - {"match", "check"}
        if unknown:
            raise TypeError(f"unexpected keyword arguments passed to pytest.raises: {sorted(unknown)}")
        return RaisesContext(expected_exception, **kwargs)
    function, *rest = args
    if not callable(function):
        raise TypeError(f"{function!r} object must be callable")
    with RaisesContext(expected_exception) as info:
        function(*rest, **kwargs)
    return info


class WarnsContext(warnings.catch_warnings):
    def __init__(self, expected=Warning, match=None):
        super().__init__(record=True)
        self.expected, self.pattern = expected, match

    def __enter__(self):
        self.records = super().__enter__()
        warnings.simplefilter("always")
        return self.records

    def __exit__(self, kind, value, trace):
        super().__exit__(kind, value, trace)
        if kind is None and not any(
            issubclass(record.category, self.expected)
            and (self.pattern is None or re.search(self.pattern, str(record.message)))
            for record in self.records
        ):
            raise Failed(f"DID NOT WARN {self.expected!r}")


def warns(expected_warning=Warning, *args, match=None, **kwargs):
    if not args:
        return WarnsContext(expected_warning, match)
    with WarnsContext(expected_warning):
        return args[0](*args[1:], **kwargs)


class ApproxScalar:
    __array_ufunc__ = None
    __array_priority__ = 100

    def __init__(self, expected, rel=None, abs=None, nan_ok=False):
        self.expected, self.rel, self.abs, self.nan_ok = expected, rel, abs, nan_ok

    @property
    def tolerance(self):
        kind = Decimal if isinstance(self.expected, Decimal) else float
        absolute = kind("1e-12") if self.abs is None else self.abs
        if absolute < 0:
            raise ValueError(f"absolute tolerance can't be negative: {absolute}")
        if math.isnan(absolute):
            raise ValueError("absolute tolerance can't be NaN.")
        if self.rel is None and self.abs is not None:
            return absolute
        relative = (kind("1e-6") if self.rel is None else self.rel) * abs(self.expected)
        if relative < 0:
            raise ValueError(f"relative tolerance can't be negative: {relative}")
        if math.isnan(relative):
            raise ValueError("relative tolerance can't be NaN.")
        return max(relative, absolute)

    def __eq__(self, actual):
        if actual == self.expected:
            return True
        if isinstance(self.expected, bool) or isinstance(actual, bool):
            return False
        if not (isinstance(self.expected, (Complex, Decimal)) and isinstance(actual, (Complex, Decimal))):
            return False
        if math.isnan(abs(self.expected)):
            return self.nan_ok and math.isnan(abs(actual))
        if math.isinf(abs(self.expected)):
            return False
        return abs(self.expected - actual) <= self.tolerance

    __hash__ = None

    def __repr__(self):
        return f"{self.expected} ± {self.tolerance}" if isinstance(self.expected, (Complex, Decimal)) else repr(self.expected)


class ApproxSequence:
    __hash__ = None

    def __init__(self, expected, **options):
        self.expected, self.options = expected, options

    def __eq__(self, actual):
        try:
            if len(actual) != len(self.expected):
                return False
        except TypeError:
            return False
        return all(a == ApproxScalar(e, **self.options) for a, e in zip(actual, self.expected))

    def __repr__(self):
        return f"approx({self.expected!r})"


class ApproxMapping(ApproxSequence):
    __hash__ = None

    def __eq__(self, actual):
        try:
            if set(actual.keys()) != set(self.expected.keys()):
                return False
        except AttributeError:
            return False
        return all(actual[key] == ApproxScalar(value, **self.options) for key, value in self.expected.items())


def approx(expected, rel=None, abs=None, nan_ok=False):
    options = dict(rel=rel, abs=abs, nan_ok=nan_ok)
    if isinstance(expected, Mapping):
        values, made = expected.values(), ApproxMapping(expected, **options)
    elif isinstance(expected, Sequence) and not isinstance(expected, (str, bytes)):
        values, made = expected, ApproxSequence(expected, **options)
    elif isinstance(expected, (set, frozenset)):
        raise TypeError("pytest.approx() only supports ordered sequences, not sets")
    else:
        return ApproxScalar(expected, **options)
    if any(isinstance(value, (Mapping, list, tuple)) for value in values):
        raise TypeError("pytest.approx() does not support nested data structures")
    return made


class ParameterSet:
    def __init__(self, values, marks=(), id=None):
        self.values = values
        self.marks = marks if isinstance(marks, (list, tuple)) else [marks]
        self.id = id


def param(*values, marks=(), id=None):
    return ParameterSet(values, marks, id)


class Mark:
    def __init__(self, name, args=(), kwargs=None):
        self.name, self.args, self.kwargs = name, args, kwargs or {}

    def __call__(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and callable(args[0]) and not self.args and not self.kwargs:
            target = args[0]
            target.pytestmark = [*getattr(target, "pytestmark", []), self]
            return target
        if self.args or self.kwargs:
            target = args[0]
            target.pytestmark = [*getattr(target, "pytestmark", []), self]
            return target
        return Mark(self.name, args, kwargs)


class Marks:
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Mark(name)


mark = Marks()


class Fixture:
    def __init__(self, function, params=None, autouse=False):
        self.function, self.params, self.autouse = function, params, autouse
        self.__name__ = function.__name__


def fixture(function=None, *, scope="function", params=None, autouse=False, ids=None, name=None):
    def wrap(target):
        made = Fixture(target, params, autouse)
        made.__name__ = name or target.__name__
        return made

    return wrap if function is None else wrap(function)


def main(*arguments, **options):
    return 0
`;
