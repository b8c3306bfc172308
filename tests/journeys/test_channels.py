"""Channel rules: order, sources, and what is no origin."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.events.event import CLICK_IDS, SOURCE_KINDS
from percorso.journeys.channel_names import CHANNEL_SYNONYMS
from percorso.journeys.channel_rules import (
    CLICK_MEDIUMS,
    GA4_RULES,
    IN_STORE_CHANNELS,
    KIND_CHANNELS,
    PLACE_CHANNELS,
    Visit,
    ga4_channel,
)
from percorso.journeys.channels import (
    CHANNEL_NAMES,
    CHANNELS,
    ChannelRules,
    Classified,
    Origin,
    canonical_channel,
    host_of,
)
from percorso.settings import PLACES, ChannelRule, ChannelSettings
from tests.docs_tables import code_spans, table

RULES = ChannelRules(
    ChannelSettings(own_hosts=("shop.example", "https://brand.example/"), excluded_hosts=("bank.example",))
)


def tagged(source: str, medium: str, campaign: str = "", *, rules: ChannelRules = RULES) -> str:
    return rules.classify(Origin("web", utm_source=source, utm_medium=medium, utm_campaign=campaign)).channel


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "channel"),
    [
        ("(direct)", "(none)", "", "Direct"),
        ("(direct)", "(not set)", "", "Direct"),
        ("google", "cpc", "18-cross-network-it", "Cross-network"),
        ("amazon", "cpc", "", "Paid Shopping"),
        ("google", "cpc", "spring-shop", "Paid Shopping"),
        ("google", "cpc", "workshop", "Paid Search"),
        ("google", "cpc", "", "Paid Search"),
        (" Google ", "CPC", "", "Paid Search"),
        ("bing", "cpm", "", "Paid Search"),
        ("instagram", "paid_social", "", "Paid Social"),
        ("youtube.com", "cpv", "", "Paid Video"),
        ("sito.example", "cpm", "", "Display"),
        ("sito.example", "banner", "", "Display"),
        ("sito.example", "interstitial", "", "Display"),
        ("sito.example", "cpc", "", "Paid Other"),
        ("sito.example", "retargeting", "", "Paid Other"),
        ("sito.example", "mcp", "", "Paid Other"),
        ("sito.example", "ppc-brand", "", "Unassigned"),
        ("sito.example", "unpaid", "", "Unassigned"),
        ("trovaprezzi.it", "referral", "", "Organic Shopping"),
        ("sito.example", "referral", "e-shop", "Organic Shopping"),
        ("facebook", "", "", "Organic Social"),
        ("sito.example", "social-media", "", "Organic Social"),
        ("vimeo.com", "referral", "", "Organic Video"),
        ("sito.example", "videos", "", "Organic Video"),
        ("google", "organic", "", "Organic Search"),
        ("sito.example", "organic", "", "Organic Search"),
        ("chatgpt.com", "", "", "AI Assistant"),
        ("sito.example", "ai-assistant", "", "AI Assistant"),
        ("chatgpt.com", "referral", "", "AI Assistant"),
        ("sito.example", "link", "", "Referral"),
        ("newsletter", "email", "", "Email"),
        ("e-mail", "automatic", "", "Email"),
        ("partner", "affiliate", "", "Affiliates"),
        ("spotify.com", "audio", "", "Audio"),
        ("sms", "campaign", "", "SMS"),
        ("firebase", "x", "", "Mobile Push"),
        ("app", "web-push", "", "Mobile Push"),
        ("app", "notification-x", "", "Mobile Push"),
        ("sito.example", "flyer", "", "Unassigned"),
        ("", "", "spring", "Unassigned"),
    ],
)
def test_ga4_default_channel_group(source: str, medium: str, campaign: str, channel: str) -> None:
    assert tagged(source, medium, campaign) == channel


def test_ga4_rules_stand_in_ga4s_order() -> None:
    assert [rule.channel for rule in GA4_RULES] == [
        "Direct",
        "Cross-network",
        "Paid Shopping",
        "Paid Search",
        "Paid Social",
        "Paid Video",
        "Display",
        "Paid Other",
        "Organic Shopping",
        "Organic Social",
        "Organic Video",
        "Organic Search",
        "AI Assistant",
        "Referral",
        "Email",
        "Affiliates",
        "Audio",
        "SMS",
        "Mobile Push",
        "Unassigned",
    ]


WORDS = st.sampled_from(
    [
        "",
        "cpc",
        "cpm",
        "organic",
        "referral",
        "email",
        "sms",
        "social",
        "video",
        "audio",
        "affiliate",
        "x",
        "push",
        "banner",
    ]
)


@settings(deadline=None)
@given(
    WORDS, WORDS, st.sampled_from(["", "a-shop", "cross-network", "x"]), st.sampled_from(["search", "social", "ai", ""])
)
def test_first_rule_that_holds_wins(source: str, medium: str, campaign: str, category: str) -> None:
    visit = Visit(source, medium, campaign, category)
    holding = [rule for rule in GA4_RULES if rule.test(visit)]
    assert ga4_channel(visit) is holding[0]


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("https://www.google.it/", Classified("Organic Search", "ga4.organic_search", True)),
        ("google.com", Classified("Organic Search", "ga4.organic_search", True)),
        ("https://l.facebook.com/l.php?u=x", Classified("Organic Social", "ga4.organic_social", True)),
        ("https://t.co/abc", Classified("Organic Social", "ga4.organic_social", True)),
        ("https://m.youtube.com/watch?v=1", Classified("Organic Video", "ga4.organic_video", True)),
        ("https://www.idealo.it/x", Classified("Organic Shopping", "ga4.organic_shopping", True)),
        ("https://chatgpt.com/", Classified("AI Assistant", "ga4.ai_assistant", True)),
        ("https://gemini.google.com/app", Classified("AI Assistant", "ga4.ai_assistant", True)),
        ("https://x.com/i/grok/1", Classified("AI Assistant", "ga4.ai_assistant", True)),
        ("https://x.com/a/status/1", Classified("Organic Social", "ga4.organic_social", True)),
        ("https://mail.google.com/mail/u/0/", Classified("Email", "ga4.email", True)),
        ("android-app://com.google.android.gm/", Classified("Email", "ga4.email", True)),
        (
            "android-app://com.google.android.googlequicksearchbox/",
            Classified("Organic Search", "ga4.organic_search", True),
        ),
        ("https://docs.google.com/document/1", Classified("Referral", "ga4.referral", True)),
        ("https://forum.example/t/1", Classified("Referral", "ga4.referral", True)),
        ("https://checkout.stripe.com/pay/1", Classified("Direct", "excluded_host", False)),
        ("https://www.paypal.com/", Classified("Direct", "excluded_host", False)),
        ("https://accounts.google.com/o/oauth2", Classified("Direct", "excluded_host", False)),
        ("https://acs.bank.example/3ds", Classified("Direct", "excluded_host", False)),
        ("https://www.shop.example/cart", Classified("Direct", "own_host", False)),
        ("https://blog.brand.example/", Classified("Direct", "own_host", False)),
        ("https://www.other.example/x", Classified("Direct", "own_host", False)),
        ("https://pay.other.example/x", Classified("Direct", "own_host", False)),
        ("", Classified("Direct", "ga4.direct", False)),
    ],
)
def test_referrers(referrer: str, expected: Classified) -> None:
    assert RULES.classify(Origin("web", referrer=referrer, url_host="other.example")) == expected


def test_tags_go_before_the_referrer() -> None:
    origin = Origin("web", utm_source="newsletter", utm_medium="email", referrer="https://www.google.it/")
    assert RULES.classify(origin).channel == "Email"


def test_a_tag_that_says_nothing_leaves_it_to_the_referrer() -> None:
    origin = Origin("web", utm_source="(direct)", utm_medium="(none)", referrer="https://www.google.it/")
    assert RULES.classify(origin).channel == "Organic Search"


@pytest.mark.parametrize(
    ("click_id", "channel"),
    [
        ("gclid", "Paid Search"),
        ("gbraid", "Paid Search"),
        ("wbraid", "Paid Search"),
        ("dclid", "Display"),
        ("msclkid", "Paid Search"),
        ("ttclid", "Paid Social"),
        ("twclid", "Paid Social"),
        ("li_fat_id", "Paid Social"),
        ("fbclid", "Organic Social"),
    ],
)
def test_click_ids_without_tags(click_id: str, channel: str) -> None:
    origin = Origin("web", click_id=click_id, referrer="https://www.example.org/")
    assert RULES.classify(origin) == Classified(channel, f"click.{click_id}", True)


def test_tags_go_before_click_ids() -> None:
    origin = Origin("web", utm_source="instagram", utm_medium="paid_social", click_id="fbclid")
    assert RULES.classify(origin) == Classified("Paid Social", "ga4.paid_social", True)


def test_click_ids_fill_in_the_tag_that_is_missing() -> None:
    assert RULES.classify(Origin("web", utm_source="google", click_id="gclid")).channel == "Paid Search"
    assert RULES.classify(Origin("web", utm_medium="cpc", click_id="ttclid")).channel == "Paid Social"
    pmax = Origin("web", utm_campaign="it-cross-network", click_id="gclid")
    assert RULES.classify(pmax).channel == "Cross-network"
    assert RULES.classify(Origin("web", click_id="unknown_id")).known is False


def test_every_click_id_is_classified() -> None:
    assert set(CLICK_IDS) == set(CLICK_MEDIUMS)


@pytest.mark.parametrize(
    ("kind", "place", "channel", "rule"),
    [
        ("pos", "", "Store POS", "kind.pos"),
        ("pos", "store", "Store POS", "kind.pos"),
        ("pos", "phone", "Call Centre", "kind.pos.phone"),
        ("support", "", "Call Centre", "kind.support"),
        ("support", "phone", "Call Centre", "kind.support"),
        ("support", "chat", "Chat", "kind.support.chat"),
        ("support", "social", "Chat", "kind.support.social"),
        ("support", "email", "Email", "kind.support.email"),
        ("email", "", "Email", "kind.email"),
        ("sms", "", "SMS", "kind.sms"),
        ("delivery", "", "Delivery", "kind.delivery"),
        ("delivery", "store", "Click and Collect", "kind.delivery.store"),
        ("survey", "", "Survey", "kind.survey"),
        ("review", "site", "Reviews", "kind.review"),
        ("ads", "", "Paid Other", "kind.ads"),
        ("server", "store", "Store POS", "place.store"),
        ("crm", "phone", "Call Centre", "place.phone"),
        ("other", "mail", "Direct Mail", "place.mail"),
        ("other", "marketplace", "Marketplace", "place.marketplace"),
        ("other", "social", "Organic Social", "place.social"),
        ("app", "push", "Mobile Push", "place.push"),
        ("web", "store", "Assisted Sale", "kind.web.store"),
        ("app", "store", "Store Visit", "kind.app.store"),
    ],
)
def test_kinds_and_places_that_say_it_themselves(kind: str, place: str, channel: str, rule: str) -> None:
    assert RULES.classify(Origin(kind, place=place)) == Classified(channel, rule, True)


@pytest.mark.parametrize("kind", SOURCE_KINDS)
@pytest.mark.parametrize("place", ["", *PLACES])
def test_offline_is_never_direct(kind: str, place: str) -> None:
    found = RULES.classify(Origin(kind, place=place))
    assert found.channel in CHANNEL_NAMES
    if kind not in ("web", "app") or place not in ("", "site", "app", "social"):
        assert found.channel != "Direct"


def test_a_back_office_saw_nobody_come() -> None:
    assert RULES.classify(Origin("server", place="site")) == Classified("Unassigned", "none", False)
    assert (
        RULES.classify(Origin("server", place="site", utm_source="google", utm_medium="cpc")).channel == "Paid Search"
    )


def test_the_senders_word_is_final() -> None:
    origin = Origin("pos", channel="paid_social", utm_source="google", utm_medium="cpc", place="store")
    assert RULES.classify(origin) == Classified("Paid Social", "explicit", True)
    assert RULES.classify(replace(origin, channel=" Influencers ")) == Classified("Influencers", "explicit", True)
    assert RULES.classify(replace(origin, channel="  ")).channel == "Store POS"


OWN = ChannelRules(
    ChannelSettings(
        rules=(
            ChannelRule("Influencers", source="instagram|tiktok", medium="creator.*"),
            ChannelRule("Press", referrer_host=r"(.*\.)?giornale\.example"),
            ChannelRule("newsletter", medium="nl"),
            ChannelRule("Event", source_kind="pos", campaign="fiera.*"),
            ChannelRule("Spring", campaign="spring.*"),
        )
    )
)


def test_own_rules_in_order() -> None:
    influencer = Origin("web", utm_source="TikTok", utm_medium="creator-anna", utm_campaign="spring")
    assert OWN.classify(influencer) == Classified("Influencers", "workspace.1", True)
    assert OWN.classify(replace(influencer, utm_medium="cpc")) == Classified("Spring", "workspace.5", True)
    assert OWN.classify(replace(influencer, utm_medium="cpc", utm_campaign="x")).channel == "Paid Social"
    assert OWN.classify(Origin("web", referrer="https://www.giornale.example/a")).rule == "workspace.2"
    assert OWN.classify(Origin("web", utm_source="x", utm_medium="NL")) == Classified("Email", "workspace.3", True)


def test_own_rules_reach_offline_kinds_only_by_asking_for_them() -> None:
    receipt = Origin("pos", utm_campaign="fiera-2026")
    assert OWN.classify(receipt) == Classified("Event", "workspace.4", True)
    assert OWN.classify(replace(receipt, utm_campaign="spring")) == Classified("Store POS", "kind.pos", True)
    everything = ChannelRules(ChannelSettings(rules=(ChannelRule("All"),)))
    assert everything.classify(Origin("pos")).channel == "Store POS"
    assert everything.classify(Origin("web")) == Classified("All", "workspace.1", True)


@settings(deadline=None)
@given(
    st.builds(
        Origin,
        source_kind=st.sampled_from(SOURCE_KINDS),
        channel=st.sampled_from(["", "Email", "own"]),
        utm_source=st.sampled_from(["", "google", "(direct)", "x"]),
        utm_medium=st.sampled_from(["", "cpc", "email", "(none)"]),
        utm_campaign=st.sampled_from(["", "a", "b", "a-shop", "Cross-Network", "(not set)", "spring"]),
        click_id=st.sampled_from(["", "gclid", "fbclid"]),
        referrer=st.sampled_from(
            ["", "https://www.google.it/a", "https://x.com/i/grok", "https://x.com/a", "https://a.example/"]
        ),
        url_host=st.sampled_from(["", "a.example", "b.example"]),
        place=st.sampled_from(["", *PLACES]),
    )
)
def test_what_is_remembered_is_what_is_decided(origin: Origin) -> None:
    """Answers do not depend on what was asked before."""
    for rules in (RULES, OWN):
        assert rules.classify(origin) == rules._decide(origin)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://user@WWW.Shop.example:8443/a?b#c", "www.shop.example"),
        ("http://a.example?x=https://b.example", "a.example"),
        ("//cdn.example/x", "cdn.example"),
        ("a.example/b//c", "a.example"),
        ("a.example.", "a.example"),
        ("  https://a.example  ", "a.example"),
        ("", ""),
    ],
)
def test_host_of(address: str, host: str) -> None:
    assert host_of(address) == host


def test_channels_have_a_place_in_the_mix() -> None:
    assert len(set(CHANNEL_NAMES)) == len(CHANNELS)
    assert {channel.ownership for channel in CHANNELS} == {"paid", "owned", "earned", ""}
    assert [channel.name for channel in CHANNELS if not channel.ownership] == ["Unassigned"]
    given_channels = (
        {rule.channel for rule in GA4_RULES} | set(PLACE_CHANNELS.values()) | set(IN_STORE_CHANNELS.values())
    )
    given_channels |= {channel for channels in KIND_CHANNELS.values() for channel in channels.values()}
    assert given_channels <= set(CHANNEL_NAMES)
    assert set(CHANNEL_SYNONYMS.values()) <= set(CHANNEL_NAMES)
    assert all(canonical_channel(name.lower().replace(" ", "_")) == name for name in CHANNEL_NAMES)


def test_docs_list_the_channels() -> None:
    rows = table("reference/channels.md", "All channels")
    assert rows == [(c.name, c.ownership or "—", "online" if c.online else "offline", c.meaning) for c in CHANNELS]


def test_docs_list_ga4s_rules() -> None:
    rows = table("reference/channels.md", "GA4's default channel group")
    assert [(code_spans(rule)[0], channel, text) for _, rule, channel, text in rows] == [
        (rule.id, rule.channel, rule.text) for rule in GA4_RULES
    ]
    assert [int(number) for number, *_ in rows] == list(range(1, len(rows) + 1))


def test_docs_list_kinds_and_places() -> None:
    documented = {
        tuple(code_spans(rule)): channel for rule, _, _, channel in table("reference/channels.md", "Kinds and places")
    }
    ours = {
        (f"kind.{kind}.{place}" if place else f"kind.{kind}",): channel
        for kind, channels in KIND_CHANNELS.items()
        for place, channel in channels.items()
    }
    ours |= {(f"kind.{kind}.store",): channel for kind, channel in IN_STORE_CHANNELS.items()}
    ours |= {(f"place.{place}",): channel for place, channel in PLACE_CHANNELS.items()}
    ours |= {("place.social",): "Organic Social", ("kind.ads",): "Paid Other"}
    assert documented == ours


def test_docs_list_the_click_ids() -> None:
    documented = {
        code_spans(rule)[0].removeprefix("click."): (source, medium, channel)
        for rule, source, medium, channel in table("reference/channels.md", "Click ids")
    }
    assert documented == {
        name: (CLICK_IDS[name][0], medium, RULES.classify(Origin("web", click_id=name)).channel)
        for name, medium in CLICK_MEDIUMS.items()
    }


def test_docs_list_the_synonyms() -> None:
    documented = {
        said: channel
        for channel, texts in table("reference/channels.md", "What senders call a channel")
        for said in code_spans(texts)
    }
    assert documented == CHANNEL_SYNONYMS
    assert not [said for said in CHANNEL_SYNONYMS if re.search(r"[`|]", said)]
