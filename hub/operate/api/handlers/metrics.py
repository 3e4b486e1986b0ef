"""/metrics: the hub for Prometheus, read at each scrape from counters that are kept anyway; at most 500 series.

What devices send makes no series. The names of rules and receivers are labels, as many as hub/limits.py says; those
beyond are counted together as `other`. The API and the feed tell what an alert is about.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from starlette.responses import Response

from hub.commands.seams import RuleCounts
from hub.contracts.json_schema import TEXT
from hub.limits import METRIC_ALERTS, METRIC_RECEIVERS, METRIC_RULES
from hub.model import Phase
from hub.notify.lanes.breaker import Circuit
from hub.operate.api.alertmanager.alert_bodies import ALERTMANAGER
from hub.operate.api.feed.ticker import alert_counts
from hub.operate.api.front.actor import VIEWER
from hub.operate.api.gathered.standing import Receiving
from hub.operate.api.site import Asked, Endpoint, Handler, Site
from hub.operate.figures.histogram import Histogram
from hub.operate.specs.described import Described
from hub.selfwatch.peers import PeerFigure

__all__ = ["BOUNDS", "ENDPOINTS", "OF_STANDBY", "OTHER", "HubCollector", "StandbyCollector"]

OTHER = "other"
"""The label of all rules, receivers and alerts that have no series of their own."""
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)
"""Bounds of the histograms' buckets, in seconds: from an event without consequence to a receiver that was down."""


class HubCollector:
    """Reads the hub for one scrape."""

    def __init__(self, site: Site) -> None:
        """Read the hub behind `site`."""
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; prometheus_client calls this."""
        yield _info(self._site.hub)
        yield _alertmanager()
        yield from self._flow()
        yield from self._session()
        yield from self._alerts()
        yield from self._rules()
        yield from self._receivers()
        yield from map(_of_cluster, self._site.peers.figures())

    def _flow(self) -> Iterator[Metric]:
        """Yield the four figures, and counts of messages that were not evaluated or not delivered."""
        figures = self._site.figures
        counts = figures.counts
        yield _counter("hub_events", "Events evaluated (EGR).", figures.generated.total)
        yield _histogram(
            "hub_event_latency_seconds",
            "From the arrival of an event until all it caused is on disk (EPL).",
            figures.processing,
        )
        yield _counter("hub_notifications", "Notifications that a receiver has taken (NSR).", figures.sent.total)
        yield _histogram(
            "hub_notification_latency_seconds",
            "From the cause of a notification until a receiver has taken it (NPL).",
            figures.notifying,
        )
        yield _histogram(
            "hub_commit_seconds", "A commit, from when it is handed to the store until it is on disk.", figures.storing
        )
        yield _counter("hub_decode_errors", "Messages that could not be read: dead letters.", counts["undecoded"])
        yield _counter(
            "hub_duplicates", "Redeliveries that had been committed and were not evaluated again.", counts["duplicates"]
        )
        yield _counter("hub_dead_letters", "Notifications that were given up.", counts["dead"])
        yield _counter("hub_troubles", "Lines of the log that begin with trouble.", counts["troubles"])

    def _session(self) -> Iterator[Metric]:
        """Yield the state of the connection to the broker."""
        site, counts = self._site, self._site.figures.counts
        yield _gauge("hub_ready", "1 while the hub hears its broker and can write its disk.", not site.deaf())
        yield _gauge("hub_session_connected", "1 while the session with the broker stands.", site.standing.connected)
        yield _counter("hub_connections", "Connections made to the broker.", counts["session_connected"])
        yield _counter(
            "hub_sessions_lost",
            "Times that the broker had forgotten the hub: events may be missing.",
            counts["session_session_lost"],
        )
        yield _counter(
            "hub_overflows", "Times that events at QoS 0 found no room in the hub.", counts["session_dropped"]
        )
        dropped = site.broker_dropped()
        if dropped is not None:
            yield _counter("hub_broker_dropped", "Messages that the broker has dropped since it started.", dropped)
        yield _gauge("hub_feed_clients", "Clients of the live feed.", site.feed.clients)
        yield _gauge("hub_http_connections", "Connections to the HTTP interface.", site.traffic.open)
        yield _counter(
            "hub_http_refused", "Connections to the HTTP interface that there was no room for.", site.traffic.refused
        )

    def _alerts(self) -> Iterator[Metric]:
        """Yield how many alerts are in each state, and by name as Prometheus' ALERTS, but summed over all instances."""
        mirror = self._site.mirror
        stands = GaugeMetricFamily(
            "hub_alerts",
            "Alerts that fire or are pending, and how many of these are acknowledged or held back.",
            labels=["state"],
        )
        for state, number in alert_counts(mirror).items():
            stands.add_metric([state], number)
        yield stands
        numbers: Counter[tuple[str, str, str]] = Counter()
        for alert in mirror.alerts.values():
            if alert.state in (Phase.FIRING, Phase.PENDING):
                numbers[alert.alertname, alert.severity, alert.state.value] += 1
        alerts = GaugeMetricFamily(
            "ALERTS",
            "Alerts of this name that fire or are pending.",
            labels=["alertname", "severity", "alertstate"],
        )
        for labels, number in _most(numbers).items():
            alerts.add_metric(labels, number)
        yield alerts

    def _rules(self) -> Iterator[Metric]:
        """Yield what rules do: the first METRIC_RULES, in the order of their files, one by one, the others together."""
        rules, ask, costs = self._site.mirror.rules, self._site.ask, self._site.costs
        yield _gauge("hub_rules", "Rules at work.", len(rules))
        counted = [(name, counts) for name in rules if (counts := ask.counts(name)) is not None]
        families = (
            CounterMetricFamily("hub_rule_evaluations", "Events that the rule was evaluated for.", labels=["rule"]),
            CounterMetricFamily("hub_rule_matches", "Events for which its condition held.", labels=["rule"]),
            CounterMetricFamily("hub_rule_errors", "Events for which its condition had no value.", labels=["rule"]),
        )
        for rule, group in _named(counted, METRIC_RULES):
            for family, number in zip(families, _sums(group), strict=True):
                family.add_metric([rule], number)
        yield from families
        cost = GaugeMetricFamily(
            "hub_rule_cost_seconds",
            "One evaluation of the rule's condition alone, as it was timed lately.",
            labels=["rule"],
        )
        for name, _ in counted[:METRIC_RULES]:
            microseconds = costs.microseconds(name)
            if microseconds is not None:
                cost.add_metric([name], microseconds / 1e6)
        yield cost

    def _receivers(self) -> Iterator[Metric]:
        """Yield what waits for receivers, and what came of their deliveries."""
        site = self._site
        names = [(name, name) for name in site.files().rules.receivers]
        outbox = GaugeMetricFamily(
            "hub_outbox", "Notifications in the outbox: queued, or dead letters.", labels=["receiver", "state"]
        )
        oldest = GaugeMetricFamily(
            "hub_outbox_oldest_seconds", "Age of the oldest notification that is queued.", labels=["receiver"]
        )
        circuit = GaugeMetricFamily(
            "hub_receiver_circuit_open",
            "Receivers that are left alone after failures.",
            labels=["receiver"],
        )
        deliveries = CounterMetricFamily(
            "hub_deliveries", "Attempts: delivered, or failed (refused or to be tried again).",
            labels=["receiver", "outcome"],
        )  # fmt: skip
        circuits, now = site.circuits(), site.clock.now()
        for label, group in _named(names, METRIC_RECEIVERS):
            members = set(group)
            depths = [each for each in site.depths if each.receiver in members]
            for state in ("queued", "dead"):
                outbox.add_metric([label, state], sum(each.waiting for each in depths if each.state == state))
            since = min((each.oldest for each in depths if each.state == "queued"), default=now)
            oldest.add_metric([label], max(0.0, now - since))
            is_open = [name in circuits and circuits[name].circuit is not Circuit.CLOSED for name in group]
            circuit.add_metric([label], sum(is_open))
            states = [site.standing.receivers.get(name, Receiving()) for name in group]
            deliveries.add_metric([label, "delivered"], sum(state.delivered for state in states))
            deliveries.add_metric([label, "failed"], sum(state.failed for state in states))
        yield from (outbox, oldest, circuit, deliveries)


def _info(hub: Mapping[str, str]) -> Metric:
    info = GaugeMetricFamily("hub_build_info", "Always 1; which hub this is.", labels=["version", "client_id"])
    info.add_metric([hub["version"], hub["client_id"]], 1)
    return info


def _alertmanager() -> Metric:
    """Say which version of Alertmanager's API the hub has: karma reads it here, not in the API, with these labels."""
    labels = {"version": ALERTMANAGER, "revision": "", "branch": "hub", "goversion": ""}
    info = GaugeMetricFamily(
        "alertmanager_build_info", "Always 1; the version of Alertmanager whose API /api/v2 is.", labels=list(labels)
    )
    info.add_metric(list(labels.values()), 1)
    return info


def _of_cluster(figure: PeerFigure) -> Metric:
    family = CounterMetricFamily if figure.is_counter else GaugeMetricFamily
    made = family(figure.name, figure.words, labels=list(figure.labels))
    made.add_metric(list(figure.labels.values()), figure.value)
    return made


def _counter(name: str, text: str, number: float) -> Metric:
    return CounterMetricFamily(name, text, value=number)


def _gauge(name: str, text: str, number: float) -> Metric:
    return GaugeMetricFamily(name, text, value=number)


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    buckets = [(str(bound), float(histogram.below(bound))) for bound in BOUNDS]
    return HistogramMetricFamily(name, text, [*buckets, ("+Inf", float(histogram.count))], histogram.total)


def _named(members: Sequence[tuple[str, Any]], most: int) -> Iterable[tuple[str, Sequence[Any]]]:
    """Yield each of the first `most` members under its name, and all others together as OTHER.

    It takes the first ones, not the greatest: a counter that changed its label would look as if it had begun anew.
    """
    yield from ((name, [member]) for name, member in members[:most])
    if others := [member for _, member in members[most:]]:
        yield OTHER, others


def _sums(counted: Sequence[RuleCounts]) -> tuple[int, int, int]:
    return (
        sum(counts.evaluations for counts in counted),
        sum(counts.matches for counts in counted),
        sum(counts.errors for counts in counted),
    )


def _most(numbers: Counter[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], int]:
    """Keep the METRIC_ALERTS most frequent, and add the others up, for each state, as OTHER."""
    kept = dict(numbers.most_common(METRIC_ALERTS))
    for labels, number in numbers.items():
        if labels not in kept:
            other = (OTHER, OTHER, labels[2])
            kept[other] = kept.get(other, 0) + number
    return kept


class StandbyCollector:
    """Reads a node that stands by: what it says of its cluster. What the rules do, only the owner knows."""

    def __init__(self, site: Site) -> None:
        """Read the node behind `site`."""
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; prometheus_client calls this."""
        yield _info(self._site.hub)
        yield from map(_of_cluster, self._site.peers.figures())


def _written(collector: Callable[[Site], HubCollector | StandbyCollector]) -> Handler:
    """Return a handler that writes what a collector reads, in the format that the client prefers.

    That is Prometheus' text, or OpenMetrics.
    """

    async def handle(asked: Asked) -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(collector(asked.site))
        ProcessCollector(registry=registry)
        encode, kind = choose_encoder(asked.request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return handle


def _endpoint(collector: Callable[[Site], HubCollector | StandbyCollector]) -> Endpoint:
    described = Described(TEXT, media="text/plain")
    return Endpoint("GET", "/metrics", VIEWER, _written(collector), "The hub for Prometheus", described)


ENDPOINTS = (_endpoint(HubCollector),)
OF_STANDBY = _endpoint(StandbyCollector)
"""What a node that stands by answers in its place."""
