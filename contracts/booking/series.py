"""Bookings that repeat: what is told once for all of them. Each of them has events of its own too."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.booking.bookings import Party
from contracts.envelope import Data, Event


class SeriesDate(Data):
    """One booking of a series, in UTC. `version`: the booking's, which orders calendar entries (SEQUENCE)."""

    booking_id: UUID
    position: int
    start: datetime
    end: datetime
    version: int | None = None


class SeriesState(Data):
    """A series, and those of its bookings (`dates`, in order of time) that the event is about.

    `rrule`: RFC 5545, read on the wall clock of `time_zone` from `start` (UTC, the first occurrence) on. `of`: how
    many were booked together. `decide_by`: after this instant what is pending is not confirmed any more.
    """

    id: UUID
    offer_id: UUID
    offer_title: str
    borrower: Party
    owner: Party
    rrule: str
    start: datetime
    end: datetime
    time_zone: str
    place_label: str | None
    quantity: int
    note: str
    of: int
    reason: str | None
    decide_by: datetime | None
    version: int
    changed_at: datetime
    circle_name: str | None = None
    private: bool = False
    dates: tuple[SeriesDate, ...]


class SeriesEvent(Event):
    """Something that was done to several bookings of a series in one step; `together` is also in their own events."""

    series: SeriesState
    together: UUID

    @property
    def subject(self) -> str:
        return str(self.series.id)


class SeriesRequested(SeriesEvent):
    """These bookings wait for a decision, which may be one for all."""

    type: ClassVar[str] = "booking.series_requested.v1"


class SeriesConfirmed(SeriesEvent):
    """These bookings are confirmed."""

    type: ClassVar[str] = "booking.series_confirmed.v1"


class SeriesDeclined(SeriesEvent):
    """These bookings were refused (`series.reason` may say why), or (`expired`) nobody decided in time."""

    type: ClassVar[str] = "booking.series_declined.v1"
    expired: bool = False


class SeriesCancelled(SeriesEvent):
    """These bookings were called off by that side, all that were to come or the following ones."""

    type: ClassVar[str] = "booking.series_cancelled.v1"
    by: Literal["borrower", "owner", "system"]
    scope: Literal["following", "all"]


class SeriesMoved(SeriesEvent):
    """These bookings have new periods (or another quantity), after a change made by that side."""

    type: ClassVar[str] = "booking.series_moved.v1"
    by: Literal["borrower", "owner", "system"]


class SeriesChange(Data):
    """New periods that are asked for several bookings of a series at once (`dates`), by the owner or the borrower.

    `decide_by`: after this instant nothing changes any more.
    """

    by_owner: bool
    quantity: int
    note: str
    decide_by: datetime
    dates: tuple[SeriesDate, ...]


class SeriesChangeAsked(SeriesEvent):
    """A change of these bookings waits for one answer; they stay as they are until then."""

    type: ClassVar[str] = "booking.series_change_asked.v1"
    change: SeriesChange


class SeriesChangeRefused(SeriesEvent):
    """They stay as they are: refused, no longer asked for (`by` the side that asked), or not answered in time."""

    type: ClassVar[str] = "booking.series_change_refused.v1"
    by: Literal["borrower", "owner", "system"]
    expired: bool = False
