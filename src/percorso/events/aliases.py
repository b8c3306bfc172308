"""Canonical event names, and what senders really say.

Canonical names are those of Segment's e-commerce spec, extended with store, service, delivery, loyalty,
survey and review events (definitions, section 1). Shipped aliases match in any case and with any
separators: ``order_completed``, ``orderCompleted`` and ``ORDER COMPLETED`` are one name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from percorso.events.canonical_events import CANONICAL_EVENTS

__all__ = ["ALIASES", "CANONICAL_EVENTS", "KIND_ALIASES", "canonical_name"]

_SAID: dict[str, str] = {
    # Segment, e-commerce version 1, and wordings of tracking plans
    "Page Viewed": "Viewed Page, Loaded a Page, Viewed a Page, Page View, $pageview, Pagina vista, Visita pagina",
    "Screen Viewed": "Viewed Screen, Screen View, $screen, Schermata vista",
    "Products Searched": "Search, Searched, Searched Products, Product Searched, Site Search, Search Performed, "
    "Search Submitted, View Search Results, Submitted Search, Ricerca effettuata, Ricerca prodotto",
    "Product List Viewed": "Viewed Product List, Viewed Product Category, Product Category Viewed, Category Viewed, "
    "Viewed Category, View Item List, Collection Viewed, View Category, Categoria vista, Lista prodotti vista",
    "Product List Filtered": "Filtered Product List, Filter Applied, List Filtered, Filtri applicati",
    "Product Clicked": "Clicked Product, Select Item, Product Click, Prodotto cliccato",
    "Product Viewed": "Viewed Product, View Item, View Product, View Content, Product View, Product Detail Viewed, "
    "Product Page Viewed, Prodotto visto, Prodotto visualizzato, Scheda prodotto vista",
    "Product Scanned": "Barcode Scanned, QR Code Scanned, Scanned Product",
    "Products Compared": "Compared Products, Product Compared",
    "Promotion Viewed": "Viewed Promotion, View Promotion, Promozione vista",
    "Promotion Clicked": "Clicked Promotion, Select Promotion, Promozione cliccata",
    "Content Downloaded": "File Download, File Downloaded, Downloaded Content",
    "Video Started": "Video Start, Video Watched, Video Playback Started, Video Content Started",
    "Video Progressed": "Video Progress, Video Content Playing",
    "Video Completed": "Video Complete, Video Playback Completed, Video Content Completed",
    "Product Added to Wishlist": "Added Product to Wishlist, Add to Wishlist, Added to Wishlist, Wishlist Add, "
    "Aggiunto alla lista desideri, Aggiunto ai preferiti",
    "Product Removed from Wishlist": "Removed Product from Wishlist, Remove from Wishlist",
    "Newsletter Subscribed": "Subscribed, Subscribed to List, Subscribed to Newsletter, Newsletter Signup, "
    "Email Subscribed, Subscribed to Email Marketing, Iscrizione newsletter, Iscritto alla newsletter",
    "Store Locator Viewed": "Find Location, Store Locator, Store Searched, Cerca negozio",
    "Availability Checked": "Stock Checked, Store Availability Checked, Disponibilità verificata",
    "Back in Stock Requested": "Subscribed to Back in Stock, Back in Stock Subscribed",
    "Appointment Booked": "Schedule, Booked Appointment, Appointment Scheduled, Appuntamento prenotato",
    "Appointment Kept": "Appointment Attended, Appointment Held",
    "Appointment Cancelled": "Appointment Canceled",
    "Quote Requested": "Request Quote, Preventivo richiesto, Richiesta preventivo",
    "Lead Submitted": "Lead, Generate Lead, Lead Generated, Contact Form Submitted",
    "Outbound Link Clicked": "Outbound Click, Link Clicked",
    "Form Started": "Form Start",
    "Form Submitted": "Form Submit",
    # Cart and checkout
    "Product Added": "Added Product, Add to Cart, Added to Cart, Product Added to Cart, Item Added, Cart Add, "
    "Aggiunta al carrello, Aggiunto al carrello, Prodotto aggiunto",
    "Product Removed": "Removed Product, Remove from Cart, Removed from Cart, Product Removed from Cart, "
    "Rimosso dal carrello, Rimozione dal carrello",
    "Cart Viewed": "Viewed Cart, View Cart, Carrello visto, Carrello visualizzato",
    "Cart Updated": "Updated Cart, Update Cart, carts/update, carts/create",
    "Checkout Started": "Started Checkout, Begin Checkout, Initiate Checkout, Started Order, Order Started, "
    "checkouts/create, Checkout iniziato, Cassa iniziata",
    "Checkout Step Viewed": "Viewed Checkout Step",
    "Checkout Step Completed": "Completed Checkout Step, Checkout Progress, Checkout Contact Info Submitted",
    "Shipping Info Entered": "Add Shipping Info, Entered Shipping Info, Checkout Shipping Info Submitted, "
    "Checkout Address Info Submitted",
    "Payment Info Entered": "Entered Payment Info, Add Payment Info, Payment Info Submitted, Payment Info Added, "
    "Pagamento inserito",
    "Payment Failed": "Payment Declined, Payment Error, Payment Refused, Pagamento fallito, Pagamento rifiutato",
    "Coupon Entered": "Entered Coupon",
    "Coupon Applied": "Applied Coupon, Coupon applicato",
    "Coupon Redeemed": "Redeemed Coupon, Coupon Redemption, Coupon utilizzato, Buono utilizzato",
    # Orders
    "Order Completed": "Completed Order, Order Placed, Placed Order, Place Order, Purchase, Purchased, "
    "Purchase Completed, Order Created, Order Paid, Checkout Completed, Transaction Completed, In App Purchase, "
    "Ecommerce Purchase, orders/create, orders/paid, Store Purchase, In Store Purchase, Store Sale, POS Sale, "
    "Receipt Issued, Assisted Sale, Partner Order, Phone Order, Order by Phone, Scontrino, Scontrino emesso, "
    "Scontrino fiscale, Vendita, Vendita in negozio, Acquisto, Acquisto in negozio, Acquisto completato, Ordine, "
    "Ordine completato, Ordine effettuato, Ordine ricevuto, Ordine pagato",
    "Order Updated": "Updated Order, orders/updated, Ordine aggiornato",
    "Order Confirmed": "Order Confirmation Sent, Ordine confermato, Conferma ordine",
    "Order Prepared": "Order Packed, Order Picked, Ordine preparato",
    "Order Ready": "Order Ready for Pickup, Ready for Pickup, Pronto per il ritiro",
    "Order Shipped": "Shipped Order, Order Dispatched, Order Fulfilled, Fulfilled Order, Shipment Created, "
    "orders/fulfilled, Ordine spedito",
    "Order Delivered": "Delivered Order, Shipment Delivered, Parcel Delivered, Ordine consegnato",
    "Delivery Failed": "Failed Delivery, Delivery Attempt Failed, Mancata consegna",
    "Order Collected": "Order Picked Up, Collected Order, Click and Collect Completed, Ordine ritirato, "
    "Ritiro in negozio",
    "Order Not Collected": "Order Uncollected, Mancato ritiro",
    "Order Status Viewed": "Viewed Order Status, Order Tracked, Tracking Viewed",
    "Order Cancelled": "Order Canceled, Cancelled Order, Canceled Order, orders/cancelled, Order Refused, "
    "Delivery Refused, Ordine annullato, Annullamento ordine, Storno, Annullo scontrino, Scontrino annullato",
    "Order Refunded": "Refunded Order, Refund, Refunded, Refund Issued, refunds/create, Rimborso, Ordine rimborsato",
    "Return Requested": "Requested Return, Return Started, Reso richiesto, Richiesta reso",
    "Order Returned": "Returned Order, Store Return, Product Returned, Item Returned, Return Received, "
    "Return Completed, Reso, Reso in negozio, Reso ricevuto",
    "Order Exchanged": "Store Exchange, Product Exchanged, Cambio, Cambio merce",
    "Price Matched": "Price Match",
    # Service
    "Call Started": "Phone Call, Call Received, Inbound Call, Chiamata, Telefonata",
    "Call Ended": "Call Completed",
    "Callback Requested": "Callback, Requested Callback, Richiamata richiesta",
    "Chat Started": "Live Chat Conversation Started, Conversation Started, Chat avviata",
    "Chat Ended": "Live Chat Conversation Ended, Conversation Ended",
    "Message Sent": "Live Chat Message Sent",
    "Message Received": "Live Chat Message Received",
    "Ticket Opened": "Ticket Created, Case Opened, Case Created, Segnalazione aperta, Ticket aperto",
    "Ticket Reopened": "Case Reopened",
    "Ticket Resolved": "Ticket Solved, Ticket Closed, Case Resolved, Case Closed, Ticket chiuso",
    "Complaint Submitted": "Complaint, Complaint Received, Reclamo",
    "Question Asked": "Product Question Asked, Domanda",
    "Help Viewed": "FAQ Viewed, Help Article Viewed",
    # Store
    "Store Visited": "Store Visit, Visita in negozio",
    # Loyalty and after-sales
    "Loyalty Joined": "Joined Loyalty, Loyalty Program Joined, Loyalty Signup, Loyalty Enrolled, Iscrizione fedeltà",
    "Points Earned": "Loyalty Points Earned, Punti accumulati",
    "Points Redeemed": "Loyalty Points Redeemed, Punti utilizzati",
    "Points Expired": "Loyalty Points Expired, Punti scaduti",
    "Tier Changed": "Loyalty Tier Changed",
    "Product Registered": "Warranty Registered, Garanzia registrata",
    "Repair Booked": "Repair Requested, Riparazione prenotata",
    "Repair Completed": "Riparazione completata",
    "Subscription Renewed": "Subscription Reordered",
    "Subscription Cancelled": "Subscription Canceled",
    # Advocacy and feedback
    "Product Reviewed": "Reviewed Product, Review Submitted, Submitted Review, Review Posted, Review Left, "
    "Recensione, Recensione inviata, Recensione scritta",
    "Referral Sent": "Invite Friend, Friend Referred, Friend Invited, Amico invitato",
    "Referral Converted": "Referral Completed",
    "Product Shared": "Shared Product, Share, Prodotto condiviso",
    "Cart Shared": "Shared Cart",
    "Source Declared": "Declared Source, How Did You Hear",
    "Survey Sent": "Survey Delivered",
    "Survey Answered": "Survey Submitted, Survey Completed, Survey Response, Survey Responded, Answered Survey, "
    "NPS Answered, NPS Submitted, Sondaggio compilato",
    # Messages and ads
    "Email Sent": "Sent Email, Email inviata",
    "Email Delivered": "Received Email, Email Received, Email consegnata",
    "Email Opened": "Opened Email, Email Open, Apertura email, Email aperta",
    "Email Link Clicked": "Clicked Email, Email Clicked, Email Click, Clic email",
    "Email Bounced": "Bounced Email, Email Bounce, Email Dropped, Dropped Email",
    "Email Marked as Spam": "Marked Email as Spam, Spam Complaint, Email Complained",
    "Unsubscribed": "Email Unsubscribed, Unsubscribed from List, Unsubscribed from Email, SMS Unsubscribed, "
    "Unsubscribed from Email Marketing, Unsubscribed from SMS Marketing, Disiscrizione",
    "Consent Given": "Consent Granted, Opted In, Opt In, Marketing Consent Given, Consented to Receive SMS, Subscribed "
    "to SMS Marketing, Consenso dato, Consenso prestato",
    "Consent Withdrawn": "Consent Revoked, Opted Out, Opt Out, Marketing Consent Withdrawn, Consenso revocato, "
    "Consenso ritirato",
    "Consent Updated": "Consent Changed, Consent Preferences Updated, Segment Consent Preference Updated, "
    "customers_marketing_consent/update, Consenso aggiornato",
    "SMS Sent": "Sent SMS, SMS inviato",
    "SMS Delivered": "Received SMS, SMS Received, SMS consegnato",
    "SMS Link Clicked": "Clicked SMS, SMS Clicked",
    "Push Notification Received": "Push Notification Sent, Push Received, Received Push, Push Sent, "
    "Notification Receive",
    "Push Notification Tapped": "Push Notification Opened, Opened Push, Push Opened, Push Clicked, Notification Open",
    "Mail Dropped": "Direct Mail Sent, Catalogue Sent, Catalog Sent, Letter Sent",
    "Ad Shown": "Ad Impression, Ad Viewed, Impression",
    "Ad Clicked": "Ad Click",
    "Post Shown": "Post Impression, Post Viewed, Social View",
    "Post Clicked": "Post Click, Social Click, Post Liked",
    "Comment Posted": "Social Comment, Post Commented",
    # Account and app
    "Signed Up": "Sign Up, Registered, Account Created, Complete Registration, customers/create, "
    "Registrazione, Utente registrato",
    "Signed In": "Sign In, Login, Logged In, User Logged In, Accesso effettuato",
    "Signed Out": "Sign Out, Logout, Logged Out",
    "Sign In Failed": "Login Failed, Login Error, Accesso fallito",
    "Application Installed": "First Open, App Installed",
    "Application Opened": "App Opened, App Open",
    "Application Updated": "App Update, App Updated",
    "Application Crashed": "App Exception, App Crashed",
    "Application Uninstalled": "App Remove, App Uninstalled",
    # GA4's own
    "Session Started": "Session Start",
    "User Engaged": "User Engagement, Active on Site",
    "Page Scrolled": "Scroll, Scrolled",
    "Experiment Viewed": "Viewed Experiment, Experiment Impression",
    "Error Shown": "Exception, Error Viewed, Alert Displayed, UI Extension Errored",
}

#: What senders say -> canonical name.
ALIASES: dict[str, str] = {said: name for name, texts in _SAID.items() for said in texts.split(", ")}

#: Short names that mean something only in a source of this kind: kind -> what it says -> canonical name.
KIND_ALIASES: dict[str, dict[str, str]] = {
    "email": {
        "Sent": "Email Sent",
        "Processed": "Email Sent",
        "Message Sent": "Email Sent",
        "Delivered": "Email Delivered",
        "Received": "Email Delivered",
        "Open": "Email Opened",
        "Opened": "Email Opened",
        "Click": "Email Link Clicked",
        "Clicked": "Email Link Clicked",
        "Bounce": "Email Bounced",
        "Bounced": "Email Bounced",
        "Dropped": "Email Bounced",
        "Spam": "Email Marked as Spam",
        "Spam Report": "Email Marked as Spam",
        "Complaint": "Email Marked as Spam",
        "Unsubscribe": "Unsubscribed",
    },
    "sms": {
        "Sent": "SMS Sent",
        "Message Sent": "SMS Sent",
        "Delivered": "SMS Delivered",
        "Received": "SMS Delivered",
        "Click": "SMS Link Clicked",
        "Clicked": "SMS Link Clicked",
        "Reply": "SMS Replied",
        "Replied": "SMS Replied",
        "Unsubscribe": "Unsubscribed",
    },
    "delivery": {
        "Ready": "Order Ready",
        "Dispatched": "Order Shipped",
        "Shipped": "Order Shipped",
        "Delivered": "Order Delivered",
        "Failed": "Delivery Failed",
        "Refused": "Order Cancelled",
        "Collected": "Order Collected",
        "Picked Up": "Order Collected",
        "Not Collected": "Order Not Collected",
        "Returned": "Order Returned",
        "Return": "Order Returned",
        "Spedito": "Order Shipped",
        "Consegnato": "Order Delivered",
        "Ritirato": "Order Collected",
    },
    "ads": {"Click": "Ad Clicked", "View": "Ad Shown"},
    "support": {
        "Call": "Call Started",
        "Chat": "Chat Started",
        "Ticket": "Ticket Opened",
        "Email": "Ticket Opened",
        "Message": "Message Sent",
    },
    "review": {"Review": "Product Reviewed"},
    "survey": {"Answer": "Survey Answered", "Response": "Survey Answered", "Sent": "Survey Sent"},
    "pos": {
        "Sale": "Order Completed",
        "Receipt": "Order Completed",
        "Transaction": "Order Completed",
        "Return": "Order Returned",
        "Exchange": "Order Exchanged",
        "Void": "Order Cancelled",
    },
}

_SEPARATORS = re.compile(r"[\W_]+")


def _fold(name: str) -> str:
    return _SEPARATORS.sub("", name).casefold()


_BY_FOLD = {_fold(said): name for said, name in ALIASES.items()}
_BY_FOLD.update((_fold(name), name) for name in CANONICAL_EVENTS)
_BY_KIND = {kind: {_fold(said): name for said, name in names.items()} for kind, names in KIND_ALIASES.items()}


def canonical_name(name: str, extra: Mapping[str, str], *, source_kind: str = "") -> str:
    """The canonical name of an event.

    Parameters
    ----------
    name : str
        What the sender said.
    extra : mapping of str to str
        The workspace's own aliases, matched exactly; they go before the shipped ones.
    source_kind : str, optional
        Kind of the source; with it, the short names of e-mail tools, carriers and the like are understood too.

    Returns
    -------
    str
        A canonical name, or the name as it was, trimmed, where nobody knows it.

    Examples
    --------
    >>> canonical_name("add_to_cart", {}), canonical_name("Scontrino", {}), canonical_name("Catalogo aperto", {})
    ('Product Added', 'Order Completed', 'Catalogo aperto')
    >>> canonical_name("delivered", {}, source_kind="email"), canonical_name("delivered", {})
    ('Email Delivered', 'delivered')
    """
    given = name.strip()
    own = extra.get(name) or extra.get(given)
    if own:
        return own
    fold = _fold(given)
    return _BY_KIND.get(source_kind, {}).get(fold) or _BY_FOLD.get(fold) or given
