"""What every KPI of the small shop (shop_of_kpis.py) is, by hand, from the definitions in docs/reference/kpis.md.

A value that is text is the reason why there is none; `n` is what the value is of. The arithmetic stands beside each.
"March" is March 2024, "ever" everything up to the newest event, 30 June 2024. The orders:

- till: 96 of the regulars, 10.00 each; in March B1 40 with a card, X1 25 without; in February X0 15 without
- site: in March A1 300, D1 20, D2 30, M1 200; before T1 45, S1 70, E1 80, O1 60; after S2 30, A2 100, B2 60, D3 10
- app: N1 100, of which 25 came back; by telephone E2 120; by chat F1 50, which was cancelled

Between the regulars' purchases lie 20 days (60 times), 40 (12) and 60 (12), so that of those who order again 80 % have
by day 40, and 95 % by day 60: five other gaps do not change it.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = [
    "BY_FIRST_CHANNEL",
    "BY_PLACE",
    "OF_TWO_ORDERS",
    "ON_THE_SITE",
    "SINCE_FEBRUARY",
    "SURVEYS",
    "VALUES",
    "Told",
]

Told: TypeAlias = float | str
DAY = 86_400

#: Weeks of March in Rome, whose last night has one hour less; and of ever: from 29 March 2023, 15:00, to 30 June
#: 2024, 10:00.
MARCH_WEEKS = (31 * 24 - 1) / (7 * 24)
EVER_WEEKS = (459 * 24 - 5) / (7 * 24)

#: KPI -> value and n in March, value and n of ever.
VALUES: dict[str, tuple[Told, int, Told, int]] = {
    # --- Business ---
    # March: 300 + 40 + 20 + 30 + 120 + 50 + 200 + 100 + 25; ever: 960 + 885 + 60 + 15 + 80 + 70 + 30 + 45 + 100
    # + 60 + 10
    "revenue": (885, 9, 2315, 114),
    "net_revenue": (885 - 50 - 25, 9, 2315 - 50 - 25, 114),  # F1 was cancelled, 25 of N1 paid back
    # March: all but E2, and X1, which is nobody's; ever: 12 · 10 + 740 + 80 (E1) + 60 (O1) + 70 (S1) + 45 (T1)
    "revenue_new": (740, 7, 1115, 23),
    "revenue_returning": (120, 1, 84 * 10 + 120 + 30 + 100 + 60 + 10, 89),  # E2; 84 of the regulars, S2, A2, B2, D3
    "orders": (9, 9, 96 + 9 + 9, 114),
    "net_orders": (8, 9, 113, 114),  # not F1
    "orders_new": (7, 7, 12 + 7 + 4, 23),  # D2 too: it is of Dario's first day
    "orders_returning": (1, 1, 84 + 1 + 4, 89),
    "units": (1 + 2 + 1 + 3 + 1 + 1 + 5 + 1, 8, 15 + 2, 9),  # D2 does not say what it was; A2
    "units_new": (11, 6, 11, 6),  # without E2, X1
    "units_returning": (3, 1, 5, 2),  # E2; A2
    # 300 - 180, 40 - 24, 20 - 8, 120 - 75, 50 - 25, 100 - 40, 25 - 12; what a drum costs (M1) nobody knows; A2:
    # 100 - 50
    "margin": (120 + 16 + 12 + 45 + 25 + 60 + 13, 7, 291 + 50, 8),
    "margin_new": (120 + 16 + 12 + 25 + 60, 5, 233, 5),
    "margin_returning": (45, 1, 95, 2),
    "margin_rate": (291 / (885 - 30 - 200), 7, 341 / 755, 8),
    "unidentified_share": (25 / 885, 9, 40 / 2315, 114),
    "contactable_email": (3, 3, 3, 3),  # Hugo, Gina by the newsletter, Paola
    "contactable_sms": (1, 2, 1, 2),  # Paola; no more Hugo
    "contactable_push": (1, 1, 1, 1),  # Paola
    "contactable_phone": (1, 2, 1, 2),  # Olga, not Paola
    "contactable_whatsapp": (2, 2, 2, 2),  # Olga, Paola
    "contactable_mail": (1, 3, 1, 3),  # Olga, not Hugo, not Paola
    # Gina and Paola, of 27 known by the end of March (not Zoe) less Hugo, who had said yes in February
    "opt_in_rate_email": (2 / 26, 26, 3 / 28, 28),
    "opt_in_rate_sms": (1 / 26, 26, 1 / 28, 28),  # Paola; ever not Hugo, who changed his mind afterwards
    "opt_out_rate_email": (0, 1, "no_contactable", 0),  # of Hugo
    "opt_out_rate_sms": (1, 1, "no_contactable", 0),
    # --- Persons and contacts ---
    "persons": (13, 13, 28, 28),  # all but the regulars, Sara, Tina and Zoe
    # By the customer: anna 7, bruno 5, carla 3, dario 5, elena 4, fabio 2, gina 3, ines 1, marta 5, nino 6, olga 4,
    # paola 1. By the shop: 5 parcels, 3 requests of a review, 4 e-mails, 1 text message, 2 posts, 6 surveys, 3 news
    # of points, 2 of a case, 1 of a refund, 1 push notification. Ever: regulars 96, T1, S1, S2, A2, B2, D3, elena 2,
    # olga 3, zoe 2; 2 parcels, 1 request, 1 e-mail, 1 of a case, 1 of points.
    "contacts": (46 + 28, 74, 155 + 34, 189),
    "contacts_inbound": (46, 46, 46 + 96 + 6 + 2 + 3 + 2, 155),
    "contacts_outbound": (28, 28, 28 + 6, 34),
    # Site: anna 3, bruno, carla 3, dario 3, elena, gina 2, ines, marta; app: anna, nino 2, paola. Ever: 10 orders and
    # looks of January to June outside March, zoe 2
    "sessions": (15 + 4, 19, 19 + 10 + 2, 31),
    # anna 16, bruno 11, carla 9, dario 10, elena 10, fabio 5, gina 12, hugo 6, ines 2, marta 11, nino 18, olga 5,
    # paola 2. Ever: regulars 96, olga 5, elena 4, zoe 3, sara 2, anna 2, bruno, dario, hugo, tina
    "events": (117, 117, 117 + 96 + 20, 233),
    "unidentified_events": (1, 1, 2, 2),
    "contacts_per_week_inbound": (46 / (13 * MARCH_WEEKS), 13, 155 / (28 * EVER_WEEKS), 28),
    "contacts_per_week_outbound": (28 / (13 * MARCH_WEEKS), 28, 34 / (28 * EVER_WEEKS), 34),
    # --- Awareness ---
    "reach": (13, 13, 28, 28),
    "new_persons": (10, 10, 28, 28),  # not Elena, Hugo, Olga
    # Of one event: anna 2, carla 2, dario 1, elena, gina, ines, nino; ever the 10 outside March, and zoe's second
    "bounce_rate": (9 / 19, 19, 20 / 31, 31),
    "social_views": (2, 2, 2, 2),
    "ad_impressions": (65_000, 65_000, 75_000, 75_000),
    "cost_per_thousand": (1_000 * 320 / 65_000, 65_000, 1_000 * 370 / 75_000, 75_000),  # not the day that does not say
    # --- Consideration ---
    # Journeys that opened in March: anna, bruno, carla, dario 2, elena, fabio, gina, ines, marta, nino, paola. Ever:
    # regulars 96, elena, olga, T1, S1, S2, A2, B2, D3, zoe. Only Ines and Paola stayed aware.
    "consideration_rate": (10 / 12, 12, 115 / 117, 117),
    "newsletter_persons": (1, 1, 1, 1),  # gina
    "newsletter_rate": (1 / 13, 13, 1 / 28, 28),
    "sign_up_persons": (2, 2, 2, 2),  # gina, marta
    "sign_up_rate": (2 / 13, 13, 2 / 28, 28),
    "download_persons": (3, 3, 3, 3),  # bruno, carla, gina
    "download_rate": (3 / 13, 13, 3 / 28, 28),
    "video_persons": (4, 4, 4, 4),  # bruno, dario, gina, marta
    "video_rate": (4 / 13, 13, 4 / 28, 28),
    "wish_list_persons": (5, 5, 5, 5),  # anna, carla, dario, gina, nino
    "wish_list_rate": (5 / 13, 13, 5 / 28, 28),
    # --- Conversion ---
    # March: not carla, gina, ines, paola. Ever: 111 of 117 within six days; Zoe is open, and watched for ten; of the
    # five still watched after twenty days Olga buys: 111/117 + 6/117 · 1/5
    "conversion_rate": (8 / 12, 12, 111 / 117 + 6 / 117 / 5, 117),
    "orders_per_session": (5 / 19, 19, 13 / 31, 31),  # A1, D1, D2, M1, N1; ever T1, S1, E1, O1, S2, A2, B2, D3 too
    # anna, bruno, dario, elena, fabio, marta, nino; olga, sara, tina, 12
    "buyers_per_person": (7 / 13, 13, 22 / 28, 28),
    "average_order_value": (885 / 9, 9, 2315 / 114, 114),
    "average_order_value_online": (650 / 5, 5, (650 + 45 + 70 + 80 + 60 + 30 + 100 + 60 + 10) / 13, 13),
    "average_receipt": (65 / 2, 2, (960 + 65 + 15) / 99, 99),
    "cart_abandonment": (2 / 6, 6, 2 / 6, 6),  # Carla's, and Dario's tuner; of anna, bruno, carla, dario, marta, nino
    "checkout_abandonment": (1 / 3, 3, 1 / 3, 3),  # Carla's; of anna, carla, dario
    # Dario's second 0 s, nino 300, fabio 1,800, elena 29 h 10 min, dario 2 d 5 min, marta 2 d 4 h 10 min, anna 4 d 2
    # h 6 min, bruno 5 d 6 h: the fourth of eight; ever more than half are the regulars, who just buy
    "time_to_convert": (DAY + 5 * 3_600 + 600, 8, 0, 112),
    "time_to_convert_p90": (5 * DAY + 6 * 3_600, 8, 0, 112),
    "contacts_to_convert": (2, 8, 1, 112),  # 1, 1, 2, 2, 2, 3, 3, 3: elena's newsletter, nino's message
    "sessions_to_convert": (1, 8, 0, 112),  # 0, 1, 1, 1, 1, 1, 2, 3
    "active_days_to_convert": (2, 8, 1, 112),  # 1, 1, 1, 2, 2, 3, 3, 3
    "payment_failure": (2 / 7, 7, 2 / 15, 15),  # anna, carla; and 5, 13 orders on site and app
    # --- Retention ---
    # Of anna (after 76 days), bruno (90), dario (91), marta, nino (never). Ever: regulars after 20, elena after 62:
    # 15 of 21
    "repeat_purchase_90": (2 / 5, 5, 15 / 21, 21),
    # Ever: dario too, 16 of 21; marta, nino, olga watched for 109, 118, 146 days; of sara and tina one after 151
    "repeat_purchase_180": ("too_young", 5, 1 - 5 / 21 / 2, 21),
    "repeat_purchase_365": ("too_young", 5, 1 - 5 / 21 / 2, 21),  # tina has been watched for 376 days
    # At risk after 40 days, lost after 60. On 29 February not lost: regulars 2 (60 days) to 6, elena, olga; on 31
    # March regulars 2, 3 (61) are lost
    "churn_rate": (2 / 7, 7, "history_too_short", 0),
    "at_risk": (3, 21, 1, 21),  # regulars 4 (60 days), 5 (41; 6: 40), olga (55); ever anna (41)
    # regulars 1, 2, 3, 7 to 12, sara, tina; ever elena, marta, nino, olga, sara, tina
    "lost": (3 + 6 + 2, 21, 12 + 6, 21),
    "contact_rate": (3 / 8, 8, 4 / 112, 112),  # of nino 3 about N1; of olga 1 about O1
    # nino's case, 4 days later his complaint; then 10. bruno, elena, fabio, gina
    "repeat_contact": (1 / 7, 7, 1 / 8, 8),
    "first_answer": (3_600, 3, 3_600, 4),  # fabio 20 min, gina 1 h, nino 4 h; olga 1 h
    "first_answer_p90": (4 * 3_600, 3, 4 * 3_600, 4),
    "resolution": (3 * DAY, 1, 3_600, 2),  # nino's last; olga 1 h
    "resolution_p90": (3 * DAY, 1, 3 * DAY, 2),
    "return_rate": (1 / 6, 6, 1 / 104, 104),  # M1; of A1, D1, E2, M1, N1, B1; E1, O1 and 96 too
    "late_delivery": (2 / 5, 5, 3 / 6, 6),  # A1, D1 (in Rome it was past midnight); O1
    "early_delivery": (3 / 5, 5, 3 / 6, 6),  # E2, M1, N1
    "loyalty_order_share": (2 / 9, 2, 3 / 114, 3),  # B1 with card, E2; E1
    "loyalty_value_share": (160 / 885, 2, 240 / 2315, 3),
    "points_earned": (40 + 120, 2, 190, 3),
    "points_redeemed": (10.5, 1, 10.5, 1),
    "points_expired": (5, 1, 5, 1),
    "points_expiring": (40, 1, 30, 1),  # on 31 May; on 31 August
    # --- Advocacy ---
    "nps": (100 * (2 - 1) / 4, 4, 25, 4),  # anna 10, dario 9, bruno 8, olga first 9, then 6
    "csat": (1 / 2, 2, 1 / 2, 2),  # nino 4, marta 3 of 5
    "ces": (1 / 2, 2, 1 / 2, 2),  # olga 5, elena 4 of 7
    "survey_response": ("several_surveys", 0, "several_surveys", 0),  # see SURVEYS
    "reviews": (5, 5, 5, 5),
    "review_rate": (2 / 3, 3, 2 / 4, 4),  # anna, marta; not bruno; elena wrote 35 days after she was asked
    "mean_rating_asked": ((5 + 2) / 2, 2, 3.5, 2),
    "mean_rating_unasked": ((5 + 3 + 4) / 3, 3, 4, 3),  # elena, olga, dario
    "referrals_sent": (2, 2, 2, 2),
    "referrals_converted": (1, 1, 1, 1),
    "referral_value": (25, 1, 25, 1),
    # --- Across places and channels ---
    # Moves: anna 2, bruno 2, carla 2, dario 1, elena 1, gina 2, marta 1; only carla's and dario's stay. Ever: elena's
    # first changes, olga's and zoe's stay
    "place_switch_rate": (8 / 11, 11, 9 / 14, 14),
    # anna's second and carla's, dario's, elena's first: Direct, Direct
    "channel_switch_rate": (7 / 11, 11, 7 / 14, 14),
    "multi_place_share": (5 / 12, 12, 6 / 117, 117),  # anna, bruno, elena, gina, marta; elena's first
    "multi_channel_share": (5 / 12, 12, 5 / 117, 117),
    # dario 2, fabio, nino; of carla, ines, paola too; zoe's is not closed
    "conversion_one_place": (4 / 7, 7, 107 / 110, 110),
    "conversion_two_places": (3 / 4, 4, 4 / 5, 5),  # not gina
    "conversion_three_places": (1, 1, 1, 1),  # bruno
    # Of two contacts elena, marta: all; as dario in one place. Of three anna, not gina; carla not: 2/4 · (1/2 - 0).
    # Ever elena's first and olga's as well: 2/5 · (1/2 - 0)
    "two_places_gain": (0.25, 4, 0.2, 5),
    "three_places_gain": (1, 1, 1, 1),  # bruno, three contacts; carla not
    "research_online_buy_in_store": (1, 1, 1 / 97, 97),  # B1; 96
    "research_in_store_buy_online": (1 / 5, 5, 1 / 13, 13),  # M1
    "research_coverage": (1 / 2, 2, 97 / 99, 99),  # not X1, X0
    "time_per_visit": (300, 10, 300, 11),  # 60, 120, 120, 120, 300, 300, 300, 360, 360, 600; zoe 60
    "new_customers": (5, 5, 21, 21),  # anna, bruno, dario, marta, nino; F1 is not live
    # anna 300 + 100, bruno 40 + 60, dario 20 + 30 + 10, marta 200, nino 100 - 25; ever all but X0, X1
    "lifetime_value": (835 / 5, 5, 2200 / 21, 21),
    "lifetime_value_one_place": (60, 1, (12 * 80 + 60 + 100 + 45) / 15, 15),  # dario; sara, tina, regulars
    "lifetime_value_two_places": ((400 + 200) / 2, 2, (600 + 60) / 3, 3),  # anna, marta; olga wrote an e-mail
    "lifetime_value_three_places": ((100 + 75) / 2, 2, (175 + 200) / 3, 3),  # bruno, nino; elena
    # Day 0: 12 · 10 + 300 + 40 + 50 + 80 + 200 + 75 + 60 + 70 + 45; the regulars' 120 on days 20, 40, 60, 80, 100,
    # 140, 200; elena 120 on day 62, anna 100 on 76, bruno 60 on 90, dario 10 on 91, sara 30 on 151. Watched for 109
    # days and more are all 21, for 140 days 16 (not anna, bruno, dario, marta, nino), for 151 days 15 (not olga), for
    # 200 days 14 (not elena)
    "expected_value_12m": (
        "too_young",
        5,
        (1040 + 5 * 120 + 120 + 100 + 60 + 10) / 21 + 120 / 16 + 30 / 15 + 120 / 14,
        21,
    ),
    # Regulars, dario, sara, tina: day 0 120 + 50 + 70 + 45; without dario from day 113 on
    "expected_value_12m_one_place": ("too_young", 1, (285 + 5 * 120 + 10) / 15 + (120 + 30 + 120) / 14, 15),
    "expected_value_12m_two_places": ("too_young", 2, "too_young", 3),  # nobody has been watched for a year
    "expected_value_12m_three_places": ("too_young", 2, "too_young", 3),
    "value_to_cost": (167 / 84, 5, 2200 / 470, 21),
    # --- Advertising ---
    "ad_cost": (420, 3, 470, 4),
    "cost_per_acquisition": (420 / 5, 5, 470 / 21, 21),
    "return_on_spend": (300 / 420, 1, 300 / 470, 1),  # A1: the ad was anna's last contact that was not direct
    # --- From stage to stage ---
    # Began aware: anna, bruno, carla, elena, gina, ines, nino, paola; ever elena's first, olga, zoe. Not further:
    # ines, paola
    "progression_1": (6 / 8, 8, 9 / 11, 11),
    # all who considered but gina; elena's first and olga's never did, zoe not further
    "progression_2": (8 / 9, 9, 8 / 10, 10),
    "progression_3": (8 / 9, 9, 112 / 113, 113),  # not carla
    "progression_4": (4 / 8, 8, 4 / 112, 112),  # anna, dario, elena, nino; of orders of known persons
}


#: Table `surveys` in March: response rates. Elena was asked the one and answered another; Hugo never answered.
SURVEYS: dict[str, tuple[Told, int]] = {
    "relation": (2 / 4, 4),  # olga, anna; not elena, gina
    "service": (1 / 2, 2),  # nino; not hugo
}

#: March by place of the order, or of the event that opened the session, contact or journey.
BY_PLACE: dict[str, dict[str, float]] = {
    "orders": {"site": 4, "store": 2, "phone": 1, "chat": 1, "app": 1},
    "revenue": {"site": 300 + 20 + 30 + 200, "store": 40 + 25, "phone": 120, "chat": 50, "app": 100},
    "net_revenue": {"site": 550, "store": 65, "phone": 120, "chat": 0, "app": 75},
    "revenue_new": {"site": 550, "store": 40, "chat": 50, "app": 100},
    "average_order_value": {"site": 550 / 4, "store": 65 / 2, "phone": 120, "chat": 50, "app": 100},
    "sessions": {"site": 15, "app": 4},
    "conversion_rate": {"site": 5 / 8, "app": 1 / 2, "store": 1, "chat": 1},  # carla, gina, ines; paola
    "progression_2": {"site": 5 / 6, "app": 1, "store": 1, "chat": 1},  # gina
    "cart_abandonment": {"site": 2 / 5, "app": 0},
    "time_per_visit": {"site": 300, "app": 120},  # 60, 120, 120, 300, 300, 360, 360, 600; 120, 300
    "return_rate": {"site": 1 / 3, "store": 0, "phone": 0, "app": 0},  # A1, D1, M1
    "late_delivery": {"site": 2 / 3, "phone": 0, "app": 0},
    "social_views": {"social": 2},
    "points_redeemed": {"store": 10.5},
    "place_switch_rate": {"site": 7 / 10, "store": 1},
    "lifetime_value": {"site": (400 + 60 + 200) / 3, "store": 100, "app": 75},  # of the first order
    "contacts_to_convert": {"site": 3, "app": 2, "store": 2, "chat": 1},  # 1, 2, 3, 3, 3; a push message, too
    "active_days_to_convert": {"site": 3, "app": 1, "store": 2, "chat": 1},  # 1, 2, 3, 3, 3
    "payment_failure": {"site": 2 / 6, "app": 0},
    "research_coverage": {"store": 1 / 2},
}

#: March by the channel that first brought a person.
BY_FIRST_CHANNEL: dict[str, dict[str, float]] = {
    "lifetime_value": {"Paid Search": 400, "Organic Search": 100, "Direct": (60 + 75) / 2, "Store POS": 200},
    "new_customers": {"Paid Search": 1, "Organic Search": 1, "Direct": 2, "Store POS": 1},
    "orders": {"Paid Search": 1, "Organic Search": 1, "Direct": 4, "Store POS": 1, "Chat": 1},  # D1, D2, E2, N1
    "at_risk": {"Store POS": 2, "Direct": 1},  # regulars 4, 5; olga
    "lost": {"Store POS": 9, "Direct": 2},  # sara, tina
    "churn_rate": {"Store POS": 2 / 5, "Direct": 0},  # of regulars 2 to 6; elena, olga
    "repeat_purchase_90": {"Paid Search": 1, "Organic Search": 1, "Direct": 0, "Store POS": 0},  # dario a day too late
    "opt_in_rate_sms": {"Paid Search": 0, "Organic Search": 0, "Store POS": 0},
}

#: March, of persons with two orders: anna, bruno, dario, elena, sara, and the regulars.
OF_TWO_ORDERS: dict[str, tuple[Told, int]] = {
    "revenue": (300 + 40 + 20 + 30 + 120, 5),
    "orders": (5, 5),
    "persons": (4, 4),
    "sessions": (4 + 1 + 3 + 1, 9),
    "conversion_rate": (1, 5),
    "cart_abandonment": (1 / 3, 3),
    "repeat_purchase_90": (2 / 3, 3),
    "place_switch_rate": (5 / 6, 6),
    "progression_2": (1, 4),
    "nps": (100 * 2 / 3, 3),
    "late_delivery": (2 / 3, 3),
    "new_customers": (3, 3),
    "lifetime_value": (560 / 3, 3),
    "at_risk": (2, 17),  # not olga
    "lost": (3 + 6 + 1, 17),  # not tina
    "opt_in_rate_sms": (0, 17),
    "contactable_email": (0, 0),
    "cost_per_acquisition": (420 / 3, 3),
    "contacts_per_week_inbound": ((7 + 5 + 5 + 4) / (4 * MARCH_WEEKS), 4),
}

#: Ever, of events on the site. Who is new, and when, all orders say: bruno's first was in the store.
ON_THE_SITE: dict[str, tuple[Told, int]] = {
    "orders": (12, 12),
    "revenue": (300 + 20 + 30 + 200 + 45 + 70 + 80 + 60 + 30 + 100 + 60 + 10, 12),
    "orders_new": (8, 8),  # A1, D1, D2, M1, T1, S1, E1, O1
    "orders_returning": (4, 4),  # S2, A2, B2, D3
    "revenue_new": (300 + 20 + 30 + 200 + 45 + 70 + 80 + 60, 8),
    "new_customers": (7, 7),  # anna, dario, marta, tina, sara, elena, olga
    # anna, bruno, carla, dario, gina, olga, sara, tina, zoe; elena came by the app, ines by a post
    "new_persons": (9, 9),
    "sessions": (31 - 5, 26),
    "cart_abandonment": (3 / 5, 5),  # not nino's; what bruno bought in the store is not seen
}

#: March minus February. In February bought regulars 5 and 6, olga, and nobody (X0): as of 1 June.
SINCE_FEBRUARY: dict[str, float | None] = {
    "revenue": 885 - 95,
    "orders": 9 - 4,
    "persons": 13 - 5,  # the regulars, olga, hugo, elena
    "contacts_inbound": 46 - 4,
    "new_customers": 5 - 1,
    "conversion_rate": 8 / 12 - 1,
    "average_order_value": 885 / 9 - 95 / 4,
    "time_to_convert": 105_000 - 0,
    "late_delivery": 2 / 5 - 1,
    "return_rate": 1 / 6 - 0,
    "repeat_purchase_90": 2 / 5 - 0,  # olga, watched for 117 days
    "lifetime_value": 167 - 60,
    "ad_cost": 420 - 50,
    "at_risk": 3 - 2,  # regular 2 (60 days), elena (48)
    "lost": 11 - 9,  # regulars 1, 7 to 12, sara, tina
    "churn_rate": 2 / 7 - 1 / 7,  # regular 1, of regulars 1 to 6 and elena
    "first_answer": 0,  # an hour each
    "nps": None,
}
