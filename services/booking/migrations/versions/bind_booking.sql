-- A NOTIFY for the listener of `channel`, unless it is awake and looks anyway: it then holds the advisory lock (4711,
-- listener). Like `waking` in chassis/database_listener.py; `listener` is its lock_of. A transaction that notifies takes
-- a lock of the whole server over its commit, so that bookings would be written one after the other.
CREATE FUNCTION wake(channel text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    listener integer := CASE channel WHEN 'outbox' THEN 1793578352 WHEN 'busy' THEN 1335536002
        WHEN 'places' THEN 2125425749 END;
BEGIN
    IF pg_try_advisory_xact_lock_shared(4711, listener) THEN
        PERFORM pg_notify(channel, '');
    END IF;
END $$


-- Decide on a booking and write it down, with its line of history and its event, in one round trip.
-- `written`: the booking, every column of it; `line`, `event`: rows of history and outbox, either may be NULL. `under`: the version of the
-- resource that the caller has checked the rules of. `limit_waiting`: how many requests of the borrower may wait (NULL:
-- not asked). `releases`: a hold of the same member that makes way. Answers 'bound', or what stands in the way.
-- A place that is kept for a waiting list (a hold with waiting_id) makes way only for the booking of the same wish. While
-- something has become free that the line has not been handed yet, or an offered place was not accepted in time, the
-- answer to anybody from outside the line is 'expire_first': the line comes first.
CREATE FUNCTION bind_booking(
    written jsonb, line jsonb, event jsonb, under bigint, limit_waiting integer, releases uuid
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    wanted bookings := jsonb_populate_record(NULL::bookings, written);
    resource record;
    waiting bigint;
    own_hold uuid;
BEGIN
    IF limit_waiting IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(
            'pending:' || coalesce(wanted.borrower_peer_id, wanted.borrower_member_id::text), 0));
    END IF;
    SELECT version, capacity, status INTO resource FROM resources WHERE offer_id = wanted.offer_id FOR NO KEY UPDATE;
    IF resource.version IS DISTINCT FROM under OR resource.status <> 'open' THEN
        RETURN 'rules_changed';
    END IF;
    DELETE FROM bookings b WHERE b.resource_origin IS NULL AND b.status = 'held' AND b.waiting_id IS NULL
        AND b.offer_id = wanted.offer_id AND b.occupied && wanted.occupied AND b.decide_by <= clock_timestamp();
    IF FOUND THEN  -- it is told whatever becomes of this booking
        INSERT INTO busy_to_tell VALUES (wanted.offer_id, clock_timestamp()) ON CONFLICT DO NOTHING;
        PERFORM wake('busy');
    END IF;
    IF EXISTS (
        SELECT 1 FROM bookings b WHERE b.offer_id = wanted.offer_id AND b.occupied && wanted.occupied
          AND b.resource_origin IS NULL AND b.status = 'pending' AND b.decide_by <= clock_timestamp()
        UNION ALL
        SELECT 1 FROM changes c WHERE c.offer_id = wanted.offer_id AND c.occupied && wanted.occupied
          AND c.decide_by <= clock_timestamp()
    ) OR (wanted.waiting_id IS NULL AND EXISTS (
        SELECT 1 FROM bookings b WHERE b.offer_id = wanted.offer_id AND b.status = 'held'
          AND b.waiting_id IS NOT NULL AND b.decide_by <= clock_timestamp()
    )) THEN
        RETURN 'expire_first';
    END IF;
    IF limit_waiting IS NOT NULL THEN
        SELECT count(DISTINCT coalesce(b.series_id, b.id)) INTO waiting FROM bookings b
        WHERE (b.borrower_peer_id = wanted.borrower_peer_id OR b.borrower_member_id = wanted.borrower_member_id)
          AND b.status IN ('pending', 'cancelling')
          AND (b.resource_origin IS NOT NULL OR b.decide_by > clock_timestamp());
        IF waiting >= limit_waiting THEN
            RETURN 'too_many_waiting';
        END IF;
    END IF;
    -- A form's hold of the same offer makes way, too, when the form was quicker than its answer and does not name it.
    SELECT b.id INTO own_hold FROM bookings b WHERE b.resource_origin IS NULL AND b.status = 'held'
        AND b.offer_id = wanted.offer_id AND (b.id = releases OR wanted.waiting_id IS NULL)
        AND b.borrower_member_id = wanted.borrower_member_id AND b.waiting_id IS NOT DISTINCT FROM wanted.waiting_id
        LIMIT 1;
    IF busy_elsewhere(wanted.offer_id, wanted.occupied)
        OR booked_peak(wanted.offer_id, wanted.occupied, own_hold) + wanted.quantity > resource.capacity THEN
        RETURN 'taken';
    END IF;
    -- Asked after the peak: whoever has seen a place become free sees the mark of that, too.
    IF wanted.waiting_id IS NULL AND EXISTS (SELECT 1 FROM places_freed f WHERE f.offer_id = wanted.offer_id) THEN
        RETURN 'expire_first';
    END IF;
    DELETE FROM bookings b WHERE b.id = own_hold;
    INSERT INTO bookings SELECT wanted.*;
    IF line IS NOT NULL THEN
        INSERT INTO history (booking_id, at, what, by_name)
        VALUES (wanted.id, wanted.changed_at, line ->> 'what', line ->> 'by_name');
    END IF;
    IF event IS NOT NULL THEN
        INSERT INTO outbox SELECT (jsonb_populate_record(NULL::outbox, event)).*;
        PERFORM wake('outbox');
    END IF;
    INSERT INTO busy_to_tell VALUES (wanted.offer_id, clock_timestamp()) ON CONFLICT DO NOTHING;
    PERFORM wake('busy');
    RETURN 'bound';
END $$
