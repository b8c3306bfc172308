"""GA4's item rows flattened to a table, as dashboards export them: one row a product, no event name."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["GA4_ITEMS_TOML", "is_ga4_items"]

_SIGNS = frozenset({"user_pseudo_id", "event_timestamp", "item_id", "item_revenue"})


def is_ga4_items(columns: Sequence[str]) -> bool:
    """Whether the columns are those of GA4's item rows without event names."""
    return set(columns) >= _SIGNS and "event_name" not in columns


GA4_ITEMS_TOML = '''\
# Item rows of GA4 without event names: rows of one user and time are one event. Revenue makes it an order.
source = "ga4-items"
kind = "web"

[prepare]
sql = """
select
  *,
  case
    when count(item_revenue) over event > 0 then 'Order Completed'
    else 'Product Viewed'
  end as event
from file
window event as (partition by user_pseudo_id, event_timestamp)
order by file_line
"""

[event]
column = "event"

[timestamp]
column = "event_timestamp"
format = "unix_us"

[columns]
anonymous_id = "user_pseudo_id"
country = "country"

[items]
group_by = ["user_pseudo_id", "event_timestamp"]
product_id = "item_id"
name = "item_name"
price = "price"
quantity = "quantity"
'''
