"""Judges last messages again where something has changed that conditions ask beside the message: a device's attributes.

Instances that are pending or firing remember their message. All others are judged by the last message of their topic.
"""

from collections.abc import Collection
from contextlib import suppress

from hub.errors import EvaluationError
from hub.ingest.decode import decode_again
from hub.model import Event, Reason
from hub.rules.intake.rule_intake import RuleIntake
from hub.rules.running.engine import Engine
from hub.rules.running.rule_runner import RuleRunner

__all__ = ["look_again"]


def look_again(engine: Engine, devices: Collection[str], now: float, cause: Reason) -> None:
    """Judge the last messages of devices again; only by rules whose condition asks for `device`.

    `devices` are the levels of their topics that say which they are. This walks all topics, so it is called once for
    many devices. Event rules are not asked: what they speak of is the message.
    """
    asking = [runner for runner in engine.states.values() if runner.rule.asks_device]
    for runner in asking:
        runner.cause = cause
    try:
        _look(engine, asking, devices, now)
    finally:
        for runner in asking:
            runner.cause = None


def _look(engine: Engine, asking: Collection[RuleRunner], devices: Collection[str], now: float) -> None:
    if not asking:
        return
    identity = engine.work.registry.identity
    for runner in asking:
        for instance in list(runner.instances.values()):
            if instance.raw is not None and identity(instance.topic) in devices:
                runner.judge_again(instance, now)
    for topic, raw, at in list(engine.last_messages()):
        if identity(topic) in devices:
            _look_at_topic(engine, asking, decode_again(topic, raw, at), now)


def _look_at_topic(engine: Engine, asking: Collection[RuleRunner], event: Event, now: float) -> None:
    for hearer, message, captures, known in engine.hearers(event):
        runner = hearer if isinstance(hearer, RuleRunner) else hearer.runner
        if runner not in asking:
            continue
        for one in _heard(runner, message, captures, now):
            with suppress(EvaluationError):  # its payload names no instance: it had none when it came, either
                key = runner.instances.key(one, captures) if known is None else known
                instance = runner.instances.get(key)
                if instance is None or instance.raw is None:  # what remembers its message was judged already
                    runner.judge_last(one, captures, key, now)


def _heard(runner: RuleRunner, event: Event, captures: tuple[str, ...], now: float) -> list[Event]:
    """Return what a rule hears of a message that it has heard before."""
    try:
        return [one for one, is_heard in RuleIntake(runner).looked_at(event, captures, now) if is_heard]
    except EvaluationError:  # it has no elements: it had none when it came, either
        return []
