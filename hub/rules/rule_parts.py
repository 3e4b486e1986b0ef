"""Which parts a rule has beside its condition, made from its keys; a plain rule has none."""

from hub.rules.gates.absence import absence_of
from hub.rules.gates.gate_condition import GateCondition, turns
from hub.rules.gates.mute import Mute
from hub.rules.gates.pause import Pause
from hub.rules.instances.device_time import DeviceTime
from hub.rules.instances.instance import Instance
from hub.rules.instances.last_message import LastMessage
from hub.rules.instances.late_messages import LateMessages, remakes_the_past
from hub.rules.members.census import census_of
from hub.rules.members.member_keeper import MemberKeeper
from hub.rules.reading.rule import Rule
from hub.rules.running.engine_context import EngineContext
from hub.rules.running.part import RulePart, Runner
from hub.rules.samples.moving import Moving
from hub.rules.samples.sample_keeper import OwedJudgement, SampleKeeper
from hub.rules.samples.sampler import Sampler

__all__ = ["RuleParts", "speaks_later"]


class RuleParts:
    """The parts of one rule. `all` has them in the order in which they take a message; part.py says which that is."""

    def __init__(self, runner: Runner, context: EngineContext, sampler: Sampler | None, moving: Moving | None) -> None:
        """Make the parts that the rule's keys ask for; `sampler` and `moving` are None where it looks at no samples."""
        rule, zone = runner.rule, runner.rule.tz or context.local
        zone = zone if rule.stamp is None else rule.stamp.tz or zone
        self.turns = rule.alert and any(turns(each) for each in (rule.when, rule.clear) if each is not None)
        """Whether `when` or `clear` may turn by the clock."""
        by_schedule = rule.when is not None and bool(rule.when.schedules)
        self.waits = rule.alert and (rule.timestamp is not None or by_schedule)
        """Whether inactive instances are kept: the clock may make one fire, or an older message may come later."""
        self.samples = None if sampler is None else SampleKeeper(runner, context, sampler, moving)
        census = census_of(rule)
        self.members = None if census is None else MemberKeeper(runner, context, census)
        self.turns = self.turns or (rule.alert and rule.stale is not None)
        self.absence = absence_of(runner, context)
        pause = None if rule.pause is None else GateCondition(runner, rule.pause, context.local)
        self.pause = None if pause is None else Pause(runner, pause, self.absence, self.samples)
        mute = None if rule.mute is None else GateCondition(runner, rule.mute, context.local)
        self.mute = None if mute is None else Mute(runner, mute)
        own_time = None if rule.timestamp is None else DeviceTime(runner, rule.timestamp, zone, self.samples)
        owed = None if moving is None else OwedJudgement(runner.instances, moving)
        self.late = LateMessages(runner, context.late) if remakes_the_past(rule) else None
        first = (own_time, self.late, self.members, self.pause, self.samples, self.absence)
        in_order = (*first, owed, self._last(runner), self.mute)
        self.all: tuple[RulePart, ...] = tuple([part for part in in_order if part is not None])
        # only of the parts that do something at that point: each message or instance calls all of these
        self.befores = tuple([part.before for part in self.all if type(part).before is not RulePart.before])
        self.afters = tuple([part.after for part in self.all[::-1] if type(part).after is not RulePart.after])
        self.followers = tuple([part.turn for part in self.all if type(part).turn is not RulePart.turn])
        self.dues = tuple([part.due for part in self.all if type(part).due is not RulePart.due])
        self.keeps = tuple([part.keeps for part in self.all if type(part).keeps is not RulePart.keeps])
        gates = [gate.table for gate in (pause, mute) if gate is not None and gate.table is not None]
        self.clocks = [*gates, *(runner.evaluator.tables[name] for name in sorted(rule.turning))]
        """The schedules that the rule follows."""

    def _last(self, runner: Runner) -> LastMessage | None:
        """Return the part that remembers each last message, where something may judge that message again."""
        rule = runner.rule
        mute_turns = rule.mute is not None and rule.mute.condition is not None and turns(rule.mute.condition)
        gated = rule.pause or rule.mute or rule.timestamp or rule.turning  # windows alone remember what they need
        judged_again = rule.pause is not None or mute_turns or self.turns or self.waits
        return LastMessage(runner, for_all=self.waits) if gated and judged_again else None

    def is_muted(self, instance: Instance | None, at: float) -> bool:
        """Tell whether the rule's `mute` holds for an instance."""
        return self.mute is not None and self.mute.is_muted(instance, at)


def speaks_later(rule: Rule) -> bool:
    """Tell whether a rule may speak of an instance later than its message came: then the message is remembered."""
    later = rule.repeat or rule.escalate or rule.group_by is not None or rule.causes or rule.limit
    gates = rule.pause or rule.mute or rule.turning or rule.timestamp
    again = rule.asks_device or rule.across
    return bool(rule.hold or rule.clear_hold or rule.absent or gates or later or again)
