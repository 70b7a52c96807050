"""Listings over a real link: what arrives, in which form, and that it goes again."""

from contracts.federation import ListingReceived
from tests.services.federation.pair import Pair, listing, published


async def test_a_listing_published_at_lille_is_heard_at_namur(pair: Pair) -> None:
    await pair.link()
    async with pair.namur.ear("matching", ListingReceived) as heard:
        offer = listing()
        await pair.lille.say("catalog", published(offer))
        received = await heard()
    assert received.origin == pair.lille.border.us
    assert (received.listing.id, received.listing.title) == (offer.id, offer.title)
    assert received.listing.place is not None
    assert (received.listing.place.label, received.listing.place.latitude) == ("Lille", 50.64)
