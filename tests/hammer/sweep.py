"""The independent count: SQL over all instants, with none of the database's functions and constraints, nor the rules.

At every instant at which something begins, everything that contains it is added up. A change that waits counts where
it is more than its booking.
"""

_TAKEN = """
WITH taken AS (
    SELECT b.id, b.offer_id, lower(b.occupied) AS begins, upper(b.occupied) AS ends, b.quantity
    FROM bookings b WHERE b.resource_origin IS NULL
      AND b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
      AND (NOT {lives_only} OR b.status NOT IN ('held', 'pending') OR b.decide_by > now())
    UNION ALL
    SELECT c.booking_id, c.offer_id, lower(c.occupied), upper(c.occupied), c.quantity FROM changes c
    WHERE NOT {lives_only} OR c.decide_by > now()
), instants AS ({instants}),
each_one AS (
    SELECT i.offer_id, i.instant, t.id, max(t.quantity) AS quantity
    FROM instants i JOIN taken t ON t.offer_id = i.offer_id AND t.begins <= i.instant AND i.instant < t.ends
    GROUP BY 1, 2, 3
)
"""

_OVER = """
SELECT count(*) FROM (
    SELECT e.offer_id, e.instant FROM each_one e JOIN resources r ON r.offer_id = e.offer_id
    GROUP BY e.offer_id, e.instant, r.capacity HAVING sum(e.quantity) > r.capacity
) AS excess
"""
_OF_ONE = """
    SELECT CAST(:offer AS uuid) AS offer_id, CAST(:start AS timestamptz) AS instant
    UNION SELECT offer_id, begins FROM taken WHERE offer_id = :offer AND begins >= :start AND begins < :end
"""
_MOST = "SELECT coalesce(max(level), 0) FROM (SELECT sum(quantity) AS level FROM each_one GROUP BY instant) AS levels"

EXCESS = _TAKEN.format(lives_only="false", instants="SELECT DISTINCT offer_id, begins AS instant FROM taken") + _OVER
"""How many instants of all resources have more than the capacity; also of what is over but still written down."""

PEAK = _TAKEN.format(lives_only="true", instants=_OF_ONE) + _MOST
"""The most that is taken of `:offer` at any instant of [`:start`, `:end`) by what still lives."""
