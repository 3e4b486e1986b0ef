"""The end of a pause: what was kept back is evaluated, whether the clock, a message or a reload has ended it."""

from hub.errors import EvaluationError
from hub.model import Reason
from hub.rules.absence import end_silence
from hub.rules.instance import Instance
from hub.rules.state import RuleState

__all__ = ["release"]


def release(state: RuleState, instance: Instance, now: float, *, again: bool) -> None:
    """End an instance's pause; `again`: its last message is evaluated as if it came now. `absent` counts anew."""
    extra = instance.extra
    if extra is None:
        return
    heard, waiting = extra.heard, extra.waiting
    extra.paused, extra.heard, extra.waiting = False, False, None
    state.work.touch(state, instance)
    if state.absence is not None:
        if heard:
            end_silence(state, instance, Reason.RETURNED, now)
        if not instance.silent:
            instance.seen = now
    if again:
        _evaluate(state, instance, waiting, now)
    state.go_on(instance)


def _evaluate(state: RuleState, instance: Instance, waiting: tuple[int, bool] | None, now: float) -> None:
    """Evaluate the last message; it becomes a sample unless it was one, before the pause."""
    event, captures = state.last(instance)
    if event is None:
        return
    if state.moving is not None:
        state.moving.move(instance, now)  # under the pause the windows stood still
    state.replaying, state.kept_back = True, waiting is not None
    try:
        if waiting is not None:
            event.qos, event.retain = waiting
            if state.sampler is not None:
                state.sample(state.sampler, event, captures, instance.key, now)
        state.judge(instance, event, captures, instance.key, now)
    except EvaluationError as error:
        state.failed(event, error)
    finally:
        state.replaying = state.kept_back = False
