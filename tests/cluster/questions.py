"""What the cluster is asked: every analysis, and the persons behind cells of them."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, channel_people, run_channels
from percorso.analyses.flow import FlowSpec, flow_people, run_flow
from percorso.analyses.funnel import funnel_people, run_funnel
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.journeys import JourneysSpec, journeys_people, run_journeys
from percorso.analyses.kpis import KpisSpec, run_kpis
from percorso.analyses.lifecycle import LifecycleSpec, lifecycle_people, run_lifecycle
from percorso.analyses.map import MapSpec, run_map
from percorso.analyses.people import PersonTask, people_table
from percorso.analyses.places import PlacesSpec, place_people, run_places
from percorso.analyses.quality import QualitySpec, run_quality
from percorso.analyses.result import Result
from percorso.analyses.retention import RetentionSpec, run_retention
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec, run_stages, stage_people
from percorso.analyses.timeouts import TimeoutsSpec, run_timeouts
from percorso.analyses.touchpoints import TouchpointsSpec, run_touchpoints
from percorso.analyses.variants import VariantsSpec, run_variants
from percorso.store.journey_log import JourneyLog

__all__ = ["PEOPLE", "QUESTIONS", "check_equal", "people_of"]

BASIS = Basis()
BY_PLACE = Scope(by="place")
STEPS = FunnelSpec(steps=("Product Viewed", "Order Completed"))

QUESTIONS: dict[str, Callable[[JourneyLog], Result]] = {
    "funnel": lambda log: run_funnel(STEPS, log, BASIS),
    "funnel by place": lambda log: run_funnel(FunnelSpec(steps=STEPS.steps, scope=BY_PLACE), log, BASIS),
    "flow": lambda log: run_flow(FlowSpec(unit="place"), log, BASIS),
    "variants": lambda log: run_variants(VariantsSpec(unit="place", scope=Scope(per="person")), log, BASIS),
    "journeys": lambda log: run_journeys(JourneysSpec(), log, BASIS),
    "retention": lambda log: run_retention(RetentionSpec(), log, BASIS),
    "lifecycle": lambda log: run_lifecycle(LifecycleSpec(), log, BASIS),
    "timeouts": lambda log: run_timeouts(TimeoutsSpec(), log, BASIS),
    "channels": lambda log: run_channels(ChannelsSpec(), log, BASIS),
    "places": lambda log: run_places(PlacesSpec(), log, BASIS),
    "touchpoints": lambda log: run_touchpoints(TouchpointsSpec(), log, BASIS),
    "stages": lambda log: run_stages(StagesSpec(), log, BASIS),
    "quality": lambda log: run_quality(QualitySpec(), log, BASIS),
    "kpis": lambda log: run_kpis(KpisSpec(), log, BASIS),
    "map": lambda log: run_map(MapSpec(), log, BASIS),
}

PEOPLE: dict[str, Callable[[JourneyLog], PersonTask]] = {
    "funnel": lambda log: funnel_people(STEPS, log, 1),
    "flow": lambda log: flow_people(FlowSpec(unit="place"), log, "site", "site"),
    "journeys": lambda log: journeys_people(JourneysSpec(), log, "converted"),
    "lifecycle": lambda log: lifecycle_people(LifecycleSpec(), log, "new"),
    "channels": lambda log: channel_people(ChannelsSpec(), log, "Direct"),
    "places": lambda log: place_people(PlacesSpec(), log, "site"),
    "stages": lambda log: stage_people(StagesSpec(), log, "consideration"),
}


def people_of(name: str, log: JourneyLog) -> pa.Table:
    """The persons of a cell; what is asked is worked out where the log's engine works, too."""
    return people_table(log, PEOPLE[name](log))


def check_equal(there: Result, here: Result) -> None:
    """To the last digit, totals, tables and warnings."""
    assert there.tables.keys() == here.tables.keys()
    for name, table in here.tables.items():
        assert there.tables[name].equals(table), name
    assert (there.totals, there.warnings) == (here.totals, here.warnings)
