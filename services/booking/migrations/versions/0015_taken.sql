-- What is taken of several resources of ours, each within a span of its own: one row for each place in the lists, whose
-- columns are arrays as the protocol writes them (`array_send`), read where they are needed and compared where not.
-- Taken are bookings in an occupying state whose time to decide is not over; what changes that wait take beyond their
-- booking (together, the greater of the two counts: what both have is taken off again); and, where the offer follows the
-- calendar of its owner, that calendar's busy times, wholly. `left_out`: bookings not counted, nor their changes.
-- `with_reach`: also what lies beyond the span by as much as can matter to what is free in it (`Rules.within_reach`).
-- The plan is made once for a connection: planning took longer than reading.
CREATE FUNCTION taken_of(offer_ids uuid[], since timestamptz[], until timestamptz[], left_out uuid[], with_reach boolean)
RETURNS TABLE (number integer, starts bytea, ends bytea, quantities bytea)
LANGUAGE plpgsql STABLE ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT asked.number::integer, array_send(array_agg(lower(t.span))), array_send(array_agg(upper(t.span))),
           array_send(array_agg(t.quantity))
    FROM unnest(offer_ids, since, until) WITH ORDINALITY AS a(id, since, until, number),
    LATERAL (
        SELECT CASE WHEN with_reach THEN (
            SELECT tstzrange(
                a.since - make_interval(mins => r.minimum_minutes + r.buffer_before_minutes),
                a.until + make_interval(mins => r.minimum_minutes + r.buffer_after_minutes)
            ) FROM resources r WHERE r.offer_id = a.id
        ) ELSE tstzrange(a.since, a.until) END
    ) AS around(span),
    LATERAL (SELECT a.id, around.span, a.number) AS asked, LATERAL (
        SELECT b.occupied AS span, b.quantity FROM bookings b
        WHERE b.offer_id = asked.id AND b.occupied && asked.span AND b.resource_origin IS NULL
          AND b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
          AND NOT (b.status IN ('held', 'pending') AND b.decide_by <= clock_timestamp())
          AND b.id <> ALL (left_out)
        UNION ALL
        SELECT part.span, part.quantity
        FROM changes c JOIN bookings b ON b.id = c.booking_id, LATERAL (VALUES
            (c.occupied, c.quantity),
            (c.occupied * b.occupied, -least(c.quantity, b.quantity))
        ) AS part(span, quantity)
        WHERE c.offer_id = asked.id AND c.occupied && asked.span AND c.decide_by > clock_timestamp()
          AND b.status IN ('held', 'pending', 'confirmed', 'in_use', 'overdue')
          AND c.booking_id <> ALL (left_out) AND NOT isempty(part.span)
        UNION ALL
        SELECT e.busy, r.capacity
        FROM resource_calendars k JOIN external_busy e ON e.member_id = k.member_id
        JOIN offers o ON o.origin = '' AND o.id = k.offer_id AND o.owner_member_id = k.member_id
        JOIN resources r ON r.offer_id = k.offer_id
        WHERE k.offer_id = asked.id AND k.follows_calendar AND e.busy && asked.span
    ) AS t
    GROUP BY asked.number;
END $$


-- What requests for our resources are answered from, in one round trip. `people`: status and open circles by member, also
-- of members who are not known here yet, in every row; one row at least. Then, for each offer that is there: its version
-- (`xmin`: another one whenever the row is written), that of how it can be booked, whether quotas of its category may have
-- to be counted, and, where spans are given, what is taken within reach of the one beside it.
CREATE FUNCTION asked_of(member_ids uuid[], offer_ids uuid[], since timestamptz[], until timestamptz[])
RETURNS TABLE (people jsonb, offer_id uuid, offer_version bigint, resource_version bigint, recovering boolean,
               is_counted boolean, starts bytea, ends bytea, quantities bytea)
LANGUAGE plpgsql STABLE ROWS 50 SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    people := (
        SELECT jsonb_object_agg(asking.id, jsonb_build_object('status', m.status, 'circles', (
            SELECT jsonb_object_agg(c.id, c.name) FROM circles c
            WHERE c.status = 'active' AND c.member_ids @> ARRAY[asking.id]
        )))
        FROM unnest(member_ids) AS asking(id) LEFT JOIN members m ON m.id = asking.id
    );
    RETURN QUERY
    SELECT asked_of.people, o.id, o.xmin::text::bigint, r.version, r.recovering,
           EXISTS (SELECT 1 FROM category_quotas q WHERE q.category = o.category), t.starts, t.ends, t.quantities
    FROM (SELECT 1) AS one
    LEFT JOIN unnest(offer_ids) WITH ORDINALITY AS a(id, number) ON true
    LEFT JOIN offers o ON o.origin = '' AND o.id = a.id
    LEFT JOIN resources r ON r.offer_id = o.id
    LEFT JOIN taken_of(CASE WHEN since IS NULL THEN '{}' ELSE offer_ids END, since, until, '{}', true) AS t
        ON t.number = a.number;
END $$
