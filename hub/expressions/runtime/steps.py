"""The step budget: no expression runs longer than about 5 ms, whatever a payload holds.

A step is about 100 ns of work. Whatever takes time that grows with its operands charges for it; a compiled expression
that can do so starts with a full budget. Expressions run one after the other, so there is one budget.
"""

from hub.errors import EvaluationError
from hub.limits import EXPRESSION_STEPS

__all__ = ["OPERATIONS", "STEPS", "charge", "start"]

OPERATIONS = ("STEPS",)


class StepBudget:
    """What is left of the running expression's budget."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        """Begin full."""
        self.left = EXPRESSION_STEPS


STEPS = StepBudget()


def start() -> None:
    """Fill the budget: an expression begins."""
    STEPS.left = EXPRESSION_STEPS


def charge(steps: int) -> None:
    """Take steps from the budget.

    Raises:
        EvaluationError: nothing is left.

    """
    STEPS.left -= steps
    if STEPS.left < 0:
        raise EvaluationError("takes too long: the payload is too large for this expression")
