"""The workspace's settings as frozen values, with units in their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from percorso.settings.stages import StageModel

__all__ = [
    "BotSettings",
    "BuildSettings",
    "ChannelRule",
    "ChannelSettings",
    "EngineSettings",
    "Goal",
    "IdentitySettings",
    "ImportSettings",
    "JourneySettings",
    "MapGoal",
    "MapSettings",
    "PathRule",
    "PathSettings",
    "PlaceSettings",
    "Rate",
    "ServiceSettings",
    "SessionSettings",
    "Settings",
    "StorageSettings",
    "Target",
    "WorkspaceSettings",
]

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

#: How many identifiers of a type and id space one person may have, where the workspace does not say.
SHIPPED_LIMITS: Mapping[str, int] = MappingProxyType(
    {"user_id": 1, "loyalty_id": 2, "email": 5, "phone": 5, "card_token": 10}
)
OWN_TYPE_LIMIT = 5


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    currency: str = "EUR"
    timezone: str = "Europe/Rome"
    language: str = "it"
    country: str = "IT"  # for phone numbers written without a country
    name: str = ""
    tax: str = "unknown"  # do amounts hold it: "unknown", "included" or "excluded"; a label, nothing is converted


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `currency` is worth `rate` units of the workspace's currency on `day` (ISO date)."""

    day: str
    currency: str
    rate: float


@dataclass(frozen=True, slots=True)
class SessionSettings:
    timeout_us: int = 30 * MINUTE_US
    id_timeout_us: int = 24 * HOUR_US  # a sender's session id is cut only at gaps above this
    engaged_us: int = 10_000_000


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """A workspace rule, tried before the shipped ones: every given pattern must match (case-insensitive)."""

    channel: str
    source: str = ""  # regular expressions, full match; empty: any
    medium: str = ""
    campaign: str = ""
    referrer_host: str = ""
    source_kind: str = ""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    own_hosts: tuple[str, ...] = ()  # a referrer on these is no origin
    excluded_hosts: tuple[str, ...] = ()  # added to the published list of payment and sign-in hosts
    rules: tuple[ChannelRule, ...] = ()


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    by_source: dict[str, str] = field(default_factory=dict)
    by_event: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    blocked_values: tuple[str, ...] = ()  # added to the shipped ones
    own_types: tuple[str, ...] = ()
    backfill_us: int = 90 * DAY_US  # events before the first login belong to it if it comes within this
    shared_sources: tuple[str, ...] = ()  # names of sources whose device many people use
    single_use_coupons: tuple[str, ...] = ()  # regular expressions, full match: a coupon of one person alone
    hub_partners: int = 20  # an identifier seen with more different ones of a better type is shared
    shared_share: float = 0.2  # of an identifier's events on refused edges, from which on it is shared
    largest_group: int = 10_000  # identifiers
    limits: dict[str, int] = field(default_factory=dict)  # what the workspace says; see `limit`

    def limit(self, kind: str) -> int:
        """The most identifiers of a strong type, within one id space, that one person can have."""
        return self.limits.get(kind, SHIPPED_LIMITS.get(kind, OWN_TYPE_LIMIT))


@dataclass(frozen=True, slots=True)
class Goal:
    event: str = "Order Completed"


@dataclass(frozen=True, slots=True)
class JourneySettings:
    timeout_us: int = 30 * DAY_US
    timeout_by_category_us: dict[str, int] = field(default_factory=dict)
    outbound_lead_us: int = 7 * DAY_US
    after_order_us: int = 30 * MINUTE_US
    order_open_us: int = 30 * DAY_US
    goals: tuple[Goal, ...] = (Goal(),)


@dataclass(frozen=True, slots=True)
class PathRule:
    """URL paths that match `pattern` (regular expression) are the touchpoint `touchpoint`."""

    pattern: str
    touchpoint: str


@dataclass(frozen=True, slots=True)
class PathSettings:
    rules: tuple[PathRule, ...] = ()
    events: dict[str, str] = field(default_factory=dict)  # event name -> touchpoint


@dataclass(frozen=True, slots=True)
class BotSettings:
    user_agents: tuple[str, ...] = ()  # regular expressions added to the shipped list
    allowed: tuple[str, ...] = ()  # never a bot


@dataclass(frozen=True, slots=True)
class ImportSettings:
    future_limit_us: int = DAY_US


@dataclass(frozen=True, slots=True)
class MapGoal:
    """What customers and the brand want at a stage; of one persona, or of all where it is ""."""

    stage: str
    customer: str = ""
    brand: str = ""
    persona: str = ""


@dataclass(frozen=True, slots=True)
class MapSettings:
    goals: tuple[MapGoal, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A value that the team wants a KPI to reach, in periods that end between two days (ISO; "" is any)."""

    kpi: str
    value: float
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """When service is open, by the clock of the workspace; without weekdays: always."""

    weekdays: tuple[str, ...] = ()
    hours: str = "00:00-24:00"

    @property
    def hours_s(self) -> tuple[int, int]:
        """From and to, in seconds after midnight."""
        first, last = (int(edge[:-3]) * 3_600 + int(edge[-2:]) * 60 for edge in self.hours.split("-"))
        return first, last


@dataclass(frozen=True, slots=True)
class BuildSettings:
    memory_limit_bytes: int = 0  # 0: half of the machine
    bucket_bits: int | None = None  # None: by the number of events
    heavy_person_events: int = 100_000
    coded_properties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where questions are worked out and logs built."""

    name: str = "local"
    master: str = "local[*]"  # for the engine spark
    tasks: int = 0  # 0: as many as Spark can run at once
    archive: str = ""  # environment for workers, seen from the workspace's folder; "": the Python that they have
    wait_us: int = 2 * MINUTE_US  # for Spark and its first worker
    spark: dict[str, str] = field(default_factory=dict)  # settings of Spark, handed on


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where lake and log stand; credentials are the environment's."""

    lake: str = ""  # folder or address; "": in the workspace
    log: str = ""
    endpoint: str = ""
    region: str = ""
    allow_http: bool = False
    cache: str = ""  # folder; "": the user's cache folder
    cache_bytes: int = 20_000_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    workspace: WorkspaceSettings = WorkspaceSettings()
    rates: tuple[Rate, ...] = ()
    sessions: SessionSettings = SessionSettings()
    stages: StageModel = field(default_factory=StageModel)
    channels: ChannelSettings = field(default_factory=ChannelSettings)
    places: PlaceSettings = field(default_factory=PlaceSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    journeys: JourneySettings = field(default_factory=JourneySettings)
    paths: PathSettings = field(default_factory=PathSettings)
    bots: BotSettings = BotSettings()
    imports: ImportSettings = ImportSettings()
    build: BuildSettings = BuildSettings()
    engine: EngineSettings = field(default_factory=EngineSettings)
    storage: StorageSettings = StorageSettings()
    map: MapSettings = MapSettings()
    targets: tuple[Target, ...] = ()
    service: ServiceSettings = ServiceSettings()
    aliases: dict[str, str] = field(default_factory=dict)  # what senders say -> canonical event name
