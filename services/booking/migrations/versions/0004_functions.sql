-- Whether the person whose time our offer is has something else in `span`, by the calendar that the offer follows.
CREATE FUNCTION busy_elsewhere(of_offer uuid, span tstzrange) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM resource_calendars r
        JOIN offers o ON o.origin = '' AND o.id = r.offer_id AND o.owner_member_id = r.member_id
        JOIN external_busy e ON e.member_id = r.member_id
        WHERE r.offer_id = of_offer AND r.follows_calendar AND e.busy && span
    )
$$


-- What is bound is free elsewhere, too, as `occupied` says it to everybody else; still in one round trip.
ALTER FUNCTION bind_booking(jsonb, jsonb, jsonb, bigint, integer, uuid) RENAME TO bind_booking_here


CREATE FUNCTION bind_booking(
    written jsonb, line jsonb, event jsonb, under bigint, limit_waiting integer, releases uuid
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF busy_elsewhere((written ->> 'offer_id')::uuid, (written ->> 'occupied')::tstzrange) THEN
        RETURN 'taken';
    END IF;
    RETURN bind_booking_here(written, line, event, under, limit_waiting, releases);
END $$
