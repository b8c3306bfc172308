"""percorso.toml: what it says, what it refuses and how, and its documentation."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.errors import SettingsError, SpecError
from percorso.settings import (
    CURRENCY_EXPONENTS,
    SIGNALS,
    STAGE_MODELS,
    Rate,
    Settings,
    StageModel,
    WorkspaceSettings,
    default_toml,
    duration_text,
    load_settings,
    parse_duration_us,
)
from percorso.settings.lines import line_of
from percorso.settings.stages import ORDER_SIGNAL, stage_model_problem
from percorso.settings.writer import all_sections, settings_reference

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "settings.md"


def load(text: str) -> Settings:
    return load_settings(text, where="percorso.toml")


def refusal(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load(text)
    return caught.value


def test_an_empty_file_is_the_defaults() -> None:
    assert load("") == Settings()


@pytest.mark.parametrize("language", ["it", "en"])
@pytest.mark.parametrize("model", list(STAGE_MODELS))
def test_the_shipped_file_says_the_defaults(language: str, model: str) -> None:
    text = default_toml(currency="USD", timezone="Asia/Kolkata", language=language, country="US", stage_model=model)
    assert load(text) == Settings(
        workspace=WorkspaceSettings("USD", "Asia/Kolkata", language, "US"), stages=STAGE_MODELS[model]
    )


@pytest.mark.parametrize("language", ["it", "en"])
def test_every_key_and_every_section_stands_in_the_shipped_file(language: str) -> None:
    text = default_toml(language=language)
    for section in all_sections():
        if section.keys or section.form == "map":
            assert f"[{section.name}]" in text
        for key in section.keys:
            assert f"\n{key.name} = " in text or f"# {key.name}: " in text, (section.name, key.name)


def test_the_examples_in_comments_are_good_toml() -> None:
    for section in all_sections():
        if section.example and section.name != "stages.custom":
            head = f"[[{section.name}]]" if section.form == "list" else f"[{section.name}]"
            assert load(f"{head}\n{section.example}") != Settings()


def test_everything_can_be_set() -> None:
    settings = load("""
rates = [{ day = "2026-01-02", currency = "USD", rate = 1 }]
[workspace]
country = "DE"
[sessions]
timeout = "45m"
[channels]
own_hosts = ["shop.example"]
[[channels.rules]]
channel = "Influencers"
medium = 'creator.*'
[places.by_source]
"pos milano" = "store"
[journeys.timeout_by_category]
Kitchens = "17w"
[[journeys.goals]]
event = "Quote Requested"
[[journeys.goals]]
event = "Order Completed"
[build]
memory_limit = "4GB"
coded_properties = ["size"]
[identity]
own_types = ["fidelity_card"]
shared_sources = ["totem"]
single_use_coupons = ['BDAY-[0-9]+']
hub_partners = 30
shared_share = 1
largest_group = 500
[identity.limits]
email = 2
fidelity_card = 3
[aliases]
acquisto = "Order Completed"
""")
    assert settings.rates == (Rate("2026-01-02", "USD", 1.0),)
    assert settings.workspace.country == "DE"
    assert settings.sessions.timeout_us == 45 * 60_000_000
    assert settings.channels.rules[0].medium == "creator.*"
    assert settings.places.by_source == {"pos milano": "store"}
    assert settings.journeys.timeout_by_category_us == {"Kitchens": 17 * 7 * 86_400_000_000}
    assert [goal.event for goal in settings.journeys.goals] == ["Quote Requested", "Order Completed"]
    assert settings.build.memory_limit_bytes == 4_000_000_000
    assert settings.identity.shared_sources == ("totem",)
    assert settings.identity.single_use_coupons == ("BDAY-[0-9]+",)
    assert (settings.identity.hub_partners, settings.identity.largest_group) == (30, 500)
    assert settings.identity.shared_share == 1.0
    assert settings.identity.limits == {"email": 2, "fidelity_card": 3}
    assert settings.aliases == {"acquisto": "Order Completed"}


MASTERS = [
    "local",
    "local[4]",
    "local[*]",
    "spark://host:7077",
    "spark://one:7077,two.example.com:7078",
    "yarn",
    "k8s://https://kubernetes.example:6443",
    "k8s://host",
    "sc://host",
    "sc://host:15002/;use_ssl=true",
]


@pytest.mark.parametrize("master", MASTERS)
def test_masters_of_spark(master: str) -> None:
    assert load(f'[engine]\nmaster = "{master}"').engine.master == master


def test_the_engine() -> None:
    settings = load("""
[engine]
name = "spark"
tasks = 64
archive = "environment.tar.gz"
wait = "5m"
[engine.spark]
"spark.executor.memory" = "4g"
""")
    engine = settings.engine
    assert (engine.name, engine.master, engine.tasks, engine.archive) == ("spark", "local[*]", 64, "environment.tar.gz")
    assert (engine.wait_us, engine.spark) == (300_000_000, {"spark.executor.memory": "4g"})


def test_a_token_in_the_address_of_a_master_is_not_repeated() -> None:
    for master in ("sc://host/;token=abc123", "k8s://someone:abc123@host"):
        error = refusal(f'[engine]\nmaster = "{master}"')
        assert "abc123" not in error.message + error.hint


def test_limits_of_identifiers() -> None:
    kinds = ("user_id", "loyalty_id", "email", "phone", "card_token", "fidelity_card")
    assert [Settings().identity.limit(kind) for kind in kinds] == [1, 2, 5, 5, 10, 5]
    own = load('[identity]\nown_types = ["fidelity_card"]\n[identity.limits]\nemail = 2\nfidelity_card = 1').identity
    assert [own.limit(kind) for kind in kinds] == [1, 2, 2, 5, 10, 1]


@pytest.mark.parametrize("language", ["it", "en"])
def test_the_limits_shown_in_the_shipped_file_are_the_defaults(language: str) -> None:
    _, _, shown = default_toml(language=language).partition("[identity.limits]\n")
    lines = [line.removeprefix("# ") for line in shown.partition("\n\n")[0].splitlines()]
    limits = load("\n".join(["[identity.limits]", *lines])).identity.limits
    assert list(limits) == ["user_id", "loyalty_id", "email", "phone", "card_token"]
    assert all(Settings().identity.limit(kind) == limit for kind, limit in limits.items())


def test_a_limit_may_stand_before_its_type() -> None:
    text = '[identity.limits]\nfidelity_card = 3\n[identity]\nown_types = ["fidelity_card"]'
    assert load(text).identity.limit("fidelity_card") == 3


REFUSED = [
    # text, key, line, in the hint
    ('[workspace]\ncurrency = "EURO"', "workspace.currency", 2, "'EUR'"),
    ('[workspace]\ncurrency = "eur"', "workspace.currency", 2, "'EUR'"),
    ('[workspace]\n\ntimezone = "Rome"', "workspace.timezone", 3, "'Europe/Rome'"),
    ('[workspace]\ntimezone = "europe/rome"', "workspace.timezone", 2, "'Europe/Rome'"),
    ('[workspace]\ntimezone = "New York"', "workspace.timezone", 2, "'America/New_York'"),
    ('[workspace]\nlanguage = "fr"', "workspace.language", 2, "en, it"),
    ('[workspace]\ncountry = "IE2"', "workspace.country", 2, "'IE'"),
    ("[workspace]\ncountry = 39", "workspace.country", 2, "text"),
    ('# a comment\n[workspace]\ncurency = "EUR"', "workspace.curency", 3, "'currency'"),
    ("[sesions]", "sesions", 1, "'sessions'"),
    ("sessions = 3", "sessions", 1, "[sessions]"),
    ("[sessions]\ntimeout = 30", "sessions.timeout", 2, "30m"),
    ('[sessions]\ntimeout = "30"', "sessions.timeout", 2, "unit"),
    ('[sessions]\ntimeout = "0m"', "sessions.timeout", 2, "above zero"),
    ('[stages]\nmodel = "retial"', "stages.model", 2, "'retail'"),
    ('[stages]\nmodel = "custom"', "stages.model", 2, "stages.custom"),
    ('[[rates]]\nday = 2026-01-02\ncurrency = "USD"', "rates", 1, "rate = "),
    ('[[rates]]\nday = "2.1.2026"\ncurrency = "USD"\nrate = 1', "rates.day", 2, "2026-01-31"),
    ('[[rates]]\nday = 2026-01-02\ncurrency = "USD"\nrate = 0', "rates.rate", 4, "above zero"),
    ("[rates]\nday = 1", "rates", 1, "[[rates]]"),
    (
        '[[channels.rules]]\nchannel = "a"\n[[channels.rules]]\nchannel = "b"\nsource = "("',
        "channels.rules.source",
        5,
        "",
    ),
    ("[channels]\nown_hosts = 'x'", "channels.own_hosts", 2, "list"),
    ('[places.by_source]\npos = "shop"', "places.by_source.pos", 2, "store"),
    ("[places]\nby_source = 3", "places.by_source", 2, "[places.by_source]"),
    ('[identity]\nown_types = ["email"]', "identity.own_types", 2, "Leave it out"),
    ('[identity]\nown_types = ["Fidelity Card"]', "identity.own_types", 2, "fidelity_card"),
    ("[identity.limits]\nemails = 3", "identity.limits.emails", 2, "'email'"),
    ("[identity.limits]\nanonymous_id = 3", "identity.limits.anonymous_id", 2, "card_token, email"),
    (
        '[identity]\nown_types = ["fidelity_card"]\n[identity.limits]\nphone = 1\nfidelity_crad = 3',
        "identity.limits.fidelity_crad",
        5,
        "'fidelity_card'",
    ),
    ("[identity.limits]\nemail = 0", "identity.limits.email", 2, "1 to"),
    ("[identity]\nlimits = 3", "identity.limits", 2, "[identity.limits]"),
    ("[identity]\nshared_share = 1.5", "identity.shared_share", 2, "from 0 to 1"),
    ('[identity]\nshared_share = "20 %"', "identity.shared_share", 2, "0.2"),
    ("[identity]\nshared_share = true", "identity.shared_share", 2, "0.2"),
    ("[identity]\nhub_partners = 0", "identity.hub_partners", 2, "1 to"),
    ("[identity]\nsingle_use_coupons = ['(']", "identity.single_use_coupons", 2, "regular expression"),
    ("[identity]\nshared_sources = 'totem'", "identity.shared_sources", 2, "list"),
    ('[engine]\nname = "sparc"', "engine.name", 2, "'spark'"),
    ("[engine]\nname = 3", "engine.name", 2, "local, spark"),
    ('[engine]\nmaster = "local[0]"', "engine.master", 2, "sc://HOST"),
    ('[engine]\nmaster = "spark://host"', "engine.master", 2, "spark://HOST:7077"),
    ('[engine]\nmaster = "sc://host/;token=abc"', "engine.master", 2, "PERCORSO_MASTER"),
    ("[engine]\ntasks = -1", "engine.tasks", 2, "0 to"),
    ('[engine]\nwait = "120"', "engine.wait", 2, "unit"),
    ('[engine.spark]\nspark.executor.memory = "4g"', "engine.spark.spark", 2, '"spark.executor.memory" = "4g"'),
    ('[engine.spark]\n"executor.memory" = "4g"', "engine.spark.executor.memory", 2, "spark."),
    ('[engine.spark]\n"spark.hadoop.fs.s3a.secret.key" = "x"', "engine.spark.spark.hadoop.fs.s3a.secret.key", 2, "env"),
    ('[engine.spark]\n"spark.hadoop.fs.s3a.access.key" = "x"', "engine.spark.spark.hadoop.fs.s3a.access.key", 2, "env"),
    ('[engine.spark]\n"spark.ssl.keyPassword" = "x"', "engine.spark.spark.ssl.keyPassword", 2, "environment"),
    (
        '[engine.spark]\n"spark.hadoop.fs.azure.account.key.x" = "y"',
        "engine.spark.spark.hadoop.fs.azure.account.key.x",
        2,
        "env",
    ),
    (
        '[engine.spark]\n"spark.executorEnv.AZURE_STORAGE_SAS_KEY" = "y"',
        "engine.spark.spark.executorEnv.AZURE_STORAGE_SAS_KEY",
        2,
        "env",
    ),
    (
        '[engine.spark]\n"spark.executor.extraJavaOptions" = "-Xss2m -Dx.storePassword=y"',
        "engine.spark.spark.executor.extraJavaOptions",
        2,
        "env",
    ),
    ('[engine.spark]\n"spark.x.oauthToken" = "x"', "engine.spark.spark.x.oauthToken", 2, "environment"),
    ('[storage]\nlake = "s3//bucket/shop/lake"', "storage.lake", 2, "'s3://'"),
    ('[storage]\nlog = "s3:/bucket/shop/log"', "storage.log", 2, "'s3://'"),
    ("[build]\nbucket_bits = 60", "build.bucket_bits", 2, "0 to 12"),
    ("[build]\nbucket_bits = true", "build.bucket_bits", 2, "0 to 12"),
    ('[build]\nbucket_bits = "many"', "build.bucket_bits", 2, '"auto"'),
    ('[build]\nmemory_limit = "4 apples"', "build.memory_limit", 2, "4GB"),
    ('[build]\nmemory_limit = "1MB"', "build.memory_limit", 2, "256MB"),
    ('[aliases]\na = [\n  "x",\n]\nb = "y"', "aliases.a", 2, "text"),
    ('[aliases]\na = """\nx\n"""\nb = 1', "aliases.b", 5, "text"),
    ('[aliases]\na = ""', "aliases.a", 2, "at least one"),
    ("aliases.b = 1", "aliases.b", 1, "text"),
]


@pytest.mark.parametrize(
    ("text", "key", "line", "hint"), REFUSED, ids=[case[1] + f"-{i}" for i, case in enumerate(REFUSED)]
)
def test_a_wrong_value_is_refused_with_key_line_and_what_is_allowed(text: str, key: str, line: int, hint: str) -> None:
    error = refusal(text)
    assert error.fields == {"where": "percorso.toml", "key": key, "line": line}
    assert f"percorso.toml, line {line}: '{key}'" in error.message
    assert error.hint
    assert hint in error.hint


def test_what_is_not_toml_is_refused_with_its_line() -> None:
    error = refusal("[workspace]\ncurrency = EUR")
    assert error.fields["line"] == 2
    assert "line 2" in error.message


def test_of_two_equal_keys_toml_knows_one() -> None:
    assert refusal('[workspace]\ncurrency = "EUR"\ncurrency = "USD"').fields["line"] == 3


def test_own_stages() -> None:
    settings = load("""
[stages]
model = "custom"
[[stages.custom]]
key = "discovery"
en = "Discovery"
it = "Scoperta"
signals = ["aware", "consider"]
[[stages.custom]]
key = "buying"
en = "Buying"
it = "Acquisto"
signals = ["convert"]
[[stages.custom]]
key = "owning"
en = "Owning"
it = "Possesso"
signals = ["care", "advocate"]
""")
    assert settings.stages.name == "custom"
    assert [stage.key for stage in settings.stages.stages] == ["discovery", "buying", "owning"]
    assert settings.stages.after_order == 2


CUSTOM = '[stages]\nmodel = "custom"\n' + "".join(
    f'[[stages.custom]]\nkey = "{key}"\nen = "{key}"\nit = "{key}"\nsignals = {{{key}}}\n'
    for key in ("one", "two", "three")
)


@pytest.mark.parametrize(
    ("one", "two", "three", "problem"),
    [
        (["aware"], ["consider", "convert"], ["care"], "'advocate'"),
        (["aware"], ["consider", "convert"], ["care", "advocate", "aware"], "'aware'"),
        (["aware", "consider", "convert", "care", "advocate"], [], [], "no signal"),
        (["consider"], ["aware", "convert"], ["care", "advocate"], "order"),
        (["aware", "care"], ["consider", "convert"], ["advocate"], "order"),
    ],
)
def test_stages_must_hold_every_signal_once_and_in_order(
    one: list[str], two: list[str], three: list[str], problem: str
) -> None:
    error = refusal(CUSTOM.format(one=one, two=two, three=three))
    assert error.fields["key"] == "stages.custom"
    assert error.fields["line"] == 3
    assert problem in error.message


def test_own_stages_without_the_custom_model_are_refused() -> None:
    text = CUSTOM.format(one=["aware"], two=["consider", "convert"], three=["care", "advocate"])
    assert "model" in refusal(text.replace('"custom"', '"retail"')).message


@pytest.mark.parametrize("model", STAGE_MODELS.values(), ids=STAGE_MODELS)
def test_shipped_models_are_models(model: StageModel) -> None:
    assert stage_model_problem(model.stages) == ""
    assert len(model.stages) == 5
    assert all(stage.en and stage.it for stage in model.stages)
    given = sorted(signal for stage in model.stages for signal in stage.signals if signal != ORDER_SIGNAL)
    assert given == sorted(SIGNALS)


def test_the_five_variants_of_the_field() -> None:
    assert {name: [stage.key for stage in model.stages] for name, model in STAGE_MODELS.items()} == {
        "retail": ["awareness", "consideration", "conversion", "retention", "advocacy"],
        "evaluation": ["awareness", "evaluation", "conversion", "loyalty", "advocacy"],
        "familiarity": ["awareness", "familiarity", "consideration", "purchase", "loyalty"],
        "purchase": ["awareness", "consideration", "purchase", "retention", "advocacy"],
        "support": ["awareness", "consideration", "purchase", "retention", "support"],
        "decision": ["awareness", "consideration", "decision", "loyalty", "advocacy"],
    }
    assert StageModel() == STAGE_MODELS["retail"]


def test_support_stays_the_fifth_stage() -> None:
    support = STAGE_MODELS["support"]
    assert [support.stage_of(signal) for signal in (*SIGNALS, ORDER_SIGNAL)] == [0, 1, 2, 4, 3, 2]
    assert support.after_order == 3


@pytest.mark.parametrize(
    ("given", "hint"), [({"currency": "EURO"}, "'EUR'"), ({"timezone": "Roma"}, "Rom"), ({"language": "de"}, "en, it")]
)
def test_a_workspace_is_not_made_with_a_wrong_value(given: dict[str, Any], hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        default_toml(**given)
    assert hint in caught.value.hint
    assert next(iter(given)) in caught.value.message


def test_own_stages_cannot_be_asked_for_on_the_command_line() -> None:
    with pytest.raises(SettingsError, match=r"percorso\.toml"):
        default_toml(stage_model="custom")


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("90s", 90_000_000),
        ("30m", 1_800_000_000),
        ("2h", 7_200_000_000),
        ("7d", 604_800_000_000),
        ("1w", 604_800_000_000),
        (" 1.5 h ", 5_400_000_000),
        ("250ms", 250_000),
        ("0s", 0),
    ],
)
def test_durations(text: str, us: int) -> None:
    assert parse_duration_us(text) == us


@pytest.mark.parametrize("text", ["", "30", "m", "-5m", "5 minutes", "1e3s", "5M", "٣m", "99999999999d", "1d 2h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_duration_us(text)
    assert "30m" in caught.value.hint


def test_a_bare_number_is_taken_for_days() -> None:
    with pytest.raises(SpecError) as caught:
        parse_duration_us("90")
    assert caught.value.hint.startswith("Did you mean '90d'? ")


@given(st.integers(0, 10**12).map(lambda ms: ms * 1000))
def test_a_duration_reads_back(us: int) -> None:
    assert parse_duration_us(duration_text(us)) == us


def test_lines_are_found_in_any_toml() -> None:
    text = 'top = 1\n[a]\nb = [\n 1,\n # note\n 2]\nc.d = """\n[x]\n"""\n[[e]]\n[[e]]\nf = { g = 1 }\n[e.h]\ni = 1\n'
    tomllib.loads(text)
    assert [
        line_of(text, path)
        for path in [
            ("top",),
            ("a",),
            ("a", "b"),
            ("a", "c", "d"),
            ("e", 0),
            ("e", 1),
            ("e", 1, "f", "g"),
            ("e", 1, "h", "i"),
        ]
    ] == [1, 2, 3, 7, 10, 11, 12, 14]
    assert line_of(text, ("a", "missing")) == 2
    assert line_of(text, ("missing",)) is None


def test_currencies_have_their_iso_exponents() -> None:
    assert {code: CURRENCY_EXPONENTS[code] for code in ("EUR", "USD", "JPY", "KWD", "CLF", "ISK", "TND")} == {
        "EUR": 2,
        "USD": 2,
        "JPY": 0,
        "KWD": 3,
        "CLF": 4,
        "ISK": 0,
        "TND": 3,
    }


def test_the_reference_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_reference(), "write docs/reference/settings.md again"


def test_a_section_that_stands_there_twice_is_named() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings('[engine]\nname = "local"\n[engine]\nname = "spark"\n', where="percorso.toml")
    assert refused.value.message == "percorso.toml, line 3: this is not TOML: [engine] stands there twice."
    assert "further up" in refused.value.hint
