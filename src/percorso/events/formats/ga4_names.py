"""GA4's event names, and the canonical names they are stored under."""

from __future__ import annotations

__all__ = ["GA4_EVENT_NAMES"]

#: Recommended and automatically collected events whose meaning is that of a canonical event. Any other
#: keeps the name that GA4 gives it.
GA4_EVENT_NAMES: dict[str, str] = {
    "page_view": "Page Viewed",
    "screen_view": "Screen Viewed",
    "session_start": "Session Started",
    "first_visit": "First Visit",
    "user_engagement": "User Engaged",
    "scroll": "Page Scrolled",
    "click": "Outbound Link Clicked",
    "file_download": "Content Downloaded",
    "form_start": "Form Started",
    "form_submit": "Form Submitted",
    "video_start": "Video Started",
    "video_progress": "Video Progressed",
    "video_complete": "Video Completed",
    "search": "Products Searched",
    "view_search_results": "Products Searched",
    "view_item_list": "Product List Viewed",
    "select_item": "Product Clicked",
    "view_item": "Product Viewed",
    "view_promotion": "Promotion Viewed",
    "select_promotion": "Promotion Clicked",
    "share": "Product Shared",
    "generate_lead": "Lead Submitted",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "view_cart": "Cart Viewed",
    "add_to_wishlist": "Product Added to Wishlist",
    "begin_checkout": "Checkout Started",
    "add_shipping_info": "Shipping Info Entered",
    "add_payment_info": "Payment Info Entered",
    "purchase": "Order Completed",
    "ecommerce_purchase": "Order Completed",
    "in_app_purchase": "Order Completed",
    "refund": "Order Refunded",
    "sign_up": "Signed Up",
    "login": "Signed In",
    "first_open": "Application Installed",
    "app_update": "Application Updated",
    "app_remove": "Application Uninstalled",
    "app_exception": "Application Crashed",
    "notification_receive": "Push Notification Received",
    "notification_open": "Push Notification Tapped",
}
