"""initspec: weight initialisation, specified once, the same in every framework.

The way of the data: a :class:`Scheme` (a rule, as data) is put on a shape and a layout and becomes
a :class:`Distribution` (a law with numbers); a backend turns that into an array.

>>> import initspec
>>> he = initspec.get("he_normal")
>>> round(he.on((256, 512)).std, 9)
0.088388348
>>> he.numpy((256, 512), seed=42).shape
(256, 512)
"""

from typing import TYPE_CHECKING

from . import keras_names, moved, versions

if TYPE_CHECKING:
    from . import figures as figures
    from .analysis.diff import diff as diff
    from .analysis.diff import equivalent as equivalent
    from .analysis.difference import Difference as Difference
    from .analysis.inference import Inference as Inference
    from .analysis.inference import infer as infer
    from .analysis.propagation import signal as signal
    from .analysis.signal import Signal as Signal
    from .errors import BackendMissing as BackendMissing
    from .errors import InitSpecError as InitSpecError
    from .errors import LayoutError as LayoutError
    from .errors import SameKeyWarning as SameKeyWarning
    from .errors import SpecError as SpecError
    from .errors import StreamError as StreamError
    from .errors import UnknownName as UnknownName
    from .figures import plot as plot
    from .layers.defaults import defaults as defaults
    from .layers.parameter import LayerDefault as LayerDefault
    from .layers.port import Port as Port
    from .layers.port import port as port
    from .plans.ledger import Ledger as Ledger
    from .plans.ledger import Row as Row
    from .plans.names import Rename as Rename
    from .plans.one_line import initialise as initialise
    from .plans.parameter import ModelParameter as ModelParameter
    from .plans.plan import Plan as Plan
    from .plans.recipes import plan as plan
    from .plans.rule import Rule as Rule
    from .plans.tie import Tie as Tie
    from .plugins import available as available
    from .plugins import backend as backend
    from .protocol import Backend as Backend
    from .readings.from_framework import from_call as from_call
    from .readings.from_framework import from_jax as from_jax
    from .readings.from_framework import from_keras as from_keras
    from .readings.from_framework import from_tf_contrib as from_tf_contrib
    from .readings.from_framework import from_torch as from_torch
    from .readings.registry import get as get
    from .readings.registry import initializer as initializer
    from .readings.registry import register as register
    from .readings.registry import schemes as schemes
    from .readings.to_framework import generate as generate
    from .spec.custom import Custom as Custom
    from .spec.distribution import Distribution as Distribution
    from .spec.fan_rules import Fans as Fans
    from .spec.layout import Layout as Layout
    from .spec.layout import fans as fans
    from .spec.scheme import Scheme as Scheme
    from .spec.serial import dumps as dumps
    from .spec.serial import load as load
    from .spec.serial import loads as loads
    from .spec.serial import save as save
    from .spec.truncation import Truncation as Truncation

__version__ = versions.VERSION

moved.install()  # so that old pickles load; it imports nothing
keras_names.install()  # so that Keras' files load; it imports nothing where Keras is not there

# The public names, by the module that each lives in. They are imported on first use, so that
# `import initspec` costs next to nothing and imports neither NumPy nor a framework.
_NAMES = {
    "errors": "BackendMissing InitSpecError LayoutError SameKeyWarning SpecError "
    "StreamError UnknownName",
    "spec.custom": "Custom",
    "spec.distribution": "Distribution",
    "spec.fan_rules": "Fans",
    "spec.layout": "Layout fans",
    "spec.scheme": "Scheme",
    "spec.serial": "dumps load loads save",
    "spec.truncation": "Truncation",
    "protocol": "Backend",
    "plugins": "available backend",
    "readings.from_framework": "from_call from_jax from_keras from_tf_contrib from_torch",
    "readings.registry": "get initializer register schemes",
    "readings.to_framework": "generate",
    "layers.defaults": "defaults",
    "layers.parameter": "LayerDefault",
    "layers.port": "Port port",
    "plans.ledger": "Ledger Row",
    "plans.names": "Rename",
    "plans.one_line": "initialise",
    "plans.parameter": "ModelParameter",
    "plans.plan": "Plan",
    "plans.recipes": "plan",
    "plans.rule": "Rule",
    "plans.tie": "Tie",
    "analysis.difference": "Difference",
    "analysis.diff": "diff equivalent",
    "analysis.inference": "Inference infer",
    "analysis.propagation": "signal",
    "analysis.signal": "Signal",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

# Modules that are public as they are, and needed by few.
_MODULES = {"figures": "figures", "plot": "figures.plot"}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f".{_MODULES[name]}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'initspec' has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
