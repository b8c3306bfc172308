"""How results become charts: by the kind of question, which charts its answer can be drawn as.

An analysis joins by an entry in `PLOTS`. The functions take an answer and words and return a drawing; they stand in
``plots_<noun>.py``, and what they all say alike in :mod:`percorso.analyses.plots_telling`. A report draws the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from percorso.analyses.channels import ChannelsSpec
from percorso.analyses.flow import FlowSpec
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.journeys import JourneysSpec
from percorso.analyses.kpis import KpisSpec
from percorso.analyses.lifecycle_plan import LifecycleSpec
from percorso.analyses.places import PlacesSpec
from percorso.analyses.plots_contacts import (
    plot_breadth,
    plot_conversion,
    plot_devices,
    plot_orders,
    plot_reach,
    plot_researched,
    plot_roles,
    plot_switches_of,
    plot_value,
)
from percorso.analyses.plots_journeys import (
    plot_conversion_by,
    plot_curve,
    plot_lengths,
    plot_outcomes,
    plot_time_to_convert,
)
from percorso.analyses.plots_kpis import plot_kpi_changes, plot_kpi_groups, plot_kpi_tiles, plot_kpi_trend
from percorso.analyses.plots_lifecycle import (
    plot_balance,
    plot_churn,
    plot_limits,
    plot_relationships,
    plot_states,
    plot_stickiness,
)
from percorso.analyses.plots_paths import plot_flow, plot_funnel, plot_switches, plot_variants
from percorso.analyses.plots_quality import plot_freshness, plot_known, plot_sources, plot_troubles
from percorso.analyses.plots_retention import plot_average, plot_cohorts, plot_repeat
from percorso.analyses.plots_segment import plot_segment_size, plot_segment_traits
from percorso.analyses.plots_stages import (
    plot_stage_exits,
    plot_stage_flow,
    plot_stage_matrix,
    plot_stage_persons,
    plot_stage_progression,
    plot_stage_time,
)
from percorso.analyses.plots_telling import said_whole
from percorso.analyses.plots_timeouts import plot_cut_off, plot_timeout_outcomes
from percorso.analyses.plots_touchpoints import (
    plot_touchpoint_conversion,
    plot_touchpoint_exits,
    plot_touchpoint_reach,
    plot_touchpoint_stages,
)
from percorso.analyses.quality import QualitySpec
from percorso.analyses.result import Result
from percorso.analyses.retention_plan import RetentionSpec
from percorso.analyses.segment import SegmentSpec
from percorso.analyses.stages import StagesSpec
from percorso.analyses.timeouts import TimeoutsSpec
from percorso.analyses.touchpoints import TouchpointsSpec
from percorso.analyses.variants import VariantsSpec
from percorso.charts.chart import Chart, Drawing
from percorso.charts.draw import draw
from percorso.errors import SpecError, nearest_hint
from percorso.language.words import Words

__all__ = ["PLOTS", "Plot", "plot_result"]

#: From an answer to what is drawn of it; what it is of, and what it warns of, is said by whoever draws it.
Plot = Callable[[Result, Words], Drawing]


def plot_result(result: Result, kind: str = "", language: str = "") -> Chart:
    """The answer as a chart.

    Parameters
    ----------
    result : Result
    kind : str
        One of the charts that there are for this question; "" for the first.
    language : {"", "en", "it"}
        "": the first that the answer has words of.

    Raises
    ------
    SpecError
        No chart of that kind for this question, or no chart at all.
    """
    words = _words_of(result, language)
    plots = PLOTS.get(type(result.spec), {})
    if not plots:
        name = type(result.spec).__name__.removesuffix("Spec").lower()
        raise SpecError(f"There is no chart of a {name}.", hint="Its table is in `.table` and `.to_pandas()`.")
    if kind and kind not in plots:
        raise SpecError(f"There is no chart '{kind}' of this question.", hint=nearest_hint(kind, plots))
    drawing = plots[kind or next(iter(plots))](result, words)
    return draw(said_whole(drawing, result, words), words)


def _words_of(result: Result, language: str) -> Words:
    """The answer's own words in that language, which know the workspace's stages; else the language's."""
    if not language:
        return result.words[0]
    return next((words for words in result.words if words.language == language), Words(language))


_CONTACTS: Mapping[str, Plot] = {
    "reach": plot_reach,
    "conversion": plot_conversion,
    "orders": plot_orders,
    "value": plot_value,
    "roles": plot_roles,
    "switches": plot_switches_of,
    "breadth": plot_breadth,
}

#: Kind of question -> name of the chart -> how to draw it; the first is drawn unless another is asked for.
PLOTS: Mapping[type, Mapping[str, Plot]] = MappingProxyType(
    {
        FunnelSpec: {"funnel": plot_funnel},
        FlowSpec: {"sankey": plot_flow, "matrix": plot_switches},
        VariantsSpec: {"bars": plot_variants},
        TouchpointsSpec: {
            "reach": plot_touchpoint_reach,
            "stages": plot_touchpoint_stages,
            "conversion": plot_touchpoint_conversion,
            "exits": plot_touchpoint_exits,
        },
        ChannelsSpec: _CONTACTS,
        PlacesSpec: {**_CONTACTS, "devices": plot_devices, "researched": plot_researched},
        StagesSpec: {
            "persons": plot_stage_persons,
            "progression": plot_stage_progression,
            "flow": plot_stage_flow,
            "matrix": plot_stage_matrix,
            "time": plot_stage_time,
            "exits": plot_stage_exits,
        },
        JourneysSpec: {
            "outcomes": plot_outcomes,
            "conversion": plot_conversion_by,
            "curve": plot_curve,
            "times": plot_time_to_convert,
            "lengths": plot_lengths,
        },
        RetentionSpec: {"cohorts": plot_cohorts, "average": plot_average, "repeat": plot_repeat},
        LifecycleSpec: {
            "states": plot_states,
            "balance": plot_balance,
            "relationships": plot_relationships,
            "churn": plot_churn,
            "limits": plot_limits,
            "stickiness": plot_stickiness,
        },
        KpisSpec: {
            "tiles": plot_kpi_tiles,
            "changes": plot_kpi_changes,
            "trend": plot_kpi_trend,
            "groups": plot_kpi_groups,
        },
        TimeoutsSpec: {"cut_off": plot_cut_off, "outcomes": plot_timeout_outcomes},
        SegmentSpec: {"traits": plot_segment_traits, "size": plot_segment_size},
        QualitySpec: {
            "sources": plot_sources,
            "freshness": plot_freshness,
            "known": plot_known,
            "troubles": plot_troubles,
        },
    }
)
