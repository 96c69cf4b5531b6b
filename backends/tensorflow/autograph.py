"""What AutoGraph, which rewrites Python inside ``tf.function``, is kept from."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import tensorflow as tf

from ...errors import InitSpecError

Method = TypeVar("Method", bound=Callable[..., Any])


def as_it_is(method: Method) -> Method:
    """A method that AutoGraph neither rewrites nor hides the errors of."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except InitSpecError as error:
            setattr(error, "ag_pass_through", True)  # noqa: B010
            raise

    kept: Method = tf.autograph.experimental.do_not_convert(call)
    return kept
